"""HTTP/1.1 on the wire: RFC 9110 and 9112, strictly. Requests are exact bytes."""

import contextlib
import socket
import ssl

import pytest

from support.images import DOCKER_MANIFEST, digest_of, new_repository
from support.registry_client import RegistryClient
from support.waiting import wait_until
from support.wire import Wire, chunked, request

GET = request("GET", "/v2/")
MIB = 1024 * 1024
MANIFEST_TYPE = f"Content-Type: {DOCKER_MANIFEST}"


IMPATIENT = {"limits": {
    "head_timeout": "3s", "idle_timeout": "3s", "stall_timeout": "3s", "body_rate": "1KiB"}}


@pytest.fixture
def impatient(start_server):
    """Waits for nobody for long."""
    return start_server(IMPATIENT)


def begin_upload(server):
    """The path and the repository of a new upload."""
    repository = new_repository()
    with RegistryClient(server.port) as registry:
        return registry.begin_upload(repository), repository


# -- connections

def test_connection_serves_many_requests(wire):
    for _ in range(100):
        assert wire.ask(GET).status == 200


def test_pipelined_requests_are_answered_in_order(wire):
    paths = ["/v2/", "/health", "/v2/nothing/here/manifests/1", "/v2/"] * 10
    wire.send(b"".join(request("GET", path) for path in paths))
    assert [wire.read().status for _ in paths] == [200, 200, 404, 200] * 10


def test_pipelined_bodies_are_told_apart(wire, server):
    first, repository = begin_upload(server)
    second, _ = begin_upload(server)
    wire.send(request("PATCH", first, "Transfer-Encoding: chunked") + chunked(b"ab", b"c") + GET)
    wire.send(request("PATCH", second, body=b"defg") + GET)
    answers = [wire.read() for _ in range(4)]
    assert [answer.status for answer in answers] == [202, 200, 202, 200]
    assert [answers[0].header("Range"), answers[2].header("Range")] == ["0-2", "0-3"]


def test_request_arriving_byte_by_byte_is_served(wire):
    for byte in GET:
        wire.send(bytes([byte]))
    assert wire.read().status == 200


def test_connection_close_is_honoured(wire):
    answer = wire.ask(request("GET", "/v2/", "Connection: close"))
    assert answer.status == 200
    assert answer.header("Connection").lower() == "close"
    assert wire.has_ended()


