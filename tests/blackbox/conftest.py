"""Fixtures: servers, a client of the protocol, and the real clients."""

import concurrent.futures
import contextlib
import os
import pathlib
import tempfile

import pytest

from support import ceph as ceph_daemons
from support import clients
from support import databases as database_kinds
from support import nginx, pgbouncer, postgres
from support.authorization import TokenClient
from support.cluster import Cluster, shared_settings
from support.fake_time import FakeTime
from support.glewlwyd import Glewlwyd
from support.identity_services import IdentityServices
from support.issuer import Issuer, SigningKeys
from support.pierone_client import Person, Terminal
from support.postgres import Postgres
from support.registry_client import RegistryClient
from support.s3_proxy import S3Proxy
from support.server import Server, find_binary, run_once, to_yaml
from support.used_secrets import UsedSecrets
from support.wire import Wire


def pytest_addoption(parser):
    parser.addoption("--database", choices=database_kinds.KINDS, default="sqlite",
                     help="where servers keep their metadata; pgbouncer: PostgreSQL behind that")


def pytest_configure(config):
    config.addinivalue_line("markers", "sqlite_only: it looks at, or cuts the power of, SQLite")


def pytest_collection_modifyitems(config, items):
    """On PostgreSQL, what is about SQLite alone is no test."""
    if config.getoption("--database") == "sqlite":
        return
    left_out = [item for item in items if item.get_closest_marker("sqlite_only")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("sqlite_only")]


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="pierone-test-") as path:
        yield pathlib.Path(path)


# -- databases

@pytest.fixture(scope="session", autouse=True)
def databases(request):
    """Of all servers that are not told otherwise."""
    kind = request.config.getoption("--database")
    if kind != "sqlite":
        require(postgres, "PostgreSQL")
    if kind == "pgbouncer":
        require(pgbouncer, "pgbouncer")
    with database_kinds.of_kind(kind) as Server.databases:
        yield Server.databases


@pytest.fixture(scope="module")
def durable_databases(request, databases):
    """The same, but flushed as in life, for all servers of a file."""
    with database_kinds.of_kind(request.config.getoption("--database"),
                                is_durable=True) as Server.databases:
        yield Server.databases
    Server.databases = databases


def require(program, name):
    if not program.is_installed():
        pytest.skip(f"{name} is not installed: run script/install-dependencies test")


@pytest.fixture(scope="session")
def shared_postgres(databases):
    """One for all tests of a worker, whatever their servers use otherwise."""
    if hasattr(databases, "postgres"):
        yield databases.postgres
        return
    require(postgres, "PostgreSQL")
    server = Postgres.new()
    try:
        yield server
    finally:
        server.release()


@pytest.fixture
def database_url(shared_postgres):
    """Of an empty database in PostgreSQL."""
    name = shared_postgres.create_database()
    yield shared_postgres.url(name)
    shared_postgres.drop_database(name)


@pytest.fixture
def primary_and_standby():
    """Two PostgreSQL that flush as in life: what is acknowledged is in both."""
    require(postgres, "PostgreSQL")
    with contextlib.ExitStack() as servers:
        primary = Postgres.new(is_durable=True)
        servers.callback(primary.release)
        standby = primary.replicate()
        servers.callback(standby.release)
        yield primary, standby


# -- several instances

@pytest.fixture
def start_instances(start_shipped_server, ceph, bucket, folder, used_secrets):
    """Starts servers that are one registry: start_instances(count, database_url, settings)."""
    used_secrets.add(ceph.operator.secret_key)

    def start_all(count, url, settings=None):
        shared, secret = shared_settings(folder, used_secrets, url, bucket, ceph.endpoint)
        shared = {**shared, **(settings or {})}
        if "auth" in shared:
            shared["auth"] = {**shared["auth"], "secret_file": str(secret)}
        with concurrent.futures.ThreadPoolExecutor(count) as pool:  # at the same moment
            started = [pool.submit(start_shipped_server, shared, ceph.operator.environment)
                       for _ in range(count)]
        return [one.result() for one in started]

    return start_all


