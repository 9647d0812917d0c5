"""HTTP as bytes: sends exactly what it is given and reads one answer at a time."""

import dataclasses
import socket

from .waiting import PATIENCE_S

CHUNK = 65536


@dataclasses.dataclass
class Answer:
    status: int
    reason: str
    headers: list
    body: bytes = b""

    def header(self, name):
        """The value of the first field of that name, or None."""
        return next((value for field, value in self.headers if field.lower() == name.lower()), None)


class Wire:
    """One connection. Use as a context manager."""

    def __init__(self, connection):
        self.connection = connection
        self.connection.settimeout(PATIENCE_S)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def send(self, data):
        self.connection.sendall(data)

    def end_sending(self):
        self.connection.shutdown(socket.SHUT_WR)

    def ask(self, data, is_head=False):
        self.send(data)
        return self.read(is_head)

    def read(self, is_head=False):
        """The next answer, whole. Interim ones (1xx) are answers of their own."""
        answer = self.read_head()
        if is_head or answer.status < 200 or answer.status in (204, 304):
            return answer
        if (answer.header("Transfer-Encoding") or "").lower() == "chunked":
            answer.body = self._read_chunks()
        elif answer.header("Content-Length") is not None:
            answer.body = self._take(int(answer.header("Content-Length")))
        else:
            answer.body = self._read_to_end()
        return answer

    def read_head(self):
        lines = self._take_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, reason = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if line]
        return Answer(int(status), reason, headers)

    def read_rest(self):
        """All that comes before the connection ends, however it does."""
        return self._read_to_end()

    def has_ended(self):
        """Waits for the server to close; True if it does and said nothing more before."""
        rest = self._read_to_end()
        assert rest == b"", f"said after its last answer: {rest[:200]!r}"
        return True

    def _read_chunks(self):
        body = b""
        while True:
            size = int(self._take_until(b"\r\n")[:-2], 16)
            body += self._take(size)
            assert self._take(2) == b"\r\n"
            if size == 0:
                return body

    def _take(self, count):
        while len(self.unread) < count:
            self._receive()
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken

    def _take_until(self, end):
        while end not in self.unread:
            self._receive()
        return self._take(self.unread.index(end) + len(end))

    def _receive(self):
        data = self.connection.recv(CHUNK)
        if not data:
            raise EOFError(f"the server closed the connection; unread: {self.unread[:200]!r}")
        self.unread += data

    def _read_to_end(self):
        """A reset after unread bytes of ours is an end too."""
        try:
            while True:
                self._receive()
        except (EOFError, ConnectionResetError):
            rest, self.unread = self.unread, b""
            return rest


def request(method, target, *fields, body=None):
    """A well-formed request; Content-Length is added for a body."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunked(*chunks):
    """A body in chunks, with its end."""
    parts = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return b"".join(parts) + b"0\r\n\r\n"