def test_http_1_0_is_answered_once_and_closed(wire):
    answer = wire.ask(b"GET /v2/ HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert answer.status == 200
    assert wire.has_ended()


def test_http_1_0_may_ask_for_keep_alive(wire):
    ask = b"GET /v2/ HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
    assert wire.ask(ask).header("Connection").lower() == "keep-alive"
    assert wire.ask(ask).status == 200


def test_half_closed_client_gets_its_answer(wire):
    wire.send(GET)
    wire.end_sending()
    assert wire.read().status == 200
    assert wire.has_ended()


def test_answer_has_a_date_and_its_length(wire):
    answer = wire.ask(GET)
    assert answer.header("Date").endswith(" GMT")
    assert int(answer.header("Content-Length")) == len(answer.body)


def test_head_has_the_length_of_get_and_no_body(wire):
    body = wire.ask(GET)
    head = wire.ask(request("HEAD", "/v2/"), is_head=True)
    assert head.status == body.status
    assert head.header("Content-Length") == body.header("Content-Length")
    assert wire.ask(GET).status == 200


def test_head_of_what_is_missing_has_no_body(wire):
    head = wire.ask(request("HEAD", "/v2/no/such/manifests/1"), is_head=True)
    assert head.status == 404
    assert wire.ask(GET).status == 200


def test_absolute_form_is_understood(wire):
    assert wire.ask(request("GET", "http://localhost/v2/")).status == 200


def test_one_empty_line_before_a_request_is_skipped(wire):
    assert wire.ask(b"\r\n" + GET).status == 200


# -- Expect: 100-continue

def test_continue_comes_once_the_request_is_allowed(wire, server):
    upload, _ = begin_upload(server)
    interim = wire.ask(request("PATCH", upload, "Content-Length: 5", "Expect: 100-continue"))
    assert interim.status == 100
    assert wire.ask(b"hello").status == 202


def test_no_continue_for_a_request_that_fails(wire):
    answer = wire.ask(request("PATCH", "/v2/team/app/blobs/uploads/no-such-upload",
                              "Content-Length: 1000000", "Expect: 100-continue"))
    assert answer.status == 404
    assert wire.has_ended()


def test_no_continue_when_the_body_is_there_already(wire, server):
    upload, _ = begin_upload(server)
    answer = wire.ask(request("PATCH", upload, "Expect: 100-continue", body=b"hello"))
    if answer.status == 100:  # allowed (RFC 9110 10.1.1), only not needed
        answer = wire.read()
    assert answer.status == 202


def test_unknown_expectation_is_refused(wire):
    assert wire.ask(request("GET", "/v2/", "Expect: the-unexpected")).status == 417


# -- chunked bodies

def test_chunked_body_is_stored_as_sent(wire, server):
    upload, repository = begin_upload(server)
    chunks = [b"a", b"bc" * 1000, b"d" * 70000]
    answer = wire.ask(request("PATCH", upload, "Transfer-Encoding: chunked") + chunked(*chunks))
    assert answer.status == 202
    content = b"".join(chunks)
    with RegistryClient(server.port) as registry:
        assert registry.finish_upload(answer.header("Location"), digest_of(content)).status == 201
        assert registry.get_blob(repository, digest_of(content)).body == content


def test_chunk_extensions_and_trailers_are_skipped(wire, server):
    upload, _ = begin_upload(server)
    answer = wire.ask(request("PATCH", upload, "Transfer-Encoding: chunked") +
                      b"3;name=value\r\nabc\r\n0\r\nTrailer: ignored\r\n\r\n")
    assert answer.status == 202
    assert answer.header("Range") == "0-2"
    assert wire.ask(GET).status == 200


def test_requests_behind_a_chunked_body_wait_their_turn(wire, server):
    """They arrive with the end of the body, and are far more than a head's buffer holds."""
    upload, _ = begin_upload(server)
    fields = ("Transfer-Encoding: chunked", "Expect: 100-continue")
    assert wire.ask(request("PATCH", upload, *fields)).status == 100
    wire.send(chunked(b"abc") + GET * 1000)
    assert wire.read().header("Range") == "0-2"
    assert [wire.read().status for _ in range(1000)] == [200] * 1000


@pytest.mark.parametrize("body", [
    b"x\r\nabc\r\n0\r\n\r\n",
    b"-3\r\nabc\r\n0\r\n\r\n",
    b"+3\r\nabc\r\n0\r\n\r\n",
    b"0x3\r\nabc\r\n0\r\n\r\n",
    b" 3\r\nabc\r\n0\r\n\r\n",
    b"3\nabc\r\n0\r\n\r\n",
    b"3\r\nabcd\r\n0\r\n\r\n",
    b"3\r\nab\r\n0\r\n\r\n",
    b"ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    b"3;" + b"x" * 200000 + b"\r\nabc\r\n0\r\n\r\n",
    b"\r\nabc\r\n0\r\n\r\n",
], ids=["no number", "minus", "plus", "prefix", "space", "bare LF", "too long", "too short",
        "overflow", "endless extension", "no size"])
def test_broken_chunk_ends_the_connection(wire, server, body):
    upload, _ = begin_upload(server)
    wire.send(request("PATCH", upload, "Transfer-Encoding: chunked"))
    try:
        wire.send(body + GET)
        answer = wire.read()
    except (BrokenPipeError, ConnectionResetError, EOFError):
        return  # closed without an answer: as good
    assert answer.status == 400
    assert wire.has_ended()


# -- what a proxy in front might read differently

SMUGGLED = {
    "length and chunked": (400, [b"Content-Length: 5", b"Transfer-Encoding: chunked"]),
    "chunked and length": (400, [b"Transfer-Encoding: chunked", b"Content-Length: 5"]),
    "two lengths": (400, [b"Content-Length: 5", b"Content-Length: 6"]),
    "a list of lengths": (400, [b"Content-Length: 5, 6"]),
    "plus sign": (400, [b"Content-Length: +5"]),
    "minus sign": (400, [b"Content-Length: -5"]),
    "no number": (400, [b"Content-Length: five"]),
    "hexadecimal": (400, [b"Content-Length: 0x5"]),
    "empty length": (400, [b"Content-Length: "]),
    "space within": (400, [b"Content-Length: 1 2"]),
    "overflowing length": (400, [b"Content-Length: 18446744073709551616"]),
    "another coding": (501, [b"Transfer-Encoding: gzip"]),
    "another coding and chunked": (501, [b"Transfer-Encoding: gzip, chunked"]),
    "chunked twice": (400, [b"Transfer-Encoding: chunked, chunked"]),
    "chunked in two fields": (400, [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"]),
    "identity": (501, [b"Transfer-Encoding: identity"]),
    "almost chunked": (501, [b"Transfer-Encoding: xchunked"]),
    "empty coding": (400, [b"Transfer-Encoding: "]),
    "space before the colon": (400, [b"Content-Length : 5"]),
    "tab before the colon": (400, [b"Transfer-Encoding\t: chunked"]),
    "folded line": (400, [b"X: a", b" b"]),
    "folded coding": (400, [b"Transfer-Encoding:", b" chunked"]),
    "no colon": (400, [b"Content-Length"]),
    "empty name": (400, [b": x"]),
    "NUL in a value": (400, [b"X: a\0b"]),
    "NUL in a name": (400, [b"X\0: a"]),
    "bare LF": (400, [b"X: a\nContent-Length: 5"]),
    "bare CR": (400, [b"X: a\rContent-Length: 5"]),
    "control byte": (400, [b"X: a\x01b"]),
    "second host": (400, [b"Host: elsewhere"]),
}


@pytest.mark.parametrize("case", SMUGGLED)
def test_ambiguous_request_is_answered_once_and_closed(wire, case):
    status, fields = SMUGGLED[case]
    wire.send(b"\r\n".join([b"POST /v2/ HTTP/1.1", b"Host: localhost", *fields]) + b"\r\n\r\n" +
              b"0\r\n\r\n" + GET)
    answer = wire.read()
    # RFC 9112 6.1 allows 400 as well as 501 for a coding that is not understood.
    assert answer.status in {status, 400}
    assert answer.header("Connection").lower() == "close"
    assert wire.has_ended()


@pytest.mark.parametrize("head, status", [
    (b"GET /v2/ HTTP/1.1\r\n\r\n", 400),
    (b"GET /v2/ HTTP/1.1\r\nHost: \r\n\r\n", 400),
    (b"GET /v2/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    (b"GET /v2/ HTTP/1.1\nHost: localhost\n\n", 400),
    (b"GET  /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /v2/\r\n\r\n", 400),
    (b"GET /v2/ http/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET v2 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /v2/ HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
    (b"G\x80T /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"PUT /v2/ HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50 + b"\r\n\r\n", 400),
], ids=["no host", "empty host", "bad host", "LF only", "two spaces", "no version", "small http",
        "no slash", "HTTP/2", "not ASCII", "NUL", "chunked in 1.0", "TLS"])
def test_malformed_head_is_answered_once_and_closed(wire, head, status):
    wire.send(head + GET)
    answer = wire.read()
    assert answer.status == status
    assert wire.has_ended()


def test_tls_is_answered_in_plain_http_at_once(wire):
    """Go's clients, docker's among them, take `HTTP/` for a sign to try again without TLS."""
    hello = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    assert wire.ask(hello.read()).status == 400
    assert wire.has_ended()


# -- limits

def test_head_of_60_kib_is_served(wire):
    assert wire.ask(request("GET", "/v2/", "Authorization: Bearer " + "x" * 60000)).status == 200


def test_head_beyond_the_limit_is_refused(wire):
    wire.send(request("GET", "/v2/", "X: " + "x" * 70000))
    assert wire.read().status == 431
    assert wire.has_ended()


def test_endless_head_is_refused(wire):
    with pytest.raises((BrokenPipeError, ConnectionResetError, AssertionError, EOFError)):
        wire.send(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n")
        for _ in range(100000):
            wire.send(b"X: " + b"x" * 1000 + b"\r\n")
        pytest.fail("100 MB of fields were taken")


def test_overlong_target_is_refused(wire):
    wire.send(request("GET", "/" + "x" * 70000))
    assert wire.read().status in {414, 431}
    assert wire.has_ended()


def test_too_many_fields_are_refused(wire):
    wire.send(request("GET", "/v2/", *[f"X{number}: x" for number in range(200)]))
    assert wire.read().status == 431
    assert wire.has_ended()


def test_connection_beyond_the_limit_gets_503(start_server):
    server = start_server({"limits": {"connections": 4, "connections_per_address": 4}})
    wires = [Wire(server.connect()) for _ in range(4)]
    for wire in wires:
        assert wire.ask(GET).status == 200
    with Wire(server.connect()) as surplus:
        answer = surplus.ask(GET)
        assert answer.status == 503
        assert answer.header("Retry-After") is not None
        assert surplus.has_ended()
    wires[0].close()

    def is_served_again():
        with Wire(server.connect()) as another:
            return another.ask(GET).status == 200

    wait_until(is_served_again, "room for another connection")
    for wire in wires:
        wire.close()


def test_address_beyond_its_share_gets_503_and_others_are_served(start_server):
    server = start_server({"limits": {"connections_per_address": 2}})
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server.connect("127.0.0.2"))) for _ in range(2)]
        assert [wire.ask(GET).status for wire in wires] == [200, 200]
        surplus = stack.enter_context(Wire(server.connect("127.0.0.2")))
        answer = surplus.ask(GET)
        assert answer.status == 503
        assert answer.header("Retry-After") is not None
        assert surplus.has_ended()
        assert stack.enter_context(Wire(server.connect())).ask(GET).status == 200
        wires[0].close()

        def is_served_again():
            with Wire(server.connect("127.0.0.2")) as another:
                return another.ask(GET).status == 200

        wait_until(is_served_again, "room for another connection")


def test_no_address_has_all_connections_however_few_there_are(start_server):
    server = start_server({"limits": {"connections": 8}})
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(Wire(server.connect("127.0.0.2")))
        one_too_many = stack.enter_context(Wire(server.connect("127.0.0.2")))
        assert one_too_many.ask(GET).status == 503
        assert stack.enter_context(Wire(server.connect())).ask(GET).status == 200


def test_address_far_beyond_its_share_is_not_even_answered(start_server):
    server = start_server({"limits": {"connections": 100, "connections_per_address": 8}})
    with contextlib.ExitStack() as stack:
        many = [stack.enter_context(Wire(server.connect("127.0.0.2"))) for _ in range(200)]
        served = stack.enter_context(Wire(server.connect()))
        assert served.ask(GET).status == 200  # also: they were all accepted
        for wire in many[8 + 1 + 16:]:
            assert wire.has_ended()
        assert many[0].ask(GET).status == 200
        assert server.count_sockets() < 40


def test_clients_of_a_proxy_have_shares_and_the_proxy_has_none(start_server):
    server = start_server({"trusted_proxies": "127.0.0.1",
                           "limits": {"connections_per_address": 2}})

    def ask_for(wire, client):
        return wire.ask(request("GET", "/v2/", f"X-Forwarded-For: 192.0.2.77, {client}"))

    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server.connect())) for _ in range(10)]
        for wire, address in zip(wires, ("2001:db8::1", "2001:db8::2"), strict=False):
            interim = wire.ask(request("PATCH", begin_upload(server)[0], "Content-Length: 1",
                                       "Expect: 100-continue", f"X-Forwarded-For: {address}"))
            assert interim.status == 100
        answer = ask_for(wires[2], "2001:db8::3")
        assert answer.status == 503
        assert answer.header("Retry-After") is not None
        for wire in wires[2:]:  # the same connection goes on
            assert ask_for(wire, "2001:db8:0:1::1").status == 200
        assert wires[3].ask(GET).status == 200
        wires[0].send(b"x")
        assert wires[0].read().status == 202
        wait_until(lambda: ask_for(wires[2], "2001:db8::3").status == 200, "room for one more")


