"""Several instances over one PostgreSQL and one bucket: any of them serves any request."""

import concurrent.futures
import random

import pytest

from support.authorization import basic, bearer
from support.clients import write_context
from support.images import digest_of, make_image, new_repository
from support.registry_client import RegistryClient
from support.users_file import UsersFile
from support.waiting import wait_until

MIB = 1024 * 1024
PART = 5 * MIB
INSECURE = "--tls-verify=false"
MOVING = {"tags": {"snapshots": True}}
USER, PASSWORD = "alice", "correct horse battery staple"


@pytest.fixture
def repository():
    return new_repository()


@pytest.fixture
def instances(start_instances, database_url):
    return start_instances(3, database_url)


@pytest.fixture
def clients(instances, client):
    return [client(server) for server in instances]


def content_of(size, seed=0):
    return random.Random(f"{new_repository()} {seed}").randbytes(size)


def at_once(*functions):
    """Their results."""
    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        return [one.result() for one in [pool.submit(function) for function in functions]]


# -- uploads

@pytest.mark.parametrize("sizes", [
    [1], [1000, 0, 1, 5000], [PART, PART, 1], [PART - 1, 2, PART + 7, 3, 2 * PART],
], ids=["one byte", "small", "parts", "crooked"])
def test_upload_goes_on_at_another_instance_chunk_by_chunk(clients, repository, sizes):
    """By its path alone: the next request goes to the next instance."""
    content, offset = content_of(sum(sizes)), 0
    location = clients[0].begin_upload(repository)
    for number, size in enumerate(sizes, 1):
        reply = clients[number % 3].patch_upload(location, content[offset:offset + size])
        assert reply.status == 202, reply
        location, offset = reply.headers["Location"], offset + size
        if offset > 0:
            told = clients[(number + 1) % 3].request("GET", location)
            assert (told.status, told.headers["Range"]) == (204, f"0-{offset - 1}")
    assert clients[len(sizes) % 3].finish_upload(location, digest_of(content)).status == 201
    for registry in clients:
        assert registry.get_blob(repository, digest_of(content)).body == content


def test_end_of_an_upload_is_answered_again_by_another_instance(clients, repository):
    """Whose answer was lost sends it again."""
    content = content_of(MIB)
    pushed, given_up = (clients[0].begin_upload(repository) for _ in range(2))
    assert clients[1].patch_upload(pushed, content).status == 202
    assert clients[2].finish_upload(pushed, digest_of(content)).status == 201
    assert clients[1].request("DELETE", given_up).status == 204
    for registry in clients:
        assert registry.finish_upload(pushed, digest_of(content)).status == 201
        assert registry.finish_upload(pushed, digest_of(b"other")).status == 404
        assert registry.patch_upload(pushed, b"more").status == 404
        assert registry.request("DELETE", given_up).status == 204
        assert registry.finish_upload(given_up, digest_of(b"")).status == 404


@pytest.mark.parametrize("size", [1000, PART + 1000], ids=["small", "parts"])
def test_upload_is_ended_by_two_instances_at_once(clients, repository, size):
    """Both are told that it became the blob, whichever it was, and it did."""
    for seed in range(10):
        content = content_of(size, seed)
        location = clients[2].begin_upload(repository)
        assert clients[2].patch_upload(location, content).status == 202
        replies = at_once(*(lambda one=one: one.finish_upload(location, digest_of(content))
                            for one in clients[:2]))
        assert [reply.status for reply in replies] == [201, 201], replies
        assert clients[2].get_blob(repository, digest_of(content)).body == content
        assert clients[2].patch_upload(location, b"more").status == 404


@pytest.mark.parametrize("size", [1000, PART + 1000], ids=["small", "parts"])
def test_two_instances_go_on_with_one_upload_at_once(clients, repository, size):
    """One of them does; the other's bytes are as if they were never sent, and it is told so."""
    for seed in range(10):
        begin = content_of(size, seed)
        pieces = [content_of(size, f"{seed} {number}") for number in range(2)]
        location = clients[2].begin_upload(repository)
        assert clients[2].patch_upload(location, begin).status == 202
        replies = at_once(*(lambda one=one, piece=piece: one.patch_upload(
            location, piece, {"Content-Range": f"{size}-{2 * size - 1}"})
            for one, piece in zip(clients, pieces)))
        taken = [piece for piece, reply in zip(pieces, replies) if reply.status == 202]
        assert len(taken) == 1, replies
        assert {reply.status for reply in replies} <= {202, 409, 416}
        whole = begin + taken[0]
        ended = clients[2].finish_upload(location, digest_of(whole))
        if ended.status == 404:  # a part of the other's took the place of this one's
            assert ended.error_code() == "BLOB_UPLOAD_UNKNOWN"
            assert clients[2].push_blob(repository, whole).status == 201
        else:
            assert ended.status == 201, ended
        assert clients[0].get_blob(repository, digest_of(whole)).body == whole


def test_upload_that_was_given_up_does_not_come_back(clients, repository):
    for _ in range(10):
        location = clients[2].begin_upload(repository)
        assert clients[2].patch_upload(location, b"begin").status == 202
        at_once(lambda: clients[0].patch_upload(location, b"more"),
                lambda: clients[1].request("DELETE", location))
        assert clients[1].request("DELETE", location).status == 204
        assert clients[2].patch_upload(location, b"more").status == 404


# -- what is known in memory

