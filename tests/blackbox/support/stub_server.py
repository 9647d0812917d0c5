"""HTTP servers of a test's own, that pieroned asks: they record, wait and misbehave when told."""

import contextlib
import dataclasses
import http.server
import json
import socket
import ssl
import threading
import urllib.parse

from .waiting import PATIENCE_S, wait_until

JSON = "application/json"
HUGE_BYTES = 64 * 1024 * 1024
PIECE = b" " * 65536


@dataclasses.dataclass
class Request:
    """As it came."""
    method: str
    path: str
    query: dict
    headers: object
    body: bytes

    @property
    def bearer(self):
        """The token of its Authorization field, or None."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if scheme == "Bearer" else None

    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode("ascii"), keep_blank_values=True))

    def json(self):
        return json.loads(self.body)


@dataclasses.dataclass
class Answer:
    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict = dataclasses.field(default_factory=dict)


def json_answer(status, value, **headers):
    return Answer(status, json.dumps(value).encode(), headers=headers)


# -- ways to misbehave: each is what an endpoint does instead of its work

def failing(status, body=b'{"error": "as the test wants it"}'):
    return lambda request: Answer(status, body)


def malformed(request):
    """JSON that ends too early."""
    return Answer(200, b'{"uid": "jdoe", "realm": "/emplo')


def no_json(request):
    """What a proxy says that thinks it is talking to a person."""
    return Answer(200, b"<html><body>Please log in</body></html>", "text/html")


def wrong_kind(request):
    """JSON of a kind that nobody asked for."""
    return Answer(200, b'"yes"')


def redirecting(url):
    return lambda request: Answer(302, headers={"Location": url})


def closing(request):
    """The connection ends without an answer."""
    return None


def huge(request):
    """An answer that is far too long; its beginning would be fine."""
    return Answer(200, None)


BREAKDOWNS = {
    "status 500": failing(500),
    "status 503": failing(503),
    "status 302": failing(302),
    "half of a JSON": malformed,
    "no JSON": no_json,
    "other JSON": wrong_kind,
    "no answer": closing,
    "far too much": huge,
}


class Endpoint:
    """One path, or all below one (`/kio/`), with the function that answers there."""

    def __init__(self, path, answer):
        self.path = path
        self.requests = []
        self._usual = answer
        self._answer = answer
        self._is_open = threading.Event()
        self._is_open.set()
        self._held = 0
        self._lock = threading.Lock()

    # -- what the test says

    @contextlib.contextmanager
    def behaving(self, answer):
        """Within: it answers so, and afterwards as usual again."""
        self._answer = answer
        try:
            yield self
        finally:
            self._answer = self._usual

    @contextlib.contextmanager
    def held(self):
        """Within: requests arrive and get no answer until the end of it."""
        self._is_open.clear()
        try:
            yield self
        finally:
            self.release()

    def release(self):
        self._is_open.set()

    # -- what the test asks

    @property
    def count(self):
        return len(self.requests)

    @property
    def held_count(self):
        return self._held

    def wait_for_held(self, count=1):
        wait_until(lambda: self._held >= count, f"{count} held requests for {self.path}")

    def forget(self):
        self.requests.clear()

    # -- what the server does

    def covers(self, path):
        return path.startswith(self.path) if self.path.endswith("/") else path == self.path

    def serve(self, request):
        with self._lock:
            self.requests.append(request)
            self._held += 1
        self._is_open.wait(PATIENCE_S)
        with self._lock:
            self._held -= 1
        return self._answer(request)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S

    def setup(self):
        super().setup()
        self.server.connections.add(self.connection)
        self.server.connection_count += 1

    def finish(self):
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def serve(self):
        parts = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        request = Request(self.command, urllib.parse.unquote(parts.path), query, self.headers, body)
        endpoint = next((one for one in self.server.endpoints if one.covers(request.path)), None)
        answer = self._ask(endpoint, request) if endpoint else json_answer(404, {})
        self.close_connection = answer is None
        if answer is not None:
            with contextlib.suppress(ConnectionError):
                self._send(answer)

    do_GET = do_POST = do_PUT = do_HEAD = serve

    def _ask(self, endpoint, request):
        try:
            return endpoint.serve(request)
        except Exception as error:  # a request that the stub does not understand fails the test
            self.server.failures.append(f"{request}: {error!r}")
            return Answer(500)

    def _send(self, answer):
        """In one piece: a head and a body apart would wait for each other's acknowledgement."""
        length = HUGE_BYTES if answer.body is None else len(answer.body)
        self.send_response(answer.status)
        for name, value in {"Content-Type": answer.content_type, "Content-Length": length,
                            **answer.headers}.items():
            self.send_header(name, str(value))
        self._headers_buffer.append(b"\r\n")
        head = b"".join(self._headers_buffer)
        self._headers_buffer = []
        if answer.body is not None:
            self.wfile.write(head + answer.body)
            return
        self.wfile.write(head + b"{" + PIECE[1:])
        for _ in range(HUGE_BYTES // len(PIECE) - 1):
            self.wfile.write(PIECE)

    def log_message(self, *_):
        """What it was asked, the test can ask it."""


class _HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, endpoints, certificate):
        self.endpoints = endpoints
        self.connections = set()
        self.connection_count = 0  # ever
        self.failures = []
        super().__init__(("127.0.0.1", 0), _Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.path, certificate.key_path)
            # Hands are shaken by the connection's own thread, when it first reads.
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        """A connection that a client broke off is no news."""


class StubServer:
    """Serves a list of endpoints on loopback, with TLS if there is a certificate. Use as a context
    manager."""

    def __init__(self, endpoints, certificate=None):
        self.endpoints = endpoints
        self._server = _HttpServer(endpoints, certificate)
        scheme = "https" if certificate else "http"
        self.origin = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def count_connections(self):
        """That were ever made to it."""
        return self._server.connection_count

    def close_connections(self):
        for connection in list(self._server.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        for endpoint in self.endpoints:
            endpoint.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.close_connections()
        assert not self._server.failures, self._server.failures


@contextlib.contextmanager
def nobody_listens():
    """A URL whose connections are refused as long as this lasts: the port is taken, and closed."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
