"""pierone login, against a real provider and against local users; docker push through the helper."""

import concurrent.futures
import json
import re
import signal
import stat
import urllib.error
import urllib.parse
import urllib.request

import pytest

from support.authorization import basic
from support.clients import Client, write_context
from support.glewlwyd import COMMAND_LINE_CLIENT, DEPLOYER
from support.identity_services import WRITE
from support.images import new_repository
from support.stub_server import Endpoint, StubServer, json_answer
from support.users_file import UsersFile
from support.waiting import wait_until

ADDRESS = re.compile(r"https?://\S+")


def provider_settings(glewlwyd):
    return {
        "auth": {"oidc": {"issuer": glewlwyd.issuer}},
        "teams": {"claim": "team"},
        "login": {"client_id": COMMAND_LINE_CLIENT, "scopes": f"openid uid {WRITE}",
                  "redirect_port": glewlwyd.callback_port},
    }


@pytest.fixture
def server(start_server, glewlwyd):
    return start_server(provider_settings(glewlwyd))


@pytest.fixture
def person(make_person, server):
    return make_person(server)


def next_address(process):
    """The address that a login prints."""
    for line in process.stderr:
        if found := ADDRESS.search(line):
            return found.group()
    raise AssertionError("it printed no address")


def log_in_by_device(person, glewlwyd, name="alice"):
    process = person.start("login", "--device")
    address = next_address(process)
    said = process.stderr.readline() + process.stderr.readline()
    code = re.search(r"The code is (\S+)\.", said)
    assert code, said
    if "code=" not in address:
        address += f"?code={code.group(1)}"
    end, _ = glewlwyd.browse(name, address)
    assert "prompt=deviceComplete" in end
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    return rest


def stored(person, server):
    return json.loads(person.logins.read_text())["logins"][f"127.0.0.1:{server.port}"]


# -- people, by a provider

def test_device_login(person, server, glewlwyd, used_secrets):
    said = log_in_by_device(person, glewlwyd)
    assert f"Logged in at 127.0.0.1:{server.port} as alice." in said
    assert "sudo docker" in said
    login = stored(person, server)
    for secret in ("secret", "refresh_token"):
        used_secrets.add(login[secret])
        assert login[secret] not in said
    assert stat.S_IMODE(person.logins.stat().st_mode) == 0o600
    assert person.rows("whoami")[0]["name"] == "alice"


def test_browser_login(person, server, glewlwyd):
    """The browser is a script: it opens the address as alice, and follows to the loopback."""
    browser = person.home / "browser"
    browser.write_text("#!/bin/sh\nprintf '%s\\n' \"$1\" > \"$HOME/opened\"\n")
    browser.chmod(0o755)
    process = person.start("login", BROWSER=str(browser))
    address = next_address(process)
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [f"http://127.0.0.1:{glewlwyd.callback_port}/callback"]
    wait_until((person.home / "opened").exists, "the browser")
    end, page = glewlwyd.browse("alice", address)
    assert end.startswith(f"http://127.0.0.1:{glewlwyd.callback_port}/callback?")
    assert b"go on there" in page
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert (person.home / "opened").read_text().strip() == address
    assert stored(person, server)["user"] == "alice"


def test_browser_of_another_login_changes_nothing(person, glewlwyd):
    process = person.start("login", BROWSER="true")
    address = next_address(process)
    redirect = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)["redirect_uri"][0]
    for query in ("code=x&state=wrong", "error=access_denied"):
        with pytest.raises(urllib.error.HTTPError, match="400") as refusal:
            urllib.request.urlopen(f"{redirect}?{query}", timeout=60)
        assert b"not the login" in refusal.value.read()
    assert not person.logins.exists()
    glewlwyd.browse("alice", address)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "as alice." in said


@pytest.mark.parametrize("flow, shown", [("--device", "Waiting"), ("--url", "Log in with your br")])
def test_waiting_for_a_browser_is_interrupted_by_key(person, terminal, flow, shown):
    options = [flow, person.url] if flow == "--url" else [flow]
    session = terminal(person.client(BROWSER="true"), "login", *options)
    session.wait_for(shown)
    session.type("\3")
    assert session.finish() == -signal.SIGINT
    assert session.is_as_before()
    assert not person.logins.exists()


