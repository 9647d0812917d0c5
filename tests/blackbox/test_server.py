"""pieroned as an operator meets it: command line, settings, signals, TLS, logs."""

import json
import os
import re
import resource
import signal
import ssl
import subprocess

import pytest

from support.certificates import Certificate, fingerprint_of
from support.images import digest_of, make_image, new_repository
from support.registry_client import RegistryClient
from support.server import UnreadServer, run_once, to_yaml
from support.waiting import wait_until
from support.wire import Wire, request

MIB = 1024 * 1024
GET = request("GET", "/v2/")


@pytest.fixture
def certificate(folder):
    return Certificate(folder)


def status_of(server, path):
    """By a new connection; None if there is no answer (any more)."""
    try:
        with Wire(server.connect()) as wire:
            return wire.ask(request("GET", path, "Connection: close")).status
    except (ConnectionError, EOFError):
        return None


# -- command line

def test_help_goes_to_stdout(binary):
    result = run_once(binary, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    for word in ("--listen", "--data", "--check-config", "--version", "limits.head_timeout",
                 "PIERONE_"):
        assert word in result.stdout


def test_version_is_one_line(binary):
    result = run_once(binary, "--version")
    assert result.returncode == 0
    assert re.fullmatch(r"pieroned \d+\.\d+\.\d+\S*\n", result.stdout)


@pytest.mark.parametrize("arguments, word", [
    (["--lisen", "127.0.0.1:0"], "--listen"),
    (["--listen"], "HOST:PORT"),
    (["surplus"], "surplus"),
    (["-x"], "-x"),
])
def test_wrong_usage_ends_with_2(binary, arguments, word):
    result = run_once(binary, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert word in result.stderr


# -- how it is built

BRANCH_TARGET = {"x86_64": r"\bendbr64\b", "aarch64": r"\b(paciasp|bti)\b"}
STACK_PROBE = {"x86_64": r"\bor[ql]\s+\$0x0,.*\(%rsp\)", "aarch64": r"\bstr\s+xzr, \[sp"}


def seen_by(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", ["pieroned", "pierone", "docker-credential-pierone"])
def test_what_is_shipped_is_hardened(shipped_binary, name):
    binary = shipped_binary.parent / name
    machine = os.uname().machine
    header = seen_by("readelf", "-hldW", "--dyn-syms", binary)
    code = seen_by("objdump", "-d", binary)
    assert "DYN (Position-Independent Executable" in header
    assert "GNU_RELRO" in header and re.search(r"FLAGS_1.*\bNOW\b", header)
    assert re.search(r"GNU_STACK.* RW ", header)
    assert "__stack_chk_fail" in header
    assert re.search(r"\b__\w+_chk\b", header)  # _FORTIFY_SOURCE
    assert re.search(r"<main>:\n.*" + BRANCH_TARGET[machine], code)
    assert re.search(STACK_PROBE[machine], code)


# -- settings

def test_right_settings_are_checked_without_a_server(binary, folder):
    (folder / "pierone.yaml").write_text("log:\n  level: debug\n", encoding="utf-8")
    result = run_once(binary, "-c", folder / "pierone.yaml", "--data", folder / "data",
                      "--check-config")
    assert (result.returncode, result.stderr) == (0, "")
    assert not (folder / "data").exists()


@pytest.mark.parametrize("text, words", [
    ("lisen: 127.0.0.1:0\n", [":1", "lisen", '"listen"']),
    ("log:\n  levl: debug\n", [":2", "levl", '"log.level"']),
    ("log:\n  level: loud\n", [":2", "log.level", "loud", "debug"]),
    ("limits:\n  workers: 0\n", [":2", "limits.workers", "1"]),
    ("limits:\n  head_timeout: soon\n", [":2", "limits.head_timeout", "soon"]),
    ("listen: [1, 2]\n", [":1", "listen"]),
    ("listen: nowhere\n", [":1", "listen", "nowhere"]),
    ("a: b: c\n", [":1"]),
], ids=["unknown", "unknown nested", "wrong word", "out of range", "no duration", "a list",
        "no address", "no YAML"])
def test_wrong_setting_is_named_with_file_and_line(binary, folder, text, words):
    file = folder / "pierone.yaml"
    file.write_text(text, encoding="utf-8")
    for arguments in (["--check-config"], []):
        result = run_once(binary, "-c", file, "--data", folder / "data", *arguments)
        assert result.returncode == 1
        for word in (str(file), *words):
            assert word in result.stderr


def test_missing_file_is_named(binary, folder):
    result = run_once(binary, "-c", folder / "none.yaml", "--check-config")
    assert result.returncode == 1
    assert "none.yaml" in result.stderr


def test_environment_goes_over_file_and_flags_over_both(binary, folder):
    file = folder / "pierone.yaml"
    file.write_text("listen: 127.0.0.1:1\n", encoding="utf-8")
    both = {"PIERONE_LISTEN": "127.0.0.1:2"}
    listens = [
        run_once(binary, "-c", file, "--data", folder / "data", "--check-config", *arguments,
                 environment=environment).stdout
        for arguments, environment in (
            ([], None), ([], both), (["--listen", "127.0.0.1:3"], both))]
    for number, listen in enumerate(listens, 1):
        assert f"127.0.0.1:{number}" in listen


def test_unknown_environment_name_is_an_error(binary, folder):
    result = run_once(binary, "--data", folder / "data", "--check-config",
                      environment={"PIERONE_LISTN": "127.0.0.1:0"})
    assert result.returncode == 1
    assert "PIERONE_LISTN" in result.stderr and "PIERONE_LISTEN" in result.stderr


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_open_server_refuses_to_leave_loopback(binary, folder, listen):
    result = run_once(binary, "--listen", listen, "--data", folder / "data")
    assert result.returncode == 1
    assert "allow_open" in result.stderr
    assert not (folder / "data").exists()


def test_open_server_leaves_loopback_if_told_so(binary, folder):
    result = run_once(binary, "--listen", "0.0.0.0:0", "--data", folder / "data", "--check-config",
                      environment={"PIERONE_ALLOW_OPEN": "true"})
    assert result.returncode == 0, result.stderr


def test_that_nobody_is_asked_about_teams_is_said_to_the_operator(binary, folder, start_server):
    settings = {"auth": {"users_file": str(folder / "users")}}
    environment = {"PIERONE_AUTH_USERS_FILE": str(folder / "users")}
    (folder / "users").touch(0o600)
    for service in (None, "http://127.0.0.1:9/"):
        if service:
            settings["teams"] = {"kio_url": service}
            environment["PIERONE_TEAMS_KIO_URL"] = service
        result = run_once(binary, "--data", folder / "data", "--check-config",
                          environment=environment)
        assert ("teams.team_service_url" in result.stdout) == (service is None)
        server = start_server(settings)
        wait_until(lambda lines=server.log_lines: any("listen" in line for line in lines()), "start")
        said = any(line.get("event") == "own_teams" for line in server.log_lines())
        assert said == (service is None)


def test_being_open_is_said_at_start(start_server):
    server = start_server()
    wait_until(lambda: any("may push" in line.get("message", "") for line in server.log_lines()),
               "the warning")


def test_port_in_use_is_told(binary, server, folder):
    result = run_once(binary, "--listen", f"127.0.0.1:{server.port}", "--data", folder / "data")
    assert result.returncode == 1
    assert str(server.port) in result.stderr and "in use" in result.stderr


def test_data_folder_in_use_is_told(binary, server):
    result = run_once(binary, "--listen", "127.0.0.1:0", "--data", server.folder / "data")
    assert result.returncode == 1
    assert str(server.folder / "data") in result.stderr


def test_unusable_data_folder_is_told(binary, folder):
    (folder / "file").write_text("", encoding="utf-8")
    for path in (folder / "file", folder / "no" / "parent"):
        result = run_once(binary, "--listen", "127.0.0.1:0", "--data", path)
        assert result.returncode == 1
        assert str(path) in result.stderr


# -- logs

def test_request_is_one_line_of_json(server, registry):
    repository = new_repository()
    path = f"/v2/{repository}/manifests/1.0"
    reply = registry.request("GET", path)
    line = wait_until(lambda: next((line for line in server.requests() if line["path"] == path), None),
                      "the request's line")
    assert line["event"] == "request"
    assert (line["method"], line["status"], line["bytes"]) == ("GET", 404, len(reply.body))
    assert line["microseconds"] >= 0
    assert line["user"] == "anonymous"
    assert line["request_id"]


def test_bytes_of_a_download_are_logged(server, registry):
    repository = new_repository()
    content = bytes(MIB)
    registry.push_blob(repository, content)
    registry.get_blob(repository, digest_of(content))
    path = f"/v2/{repository}/blobs/{digest_of(content)}"
    line = wait_until(lambda: next((line for line in server.requests() if line["path"] == path), None),
                      "the download's line")
    assert line["bytes"] == MIB


def test_every_line_is_json_whatever_is_sent(server, wire):
    wire.send(b"GET /%0a%22forged%22 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \"}\\\r\n\r\n")
    assert wire.read().status == 404
    wire.send(b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wire.read()
    assert status_of(server, "/the/end") == 404
    wait_until(lambda: any(line["path"] == "/the/end" for line in server.requests()), "the last line")
    for line in server.log_text().splitlines():
        json.loads(line)


def test_secrets_are_not_logged(server):
    with Wire(server.connect()) as wire:
        wire.ask(request("GET", "/v2/", "Authorization: Bearer the-secret-token"))
    assert status_of(server, "/after/the/secret") == 404
    wait_until(lambda: any(line["path"] == "/after/the/secret" for line in server.requests()),
               "the last line")
    assert "the-secret-token" not in server.log_text()


LONG_GET = request("GET", "/v2/" + "x" * 1000)
TOO_MANY = 3000  # lines of that: more than are kept, and a pipe holds


@pytest.fixture
def unread_server(binary):
    server = UnreadServer(binary)
    try:
        yield server.start()
    finally:
        server.release()


def ask_for_too_much(server):
    """That all is answered shows that nobody waits for the log."""
    with Wire(server.connect()) as wire:
        for _ in range(TOO_MANY // 100):
            wire.send(LONG_GET * 100)
            assert {wire.read().status for _ in range(100)} == {404}
    assert status_of(server, "/health") == 200


def test_log_reader_that_stalls_holds_up_nobody(unread_server):
    ask_for_too_much(unread_server)
    wait_until(lambda: "lines_dropped" in unread_server.log_text(), "the count of what is missing")
    unread_server.terminate()
    wait_until(lambda: '"stopped"' in unread_server.log_text(), "the log's end")
    unread_server.check_end()
    dropped = sum(line["count"] for line in unread_server.log_lines()
                  if line["event"] == "lines_dropped")
    assert dropped > 0
    assert len(unread_server.requests()) + dropped == TOO_MANY + 1


def test_log_reader_that_stalls_does_not_prevent_the_end(unread_server):
    ask_for_too_much(unread_server)
    unread_server.stop()


def test_text_lines_are_a_setting(start_server):
    server = start_server({"log": {"format": "text"}})
    assert status_of(server, "/v2/") == 200
    wait_until(lambda: re.search(r"^\S+Z info request .*path=/v2/ ", server.log_text(), re.M),
               "the request's line")


# -- signals

def test_idle_server_ends_at_once_and_well(start_server):
    server = start_server()
    server.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_both_signals_end_it(start_server, number):
    server = start_server()
    server.process.send_signal(number)
    server.check_end()


def test_ready_fails_first_and_uploads_finish(start_server):
    server = start_server({"limits": {"drain_delay": "2s", "drain_timeout": "30s"}})
    with RegistryClient(server.port) as registry:
        upload = registry.begin_upload(new_repository())
    with Wire(server.connect()) as wire:
        wire.send(request("PATCH", upload, "Content-Length: 10") + b"12345")
        server.terminate()
        wait_until(lambda: status_of(server, "/ready") == 503, "/ready to fail")
        assert status_of(server, "/health") == 200
        assert status_of(server, "/v2/") == 200
        wait_until(lambda: status_of(server, "/v2/") is None, "connections to be refused")
        assert server.is_running()
        answer = wire.ask(b"67890")
        assert (answer.status, answer.header("Range")) == (202, "0-9")
        assert wire.has_ended()
    server.check_end()


def test_connections_queued_at_the_signal_are_served(start_server):
    server = start_server({"limits": {"drain_delay": "1s"}})
    wires = [Wire(server.connect()) for _ in range(50)]
    for wire in wires:
        wire.send(GET)
    server.terminate()
    assert [wire.read().status for wire in wires] == [200] * len(wires)
    for wire in wires:
        wire.close()
    server.check_end()


def test_drain_has_a_bound(start_server):
    server = start_server({"limits": {"drain_timeout": "100ms"}})
    with RegistryClient(server.port) as registry:
        upload = registry.begin_upload(new_repository())
    with Wire(server.connect()) as wire:
        wire.send(request("PATCH", upload, "Content-Length: 10") + b"12345")
        server.terminate()
        server.check_end()


def test_idle_connections_do_not_hold_the_end_up(start_server):
    server = start_server({"limits": {"drain_timeout": "60s"}})
    with Wire(server.connect()) as wire, Wire(server.connect()):
        assert wire.ask(GET).status == 200
        server.terminate()
        assert wire.has_ended()
        server.check_end()


def test_log_level_is_read_again_on_hang_up(start_server):
    server = start_server({"log": {"level": "info"}})
    assert status_of(server, "/v2/") == 200
    wait_until(server.requests, "the request's line")
    server.write_settings({"log": {"level": "error"}})
    server.hang_up()
    server.wait_for_event("setting_changed")
    server.write_settings({"log": {"level": "loud"}})

    def complaints():
        return sum(line["event"] == "reload_failed" for line in server.log_lines())

    def is_silent():
        """Whether a request leaves no line before one that is logged at any level."""
        requests, before = len(server.requests()), complaints()
        with Wire(server.connect()) as wire:
            wire.ask(GET)
            wire.ask(GET)  # the first one is finished
        server.hang_up()
        wait_until(lambda: complaints() > before, "the complaint")
        return len(server.requests()) == requests

    wait_until(is_silent, "the log to fall silent")


def test_wrong_settings_on_hang_up_change_nothing(start_server):
    server = start_server()
    server.write_settings({"log": {"level": "loud"}})
    server.hang_up()
    wait_until(lambda: any("loud" in line.get("message", "") for line in server.log_lines()),
               "the complaint")
    assert status_of(server, "/v2/") == 200


# -- TLS

def test_tls_serves_pushes_and_pulls(start_server, certificate):
    server = start_server({"tls": certificate.settings})
    repository = new_repository()
    content = bytes(range(256)) * 8192
    upload = f"/v2/{repository}/blobs/uploads/"
    with Wire(certificate.connect(server)) as wire:
        location = wire.ask(request("POST", upload, body=b"")).header("Location")
        separator = "&" if "?" in location else "?"
        answer = wire.ask(request("PUT", f"{location}{separator}digest={digest_of(content)}",
                                  body=content))
        assert answer.status == 201
        path = f"/v2/{repository}/blobs/{digest_of(content)}"
        assert wire.ask(request("GET", path)).body == content
        answer = wire.ask(request("GET", path, "Range: bytes=0-999999,2000000-"))
        assert (answer.status, answer.body.count(b"Content-Range: bytes ")) == (206, 2)
        assert content[:1000000] in answer.body and content[2000000:] in answer.body
        assert wire.ask(request("GET", path)).body == content


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_versions_of_today_are_spoken(start_server, certificate, version):
    server = start_server({"tls": certificate.settings})
    connection = certificate.connect(server, minimum_version=version, maximum_version=version)
    with Wire(connection) as wire:
        assert wire.ask(GET).status == 200


@pytest.mark.parametrize("cipher, is_good", [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", True),
    ("ECDHE-RSA-AES256-GCM-SHA384", True),
    ("ECDHE-RSA-CHACHA20-POLY1305", True),
    ("ECDHE-ECDSA-AES128-SHA256", False),
    ("ECDHE-RSA-AES256-SHA384", False),
    ("ECDHE-RSA-AES128-SHA", False),
    ("AES128-GCM-SHA256", False),
    ("AES256-SHA256", False),
])
def test_tls_1_2_has_forward_secrecy_and_authenticated_ciphers(start_server, folder, cipher,
                                                                is_good):
    certificate = Certificate(folder, key="ec" if "ECDSA" in cipher else "rsa")
    server = start_server({"tls": certificate.settings})
    said = certificate.s_client(server, "-tls1_2", "-cipher", cipher)
    assert (f"Cipher is {cipher}" in said) == is_good


def test_ciphers_and_oldest_version_of_tls_are_settings(start_server, folder):
    certificate = Certificate(folder, key="rsa")
    server = start_server({"tls": {**certificate.settings, "ciphers": "AES128-SHA256"}})
    assert "Cipher is AES128-SHA256" in certificate.s_client(server, "-tls1_2")
    server = start_server({"tls": {**certificate.settings, "minimum": "1.3"}})
    assert "Cipher is (NONE)" in certificate.s_client(server, "-tls1_2")
    assert "Cipher is TLS_AES" in certificate.s_client(server)


@pytest.mark.parametrize("name, value", [("ciphers", "ECDHE+AESGCM:AES999"), ("minimum", "1.1")])
def test_wrong_ciphers_and_versions_of_tls_are_told(binary, folder, certificate, name, value):
    (folder / "pierone.yaml").write_text(to_yaml({"tls": {**certificate.settings, name: value}}),
                                         encoding="utf-8")
    for arguments in ([], ["--check-config"]):
        result = run_once(binary, "-c", folder / "pierone.yaml", "--data", folder / "data",
                          *arguments)
        assert result.returncode == 1
        assert f"tls.{name}" in result.stderr and value[-6:] in result.stderr


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_tls_sessions_are_resumed(start_server, certificate, folder, version):
    server = start_server({"tls": certificate.settings})
    session = folder / "session"
    said = certificate.s_client(server, version, "-ign_eof", "-sess_out", session)
    assert "New, TLSv1" in said
    said = certificate.s_client(server, version, "-sess_in", session)
    assert "Reused, TLSv1" in said


def test_plain_request_on_tls_is_told_so_in_plain_http(start_server, certificate):
    server = start_server({"tls": certificate.settings})
    with Wire(server.connect()) as wire:
        answer = wire.ask(request("PUT", "/v2/", body=b"x" * 100000))
        assert answer.status == 400
        assert b"https://" in answer.body
        assert wire.has_ended()
    with Wire(certificate.connect(server)) as wire:
        assert wire.ask(GET).status == 200


def test_certificate_is_read_again_on_hang_up(start_server, certificate):
    server = start_server({"tls": certificate.settings})
    with Wire(certificate.connect(server)) as old:
        assert old.ask(GET).status == 200
        before = certificate.fingerprint
        certificate.renew()
        assert certificate.fingerprint != before
        server.hang_up()

        def is_renewed():
            try:
                with certificate.connect(server) as connection:
                    return fingerprint_of(connection) == certificate.fingerprint
            except ssl.SSLError:  # still the old one
                return False

        wait_until(is_renewed, "the new certificate")
        assert old.ask(GET).status == 200


def test_broken_certificate_on_hang_up_keeps_the_old_one(start_server, certificate):
    server = start_server({"tls": certificate.settings})
    good = certificate.path.read_text(encoding="ascii")
    certificate.path.write_text("not a certificate", encoding="ascii")
    server.hang_up()
    server.wait_for_event("certificate_kept")
    certificate.path.write_text(good, encoding="ascii")
    with Wire(certificate.connect(server)) as wire:
        assert wire.ask(GET).status == 200


def test_missing_key_is_told(binary, folder, certificate):
    for tls in ({"PIERONE_TLS_CERTIFICATE": str(certificate.path)},
                {**{"PIERONE_TLS_CERTIFICATE": str(certificate.path)},
                 "PIERONE_TLS_KEY": str(folder / "none.pem")}):
        result = run_once(binary, "--listen", "127.0.0.1:0", "--data", folder / "data",
                          environment=tls)
        assert result.returncode == 1
        assert "key" in result.stderr


# -- what is in its memory stays there

def crash(process):
    """Whether a core was dumped."""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGABRT
    assert os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status)


def test_no_core_is_dumped(start_server, folder):
    """Tokens and passwords would be in it. Another program shows that cores are dumped here."""
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (limits[1], limits[1]))
        if not crash(subprocess.Popen(["sleep", "60"], cwd=folder)):
            pytest.skip("no program's core is dumped here")
        server = start_server()
        assert not crash(server.process)
        server.process = None
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, limits)


# -- images of a folder move with it

def test_data_folder_can_be_moved(start_server):
    server = start_server()
    repository, image = new_repository(), make_image()
    with RegistryClient(server.port) as registry:
        assert registry.push_image(repository, "1.0", image).status == 201
    server.stop()
    other = start_server()
    other.stop()
    (other.folder / "data").rename(other.folder / "empty")
    (server.folder / "data").rename(other.folder / "data")
    other.start()
    with RegistryClient(other.port) as registry:
        assert registry.get_manifest(repository, "1.0").body == image.manifest
