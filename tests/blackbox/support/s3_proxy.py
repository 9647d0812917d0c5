"""
Stands between pieroned (or a client that follows a link) and S3: writes down what is asked, and
misbehaves when told. It passes the Host field on as it came, so signatures stay valid.
"""

import contextlib
import dataclasses
import http.client
import http.server
import socket
import struct
import threading
import urllib.parse

from .waiting import PATIENCE_S

PIECE_BYTES = 64 * 1024
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing discards what is unsent, and says RST

SLOW_DOWN = (b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
             b"<Message>Reduce your request rate</Message></Error>")
INTERNAL_ERROR = SLOW_DOWN.replace(b"SlowDown", b"InternalError")


def error_document(code):
    """As S3 says it."""
    return SLOW_DOWN.replace(b"SlowDown", code.encode())


@dataclasses.dataclass
class S3Request:
    """As it came."""
    method: str
    path: str
    query: dict
    headers: http.client.HTTPMessage
    size: int  # of its body

    @property
    def kind(self):
        """What S3 calls it, as far as a registry has to do with it."""
        upload = "uploadId" in self.query
        return {
            ("PUT", False): "PutObject", ("PUT", True): "UploadPart",
            ("POST", False): "CreateMultipartUpload", ("POST", True): "CompleteMultipartUpload",
            ("GET", False): "GetObject", ("HEAD", False): "HeadObject",
            ("DELETE", True): "AbortMultipartUpload", ("DELETE", False): "DeleteObject",
        }.get((self.method, upload), self.method)

    @property
    def is_by_link(self):
        return "X-Amz-Signature" in self.query


# -- what it does with a request: functions of the connection's handler

def forward(handler):
    handler.forward()


def answer(status, body, **headers):
    """Says so itself; S3 hears nothing of it."""
    def say(handler):
        handler.read_body()
        handler.say(status, {"Content-Type": "application/xml", **headers}, body)

    return say


def reset(handler):
    """The connection breaks when the request was sent."""
    handler.read_body()
    handler.reset()


def reset_in_body(handler):
    """The connection breaks while the request is being sent."""
    handler.rfile.read(min(1, handler.body_length))
    handler.reset()


def lose_answer(handler):
    """S3 does it, but nobody hears of it."""
    handler.forward(is_answered=False)


def cut_answer(handler):
    """S3 does it, and the connection breaks in the middle of its answer."""
    handler.forward(is_cut=True)


def slowly(pause_s):
    """As usual, but it takes that long to begin."""
    def wait(handler):
        handler.server.stopping.wait(pause_s)
        handler.forward()

    return wait


class Held:
    """Requests wait until it is released."""

    def __init__(self):
        self.is_open = threading.Event()
        self.count = 0

    def __call__(self, handler):
        self.count += 1
        self.is_open.wait(PATIENCE_S)
        handler.forward()


FAULTS = {
    "503 SlowDown": answer(503, SLOW_DOWN),
    "500 InternalError": answer(500, INTERNAL_ERROR),
    "502 of a proxy": answer(502, b"<html>Bad Gateway</html>"),
    "429 TooManyRequests": answer(429, error_document("TooManyRequestsException")),
    "400 BadDigest": answer(400, error_document("BadDigest")),
    "400 of KMS, too much": answer(400, error_document("ThrottlingException")),
    "ExpiredToken": answer(400, error_document("ExpiredToken")),
    "reset": reset,
    "reset in the body": reset_in_body,
    "lost answer": lose_answer,
    "cut answer": cut_answer,
}

