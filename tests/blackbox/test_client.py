"""pierone's commands against a server with real pushes: text for people, JSON and TSV for scripts."""

import concurrent.futures
import fcntl
import io
import json
import re
import subprocess
import tarfile
import time

import pytest

from support.certificates import Certificate
from support.clients import COMMAND_TIMEOUT_S
from support.images import (OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, Image, descriptor,
                            digest_of, make_cache, make_image)
from support.registry_client import RegistryClient
from support.server import ROOT, Server
from support.stub_server import Endpoint, StubServer, json_answer
from support.waiting import wait_until

SOURCE = {"url": "git:example.org/app.git", "revision": "abc123", "author": "jdoe", "status": ""}
COMMANDS = ("login", "logout", "whoami", "teams", "artifacts", "tags", "latest", "describe",
            "scm-source", "history", "image", "inspect-contents", "mark-production-ready", "stats", "cves",
            "completion", "help")


def tar_of(files):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), 1700000000, 0o755
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def image_of(files, architecture="amd64"):
    layer = tar_of(files)
    config = json.dumps({"os": "linux", "architecture": architecture}).encode()
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
        "layers": [descriptor(OCI_LAYER, layer)]}).encode()
    return Image(config, layer, manifest)


@pytest.fixture(scope="module")
def stocked(binary):
    """A server with two teams; never changed by a test."""
    server = Server(binary)
    try:
        server.start()
        with RegistryClient(server.port) as registry:
            built = image_of({"scm-source.json": json.dumps(SOURCE).encode(), "bin/app": b"x" * 2048})
            for name, tag, image in (("alpha/app", "1.0", built), ("alpha/app", "2.0", make_image()),
                                     ("alpha/deep/er", "1", make_image()),
                                     ("beta/tool", "7", make_image())):
                assert registry.push_image(name, tag, image).status == 201
            server.built = built
        yield server
    finally:
        server.release()


@pytest.fixture
def person(make_person, stocked):
    return make_person(stocked)


def is_recent(seconds):
    return abs(int(seconds) - time.time()) < 600


# -- results, for people and for scripts

def test_teams(person):
    assert person.run("teams") == "Name\nalpha\nbeta"
    assert person.json("teams") == [{"name": "alpha"}, {"name": "beta"}]
    assert person.run("teams", "-o", "tsv") == "name\nalpha\nbeta"


def test_artifacts(person):
    assert person.run("artifacts", "alpha").split("\n")[1:] == ["alpha  app", "alpha  deep/er"]
    assert person.json("artifacts", "alpha") == [
        {"team": "alpha", "artifact": "app"}, {"team": "alpha", "artifact": "deep/er"}]


def test_tags(person):
    rows = person.rows("tags", "alpha", "app")
    assert [row["tag"] for row in rows] == ["1.0", "2.0"]
    assert list(rows[0]) == ["team", "artifact", "tag", "created_time", "created_by", "status",
                             "status_reason"]
    assert is_recent(rows[0]["created_time"])
    assert person.json("tags", "alpha", "app", "-l", "1") == [
        {"team": "alpha", "artifact": "app", "tag": "2.0",
         "created_time": int(rows[1]["created_time"]), "created_by": "anonymous", "status": None,
         "status_reason": None}]
    assert [row["artifact"] for row in person.rows("tags", "alpha")] == ["app", "app", "deep/er"]
    assert [row["tag"] for row in person.rows("tags", "alpha", "-l", "1")] == ["2.0", "1"]
    header, line = person.run("tags", "alpha", "deep/er").split("\n")
    assert header.split()[:5] == ["Team", "Artifact", "Tag", "Created", "By"]
    assert re.match(r"alpha +deep/er +1 +(now|\d+[sm] ago) +anonymous", line)


def test_latest_is_no_build_cache(start_server, make_person):
    server = start_server({})
    with RegistryClient(server.port) as registry:
        for tag, image in (("1.0", make_image()), ("cache-1", make_cache(False))):
            assert registry.push_image("alpha/app", tag, image).status == 201
    assert make_person(server).run("latest", "alpha", "app") == "1.0"


def test_latest_prints_the_tag_alone(person):
    assert person.attempt("latest", "alpha", "app").stdout == "2.0\n"
    assert person.json("latest", "alpha", "app") == [{"tag": "2.0"}]
    assert "alpha/none" in person.fail("latest", "alpha", "none")


