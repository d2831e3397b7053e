# A server with Python's ssl, which has no session callbacks: port, certificate and key. TICKETS=off takes its tickets away.
import os
import signal
import socket
import ssl
import sys

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
if os.environ.get("TICKETS") == "off":
    context.options |= ssl.OP_NO_TICKET
with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64) as listener:
    while True:
        plain, _ = listener.accept()
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with context.wrap_socket(plain, server_side=True) as tls:
                tls.recv(4096)
                tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                tls.unwrap()
        except OSError:
            plain.close()  # a client that only looked whether somebody is there
