"""Real clients log in, push and pull as those who may and those who may not; what they then say."""

import pytest

from support import stub_server
from support.authorization import oauth2
from support.clients import write_context
from support.identity_services import WRITE, WRITE_ALL
from support.images import make_image, new_repository
from support.layouts import write_image
from support.registry_client import RegistryClient
from support.users_file import UsersFile
from support.waiting import wait_until

INSECURE = "--tls-verify=false"
USER = "oauth2"

WHO_MAY = {
    "employee": lambda services: services.add_employee("jdoe", "myteam"),
    "service with application.write": lambda services: services.add_service(
        "stups_robot", WRITE, team="myteam"),
    "service with application.write_all": lambda services: services.add_service(
        "stups_robot", WRITE_ALL),
}

# And what the reason names.
WHO_MAY_NOT = {
    "foreign employee": (lambda services: services.add_employee("stranger", "otherteam"),
                         ("stranger", "myteam")),
    "service without a scope": (lambda services: services.add_service("stups_robot", team="myteam"),
                                ("stups_robot", "myteam", WRITE)),
    "foreign service": (lambda services: services.add_service("stups_robot", WRITE,
                                                              team="otherteam"),
                        ("stups_robot", "myteam")),
}


@pytest.fixture
def server(start_shipped_server, services):
    return start_shipped_server(services.settings())


@pytest.fixture
def public_server(start_shipped_server, services):
    return start_shipped_server(services.settings({"public_read": True}))


def assert_says(said, *words):
    assert all(word in said for word in words), said


def pushed(server, services):
    """A repository with an image, 1.0, that its owner pushed without a real client."""
    repository, image = new_repository("myteam"), make_image()
    owner = oauth2(services.add_employee("owner", "myteam"))
    with RegistryClient(server.port, authorization=owner) as registry:
        assert registry.push_image(repository, "1.0", image).status == 201
    return f"{server.host}/{repository}"


def name_for(server):
    return f"{server.host}/{new_repository('myteam')}:1.0"


def build(builder, folder, name):
    builder.run("build", "--tag", name, write_context(folder, name))
    return name


# -- docker

@pytest.fixture
def docker_login(docker, request):
    """Logs in, and out again afterwards: the next server may have the same port."""
    def log_in(server, token, user=USER):
        request.addfinalizer(lambda: docker.try_run("logout", server.host))
        return docker.try_run("login", "--username", user, "--password-stdin", server.host,
                              stdin=token)

    return log_in


def docker_round_trip(docker, folder, name):
    build(docker, folder, name)
    docker.run("push", name)
    docker.run("rmi", name)
    docker.run("pull", name)


@pytest.mark.parametrize("who", WHO_MAY)
def test_docker_pushes_and_pulls(docker, docker_login, client_folder, server, services, who):
    result = docker_login(server, WHO_MAY[who](services))
    assert "Login Succeeded" in result.stdout, result.stderr
    docker_round_trip(docker, client_folder, name_for(server))


@pytest.mark.parametrize("who", WHO_MAY_NOT)
def test_docker_shows_why_a_push_is_denied(docker, docker_login, client_folder, server, services,
                                           who):
    make_token, words = WHO_MAY_NOT[who]
    assert docker_login(server, make_token(services)).returncode == 0
    assert_says(docker.refuse("push", build(docker, client_folder, name_for(server))),
                "denied", *words)
    docker.run("pull", f"{pushed(server, services)}:1.0")


def test_docker_does_not_log_in_with_a_wrong_token(docker_login, server, used_secrets):
    result = docker_login(server, used_secrets.add("nobody-knows-this-token"))
    assert result.returncode != 0
    assert "unauthorized" in result.stderr


def test_docker_does_nothing_without_a_login(docker, client_folder, server, services):
    name = build(docker, client_folder, name_for(server))
    assert docker.refuse("push", name)
    assert_says(docker.refuse("pull", f"{pushed(server, services)}:1.0"), "unauthorized")


def test_docker_is_told_that_the_token_has_expired(docker, docker_login, client_folder, services,
                                                   start_shipped_server, fake_time):
    server = start_shipped_server(services.settings(), fake_time.environment)
    token = services.add_employee("jdoe", "myteam")
    assert docker_login(server, token).returncode == 0
    name = build(docker, client_folder, name_for(server))
    docker.run("push", name)
    services.revoke(token)
    fake_time.forward(600)
    assert_says(docker.refuse("push", name), "unauthorized")
    assert_says(docker.refuse("pull", name), "unauthorized")