def test_describe(person, stocked):
    one, = person.json("describe", "alpha", "app", "1.0")
    assert one["digest"] == stocked.built.digest
    assert one["image"] == digest_of(stocked.built.config)
    assert one["size"] == sum(map(len, (*stocked.built.blobs, stocked.built.manifest)))
    assert (one["platforms"], one["scm_revision"]) == ("linux/amd64", "abc123")
    text = person.run("describe", "alpha", "app", "1.0")
    assert "Built from" in text and stocked.built.digest in text
    assert "Built from" not in person.run("describe", "alpha", "app", "2.0")
    assert person.json("describe", "alpha", "app", "latest")[0]["tag"] == "2.0"


def test_scm_source(person):
    rows = person.json("scm-source", "alpha", "app")
    assert [(row["tag"], row["revision"]) for row in rows] == [("1.0", "abc123"), ("2.0", None)]
    row, = person.json("scm-source", "alpha", "app", "1.0")
    assert {name: row[name] for name in SOURCE} == SOURCE
    assert "no tag 9" in person.fail("scm-source", "alpha", "app", "9")


def test_history(person, stocked):
    row, = person.json("history", "alpha", "app", "1.0")
    assert (row["tag"], row["from"], row["to"]) == ("1.0", None, stocked.built.digest)
    assert (row["changed_by_kind"], row["changed_by"]) == ("anonymous", "anonymous")
    assert is_recent(row["changed_time"])
    assert [row["tag"] for row in person.rows("history", "alpha", "app")] == ["1.0", "2.0"]
    assert [row["tag"] for row in person.rows("history", "alpha", "app", "-l", "1")] == ["2.0"]
    assert "anonymous" in person.run("history", "alpha", "app", "1.0")
    assert "no tag 9" in person.fail("history", "alpha", "app", "9")


def test_image(person, stocked):
    image_id = digest_of(stocked.built.config)
    for prefix in (image_id, image_id[:20], image_id.removeprefix("sha256:")[:12]):
        assert person.json("image", prefix) == [{"team": "alpha", "artifact": "app", "name": "1.0"}]
    assert "no tagged image" in person.fail("image", "0" * 64)


def test_inspect_contents(person, stocked):
    rows = person.json("inspect-contents", "alpha", "app", "1.0")
    assert [(row["layer_index"], row["name"], row["size"]) for row in rows] == [
        (0, "bin/app", 2048), (0, "scm-source.json", len(json.dumps(SOURCE)))]
    assert rows[0]["layer_id"] == digest_of(stocked.built.layer)
    assert (rows[0]["mode"], rows[0]["created_time"]) == ("0755", 1700000000)
    assert {row["name"] for row in person.json("inspect-contents", "alpha", "app")} >= {
        "hello", "bin/app"}  # of all tags
    text = person.run("inspect-contents", "alpha", "app", "1.0")
    assert "2.0 KiB" in text and "-rwxr-xr-x" in text


def test_inspect_contents_names_folders_without_a_slash(make_person, start_server):
    server = start_server()
    with RegistryClient(server.port) as registry:
        image = image_of({"etc/": b"", "etc/hosts": b""})
        assert registry.push_image("alpha/folders", "1", image).status == 201
    rows = make_person(server).json("inspect-contents", "alpha", "folders", "1")
    assert [row["name"] for row in rows] == ["etc", "etc/hosts"]


def test_inspect_contents_of_an_index(make_person, start_server):
    server = start_server()
    image = image_of({"only": b"1"}, "arm64")
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {**descriptor(OCI_MANIFEST, image.manifest),
         "platform": {"os": "linux", "architecture": "arm64"}}]}).encode()
    with RegistryClient(server.port) as registry:
        assert registry.push_image("alpha/multi", image.digest, image).status == 201
        assert registry.put_manifest("alpha/multi", "1", index, OCI_INDEX).status == 201
    person = make_person(server)
    assert person.json("inspect-contents", "alpha", "multi")[0]["name"] == "only"
    assert person.json("describe", "alpha", "multi", "1")[0]["platforms"] == "linux/arm64"


def test_mark_production_ready(make_person, start_server):
    server = start_server()
    with RegistryClient(server.port) as registry:
        image = image_of({"scm-source.json": json.dumps(SOURCE).encode()})
        assert registry.push_image("alpha/app", "1.0", image).status == 201
        assert registry.push_image("alpha/app", "2.0", make_image()).status == 201
    person = make_person(server)
    said = person.run("mark-production-ready", "INC-1", "alpha", "app", "1.0")
    assert said == "Marked alpha/app:1.0 as ready for production (INC-1)."
    assert "already" in person.fail("mark-production-ready", "INC-1", "alpha", "app", "1.0")
    assert "built from" in person.fail("mark-production-ready", "INC-1", "alpha", "app", "2.0")
    assert "no tag" in person.fail("mark-production-ready", "INC-1", "alpha", "app", "3.0")
    row = person.rows("tags", "alpha", "app")[0]
    assert (row["status"], row["status_reason"]) == ("production-ready", "INC-1")