@pytest.fixture
def start_cluster(start_instances, request):
    """The same behind a load balancer: start_cluster(url, settings, count)."""
    require(nginx, "nginx")

    def start(url, settings=None, count=3):
        cluster = Cluster(start_instances(count, url, settings))
        request.addfinalizer(cluster.release)
        return cluster

    return start


# -- servers

@pytest.fixture(scope="session")
def binary():
    """With sanitizers, if it was built so."""
    return find_binary("asan")


@pytest.fixture(scope="session")
def shipped_binary():
    """As users get it."""
    return find_binary("release")


def end(server, used_secrets):
    """Its log must not hold what the test used to authenticate, whatever happened."""
    try:
        server.stop()
        used_secrets.check(server.whole_log())
    finally:
        server.release()


def starting(binary, used_secrets):
    with contextlib.ExitStack() as servers:
        def start(settings=None, environment=None):
            server = Server(binary, settings, environment)
            servers.callback(end, server, used_secrets)
            return server.start()

        yield start


@pytest.fixture
def start_server(binary, used_secrets):
    """Starts servers of this test's own: start_server(settings, environment)."""
    yield from starting(binary, used_secrets)


@pytest.fixture
def start_shipped_server(shipped_binary, used_secrets):
    """The same as users get it: for the real clients, and others."""
    yield from starting(shipped_binary, used_secrets)


def shared(binary, settings=None, environment=None):
    """One for all tests of a file, with default settings. They use repositories of their own."""
    server = Server(binary, settings, environment)
    try:
        yield server.start()
    finally:
        server.release()


def alive(server):
    """Tells the test that brought a shared server down, and gives the next one a new one."""
    yield server
    if not server.is_running():
        try:
            server.check_end()
            pytest.fail("the server ended")
        finally:
            server.start()


def pytest_generate_tests(metafunc):
    """A file with STORAGES runs once on each of them, if it is about the shared server."""
    storages = getattr(metafunc.module, "STORAGES", None)
    if storages and "shared_server" in metafunc.fixturenames:
        metafunc.parametrize("shared_server", storages, indirect=True, scope="module")


@pytest.fixture(scope="module")
def shared_server(request, binary):
    """On a folder, or on S3 with layers that come through it: clients see no difference."""
    if getattr(request, "param", "folder") == "folder":
        yield from shared(binary)
    else:
        ceph = request.getfixturevalue("ceph")
        settings = ceph.create_bucket().settings(ceph.endpoint, redirect=False)
        yield from shared(binary, settings, ceph.operator.environment)


@pytest.fixture
def server(shared_server):
    yield from alive(shared_server)


@pytest.fixture(scope="module")
def shared_shipped_server(shipped_binary):
    yield from shared(shipped_binary)


@pytest.fixture
def shipped_server(shared_shipped_server):
    """For the real clients."""
    yield from alive(shared_shipped_server)


@pytest.fixture
def check_config(binary, folder):
    """pieroned --check-config with these settings."""
    def check(settings):
        path = folder / "pierone.yaml"
        path.write_text(to_yaml(settings) + "\n", encoding="utf-8")
        return run_once(binary, "-c", path, "--data", folder / "data", "--check-config")

    return check


# -- the protocol

@pytest.fixture
def registry(server):
    with RegistryClient(server.port) as client:
        yield client


@pytest.fixture
def wire(server):
    """A connection that sends exact bytes."""
    with Wire(server.connect()) as connection:
        yield connection


# -- who is calling

@pytest.fixture
def used_secrets():
    """Tokens and passwords of this test: what is added must not be in its servers' logs."""
    return UsedSecrets()


@pytest.fixture
def services(used_secrets):
    """Token info and all that pieroned may ask about teams."""
    with IdentityServices(used_secrets) as stub:
        yield stub


@pytest.fixture
def tokens(used_secrets):
    """Of a server's token endpoint: tokens(server).get(…)."""
    return lambda server: TokenClient(server, used_secrets)


@pytest.fixture
def client(request):
    """Clients of the protocol: client(server, authorization)."""
    def make(server, authorization=None):
        made = RegistryClient(server.port, authorization=authorization)
        request.addfinalizer(made.close)
        return made

    return make


# -- our own client