def test_docker_pulls_anonymously_where_anybody_reads(docker, client_folder, public_server,
                                                      services):
    docker.run("pull", f"{pushed(public_server, services)}:1.0")
    name = build(docker, client_folder, name_for(public_server))
    assert_says(docker.refuse("push", name), "log in first")


def test_podman_is_told_to_log_in_where_anybody_reads(podman, client_folder, public_server):
    name = build(podman, client_folder, name_for(public_server))
    assert_says(podman.refuse("push", INSECURE, name), "log in first")


def test_docker_pushes_where_anybody_reads(docker, docker_login, client_folder, public_server,
                                           services):
    assert docker_login(public_server, WHO_MAY["employee"](services)).returncode == 0
    docker_round_trip(docker, client_folder, name_for(public_server))


def test_docker_is_told_a_reason_where_anybody_reads(docker, docker_login, client_folder,
                                                     public_server, services):
    make_token, words = WHO_MAY_NOT["foreign employee"]
    assert docker_login(public_server, make_token(services)).returncode == 0
    name = build(docker, client_folder, name_for(public_server))
    assert_says(docker.refuse("push", name), "denied", *words)


def test_docker_logs_in_with_a_password(docker, docker_login, client_folder, start_shipped_server,
                                        folder, used_secrets):
    users = UsersFile(folder / "users", used_secrets)
    users.set("jane", "a password of words", "myteam")
    server = start_shipped_server(users.settings)
    assert docker_login(server, "not her password at all", user="jane").returncode != 0
    assert docker_login(server, "a password of words", user="jane").returncode == 0
    docker_round_trip(docker, client_folder, name_for(server))


def test_docker_pushes_as_a_machine_of_a_real_provider(docker, docker_login, client_folder,
                                                       start_shipped_server, glewlwyd):
    server = start_shipped_server({"auth": {"oidc": {"issuer": glewlwyd.issuer}},
                                   "teams": {"claim": "team"}})
    assert docker_login(server, glewlwyd.robot_token("robot")).returncode == 0
    docker_round_trip(docker, client_folder, name_for(server))
    assert docker_login(server, glewlwyd.robot_token("robot-reader")).returncode == 0
    name = build(docker, client_folder, name_for(server))
    assert_says(docker.refuse("push", name), "denied", "stups_robot-reader", WRITE)


@pytest.mark.parametrize("who", WHO_MAY)
def test_containerd_pushes_and_pulls(docker, docker_login, docker_daemon, client_folder, server,
                                     services, who):
    token = WHO_MAY[who](services)
    assert docker_login(server, token).returncode == 0
    name = build(docker, client_folder, name_for(server))
    docker.run("push", name)
    ctr, with_token = docker_daemon.ctr(), ("--plain-http", "--user", f"{USER}:{token}")
    copy = name.replace(":1.0", ":1.0-copy")
    ctr.run("images", "pull", *with_token, "--snapshotter", "native", name)
    ctr.run("images", "push", *with_token, copy, name)
    ctr.run("images", "rm", name)
    assert_says(ctr.refuse("images", "pull", "--plain-http", "--snapshotter", "native", copy),
                "401 Unauthorized")


def ctr_options(token):
    return ("--plain-http", *(("--user", f"{USER}:{token}") if token else ()))


@pytest.fixture
def ctr_pull(docker_daemon):
    """Pulls into containerd, as whoever has the token; None: nobody in particular."""
    def pull(name, token):
        ctr = docker_daemon.ctr()
        result = ctr.try_run("images", "pull", *ctr_options(token), "--snapshotter", "native",
                             name)
        if result.returncode == 0:
            ctr.run("images", "rm", name)
        return result

    return pull


@pytest.fixture
def ctr_copy(docker_daemon):
    """
    What is said to a push that is refused, of an image from elsewhere: ctr 1.6 hangs if all layers
    are there already and the manifest is refused.
    """
    def copy(origin, name, token):
        ctr = docker_daemon.ctr()
        ctr.run("images", "pull", *ctr_options(token), "--snapshotter", "native", origin)
        said = ctr.refuse("images", "push", *ctr_options(token), name, origin)
        ctr.run("images", "rm", origin)
        return said

    return copy


