"""Fixtures: servers, a client of the protocol, and the real clients."""

import os

import pytest

from support import clients
from support.registry_client import RegistryClient
from support.server import Server, find_binary
from support.wire import Wire


# -- servers

@pytest.fixture(scope="session")
def binary():
    """With sanitizers, if it was built so."""
    return find_binary("asan")


@pytest.fixture(scope="session")
def shipped_binary():
    """As users get it."""
    return find_binary("release")


@pytest.fixture
def start_server(binary):
    """Starts servers of this test's own: start_server(settings, environment)."""
    servers = []

    def start(settings=None, environment=None):
        servers.append(Server(binary, settings, environment))
        return servers[-1].start()

    yield start
    for server in servers:
        server.release()


def shared(binary):
    """One for all tests of a file, with default settings. They use repositories of their own."""
    server = Server(binary)
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


@pytest.fixture(scope="module")
def shared_server(binary):
    yield from shared(binary)


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