def test_what_others_forward_makes_nobody_another(start_server):
    server = start_server({"trusted_proxies": "127.0.0.1",
                           "limits": {"connections_per_address": 1}})
    with Wire(server.connect("127.0.0.2")) as one, Wire(server.connect("127.0.0.2")) as other:
        assert one.ask(GET).status == 200
        assert other.ask(request("GET", "/v2/", "X-Forwarded-For: 192.0.2.1")).status == 503


# -- deadlines

def test_silent_connection_is_closed_without_a_word(impatient):
    with Wire(impatient.connect()) as wire:
        assert wire.has_ended()


def test_idle_connection_is_closed_after_an_answer(impatient):
    with Wire(impatient.connect()) as wire:
        assert wire.ask(GET).status == 200
        assert wire.has_ended()


def test_slow_head_is_refused_however_it_drips(impatient):
    with Wire(impatient.connect()) as wire:
        wire.connection.settimeout(0.1)

        def drip():
            """A byte now and then keeps an idle timer from firing, but not the head's."""
            try:
                wire.send(b"x")
                wire.connection.recv(1)
            except TimeoutError:
                return False
            except (BrokenPipeError, ConnectionResetError):
                pass
            return True

        wire.send(b"GET /v2/ HTTP/1.1\r\nX: ")
        wait_until(drip, "the end of a slow head")


