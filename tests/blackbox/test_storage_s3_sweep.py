"""`pieroned sweep` with layers in S3: what no manifest names can go, and nothing else ever."""

import contextlib
import json
import os
import sqlite3
import subprocess
import threading

import pytest

from support.documents import code_blocks
from support.images import digest_of, make_image, new_repository
from support.s3_proxy import Held, lose_answer
from support.server import ROOT
from support.sweeps import (TOUCHES, check_pushes_beside_sweeps, has_blob, push_as_clients_do,
                            run_sweep)
from support.waiting import wait_until

PART = 5 * 1024 * 1024
DELETE = "DeleteObject"


class SweptServer:
    """A server, and a way to change how old its blobs are."""

    def __init__(self, server, environment):
        self.server = server
        self.environment = {**os.environ, **environment}

    def sweep(self, *arguments):
        return run_sweep(self.start_sweep(*arguments))

    def start_sweep(self, *arguments):
        return subprocess.Popen(
            [self.server.binary, "sweep", "-c", self.server.settings_file, "--data",
             self.server.folder / "data", *arguments],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, statement, *values):
        """A statement of SQL; returns its rows."""
        path = self.server.folder / "data" / "metadata.sqlite"
        with contextlib.closing(sqlite3.connect(path, timeout=60)) as database:
            rows = database.execute(statement, values).fetchall()
            database.commit()
            return rows

    def age(self, *contents):
        for content in contents:
            self.run("update blob_place set touched_ms = 1 where digest = ?", digest_of(content))

    def age_all(self):
        self.run("update blob_place set touched_ms = 1")

    def key_of(self, content):
        [(location,)] = self.run("select location from blob_place where digest = ?",
                                 digest_of(content))
        return location


@pytest.fixture
def swept(start_s3_server, ceph):
    return SweptServer(start_s3_server(redirect=False), ceph.operator.environment)


@pytest.fixture
def registry(swept, client):
    return client(swept.server)


@pytest.mark.parametrize("size", [1000, PART + 1], ids=["small", "large"])
def test_objects_that_nothing_names_are_listed_and_only_then_removed(swept, registry, bucket, size):
    repository, image, orphan = new_repository(), make_image(), os.urandom(size)
    assert registry.push_image(repository, "1", image).status == 201
    assert registry.push_blob(repository, orphan).status == 201
    assert "\n0 blobs" in "\n" + swept.sweep("--delete")
    key = swept.key_of(orphan)
    swept.age(orphan, *image.blobs)
    for _ in range(2):
        listed = swept.sweep()
        assert f"{digest_of(orphan)} {size} bytes" in listed
        assert f"\n1 blobs that no manifest names, {size} bytes: nothing was removed" in listed
    assert key in bucket.keys()
    assert f"{size} bytes: removed" in swept.sweep("--delete")
    assert key not in bucket.keys()
    assert not has_blob(registry, repository, digest_of(orphan))
    for blob in image.blobs:
        assert registry.get_blob(repository, digest_of(blob)).body == blob
    assert "\n0 blobs" in "\n" + swept.sweep("--delete")
    assert registry.push_blob(repository, orphan).status == 201
    assert swept.key_of(orphan) != key
    assert registry.get_blob(repository, digest_of(orphan)).body == orphan


def test_many_are_swept_in_their_turn(swept, registry, bucket):
    repository, orphans = new_repository(), [os.urandom(10) for _ in range(101)]
    for orphan in orphans:
        assert registry.push_blob(repository, orphan).status == 201
    swept.age_all()
    assert "\n101 blobs" in swept.sweep()
    assert "\n101 blobs" in swept.sweep("--delete")
    assert bucket.keys() == []


def test_manifest_that_counts_on_a_swept_blob_is_refused_until_it_is_back(swept, registry):
    repository, image = new_repository(), make_image(os.urandom(100))
    for blob in image.blobs:
        assert registry.push_blob(repository, blob).status == 201
    assert has_blob(registry, repository, digest_of(image.layer))
    swept.age(image.layer)
    swept.sweep("--delete")
    reply = registry.put_manifest(repository, "1", image.manifest, image.media_type)
    assert (reply.status, reply.error_code()) == (404, "MANIFEST_BLOB_UNKNOWN")
    assert push_as_clients_do(registry, repository, "1", image.blobs, image.manifest) == 1
    assert registry.get_blob(repository, digest_of(image.layer)).body == image.layer