def test_stats(person):
    assert person.json("stats")[0]["teams"] == 2
    assert person.json("stats", "alpha") == [{"artifacts": 2, "tags": 3}]


def test_cves_is_gone(person):
    assert "gone" in person.run("cves", "alpha", "app", "1.0")


def test_whoami_of_an_open_registry(person):
    assert person.rows("whoami")[0]["name"] == "anonymous"


def test_all_pages_are_listed(make_person, start_shipped_server):
    """More tags than the server gives at a time; one image is at all of them."""
    count, image = 10005, make_image()
    server = start_shipped_server()
    with RegistryClient(server.port) as registry:
        assert registry.push_image("alpha/many", "0", image).status == 201
        for number in range(1, count):
            assert registry.put_manifest("alpha/many", str(number), image.manifest,
                                         image.media_type).status == 201
    person = make_person(server)
    rows = person.rows("tags", "alpha", "many", "-l", str(2 * count))
    assert [row["tag"] for row in rows] == [str(number) for number in range(count)]
    assert [row["tag"] for row in person.rows("scm-source", "alpha", "many", "-l", "2")] == [
        str(count - 2), str(count - 1)]


# -- how it is called

@pytest.mark.parametrize("arguments", [
    (), ("nonsense",), ("s",), ("tags",), ("teams", "extra"), ("latest", "one"),
    ("teams", "--nonsense"), ("teams", "-o", "xml"), ("tags", "x", "-l", "0"), ("teams", "--limit=3"),
    ("teams", "-l", "3"), ("teams", "--output"), ("teams", "-x"), ("teams", "--help=1"),
])
def test_wrong_use_is_2(person, arguments):
    assert person.fail(*arguments, code=2)


def test_beginnings_of_commands_and_options(person):
    assert person.run("art", "alpha", "--out=tsv") == person.run("artifacts", "-otsv", "alpha")
    assert person.run("--output", "json", "te") == person.run("teams", "-o", "json")
    assert "did you mean \"teams\"" in person.fail("taems", code=2)


def test_help_names_every_command(person):
    text = person.run("--help")
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", text, re.MULTILINE), command
        assert f"usage: pierone {command}" in person.run("help", command)
        assert person.run(command, "--help") == person.run("help", command)
    assert person.run("help") == text
    assert re.fullmatch(r"pierone \d+\.\d+\.\d+", person.run("--version"))


