"""client.py PORT USER 1.2|1.2-|1.3: an FTP client over TLS; "1.2-" is one without tickets.

It offers to each connection the session of the control connection before it. It reads one command a line from stdin, and answers
each with one line: "ok" and whether the session was resumed, or an error. A name of "-" is no server name in the ClientHello
(RFC 6066, section 3).

  login NAME   a control connection
  get NAME     a file, over a data connection
  quit
"""
import ftplib
import socket
import ssl
import sys

TIMEOUT = 15
PASSWORD = "secret"


def make_context(version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    only = ssl.TLSVersion.TLSv1_3 if version == "1.3" else ssl.TLSVersion.TLSv1_2
    context.minimum_version = context.maximum_version = only
    if version == "1.2-":
        context.options |= ssl.OP_NO_TICKET
    return context


class Client(ftplib.FTP_TLS):
    def over_tls(self, connection, name, session):
        name = None if name == "-" else name
        return self.context.wrap_socket(connection, server_hostname=name, session=session)

    def auth_tls(self, name, session):
        self.voidcmd("AUTH TLS")
        self.sock = self.over_tls(self.sock, name, session)
        self.file = self.sock.makefile(mode="r", encoding=self.encoding)

    def fetch(self, name, session):
        """Returns whether the session was resumed."""
        _, port = self.makepasv()
        connection = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.sendcmd("RETR file")
        with self.over_tls(connection, name, session) as data:
            resumed = data.session_reused
            got = b""
            while piece := data.recv(1024):
                got += piece
            data.unwrap().close()
            self.voidresp()
            if got != b"file\n":
                raise ftplib.Error(f"the file holds {got}")
        return resumed


class Caller:
    def __init__(self, port, user, version):
        self.port, self.user, self.context = int(port), user, make_context(version)
        self.client, self.session = None, None

    def login(self, name):
        self.client = Client(context=self.context, timeout=TIMEOUT)
        self.client.connect("127.0.0.1", self.port)
        self.client.auth_tls(name, self.session)
        reused = self.client.sock.session_reused
        self.client.login(self.user, PASSWORD, secure=False)
        self.client.prot_p()
        self.client.voidcmd("TYPE I")
        self.session = self.client.sock.session  # with TLS 1.3 a ticket has come by now
        return "resumed" if reused else "full"

    def get(self, name):
        return "resumed" if self.client.fetch(name, self.session) else "full"

    def quit(self):
        self.client.quit()
        return "bye"


def main():
    caller = Caller(*sys.argv[1:])
    for line in sys.stdin:
        word, *arguments = line.split()
        try:
            print("ok", getattr(caller, word)(*arguments))
        except (ftplib.Error, OSError, EOFError) as error:
            print("error", repr(error))
        sys.stdout.flush()


main()
