"""mumble.py PORT 1.2|1.3 NAME CERTIFICATE KEY: a registered user of a Mumble server, whom the server knows by his certificate.

He registers himself and comes back twice with the session of the time before; then somebody without a certificate takes his name.
A line for each: "in", or "rejected" and why. Messages are a type, a size and a protobuf (Mumble.proto).
"""
import socket
import ssl
import struct
import sys

VERSION, AUTHENTICATE, REJECT, SYNC, USER = 0, 2, 4, 5, 9


def varint(number):
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def number_field(field, number):
    return varint(field << 3) + varint(number)


def bytes_field(field, text):
    return varint(field << 3 | 2) + varint(len(text)) + text


def read_varint(message, at):
    number = shift = 0
    while True:
        byte = message[at]
        at, number, shift = at + 1, number | (byte & 127) << shift, shift + 7
        if byte < 128:
            return number, at


def fields(message):
    """The fields of a protobuf that are numbers or bytes, which are all that are looked at; what follows another is left out."""
    found, at = {}, 0
    while at < len(message):
        key, at = read_varint(message, at)
        value, at = read_varint(message, at)
        if key & 7 == 2:
            value, at = message[at:at + value], at + value
        elif key & 7 != 0:
            break
        found[key >> 3] = value
    return found


class Connection:
    def __init__(self, port, name, context, session):
        raw = socket.create_connection(("127.0.0.1", port), 15)
        self.socket = context.wrap_socket(raw, server_hostname="first.test", session=session)
        self.send(VERSION, number_field(1, 0x00010300))
        self.send(AUTHENTICATE, bytes_field(1, name.encode()))

    def send(self, kind, message):
        self.socket.sendall(struct.pack(">HI", kind, len(message)) + message)

    def exactly(self, size):
        got = b""
        while len(got) < size:
            piece = self.socket.recv(size - len(got))
            if not piece:
                raise EOFError("the server has closed the connection")
            got += piece
        return got

    def wait_for(self, *kinds):
        while True:
            kind, size = struct.unpack(">HI", self.exactly(6))
            message = self.exactly(size)
            if kind in kinds:
                return kind, fields(message)

    def is_in(self):
        kind, message = self.wait_for(SYNC, REJECT)
        self.number = message.get(1)
        return "in" if kind == SYNC else "rejected: " + message.get(2, b"").decode()

    def leave(self):
        """Says close_notify, else the session would be no more; what the server says meanwhile is of no interest."""
        try:
            self.socket.unwrap()
        except ssl.SSLError:
            pass
        self.socket.close()

    def register(self):
        self.send(USER, number_field(1, self.number) + number_field(4, 0))
        while 4 not in self.wait_for(USER)[1]:
            pass


def make_context(version, *certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    only = ssl.TLSVersion.TLSv1_3 if version == "1.3" else ssl.TLSVersion.TLSv1_2
    context.minimum_version = context.maximum_version = only
    if version == "1.2":
        context.options |= ssl.OP_NO_TICKET
    if certificate:
        context.load_cert_chain(*certificate)
    return context


def main():
    port, version, name, certificate, key = sys.argv[1:]
    context, session = make_context(version, certificate, key), None
    for time in range(3):
        connection = Connection(int(port), name, context, session)
        print(connection.is_in())
        if time == 0:
            connection.register()
        session = connection.socket.session
        connection.leave()
    connection = Connection(int(port), name, make_context(version), None)
    print(connection.is_in())


main()
