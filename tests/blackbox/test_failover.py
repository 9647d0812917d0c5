"""The primary of two PostgreSQL is lost, the standby takes its place, and the instances go on."""

import pytest

from support.images import make_image, new_repository
from support.load import under_load
from support.registry_client import RegistryClient
from support.waiting import wait_until

CLIENTS = 64


@pytest.fixture
def database(primary_and_standby):
    return primary_and_standby[0].create_database()


@pytest.fixture
def cluster(start_cluster, primary_and_standby, database):
    """They know both, and write to the one that can be written to."""
    primary, standby = primary_and_standby
    return start_cluster(primary.url(database, standby))


@pytest.fixture(autouse=True)
def _never_started_again(cluster):
    """No instance is started again, ends, or complains."""
    before = [instance.process.pid for instance in cluster.instances]
    yield
    assert all(instance.is_running() for instance in cluster.instances)
    assert [instance.process.pid for instance in cluster.instances] == before


def test_primary_is_killed(cluster, primary_and_standby):
    primary, standby = primary_and_standby
    with under_load(cluster.port, CLIENTS) as load:
        load.wait_for(CLIENTS)
        primary.kill()
        standby.promote()
        load.wait_for_each()
    load.check(*(instance.port for instance in cluster.instances))


def test_primary_stays_and_is_read_only(cluster, primary_and_standby):
    """Its connections live on, and it answers all that is asked; but it is not the primary."""
    primary, standby = primary_and_standby
    with under_load(cluster.port, CLIENTS) as load:
        load.wait_for(CLIENTS)
        primary.configure(default_transaction_read_only="on")
        standby.promote()
        load.wait_for_each()
    assert primary.is_running()
    load.check(*(instance.port for instance in cluster.instances))


def test_primary_is_read_only_only_later(cluster, primary_and_standby):
    """What it takes meanwhile waits for a standby that is none any more: nobody is told of it."""
    primary, standby = primary_and_standby
    with under_load(cluster.port, CLIENTS) as load:
        load.wait_for(CLIENTS)
        standby.promote()
        primary.configure(default_transaction_read_only="on")
        load.wait_for_each()
    assert primary.is_running()
    load.check(*(instance.port for instance in cluster.instances))


def test_pulls_go_on_while_there_is_no_primary(cluster, primary_and_standby):
    """Of what an instance knows: by a fixed tag or a digest. The others are told to come again."""
    primary, standby = primary_and_standby
    repository, known, unknown = new_repository(), make_image(), make_image()
    port = cluster.instances[0].port
    with RegistryClient(port) as registry:
        for tag, image in (("known", known), ("unknown", unknown)):
            assert registry.push_image(repository, tag, image).status == 201
        assert registry.get_manifest(repository, "known").body == known.manifest
    primary.kill()
    with RegistryClient(port) as registry:
        assert registry.get_manifest(repository, "known").body == known.manifest
        reply = registry.get_manifest(repository, "latest")
        assert (reply.status, reply.error_code()) == (503, "UNAVAILABLE")
        assert int(reply.headers["Retry-After"]) > 0
        standby.promote()
        wait_until(lambda: registry.get_manifest(repository, "latest").body == unknown.manifest,
                   "what was not known to be told again")