def test_logins_without_a_browser_are_by_device(person, glewlwyd):
    process = person.start("login")
    assert next_address(process).startswith(f"{glewlwyd.url}/")
    assert "The code is" in process.stderr.readline() + process.stderr.readline()
    process.terminate()
    process.communicate()


def test_expiring_tokens_are_renewed_by_one_of_many(person, server, glewlwyd):
    """Tokens of less than a minute are renewed at each use: here by twelve helpers at once."""
    with glewlwyd.token_lifetime(30):
        log_in_by_device(person, glewlwyd)
        first = stored(person, server)
        host = f"127.0.0.1:{server.port}"
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: person.helper("get", host), range(12)))
    assert [answer.returncode for answer in answers] == [0] * 12, answers
    tokens = {json.loads(answer.stdout)["Secret"] for answer in answers}
    assert first["secret"] not in tokens
    assert stored(person, server)["secret"] in tokens
    # What they left is one whole file, with a login that works.
    assert person.rows("whoami")[0]["name"] == "alice"


def test_login_that_is_over_says_so(person, server, glewlwyd):
    log_in_by_device(person, glewlwyd)
    logins = json.loads(person.logins.read_text())
    entry = logins["logins"][f"127.0.0.1:{server.port}"]
    entry.update(expires_ms=1, refresh_token="not-a-refresh-token")
    person.logins.write_text(json.dumps(logins))
    said = person.fail("teams")
    assert f"run `pierone login --url http://127.0.0.1:{server.port}`" in said
    answer = person.helper("get", f"127.0.0.1:{server.port}")
    assert (answer.returncode, "pierone login" in answer.stdout) == (1, True)


def test_logout_forgets(person, server, glewlwyd):
    log_in_by_device(person, glewlwyd)
    person.run("logout")
    assert json.loads(person.logins.read_text()) == {"logins": {}}
    assert f"127.0.0.1:{server.port}" not in person.docker_config.read_text()
    assert "pierone login" in person.fail("teams")


# -- service users

def test_service_user_needs_no_terminal(make_person, server, glewlwyd, client_folder):
    """As a pipeline does it: variables, `pierone login`, done."""
    person = make_person(server, "pipeline")
    variables = glewlwyd.write_credentials(client_folder / "credentials")
    person.run("login", **variables)
    assert stored(person, server)["kind"] == "service"
    assert person.rows("whoami", **variables)[0] == {
        "registry": f"127.0.0.1:{server.port}", "name": DEPLOYER[0], "kind": "service",
        "expires_time": person.rows("whoami", **variables)[0]["expires_time"]}
    # Without them, the login is of no use, and says why.
    assert "CREDENTIALS_DIR" in person.fail("teams")


@pytest.mark.parametrize("source", ["variable", "file"])
def test_tokens_at_hand_are_taken(person, glewlwyd, client_folder, source):
    token = glewlwyd.robot_token("robot")
    if source == "variable":
        variables = {"OAUTH2_ACCESS_TOKENS": f"other=x,pierone={token}"}
    else:
        (client_folder / "pierone-token-secret").write_text(token + "\n")
        variables = {"CREDENTIALS_DIR": str(client_folder)}
    assert person.json("teams", **variables) == []
    assert person.rows("whoami", **variables)[0]["name"] == "stups_robot"


def test_first_source_of_a_token_counts(make_person, client_folder):
    """All at once, then without the first, and so on: commands and the helper take the same one."""
    (client_folder / "user.json").write_text(json.dumps(
        {"application_username": "x", "application_password": "x"}))
    (client_folder / "client.json").write_text(json.dumps({"client_id": "x", "client_secret": "x"}))
    (client_folder / "pierone-token-secret").write_text("of-the-file")
    teams = Endpoint("/teams", lambda request: json_answer(200, []))
    grants = Endpoint("/token", lambda request: json_answer(200, {"access_token": "of-the-url"}))
    with StubServer([teams, grants]) as stub:
        person, host = make_person(url=stub.origin), stub.origin.removeprefix("http://")
        person.helper("store", json.dumps(
            {"ServerURL": host, "Username": "oauth2", "Secret": "of-the-person"}))
        variables = {"OAUTH2_ACCESS_TOKENS": "pierone=of-the-variable",
                     "CREDENTIALS_DIR": str(client_folder),
                     "OAUTH2_ACCESS_TOKEN_URL": f"{stub.origin}/token"}

        def ask():
            person.json("teams", **variables)
            secret = json.loads(person.helper("get", host, **variables).stdout)["Secret"]
            assert teams.requests[-1].bearer == secret
            return secret

        assert ask() == "of-the-variable"
        variables["OAUTH2_ACCESS_TOKENS"] = "other=x"
        assert ask() == "of-the-file"
        (client_folder / "pierone-token-secret").unlink()
        assert ask() == "of-the-url"
        del variables["OAUTH2_ACCESS_TOKEN_URL"]
        assert ask() == "of-the-person"


