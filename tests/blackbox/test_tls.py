"""TLS under those who mean no good, and by the kernel: what is bounded without it is so with it."""

import pathlib
import ssl
import subprocess

import pytest

from support.certificates import Certificate
from support.images import digest_of, new_repository
from support.waiting import PATIENCE_S
from support.wire import Wire, request

GET = request("GET", "/v2/")
ULP = pathlib.Path("/proc/sys/net/ipv4/tcp_available_ulp")
KTLS = pathlib.Path("/proc/net/tls_stat")


@pytest.fixture
def certificate(folder):
    return Certificate(folder)


def connect_from(certificate, server, address):
    context = ssl.create_default_context(cafile=str(certificate.path))
    return context.wrap_socket(server.connect(address), server_hostname="localhost")


def put_of(wire, repository, content):
    """The request that pushes a blob in one piece, after one that begins it."""
    location = wire.ask(request("POST", f"/v2/{repository}/blobs/uploads/", body=b"")).header("Location")
    separator = "&" if "?" in location else "?"
    return request("PUT", f"{location}{separator}digest={digest_of(content)}", body=content)


def assert_served(certificate, server):
    with Wire(certificate.connect(server)) as wire:
        assert wire.ask(GET).status == 200


def test_handshake_that_stalls_holds_nobody_and_ends(start_server, certificate):
    server = start_server({"tls": certificate.settings, "limits": {"head_timeout": "2s", "workers": 2}})
    silent = [server.connect() for _ in range(30)]
    begun = [server.connect() for _ in range(30)]
    hello = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    half = hello.read()[:100]
    for connection in begun:
        connection.sendall(half)
    assert_served(certificate, server)
    for connection in silent + begun:
        with connection:
            assert connection.recv(100) == b""
    assert_served(certificate, server)


def test_body_of_a_byte_a_record_is_received(start_server, certificate):
    server = start_server({"tls": certificate.settings, "limits": {"workers": 1}})
    content = bytes(range(256)) * 40
    with Wire(certificate.connect(server)) as wire:
        put = put_of(wire, new_repository(), content)
        half = len(put) - len(content) // 2
        for i in range(half):
            wire.send(put[i:i + 1])
        assert_served(certificate, server)
        for i in range(half, len(put)):
            wire.send(put[i:i + 1])
        assert wire.read().status == 201


def test_one_address_has_its_share_over_tls(start_server, certificate):
    server = start_server({"tls": certificate.settings, "limits": {"connections_per_address": 2}})
    with Wire(connect_from(certificate, server, "127.0.0.2")) as first, \
            Wire(connect_from(certificate, server, "127.0.0.2")) as second, \
            Wire(connect_from(certificate, server, "127.0.0.2")) as surplus:
        assert [wire.ask(GET).status for wire in (first, second, surplus)] == [200, 200, 503]
        assert surplus.has_ended()
        assert_served(certificate, server)


def test_renegotiation_is_refused(start_server, certificate):
    server = start_server({"tls": certificate.settings})
    with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2",
                           "-CAfile", certificate.path],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as client:
        said = client.communicate(b"R\n", timeout=PATIENCE_S)[0]
    assert b"RENEGOTIATING" in said and b"no renegotiation" in said
    assert_served(certificate, server)


def test_kernel_encrypts_what_is_sent_by_file(start_server, certificate):
    if "tls" not in ULP.read_text(encoding="ascii").split() or not KTLS.exists():
        pytest.skip("this kernel has no kTLS (the module tls)")
    server = start_server({"tls": certificate.settings})
    before = count_offloaded()
    repository = new_repository()
    content = bytes(range(256)) * 8192
    with Wire(certificate.connect(server)) as wire:
        assert wire.ask(put_of(wire, repository, content)).status == 201
        assert wire.ask(request("GET", f"/v2/{repository}/blobs/{digest_of(content)}")).body == content
    assert count_offloaded() > before


def count_offloaded():
    """Sessions that the kernel has encrypted for, in software or by a device."""
    fields = dict(line.split() for line in KTLS.read_text(encoding="ascii").splitlines())
    return int(fields["TlsTxSw"]) + int(fields["TlsTxDevice"])
