// A server with Node's tls: port, certificate and key, and what it does about sessions:
// nothing, keeps them itself, or refuses all.
const fs = require("fs");
const tls = require("tls");

const [port, file, sessions] = process.argv.slice(2);
const pem = fs.readFileSync(file);
const kept = new Map();
let made = 0, asked = 0;
process.on("SIGTERM", () => {
  console.log(`new ${made} get ${asked}`);
  process.exit(0);
});

const tickets = require("constants").SSL_OP_NO_TICKET;
const server = tls.createServer({ cert: pem, key: pem, secureOptions: tickets }, (socket) => {
  socket.on("error", () => {}); // a client that only looked whether somebody is there
  socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
});
server.on("tlsClientError", () => {});
if (sessions) {
  server.on("newSession", (id, data, done) => {
    made++;
    kept.set(id.toString("hex"), data);
    done();
  });
  server.on("resumeSession", (id, done) => {
    asked++;
    done(null, sessions === "keeps" ? kept.get(id.toString("hex")) : null);
  });
}
server.listen({ port: Number(port), host: "127.0.0.1" });