@pytest.mark.parametrize("who", WHO_MAY | WHO_MAY_NOT)
def test_containerd_pulls_as_whoever_is_logged_in(ctr_pull, server, services, who):
    maker = WHO_MAY.get(who) or WHO_MAY_NOT[who][0]
    result = ctr_pull(f"{pushed(server, services)}:1.0", maker(services))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("who", WHO_MAY_NOT)
def test_containerd_is_not_let_push(ctr_copy, server, public_server, services, who):
    token = WHO_MAY_NOT[who][0](services)
    said = ctr_copy(f"{pushed(public_server, services)}:1.0", name_for(server), token)
    assert_says(said, "403 No Right To Push There")


def test_containerd_is_told_what_a_name_must_look_like(ctr_copy, server, public_server, services):
    token = WHO_MAY["employee"](services)
    name = f"{server.host}/alone:1.0"
    said = ctr_copy(f"{pushed(public_server, services)}:1.0", name, token)
    assert_says(said, "403 Repository Is Not team/artifact")


def test_containerd_does_not_pull_without_a_login(ctr_pull, server, services, used_secrets):
    name = f"{pushed(server, services)}:1.0"
    for token in (None, used_secrets.add("nobody-knows-this-token")):
        result = ctr_pull(name, token)
        assert result.returncode != 0
        assert_says(result.stderr, "401 Unauthorized")


def test_containerd_does_not_pull_with_an_expired_token(ctr_pull, start_shipped_server, services,
                                                        fake_time):
    server = start_shipped_server(services.settings(), fake_time.environment)
    name, token = f"{pushed(server, services)}:1.0", services.add_token("jdoe")
    assert ctr_pull(name, token).returncode == 0
    services.revoke(token)
    fake_time.forward(600)
    result = ctr_pull(name, token)
    assert result.returncode != 0
    assert_says(result.stderr, "401 Unauthorized")


def test_containerd_pulls_anonymously_where_anybody_reads(ctr_pull, public_server, services):
    name = f"{pushed(public_server, services)}:1.0"
    result = ctr_pull(name, None)
    assert result.returncode == 0, result.stderr


def test_containerd_does_not_push_anonymously(ctr_copy, start_shipped_server, public_server,
                                              services):
    other = start_shipped_server(services.settings({"public_read": True}))
    said = ctr_copy(f"{pushed(public_server, services)}:1.0", name_for(other), None)
    assert_says(said, "authorization failed")


# -- podman and buildah

@pytest.fixture
def podman_login(podman, client_folder):
    """Its credentials go to a file of this test."""
    file = client_folder / "auth.json"
    file.write_text("{}", encoding="ascii")
    podman.environment["REGISTRY_AUTH_FILE"] = str(file)
    return lambda server, token: podman.try_run(
        "login", INSECURE, "--username", USER, "--password-stdin", server.host, stdin=token)


@pytest.mark.parametrize("who", WHO_MAY)
def test_podman_pushes_and_pulls(podman, podman_login, client_folder, server, services, who):
    result = podman_login(server, WHO_MAY[who](services))
    assert "Login Succeeded" in result.stdout, result.stderr
    name = build(podman, client_folder, name_for(server))
    podman.run("push", INSECURE, name)
    podman.run("rmi", name)
    podman.run("pull", INSECURE, name)


@pytest.mark.parametrize("who", WHO_MAY_NOT)
def test_podman_shows_why_a_push_is_denied(podman, podman_login, client_folder, server, services,
                                           who):
    make_token, words = WHO_MAY_NOT[who]
    assert podman_login(server, make_token(services)).returncode == 0
    name = build(podman, client_folder, name_for(server))
    assert_says(podman.refuse("push", INSECURE, name), "denied", *words)
    podman.run("pull", INSECURE, f"{pushed(server, services)}:1.0")


def test_podman_does_not_log_in_with_a_wrong_token(podman_login, server, used_secrets):
    result = podman_login(server, used_secrets.add("nobody-knows-this-token"))
    assert result.returncode != 0
    assert "invalid username/password" in result.stderr or "unauthorized" in result.stderr


