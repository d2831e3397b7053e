"""Tries to get in by EAP-TTLS without credentials: ttls.py PORT CA

Makes a handshake, and goes away. Comes back with the session, and answers without credentials again.
Prints for each time whether the session was resumed, and what the server said: 2 Accept, 3 Reject.
RADIUS is RFC 2865 and 3579, EAP RFC 3748, EAP-TTLS RFC 5281.
"""
import hashlib
import hmac
import os
import socket
import ssl
import struct
import sys

SECRET = b"radius"
CHALLENGE = 11
IDENTITY, NAK, TTLS = 1, 3, 21
LENGTH, MORE, START = 0x80, 0x40, 0x20  # flags of EAP-TTLS


def attributes(packet):
    """The attributes of a RADIUS packet, those of one type put together."""
    found, at = {}, 20
    while at < len(packet):
        kind, size = packet[at], packet[at + 1]
        found[kind] = found.get(kind, b"") + packet[at + 2:at + size]
        at += size
    return found


class Conversation:
    """One EAP conversation: the state of the RADIUS server, and the identifier of its last EAP packet."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.connect(("127.0.0.1", port))
        self.state, self.identifier, self.number = b"", 0, 0

    def respond(self, kind, data):
        """Sends an EAP response; the code of the RADIUS answer, and the data of its EAP request."""
        eap = struct.pack("!BBHB", 2, self.identifier, len(data) + 5, kind) + data
        body = b"\x01\x06user"
        for start in range(0, len(eap), 253):
            piece = eap[start:start + 253]
            body += bytes([79, len(piece) + 2]) + piece
        if self.state:
            body += bytes([24, len(self.state) + 2]) + self.state
        body += b"\x50\x12"  # Message-Authenticator, last
        self.number += 1
        head = struct.pack("!BBH", 1, self.number, 20 + len(body) + 16) + os.urandom(16)
        proof = hmac.new(SECRET, head + body + bytes(16), hashlib.md5).digest()
        self.socket.send(head + body + proof)
        answer = self.socket.recv(4096)
        found = attributes(answer)
        self.state = found.get(24, b"")
        eap = found.get(79, b"")
        if len(eap) > 4:
            self.identifier = eap[1]
        return answer[0], eap[5:]


class Handshake:
    """TLS in EAP-TTLS, without an end of its own: a session, or none."""

    def __init__(self, ca, session):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_TICKET
        context.check_hostname = False
        context.load_verify_locations(ca)
        self.input, self.output = ssl.MemoryBIO(), ssl.MemoryBIO()
        if session:  # a session belongs to the context that made it
            context = session[0]
        self.context = context
        self.tls = context.wrap_bio(self.input, self.output, session=session and session[1])

    def step(self):
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False


def visit(port, ca, session):
    """Makes a handshake; the conversation after it, and the handshake."""
    talk = Conversation(port)
    talk.respond(IDENTITY, b"user")
    _, data = talk.respond(NAK, bytes([TTLS]))
    if not data[0] & START:
        sys.exit("no EAP-TTLS")
    shake = Handshake(ca, session)
    done = shake.step()
    while True:
        code, data = talk.respond(TTLS, b"\x00" + shake.output.read())
        while code == CHALLENGE:
            shake.input.write(data[5:] if data[0] & LENGTH else data[1:])
            if not data[0] & MORE:
                break
            code, data = talk.respond(TTLS, b"\x00")
        if done or code != CHALLENGE:
            return talk, shake, code
        done = shake.step()
        if done and not shake.output.pending:
            return talk, shake, code


def main():
    port, ca = int(sys.argv[1]), sys.argv[2]
    _, shake, code = visit(port, ca, None)
    print("resumed", shake.tls.session_reused, "code", code)
    talk, shake, code = visit(port, ca, (shake.context, shake.tls.session))
    while code == CHALLENGE:
        code, _ = talk.respond(TTLS, b"\x00")
    print("resumed", shake.tls.session_reused, "code", code)


main()