@pytest.mark.parametrize("touch", TOUCHES)
def test_blob_that_somebody_counts_on_is_young_again(swept, registry, touch):
    repository, orphan = new_repository(), os.urandom(100)
    assert registry.push_blob(repository, orphan).status == 201
    swept.age(orphan)
    assert touch(registry, repository, orphan)
    assert "\n0 blobs" in "\n" + swept.sweep("--delete")


def test_sweeps_that_race_with_pushes_and_are_killed_take_nothing_that_is_named(swept):
    check_pushes_beside_sweeps(swept.server.port, swept.age_all,
                               lambda: swept.start_sweep("--delete"))


def test_push_during_a_sweep_loses_nothing_when_the_sweep_goes_on(swept, registry, s3):
    """The worst: the deletion of what was there before comes when the push has ended."""
    repository, content, held = new_repository(), os.urandom(100), Held()
    assert registry.push_blob(repository, content).status == 201
    swept.age(content)
    with s3.doing(held, only=DELETE):
        sweep = swept.start_sweep("--delete")
        wait_until(lambda: held.count, "the sweep to delete")
        assert not has_blob(registry, repository, digest_of(content))
        assert registry.push_blob(repository, content).status == 201
        held.is_open.set()
        assert "\n1 blobs" in run_sweep(sweep)
    assert registry.get_blob(repository, digest_of(content)).body == content


def test_sweep_that_is_killed_before_s3_has_answered_is_ended_by_the_next(swept, registry, s3,
                                                                          bucket):
    repository, content, held = new_repository(), os.urandom(100), Held()
    assert registry.push_blob(repository, content).status == 201
    key = swept.key_of(content)
    swept.age(content)
    with s3.doing(held, only=DELETE):
        sweep = swept.start_sweep("--delete")
        wait_until(lambda: held.count, "the sweep to delete")
        sweep.kill()
        sweep.communicate()
        assert bucket.get(key) == content
        assert not has_blob(registry, repository, digest_of(content))
        assert registry.push_blob(repository, content).status == 201
        assert f"{digest_of(content)} 100 bytes" in swept.sweep()
        held.is_open.set()
    assert "\n1 blobs" in swept.sweep("--delete")
    assert "\n0 blobs" in "\n" + swept.sweep("--delete")
    assert key not in bucket.keys()
    assert registry.get_blob(repository, digest_of(content)).body == content


def test_object_that_is_gone_already_is_as_good_as_removed(swept, registry, s3):
    repository, content = new_repository(), os.urandom(100)
    assert registry.push_blob(repository, content).status == 201
    swept.age(content)
    with s3.doing(lose_answer, times=1, only=DELETE):
        assert "\n1 blobs" in swept.sweep("--delete")
    assert s3.kinds().count(DELETE) == 2


def test_two_sweeps_at_once_count_each_blob_once(swept, registry, bucket):
    repository = new_repository()
    for _ in range(30):
        assert registry.push_blob(repository, os.urandom(10)).status == 201
    swept.age_all()
    outputs = []
    threads = [threading.Thread(target=lambda: outputs.append(swept.sweep("--delete")))
               for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(output.count("sha256:") for output in outputs) == 30
    assert bucket.keys() == []


def test_upload_whose_object_was_swept_has_to_begin_again(swept, registry):
    """As where a server was killed between the blob and the end of its upload, days ago."""
    repository, content = new_repository(), os.urandom(1000)
    upload = registry.patch_upload(registry.begin_upload(repository), content).headers["Location"]
    swept.run("create table saved as select * from upload")
    assert registry.finish_upload(upload, digest_of(content)).status == 201
    swept.run("insert into upload select * from saved")
    swept.run("delete from ended_upload")
    swept.age(content)
    assert "\n1 blobs" in swept.sweep("--delete")
    reply = registry.finish_upload(upload, digest_of(content))
    assert (reply.status, reply.error_code()) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert registry.push_blob(repository, content).status == 201
    assert registry.get_blob(repository, digest_of(content)).body == content


def forbid_deleting(bucket):
    bucket.set_policy(json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": ["s3:DeleteObject"],
        "Resource": f"arn:aws:s3:::{bucket.name}/*"}]}))


def allow_all(bucket):
    bucket.set_policy(json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"],
        "Resource": f"arn:aws:s3:::{bucket.name}/*"}]}))