@pytest.mark.usefixtures("podman_login")
def test_podman_does_nothing_without_a_login(podman, client_folder, server, services):
    assert podman.refuse("push", INSECURE, build(podman, client_folder, name_for(server)))
    assert podman.refuse("pull", INSECURE, f"{pushed(server, services)}:1.0")


@pytest.mark.usefixtures("podman_login")
def test_podman_pulls_anonymously_where_anybody_reads(podman, client_folder, public_server,
                                                      services):
    podman.run("pull", INSECURE, f"{pushed(public_server, services)}:1.0")
    assert podman.refuse("push", INSECURE, build(podman, client_folder, name_for(public_server)))


def test_buildah_pushes_and_is_told_why_not(buildah, client_folder, server, services):
    name = build(buildah, client_folder, name_for(server))
    make_token, words = WHO_MAY_NOT["foreign employee"]
    assert_says(buildah.refuse("push", INSECURE, "--creds", f"{USER}:{make_token(services)}", name),
                "denied", *words)
    buildah.run("push", INSECURE, "--creds", f"{USER}:{WHO_MAY['employee'](services)}", name)


# -- skopeo

def copy_to(token):
    return ("copy", "--dest-tls-verify=false", "--dest-creds", f"{USER}:{token}")


@pytest.mark.parametrize("who", WHO_MAY)
def test_skopeo_copies_there_and_back(skopeo, client_folder, server, services, who):
    token, name = WHO_MAY[who](services), f"docker://{name_for(server)}"
    skopeo.run(*copy_to(token), write_image(client_folder / "out", make_image()), name)
    skopeo.run("copy", "--src-tls-verify=false", "--src-creds", f"{USER}:{token}", name,
               f"oci:{client_folder / 'back'}")


@pytest.mark.parametrize("who", WHO_MAY_NOT)
def test_skopeo_shows_why_a_push_is_denied(skopeo, client_folder, server, services, who):
    make_token, words = WHO_MAY_NOT[who]
    said = skopeo.refuse(*copy_to(make_token(services)),
                         write_image(client_folder / "out", make_image()),
                         f"docker://{name_for(server)}")
    assert_says(said, "denied", *words)


def test_skopeo_is_told_that_a_look_up_is_down(skopeo, client_folder, server, services):
    """And not that it may not push. (docker would try again for a minute.)"""
    token, name = WHO_MAY["employee"](services), f"docker://{name_for(server)}"
    layout = write_image(client_folder / "out", make_image())
    with services.accounts.behaving(stub_server.failing(500)):
        said = skopeo.refuse(*copy_to(token), layout, name)
    assert "denied" not in said
    assert "try again later" in said or "503" in said, said
    wait_until(lambda: skopeo.try_run(*copy_to(token), layout, name).returncode == 0,
               "the outage to be over")


def test_skopeo_bears_a_token_itself(skopeo, client_folder, server, services):
    """Without the token endpoint: the provider's token goes with every request."""
    token, repository = WHO_MAY["employee"](services), new_repository("myteam")
    skopeo.run("copy", "--dest-tls-verify=false", "--dest-registry-token", token,
               write_image(client_folder / "out", make_image()),
               f"docker://{server.host}/{repository}:1.0")
    server.check_manifest_puts(repository, [201])
    assert not [line for line in server.requests() if line["path"] == "/v2/token"]


def test_skopeo_inspects_anonymously_where_anybody_reads(skopeo, public_server, services, server):
    skopeo.run("inspect", INSECURE, f"docker://{pushed(public_server, services)}:1.0")
    assert skopeo.refuse("inspect", INSECURE, f"docker://{pushed(server, services)}:1.0")


def test_skopeo_copies_between_repositories_of_two_teams(skopeo, server, services):
    """It reads with one token and mounts with another: what the source is worth is asked too."""
    source = pushed(server, services)
    token = services.add_employee("jdoe", "otherteam")
    target = f"{server.host}/{new_repository('otherteam')}"
    skopeo.run("copy", "--src-tls-verify=false", "--dest-tls-verify=false",
               "--src-creds", f"{USER}:{token}", "--dest-creds", f"{USER}:{token}",
               f"docker://{source}:1.0", f"docker://{target}:1.0")