def test_wrong_credentials_are_told_without_them(person, glewlwyd, client_folder):
    variables = glewlwyd.write_credentials(client_folder / "credentials")
    secret = {"application_username": DEPLOYER[0], "application_password": "wrong-password"}
    (client_folder / "credentials/user.json").write_text(json.dumps(secret))
    said = person.fail("login", **variables)
    assert "the login server refuses" in said
    assert "wrong-password" not in said
    (client_folder / "credentials/client.json").unlink()
    assert "client.json" in person.fail("login", **variables)


def test_service_token_goes_to_registered_hosts_alone(person, server, glewlwyd, client_folder):
    """docker asks the helper for every host there is."""
    variables = glewlwyd.write_credentials(client_folder / "credentials")
    person.run("login", **variables)
    answer = person.helper("get", "https://index.docker.io/v1/", **variables)
    assert (answer.returncode, answer.stdout) == (1, "credentials not found in native keychain\n")
    assert person.helper("get", f"127.0.0.1:{server.port}", **variables).returncode == 0


# -- local users

@pytest.fixture
def local_server(start_server, folder, used_secrets):
    users = UsersFile(folder / "users", used_secrets)
    users.set("alice", "alices-password", "myteam")
    return start_server({"auth": {"users_file": str(users.path)}})


def test_local_user_with_a_password_on_stdin(make_person, local_server):
    person = make_person(local_server)
    person.run("login", "-u", "alice", "--password-stdin", stdin="alices-password\n")
    assert person.rows("whoami")[0]["name"] == "alice"
    refused = person.attempt("login", "-u", "alice", "--password-stdin", stdin="wrong-password\n")
    assert (refused.returncode, "wrong-password" in refused.stderr) == (1, False)
    assert person.rows("whoami")[0]["name"] == "alice"  # the login from before stays


def test_local_user_is_asked_without_echo(make_person, local_server, terminal):
    person = make_person(local_server)
    session = terminal(person.client(), "login")
    session.wait_for("Username: ")
    session.type("alice\n")
    session.wait_for("Password: ")
    session.type("alices-password\n")
    assert session.finish() == 0
    assert "alices-password" not in session.shown
    assert "Logged in at" in session.shown


@pytest.mark.parametrize("key, number", [("\3", signal.SIGINT), ("\x1c", signal.SIGQUIT)])
@pytest.mark.parametrize("options, prompt", [((), "Username: "), (("-u", "alice"), "Password: ")])
def test_login_is_interrupted_by_key(make_person, local_server, terminal, options, prompt, key,
                                     number):
    person = make_person(local_server)
    session = terminal(person.client(), "login", *options)
    session.wait_for(prompt)
    session.type(f"half an answer{key}")
    assert session.finish() == -number
    assert session.is_as_before()
    assert not person.logins.exists()


def test_address_is_asked_for_once_and_kept(make_person, local_server, terminal):
    person = make_person()
    assert "PIERONE_URL" in person.fail("teams")
    session = terminal(person.client(), "login", "-u", "alice")
    session.wait_for("Address of the registry")
    session.type(f"http://127.0.0.1:{local_server.port}/\n")
    session.wait_for("Password: ")
    session.type("alices-password\n")
    assert session.finish() == 0
    assert person.config.read_text() == f"url: http://127.0.0.1:{local_server.port}\n"
    assert person.json("teams") == []


def test_address_from_the_command_line_is_not_kept(make_person, local_server):
    person = make_person()
    url = f"http://127.0.0.1:{local_server.port}"
    person.run("login", "--url", url, "-u", "alice", "--password-stdin", stdin="alices-password\n")
    assert not person.config.exists()


def test_open_registry_needs_no_login(make_person, start_server):
    person = make_person(start_server())
    result = person.attempt("login")
    assert (result.returncode, "is open" in result.stderr) == (0, True)
    assert not person.logins.exists()