# What repeating does not mend: the answer, and words of the advice that the log has to give.
REFUSALS = {
    "AccessDenied": (403, "allow it in the bucket's policy"),
    "AuthorizationHeaderMalformed": (400, "storage.s3.region"),
    "KMS.DisabledException": (400, "enable it"),
    "KMS.NotFoundException": (400, "storage.s3.kms_key"),
    "NoSuchBucket": (404, "create the bucket"),
    "PermanentRedirect": (301, "storage.s3.region"),
    "RequestTimeTooSkewed": (403, "clock"),
    "SignatureDoesNotMatch": (403, "secret key"),
}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S
    disable_nagle_algorithm = True

    def serve(self):
        parts = urllib.parse.urlsplit(self.path)
        self.body_length = int(self.headers.get("Content-Length", 0))
        request = S3Request(self.command, urllib.parse.unquote(parts.path),
                            dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
                            self.headers, self.body_length)
        self.server.note(request)(self)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = serve

    def handle_expect_100(self):
        """Whether to go on is S3's to say, but the body is wanted here in any case."""
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def pieces(self):
        """Of the body, as they come."""
        left = self.body_length
        while left > 0:
            piece = self.rfile.read1(min(left, PIECE_BYTES))
            if not piece:
                raise ConnectionResetError
            left -= len(piece)
            yield piece

    def read_body(self):
        for _ in self.pieces():
            pass

    def forward(self, is_answered=True, is_cut=False):
        """Body and answer pass through in pieces, in both directions."""
        target = http.client.HTTPConnection(*self.server.target, timeout=PATIENCE_S)
        with contextlib.closing(target):
            target.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("expect", "connection"):
                    target.putheader(name, value)
            target.endheaders()
            for piece in self.pieces():
                target.send(piece)
            reply = target.getresponse()
            if not is_answered:
                reply.read()
                self.reset()
            else:
                self._pass_back(reply, is_cut)

    def _pass_back(self, reply, is_cut):
        length = int(reply.headers.get("Content-Length") or 0)
        has_body = self.command != "HEAD" and reply.status != 204
        if reply.headers.get("Transfer-Encoding"):  # Ceph's way with errors
            self.say(reply.status, self._fields(reply), reply.read())
            return
        self._say_head(reply.status, {**self._fields(reply), "Content-Length": length})
        left = (length // 2 if is_cut else length) if has_body else 0
        while left > 0:
            piece = reply.read(min(left, PIECE_BYTES))
            left -= len(piece)
            self.wfile.write(piece)
        if is_cut:
            self.reset()

    @staticmethod
    def _fields(reply):
        ours = ("content-length", "transfer-encoding", "connection", "keep-alive")
        return {name: value for name, value in reply.headers.items() if name.lower() not in ours}

    def say(self, status, headers, body):
        self._say_head(status, {**headers, "Content-Length": len(body)})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _say_head(self, status, headers):
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.connection.close()
        self.close_connection = True

    def finish(self):
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_):
        """What it was asked, the test can ask it."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, target, note):
        self.target = target
        self.note = note
        self.stopping = threading.Event()
        self.connections = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """A connection that somebody broke off is no news; whoever asked sees it end."""


class S3Proxy:
    """In front of HOST:PORT. Use as a context manager."""

    def __init__(self, port, host="127.0.0.1"):
        self.requests = []
        self._behaviours = []
        self._lock = threading.Lock()
        self._server = _Server((host, port), self._note)
        self.port = self._server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for connection in list(self._server.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    # -- what the test says

    @contextlib.contextmanager
    def doing(self, behaviour, times=None, only=None):
        """Within: requests (of the kind `only`) meet `behaviour`, the first `times` of them."""
        entry = [behaviour, times, only]
        self._behaviours.append(entry)
        try:
            yield entry
        finally:
            self._behaviours.remove(entry)

    def forget(self):
        self.requests.clear()

    # -- what the test asks

    def kinds(self):
        return [request.kind for request in self.requests]

    def of_kind(self, kind):
        return [request for request in self.requests if request.kind == kind]

    def by_link(self):
        return [request for request in self.requests if request.is_by_link]

    # -- what the server does

    def _note(self, request):
        """Writes it down, and says what to do."""
        with self._lock:
            self.requests.append(request)
            for entry in self._behaviours:
                behaviour, times, only = entry
                if times != 0 and only in (None, request.kind):
                    entry[1] = None if times is None else times - 1
                    return behaviour
        return forward