def test_stalled_body_ends_its_connection(impatient):
    upload, _ = begin_upload(impatient)
    with Wire(impatient.connect()) as wire:
        wire.send(request("PATCH", upload, "Content-Length: 1000000") + b"a few bytes")
        with pytest.raises((EOFError, ConnectionResetError)):
            while True:  # an answer may come before the end
                wire.read()
    with RegistryClient(impatient.port) as registry:
        wait_until(lambda: registry.request("GET", upload).status == 204, "the upload to rest")


def test_client_that_reads_nothing_loses_its_connection(start_server):
    impatient, repository = start_server(), new_repository()
    content = bytes(32 * MIB)
    with RegistryClient(impatient.port) as registry:
        assert registry.push_blob(repository, content).status == 201
    impatient.write_settings(IMPATIENT)
    impatient.restart()
    with Wire(impatient.connect()) as wire:
        wire.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.send(request("GET", f"/v2/{repository}/blobs/{digest_of(content)}"))
        path = f"/v2/{repository}/blobs/{digest_of(content)}"
        wait_until(lambda: any(line["path"] == path for line in impatient.requests()),
                   "the download to be given up")


# -- answers in the middle of a body

def test_404_comes_before_the_body_is_read(wire):
    answer = wire.ask(request("PATCH", "/v2/team/app/blobs/uploads/no-such-upload",
                              f"Content-Length: {1024 * MIB}") + b"the beginning")
    assert answer.status == 404
    assert answer.header("Connection").lower() == "close"
    wire.end_sending()
    assert wire.has_ended()