def test_what_is_no_pierone_is_told(make_person, glewlwyd):
    assert "is not a Pier One registry" in make_person(url=glewlwyd.url).fail("login")


# -- Docker's configuration

def docker_login(person, *options, **more):
    return person.attempt("login", "-u", "alice", "--password-stdin", *options,
                          stdin="alices-password\n", **more)


def test_docker_is_set_up_with_the_helper(make_person, local_server):
    person = make_person(local_server)
    host = f"127.0.0.1:{local_server.port}"
    person.docker_config.parent.mkdir()
    before = {"HttpHeaders": {"X": "1"}, "auths": {host: {"auth": "eA=="}, "other": {"auth": "eQ=="}},
              "psFormat": "table {{.ID}}", "credHelpers": {"gcr.io": "gcloud"}}
    person.docker_config.write_text(json.dumps(before))
    assert docker_login(person).returncode == 0
    assert json.loads(person.docker_config.read_text()) == {
        **before, "auths": {"other": {"auth": "eQ=="}},
        "credHelpers": {"gcr.io": "gcloud", host: "pierone"}}
    assert stat.S_IMODE(person.docker_config.stat().st_mode) == 0o600


@pytest.mark.parametrize("store", [None, "desktop"])
def test_docker_is_set_up_without_the_helper(make_person, local_server, store):
    person = make_person(local_server)
    host = f"127.0.0.1:{local_server.port}"
    person.docker_config.parent.mkdir()
    person.docker_config.write_text(json.dumps({"credsStore": store} if store else {}))
    assert docker_login(person, "--no-helper").returncode == 0
    config = json.loads(person.docker_config.read_text())
    assert config["auths"][host]["auth"] == basic("alice", "alices-password").split()[1]
    assert config.get("credHelpers") == ({host: ""} if store else None)


def test_helper_that_is_not_in_path(make_person, local_server):
    person = make_person(local_server)
    result = docker_login(person, PATH="/usr/bin:/bin")
    assert "docker-credential-pierone is not in PATH" in result.stderr
    assert "auths" in json.loads(person.docker_config.read_text())


def test_docker_config_variable_is_honoured(make_person, local_server, client_folder):
    person = make_person(local_server)
    assert docker_login(person, DOCKER_CONFIG=str(client_folder / "own")).returncode == 0
    assert (client_folder / "own/config.json").exists()
    assert not person.docker_config.exists()


def test_broken_docker_configuration_stays(make_person, local_server):
    person = make_person(local_server)
    person.docker_config.parent.mkdir()
    person.docker_config.write_text('{"auths": {')
    result = docker_login(person)
    assert result.returncode == 1
    assert str(person.docker_config) in result.stderr
    assert person.docker_config.read_text() == '{"auths": {'


def test_configuration_that_is_a_link_stays_one(make_person, local_server, client_folder):
    person = make_person(local_server)
    person.docker_config.parent.mkdir()
    (client_folder / "real.json").write_text("{}")
    person.docker_config.symlink_to(client_folder / "real.json")
    assert docker_login(person).returncode == 0
    assert person.docker_config.is_symlink()
    assert "credHelpers" in (client_folder / "real.json").read_text()


def test_old_dockercfg_is_written_where_it_is(make_person, local_server):
    person = make_person(local_server)
    host = f"127.0.0.1:{local_server.port}"
    old = person.home / ".dockercfg"
    assert docker_login(person).returncode == 0
    assert not old.exists()
    assert docker_login(person, "--dockercfg").returncode == 0
    assert list(json.loads(old.read_text())) == [host]
    person.run("logout")
    assert json.loads(old.read_text()) == {}


# -- real clients through the helper

@pytest.fixture
def shipped_server(start_shipped_server, glewlwyd):
    return start_shipped_server(provider_settings(glewlwyd))


def build_name(shipped_server):
    return f"127.0.0.1:{shipped_server.port}/{new_repository('myteam')}:1.0"


def push_and_pull(docker, name, folder):
    docker.run("build", "--tag", name, write_context(folder, name))
    docker.run("push", name)
    docker.run("rmi", name)
    docker.run("pull", name)
    docker.run("rmi", name)


