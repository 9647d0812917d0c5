"""Instances behind a load balancer, under load: they race, are killed, replaced, and go on."""

import concurrent.futures
import random
import threading

import pytest

from support.images import make_image, new_repository
from support.load import under_load
from support.registry_client import RegistryClient

CLIENTS = 64
TAGS = 200
ROUNDS = 6


@pytest.fixture
def cluster(start_cluster, database_url):
    return start_cluster(database_url)


def race(port, repository, images):
    """Each client pushes its image under each of the tags; the statuses it got."""
    start = threading.Barrier(len(images))

    def push(image):
        start.wait()
        with RegistryClient(port) as registry:
            return [registry.put_manifest(repository, f"1.{tag}", image.manifest,
                                          image.media_type).status for tag in range(TAGS)]

    with concurrent.futures.ThreadPoolExecutor(len(images)) as pool:
        return list(pool.map(push, images))


def test_one_client_wins_each_tag(cluster):
    repository = new_repository()
    images = [make_image() for _ in range(CLIENTS)]
    with RegistryClient(cluster.port) as registry:
        for image in images:
            for blob in image.blobs:
                assert registry.push_blob(repository, blob).status == 201
        of_clients = race(cluster.port, repository, images)
        for tag, statuses in enumerate(zip(*of_clients)):
            assert sorted(statuses) == [201] + [409] * (CLIENTS - 1), tag
            winner = images[statuses.index(201)]
            for _ in cluster.instances:
                assert registry.get_manifest(repository, f"1.{tag}").body == winner.manifest
    assert all(server.requests() for server in cluster.instances)


def test_instances_are_killed_and_started_again(cluster):
    """What was acknowledged is there, and who was refused succeeds when running again."""
    chance = random.Random(1)
    with under_load(cluster.port, CLIENTS) as load:
        load.wait_for(CLIENTS)
        for _ in range(ROUNDS):
            victim = chance.choice(cluster.instances)
            victim.kill()
            load.wait_for(CLIENTS)
            cluster.start_again(victim)
            load.wait_for(CLIENTS)
        load.wait_for_each()
    load.check(*(instance.port for instance in cluster.instances))


def test_all_instances_are_killed_at_once(cluster):
    with under_load(cluster.port, CLIENTS) as load:
        load.wait_for(CLIENTS)
        for instance in cluster.instances:
            instance.kill()
        for instance in cluster.instances:
            cluster.start_again(instance)
        load.wait_for_each()
    load.check(cluster.port)


def test_instances_are_replaced_one_by_one(cluster):
    """In order, as an upgrade does: nobody is refused anything but a connection that ended."""
    with under_load(cluster.port, CLIENTS) as load:
        for instance in cluster.instances:
            others = [other for other in cluster.instances if other is not instance]
            load.wait_for(CLIENTS)
            cluster.balancer.use(others)
            instance.stop()
            cluster.start_again(instance)
        load.wait_for_each()
    load.check(cluster.port)