def test_what_was_not_there_a_moment_ago_is_seen_at_once(clients, repository):
    first, second, _ = clients
    image = make_image()
    for reference in ("1.0", "latest", image.digest):
        assert second.get_manifest(repository, reference).status == 404
    assert second.get_blob(repository, digest_of(image.layer), "HEAD").status == 404
    assert second.list_tags(repository).status == 404
    assert first.push_image(repository, "1.0", image).status == 201
    for reference in ("1.0", "latest", image.digest):
        assert second.get_manifest(repository, reference).body == image.manifest
    assert second.get_blob(repository, digest_of(image.layer)).body == image.layer
    assert second.list_tags(repository).json()["tags"] == ["1.0"]


def test_latest_is_the_newest_tag_everywhere(clients, repository):
    for number in range(9):
        image = make_image()
        assert clients[number % 3].push_image(repository, f"1.{number}", image).status == 201
        for registry in clients:
            assert registry.get_manifest(repository, "latest").body == image.manifest


def test_moving_tags_are_stale_nowhere(start_instances, database_url, client, repository):
    clients = [client(server) for server in start_instances(3, database_url, MOVING)]
    for number in range(9):
        image = make_image()
        assert clients[number % 3].push_image(repository, "1.0-SNAPSHOT", image).status == 201
        for registry in clients:
            assert registry.get_manifest(repository, "1.0-SNAPSHOT").body == image.manifest


def test_quotas_count_what_rests_at_other_instances(start_instances, database_url, client,
                                                    repository):
    clients = [client(server) for server in
               start_instances(3, database_url, {"limits": {"team_uploads": 5}})]
    for number in range(5):
        assert clients[number % 3].ask_upload(repository).status == 202
    for registry in clients:
        assert registry.ask_upload(repository).status == 429


# -- tokens

@pytest.fixture
def users(folder, used_secrets):
    users = UsersFile(folder / "users", used_secrets)
    users.set(USER, PASSWORD, "team")
    return users


def test_token_of_one_instance_is_taken_by_all(start_instances, database_url, users, tokens,
                                               client, repository):
    """From the first moment on, though all made their keys at the same time."""
    servers = start_instances(3, database_url, {**users.settings,
                                                "public_url": "https://registry.example.org"})
    made = [tokens(server).token(f"repository:{repository}:pull,push",
                                 authorization=basic(USER, PASSWORD)) for server in servers]
    for token in made:
        for server in servers:
            assert client(server, bearer(token)).list_tags(repository).status == 404


def test_revoked_key_is_refused_by_all_instances(start_instances, database_url, shared_postgres,
                                                 users, tokens, client, repository):
    """Also what they remember of its tokens; and they have others soon."""
    servers = start_instances(2, database_url, {
        "auth": {**users.settings["auth"], "revocation_time": "1s", "token_lifetime": "1h"},
        "public_url": "https://registry.example.org"})

    def new_token(server):
        return tokens(server).token(f"repository:{repository}:pull",
                                    authorization=basic(USER, PASSWORD))

    def status(server, token):
        return client(server, bearer(token)).list_tags(repository).status

    token = new_token(servers[0])
    assert [status(server, token) for server in servers] == [404, 404]
    shared_postgres.ask("delete from token_key", database_url.rpartition("/")[2])
    for server in servers:
        wait_until(lambda server=server: status(server, token) == 401, "the token to be refused")
    token = new_token(servers[1])
    assert [status(server, token) for server in servers] == [404, 404]


def test_instances_start_at_the_same_moment(start_instances, database_url, client, repository):
    """On an empty database: one migrates it, and all serve it."""
    servers = start_instances(6, database_url)
    assert client(servers[0]).push_image(repository, "1.0", make_image()).status == 201
    for server in servers:
        assert client(server).list_tags(repository).json()["tags"] == ["1.0"]


# -- behind a load balancer

@pytest.fixture
def cluster(start_cluster, database_url):
    return start_cluster(database_url)


@pytest.fixture
def name(cluster, repository):
    return f"{cluster.host}/{repository}:1.0"


def assert_all_were_asked(cluster):
    assert all(server.requests() for server in cluster.instances)


def test_docker(docker, client_folder, cluster, name):
    docker.run("build", "--tag", name, write_context(client_folder, name))
    built = docker.run("inspect", "--format", "{{.Id}}", name)
    docker.run("push", name)
    docker.run("rmi", name)
    docker.run("pull", name)
    assert docker.run("inspect", "--format", "{{.Id}}", name) == built
    assert_all_were_asked(cluster)


def test_podman(podman, client_folder, cluster, name):
    podman.run("build", "--isolation", "chroot", "--tag", name, write_context(client_folder, name))
    built = podman.run("inspect", "--format", "{{.Id}}", name)
    podman.run("push", INSECURE, name)
    podman.run("rmi", name)
    podman.run("pull", INSECURE, name)
    assert podman.run("inspect", "--format", "{{.Id}}", name) == built
    assert_all_were_asked(cluster)


def test_large_blob_in_chunks(cluster, client, repository):
    """Each chunk comes to another instance."""
    content = content_of(3 * PART + 1)
    with RegistryClient(cluster.port) as registry:
        assert registry.push_blob_in_chunks(repository, content, PART // 2).status == 201
        assert registry.push_blob_streamed(repository, content + b"x").status == 201
    for server in cluster.instances:
        assert client(server).get_blob(repository, digest_of(content)).body == content
    assert_all_were_asked(cluster)