def test_docker_pushes_and_pulls_after_one_login(make_person, docker_daemon, shipped_server,
                                                 glewlwyd, client_folder):
    """With tokens that are as good as expired, so that each request of docker brings a new one."""
    person, name = make_person(shipped_server), build_name(shipped_server)
    docker = Client(docker_daemon.docker.command, person.environment(DOCKER_BUILDKIT="0"))
    with glewlwyd.token_lifetime(30):
        log_in_by_device(person, glewlwyd)
        before = stored(person, shipped_server)["secret"]
        push_and_pull(docker, name, client_folder)
        assert stored(person, shipped_server)["secret"] != before
    host, path = name.split("/", 1)
    team, rest = path.split("/", 1)
    artifact, tag = rest.split(":")
    assert person.run("latest", team, artifact) == tag
    assert person.rows("tags", team, artifact)[0]["created_by"] == "alice"
    docker.run("logout", host)
    assert "pierone login" in person.fail("teams")


def test_docker_pushes_as_a_service_user(make_person, docker_daemon, shipped_server, glewlwyd,
                                         client_folder):
    """As a pipeline does it, with tokens that end while it runs."""
    person, name = make_person(shipped_server), build_name(shipped_server)
    variables = glewlwyd.write_credentials(client_folder / "credentials")
    docker = Client(docker_daemon.docker.command,
                    person.environment(DOCKER_BUILDKIT="0", **variables))
    with glewlwyd.token_lifetime(30):
        person.run("login", **variables)
        before = stored(person, shipped_server)["secret"]
        push_and_pull(docker, name, client_folder)
        assert stored(person, shipped_server)["secret"] != before
    team, artifact, tag = re.split("[/:]", name)[2:]
    assert person.rows("describe", team, artifact, tag, **variables)[0]["created_by"] == DEPLOYER[0]


def take_home(podman, person):
    podman.environment = {**podman.environment, "HOME": str(person.home),
                          "PATH": person.environment()["PATH"]}
    return podman


def test_podman_pushes_through_the_helper(make_person, podman, shipped_server, glewlwyd,
                                          client_folder):
    """With tokens that are as good as expired, so that each run of podman brings a new one."""
    person, name = make_person(shipped_server), build_name(shipped_server)
    with glewlwyd.token_lifetime(30):
        log_in_by_device(person, glewlwyd)
        before = stored(person, shipped_server)["secret"]
        take_home(podman, person)
        podman.run("build", "--tag", name, write_context(client_folder, name))
        podman.run("push", "--tls-verify=false", name)
        podman.run("rmi", name)
        podman.run("pull", "--tls-verify=false", name)
        assert stored(person, shipped_server)["secret"] != before


def test_podman_needs_a_new_login_for_an_expired_token_of_auths(
        make_person, podman, start_shipped_server, glewlwyd, client_folder, fake_time):
    """It was given the token itself: nobody renews that, but a login by the same command does."""
    server = start_shipped_server(provider_settings(glewlwyd), fake_time.environment)
    person, name = make_person(server), build_name(server)
    variables = glewlwyd.write_credentials(client_folder / "credentials")
    take_home(podman, person)
    person.run("login", "--no-helper", **variables)
    podman.run("build", "--tag", name, write_context(client_folder, name))
    podman.run("push", "--tls-verify=false", name)
    fake_time.forward(4000)
    assert "not any more" in podman.refuse("pull", "--tls-verify=false", name)
    with glewlwyd.token_lifetime(8000):
        person.run("login", "--no-helper", **variables)
    podman.run("pull", "--tls-verify=false", name)


def test_docker_login_through_the_helper_keeps_the_login(make_person, docker_daemon,
                                                         shipped_server, glewlwyd):
    """`docker login` stores again what it has got from the helper."""
    person = make_person(shipped_server)
    docker = Client(docker_daemon.docker.command, person.environment())
    log_in_by_device(person, glewlwyd)
    docker.run("login", f"127.0.0.1:{shipped_server.port}")
    assert stored(person, shipped_server)["refresh_token"]


def test_skopeo_reads_auths(make_person, skopeo, shipped_server, glewlwyd, client_folder):
    """For those who know no helpers: the token itself."""
    person = make_person(shipped_server)
    variables = glewlwyd.write_credentials(client_folder / "credentials")
    person.run("login", "--no-helper", **variables)
    result = skopeo.refuse("inspect", "--tls-verify=false", "--authfile", person.docker_config,
                           f"docker://127.0.0.1:{shipped_server.port}/myteam/nothing:1.0")
    assert "unauthorized" not in result.lower() and "manifest" in result.lower()