def test_413_comes_before_the_body_is_read(wire):
    answer = wire.ask(request("PUT", f"/v2/{new_repository()}/manifests/1", MANIFEST_TYPE,
                              f"Content-Length: {5 * MIB}") + b"{")
    assert answer.status == 413
    assert answer.header("Connection").lower() == "close"
    wire.end_sending()
    assert wire.has_ended()


def test_413_comes_in_the_middle_of_a_chunked_body(wire):
    wire.send(request("PUT", f"/v2/{new_repository()}/manifests/1", MANIFEST_TYPE,
                      "Transfer-Encoding: chunked"))
    chunk = b"%x\r\n%s\r\n" % (MIB, b" " * MIB)
    for _ in range(4):
        wire.send(chunk)
    wire.send(b"10\r\n" + b" " * 16)
    assert wire.read().status == 413
    wire.end_sending()
    assert wire.has_ended()


def test_413_comes_with_the_size_of_a_chunk_not_with_its_bytes(wire):
    wire.send(request("PUT", f"/v2/{new_repository()}/manifests/1", MANIFEST_TYPE,
                      "Transfer-Encoding: chunked") + b"1\r\n{\r\n" + b"%x\r\n" % (4 * MIB))
    answer = wire.read()
    assert (answer.status, answer.header("Connection").lower()) == (413, "close")
    assert str(4 * MIB) in answer.body.decode()
    wire.end_sending()
    assert wire.has_ended()