@pytest.fixture
def make_person(binary, client_folder):
    """Somebody who uses pierone, at a server or at an address: make_person(server, name)."""
    def make(server=None, name="somebody", url=None):
        address = url or (f"http://127.0.0.1:{server.port}" if server else None)
        return Person(binary.parent, client_folder / name, address)

    return make


@pytest.fixture
def terminal(request):
    """Runs a client of Person.client() on a pseudo-terminal."""
    def run(client, *arguments):
        made = Terminal([*client.command, *arguments], client.environment)
        request.addfinalizer(made.release)
        return made

    return run


@pytest.fixture(scope="session")
def signing_keys():
    with tempfile.TemporaryDirectory(prefix="pierone-keys-") as path:
        yield SigningKeys(pathlib.Path(path))


@pytest.fixture
def issuer(signing_keys, used_secrets):
    """An OpenID Connect issuer that signs whatever a test wants."""
    with Issuer(signing_keys, used_secrets) as stub:
        yield stub


@pytest.fixture(scope="session")
def shared_glewlwyd():
    require_program("glewlwyd")
    provider = Glewlwyd()
    try:
        yield provider
    finally:
        provider.release()


@pytest.fixture
def glewlwyd(shared_glewlwyd, used_secrets):
    """A real provider. What it gave out is a secret of this test."""
    shared_glewlwyd.used_secrets = used_secrets
    return shared_glewlwyd


# -- where layers are kept

@pytest.fixture(scope="session")
def ceph():
    """A real S3, one for all tests of all workers. They use buckets of their own."""
    if not ceph_daemons.is_installed():
        pytest.skip("Ceph is not installed: run script/install-dependencies test")
    with ceph_daemons.shared_ceph() as shared_one:
        yield shared_one


@pytest.fixture
def bucket(ceph):
    return ceph.create_bucket()


@pytest.fixture
def s3(ceph):
    """The way to S3, as tests watch and disturb it."""
    with S3Proxy(ceph.place.port) as proxy:
        yield proxy


def starting_on_s3(start, ceph, bucket, s3, used_secrets):
    used_secrets.add(ceph.operator.secret_key)

    def start_on_s3(settings=None, environment=None, **options):
        """`options` are those of storage.s3."""
        merged = {**bucket.settings(s3.endpoint, **options), **(settings or {})}
        return start(merged, {**ceph.operator.environment, **(environment or {})})

    return start_on_s3


@pytest.fixture
def start_s3_server(start_server, ceph, bucket, s3, used_secrets):
    """Starts servers that keep their layers in `bucket`: start_s3_server(settings, **options)."""
    return starting_on_s3(start_server, ceph, bucket, s3, used_secrets)


@pytest.fixture
def start_shipped_s3_server(start_shipped_server, ceph, bucket, s3, used_secrets):
    return starting_on_s3(start_shipped_server, ceph, bucket, s3, used_secrets)


@pytest.fixture
def fake_time(folder):
    """A clock that can be turned, for servers started with its environment."""
    if not FakeTime.is_installed():
        pytest.skip("faketime is not installed: run script/install-dependencies test")
    return FakeTime(folder / "clock")


# -- real clients

def require_program(name):
    if clients.find_program(name) is None:
        pytest.skip(f"{name} is not installed: run script/install-dependencies test")


@pytest.fixture(scope="session")
def docker_daemon():
    require_program("dockerd")
    require_program("docker")
    if os.geteuid() != 0:
        pytest.skip("dockerd can only be started by root")
    daemon = clients.DockerDaemon()
    try:
        daemon.wait_until_ready()
        yield daemon
    finally:
        daemon.release()


@pytest.fixture
def docker(docker_daemon):
    return docker_daemon.docker


@pytest.fixture
def client_folder():
    """For images and state of one test's clients."""
    folder, foreign_paths = clients.Folder("client"), clients.ForeignPaths()
    yield folder.path
    foreign_paths.release()
    folder.release()


@pytest.fixture
def podman(client_folder):
    require_program("podman")
    return clients.podman(client_folder)


@pytest.fixture
def buildah(client_folder):
    require_program("buildah")
    return clients.buildah(client_folder)


@pytest.fixture
def skopeo(client_folder):
    require_program("skopeo")
    return clients.skopeo(client_folder)