def test_what_s3_refuses_to_remove_is_told_and_tried_again(swept, registry, bucket):
    repository, image = new_repository(), make_image(os.urandom(100))
    for blob in image.blobs:
        assert registry.push_blob(repository, blob).status == 201
    key = swept.key_of(image.layer)
    swept.age(image.layer)
    forbid_deleting(bucket)
    for _ in range(2):
        sweep = swept.start_sweep("--delete")
        output, complaints = sweep.communicate()
        assert sweep.returncode == 1
        assert digest_of(image.layer) in output and ": refused\n" in output
        assert "0 blobs" in output and "\n1 more: S3 refused" in output
        assert "AccessDenied" in complaints
        assert bucket.get(key) == image.layer
        assert not has_blob(registry, repository, digest_of(image.layer))
    assert push_as_clients_do(registry, repository, "1", image.blobs, image.manifest) == 1
    allow_all(bucket)
    assert "\n1 blobs" in swept.sweep("--delete")
    assert key not in bucket.keys()
    assert registry.get_blob(repository, digest_of(image.layer)).body == image.layer


def test_documented_rights_are_enough(swept, registry, bucket, ceph):
    sweeper = ceph.create_user("sweeper")
    [block] = [text for text in code_blocks(ROOT / "docs/storage.md", "json")
               if "PierOneSweeps" in text]
    policy = json.loads(block.replace("pierone-layers", bucket.name))
    policy["Statement"][0]["Principal"] = {"AWS": [f"arn:aws:iam:::user/{sweeper.user}"]}
    assert registry.push_blob(new_repository(), os.urandom(100)).status == 201
    swept.age_all()
    bucket.set_policy(json.dumps(policy))
    swept.environment.update(sweeper.environment)
    assert "\n1 blobs" in swept.sweep()
    assert "\n1 blobs" in swept.sweep("--delete")
    assert bucket.keys() == []
    assert bucket.seen_by(ceph.client(sweeper)).put("key", b"content").status == 403


def test_where_s3_refuses_everything_the_sweep_ends_early(swept, registry, bucket):
    repository = new_repository()
    for _ in range(101):
        assert registry.push_blob(repository, os.urandom(10)).status == 201
    swept.age_all()
    forbid_deleting(bucket)
    sweep = swept.start_sweep("--delete")
    output, complaints = sweep.communicate()
    assert sweep.returncode == 1 and "refuses to remove anything" in complaints
    assert output.count(": refused\n") == 100
    assert swept.run("select count(*) from blob_place") == [(1,)]


class TestLockedBucket:
    """Objects are locked, and deleting hides them: their versions stay."""

    @pytest.fixture
    def bucket(self, ceph):
        bucket = ceph.create_bucket(has_lock=True)
        bucket.set_retention("COMPLIANCE")
        return bucket

    @pytest.fixture
    def swept(self, start_s3_server, ceph):
        return SweptServer(start_s3_server(redirect=False, object_lock={"mode": "bucket"}),
                           ceph.operator.environment)

    def test_locked_object_is_hidden_and_its_version_stays(self, swept, registry, bucket):
        repository, content = new_repository(), os.urandom(100)
        assert registry.push_blob(repository, content).status == 201
        key = swept.key_of(content)
        swept.age(content)
        output = swept.sweep("--delete")
        assert "\n1 blobs" in output and "\n1 of those removed are hidden only" in output
        assert bucket.keys() == []
        assert key in [name for name, _ in bucket.versions()]
        assert not has_blob(registry, repository, digest_of(content))
        assert registry.push_blob(repository, content).status == 201
        assert registry.get_blob(repository, digest_of(content)).body == content


def test_sweep_of_an_s3_that_is_away_says_so(swept, registry, s3, bucket):
    repository, content = new_repository(), os.urandom(100)
    assert registry.push_blob(repository, content).status == 201
    key = swept.key_of(content)
    swept.age(content)
    environment = {**swept.environment, "PIERONE_STORAGE_S3_ENDPOINT": "http://127.0.0.1:9",
                   "PIERONE_STORAGE_S3_RETRY_TIME": "1ms"}
    swept.environment, usual = environment, swept.environment
    sweep = swept.start_sweep("--delete")
    _, complaints = sweep.communicate()
    assert sweep.returncode == 1 and "storage.s3.endpoint" in complaints
    swept.environment = usual
    assert bucket.get(key) == content
    assert "\n1 blobs" in swept.sweep("--delete")
    assert bucket.keys() == []