@pytest.mark.parametrize("field", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
def test_413_comes_before_a_form_is_sent(start_server, services, field):
    server = start_server(services.settings())
    with Wire(server.connect()) as wire:
        wire.send(request("POST", "/v2/token", "Content-Type: application/x-www-form-urlencoded",
                          field))
        if "chunked" in field:
            wire.send(b"100000\r\n")
        assert wire.read().status == 413


def test_early_answer_survives_a_client_that_sends_on(wire):
    wire.send(request("PATCH", "/v2/team/app/blobs/uploads/no-such-upload",
                      f"Content-Length: {256 * 1024}") + bytes(256 * 1024))
    assert wire.read().status == 404


def test_small_unwanted_body_is_not_taken_for_a_request(wire):
    wire.send(request("POST", "/v2/nothing/here", body=GET) + GET)
    answer = wire.read()
    assert answer.status == 404
    if answer.header("Connection") == "close":
        assert wire.has_ended()
    else:
        assert wire.read().status == 200


# -- clients that vanish

def test_upload_survives_a_vanishing_client(server, registry):
    upload, repository = begin_upload(server)
    assert registry.patch_upload(upload, b"kept").status == 202
    with Wire(server.connect()) as wire:
        wire.send(request("PATCH", upload, "Content-Length: 1000") + b"lost")
    shown = upload[:-24]  # of the id's 32 digits the log has 8: with all of them one could go on
    wait_until(lambda: [line["method"] for line in server.requests()
                        if line["path"] == shown].count("PATCH") == 2, "both requests to be over")
    assert upload.rpartition("/")[2] not in server.log_text()
    status = registry.request("GET", upload)
    assert status.status == 204
    content = b"keptlost"[:int(status.headers["Range"].removeprefix("0-")) + 1]
    assert content.startswith(b"kept")
    assert registry.finish_upload(upload, digest_of(content)).status == 201
    assert registry.get_blob(repository, digest_of(content)).body == content


def test_reset_in_the_middle_of_a_download_hurts_nobody(server, registry):
    repository = new_repository()
    content = bytes(16 * MIB)
    assert registry.push_blob(repository, content).status == 201
    for _ in range(20):
        wire = Wire(server.connect())
        wire.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wire.send(request("GET", f"/v2/{repository}/blobs/{digest_of(content)}"))
        wire.read_head()
        wire.close()
    assert registry.get_blob(repository, digest_of(content)).body == content


def test_many_vanishing_clients_leave_room_for_others(start_server):
    server = start_server({"limits": {
        "connections": 50, "connections_per_address": 50, "workers": 2}})
    upload, _ = begin_upload(server)
    for _ in range(200):
        with Wire(server.connect()) as wire:
            wire.send(request("PATCH", upload, "Content-Length: 1000") + b"lost")

    def is_served():
        with Wire(server.connect()) as wire:
            return wire.ask(GET).status == 200

    wait_until(is_served, "a request to be served")


def test_slow_clients_cost_no_thread_and_leave_nothing_open(start_server):
    server = start_server({"limits": {"workers": 2}})
    upload, _ = begin_upload(server)
    threads, sockets = server.count_threads(), server.count_sockets()
    wires = [Wire(server.connect()) for _ in range(200)]
    for number, wire in enumerate(wires):
        wire.send(GET[:-2] if number % 2 else request("PATCH", upload, "Content-Length: 9") + b"1")
    with Wire(server.connect()) as wire:
        assert wire.ask(GET).status == 200
    assert server.count_threads() == threads
    for wire in wires:
        wire.close()
    wait_until(lambda: server.count_sockets() <= sockets, "the last connection to be closed")
    assert server.count_threads() == threads


def test_silent_uploads_hold_no_worker(start_server):
    server = start_server({"limits": {"workers": 2}})
    wires = []
    for _ in range(20):
        upload, _ = begin_upload(server)
        wires.append(Wire(server.connect()))
        wires[-1].send(request("PATCH", upload, "Content-Length: 2") + b"1")
    with RegistryClient(server.port) as registry:
        assert registry.push_blob(new_repository(), b"not kept waiting").status == 201
    for wire in wires:
        assert wire.ask(b"2").status == 202
        wire.close()