def test_manual_knows_what_help_knows(person):
    manual = (ROOT / "man/pierone.1.scd").read_text(encoding="utf-8")
    for command in COMMANDS:
        usage = re.search(r"usage: pierone (.*) \[OPTION\]", person.run("help", command)).group(1)
        assert f"\n*{command}*" in manual
        assert usage == re.sub(r"[*_]", "", re.search(rf"\n(\*{command}\*.*)\n", manual).group(1))
        for option in re.findall(r"--[a-z-]+", person.run("help", command)):
            assert f"*{option}*" in manual, option
    section = manual.split("# COMMANDS")[1].split("# OPTIONS")[0]
    assert re.findall(r"^\*([a-z-]+)\*", section, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_know_what_help_knows(person, shell):
    script = person.run("completion", shell)
    options = set(re.findall(r"--([a-z-]+)", "".join(person.run("help", command)
                                                     for command in COMMANDS)))
    for word in (*COMMANDS, *options):
        assert re.search(rf"[ '-]{word}[ ':]|-l {word}\b", script), word
    assert "bash, zsh and fish" in person.fail("completion", "csh")


def test_bash_completes(person):
    script = person.run("completion", "bash")
    tried = subprocess.run(
        ["bash", "-c", script + '\nCOMP_WORDS=(pierone de); COMP_CWORD=1; _pierone; '
         'echo "${COMPREPLY[*]}"; COMP_WORDS=(pierone login --pa); COMP_CWORD=2; _pierone; '
         'echo "${COMPREPLY[*]}"'], capture_output=True, text=True, check=True)
    assert tried.stdout == "describe\n--password-stdin\n"


def test_colour_is_for_terminals_alone(person, terminal):
    assert "\033" not in person.run("teams")
    session = terminal(person.client(), "teams")
    assert session.finish() == 0
    assert "\033[1mName" in session.shown
    for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        session = terminal(person.client(**more), "teams")
        assert session.finish() == 0
        assert "\033" not in session.shown


@pytest.mark.parametrize("command, said", [("teams", "Name\n"), ("login", "")])
def test_waiting_is_told_on_stderr(stocked, person, command, said):
    """By a server that stands still for longer than a second."""
    process = person.start(command)
    process.communicate()
    stocked.freeze()
    try:
        process = person.start(command)
        assert process.stderr.read(8) == "Waiting "
    finally:
        stocked.process.send_signal(18)  # SIGCONT
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith(said)


def test_results_that_cannot_be_written_are_a_failure(person):
    with open("/dev/full", "w", encoding="ascii") as full:
        result = subprocess.run([person.programs / "pierone", "teams"], stdout=full, check=False,
                                stderr=subprocess.PIPE, text=True, env=person.environment())
    assert (result.returncode, "cannot write" in result.stderr) == (1, True)


# -- what can be wrong

def test_unknown_team_names_the_nearest(person):
    assert 'did you mean "alpha"?' in person.fail("artifacts", "alhpa")
    assert 'did you mean "beta"?' in person.fail("tags", "betta")
    assert "did you mean" not in person.fail("tags", "something-else")
    assert "did you mean" not in person.fail("tags", "alpha", "nothing")


@pytest.mark.parametrize("arguments", [
    ("tags", "alhpa", "app"), ("latest", "alhpa", "app"), ("describe", "alhpa", "app", "1.0"),
    ("scm-source", "alhpa", "app"), ("scm-source", "alhpa", "app", "1.0"),
    ("history", "alhpa", "app"), ("history", "alhpa", "app", "1.0"),
    ("inspect-contents", "alhpa", "app"), ("inspect-contents", "alhpa", "app", "1.0"),
    ("mark-production-ready", "INC-1", "alhpa", "app", "1.0"), ("stats", "alhpa")])
def test_all_commands_about_a_team_name_the_nearest(person, arguments):
    assert 'did you mean "alpha"?' in person.fail(*arguments)


def test_address_comes_from_three_places(make_person, stocked):
    person = make_person()
    url = f"http://127.0.0.1:{stocked.port}"
    nowhere = "http://127.0.0.1:1"
    assert "cannot be asked" in person.fail("teams", "--url", nowhere)
    person.config.parent.mkdir(parents=True)
    person.config.write_text(f"other: 1\nurl: {url}\n")
    assert person.json("teams")
    assert "cannot be asked" in person.fail("teams", PIERONE_URL=nowhere)
    assert person.json("teams", "--url", url, PIERONE_URL=nowhere)
    (person.config.parent / "pierone").mkdir()
    person.config.rename(person.config.parent / "pierone/pierone.yaml")
    assert person.json("teams")
    xdg = person.home / "xdg"
    (xdg / "pierone").mkdir(parents=True)
    (xdg / "pierone.yaml").write_text(f"url: {url}")
    (person.config.parent / "pierone/pierone.yaml").unlink()
    assert person.json("teams", XDG_CONFIG_HOME=str(xdg))
    person.config.write_text("url: [")
    assert str(person.config) in person.fail("teams")


def test_certificate_that_is_not_trusted_is_named(make_person, start_server, folder):
    certificate = Certificate(folder)
    server = start_server({"tls": certificate.settings})
    person = make_person(url=f"localhost:{server.port}")
    said = person.fail("teams")
    assert "CN = localhost" in said or "CN=localhost" in said
    assert "good until" in said
    assert person.json("teams", SSL_CERT_FILE=str(certificate.path)) == []


def test_plain_and_tls_are_not_mixed_up(make_person, stocked):
    assert "SSL" in make_person(url=f"127.0.0.1:{stocked.port}").fail("teams")


def test_nothing_steers_the_terminal(make_person, start_server):
    """What others pushed is shown without control characters."""
    source = {**SOURCE, "author": "evil\033[2J\tname"}
    server = start_server()
    with RegistryClient(server.port) as registry:
        image = image_of({"scm-source.json": json.dumps(source).encode(), "a\033[31m": b""})
        assert registry.push_image("alpha/app", "1.0", image).status == 201
    person = make_person(server)
    for form in ("text", "tsv"):
        assert "\033" not in person.run("scm-source", "alpha", "app", "-o", form)
        assert "\033" not in person.run("inspect-contents", "alpha", "app", "-o", form)
    assert person.json("scm-source", "alpha", "app")[0]["author"] == source["author"]


# -- the helper's protocol

def test_helper_speaks_dockers_protocol(make_person, stocked):
    person = make_person(stocked)
    host = "registry.example.org:5000"
    said = person.helper("get", host)
    assert (said.returncode, said.stdout, said.stderr) == (
        1, "credentials not found in native keychain\n", "")
    entry = {"ServerURL": f"https://{host}/", "Username": "alice", "Secret": "alices-password"}
    assert person.helper("store", json.dumps(entry)).returncode == 0
    for asked in (host, f"{host}\n", f"https://{host}", f"https://{host}/v2/"):
        answer = json.loads(person.helper("get", asked).stdout)
        assert (answer["Username"], answer["Secret"]) == ("alice", "alices-password"), asked
    said = person.helper("get", f"http://{host}")
    assert said.returncode == 1 and "not sent without TLS" in said.stdout
    assert person.helper("get", "registry.example.org").returncode == 1  # another port is another
    assert json.loads(person.helper("list").stdout) == {host: "alice"}
    assert person.helper("erase", host).returncode == 0
    assert json.loads(person.helper("list").stdout) == {}
    assert person.helper("get", host).stdout == "credentials not found in native keychain\n"


@pytest.mark.parametrize("action, stdin, said", [
    ("get", "", "no credentials server URL"), ("get", "\n", "no credentials server URL"),
    ("store", "{", "not valid JSON"), ("store", '{"ServerURL":"x","Secret":"y"}', "username"),
    ("store", '{"Username":"x","Secret":"y"}', "server URL"), ("nonsense", "", "nonsense"),
])
def test_helper_refuses_what_it_does_not_know(person, action, stdin, said):
    result = person.helper(action, stdin)
    assert (result.returncode, said in result.stdout) == (1, True), result.stdout


def test_helper_stores_nothing_over_a_login_made_meanwhile(person):
    """`docker login` brings a token while a login that renews itself is being written."""
    host = "registry.example.org"
    person.logins.parent.mkdir(parents=True)
    entry = {"ServerURL": host, "Username": "oauth2", "Secret": "a-token-of-old"}
    with open(f"{person.logins}.lock", "w", encoding="ascii") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        process = subprocess.Popen([person.programs / "docker-credential-pierone", "store"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   env=person.environment())
        process.stdin.write(json.dumps(entry))
        process.stdin.close()
        wait_until(lambda: waits_for_a_lock(process.pid), "the helper to wait for the lock")
        person.logins.write_text(json.dumps({"logins": {host: {
            "kind": "oauth2", "secret": "new", "refresh_token": "refresh"}}}))
    assert process.stdout.read() == "\n"
    assert process.wait(COMMAND_TIMEOUT_S) == 0
    process.stdout.close()
    assert "a-token-of-old" not in person.logins.read_text()


def test_refresh_token_that_is_good_once_is_used_once(person):
    """Twenty docker processes find the same token expired; a provider that rotates refresh tokens
    refuses those that were used."""
    host = "registry.example.org"
    refreshes = []

    def rotate(request):
        if request.form()["refresh_token"] != f"refresh-{len(refreshes)}":
            return json_answer(400, {"error": "invalid_grant"})
        refreshes.append(request)
        return json_answer(200, {"access_token": f"token-{len(refreshes)}", "expires_in": 3600,
                                 "refresh_token": f"refresh-{len(refreshes)}"})

    with StubServer([Endpoint("/token", rotate)]) as provider:
        person.logins.parent.mkdir(parents=True)
        person.logins.write_text(json.dumps({"logins": {host: {
            "kind": "oauth2", "secret": "old", "refresh_token": "refresh-0", "expires_ms": 1,
            "token_url": f"{provider.origin}/token", "client_id": "cli"}}}))
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: person.helper("get", host), range(20)))
    assert {json.loads(answer.stdout)["Secret"] for answer in answers} == {"token-1"}
    assert len(refreshes) == 1
    kept = json.loads(person.logins.read_text())["logins"][host]
    assert (kept["secret"], kept["refresh_token"]) == ("token-1", "refresh-1")


def waits_for_a_lock(pid):
    with open("/proc/locks", encoding="ascii") as locks:
        return any(line.split()[1] == "->" and line.split()[5] == str(pid) for line in locks)


def test_helper_tells_of_a_damaged_file(person):
    person.logins.parent.mkdir(parents=True)
    person.logins.write_text("{")
    result = person.helper("get", "localhost")
    assert result.returncode == 1
    assert str(person.logins) in result.stdout
    assert person.logins.read_text() == "{"
