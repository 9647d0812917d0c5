"""The registry's API: blobs, uploads, manifests, tags; and that a tag never moves."""

import concurrent.futures
import email.policy
import json

import pytest

from support.images import (DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST,
                            descriptor, digest_of, make_image, new_repository)
from support.registry_client import RegistryClient

STORAGES = ("folder", "s3")
UNKNOWN_DIGEST = digest_of(b"never pushed")


@pytest.fixture
def repository():
    return new_repository()


@pytest.fixture
def image():
    return make_image()


# -- the API itself

@pytest.mark.parametrize("path", ["/v2/", "/v2"])
def test_base_path_says_which_api_it_is(registry, path):
    reply = registry.request("GET", path)
    assert reply.status == 200
    assert reply.headers["Docker-Distribution-API-Version"] == "registry/2.0"


@pytest.mark.parametrize("path", ["/health", "/.well-known/health", "/ready"])
def test_health_is_told(registry, path):
    assert registry.request("GET", path).status == 200


@pytest.mark.parametrize("path", ["/v2/nothing", "/v2/a/b/c", "/v2/a/b/manifests"])
def test_unknown_path_has_the_specification_s_error(registry, path):
    reply = registry.request("GET", path)
    assert reply.status == 404
    assert reply.json()["errors"]
    assert reply.headers["Docker-Distribution-API-Version"] == "registry/2.0"


def test_error_is_json(registry, repository):
    reply = registry.get_manifest(repository, "none")
    assert reply.headers["Content-Type"].startswith("application/json")
    assert reply.error_code() in {"MANIFEST_UNKNOWN", "NAME_UNKNOWN"}


# -- uploads

def test_blob_is_pushed_with_post_and_put(registry, repository):
    content = b"monolithic"
    reply = registry.push_blob(repository, content)
    assert reply.status == 201
    assert reply.headers["Docker-Content-Digest"] == digest_of(content)
    assert reply.headers["Location"].endswith(f"/v2/{repository}/blobs/{digest_of(content)}")
    assert registry.get_blob(repository, digest_of(content)).body == content


def test_blob_is_pushed_in_one_request(registry, repository):
    content = b"one request"
    reply = registry.request("POST", f"/v2/{repository}/blobs/uploads/?digest={digest_of(content)}",
                             content, {"Content-Type": "application/octet-stream"})
    assert reply.status in {201, 202}
    if reply.status == 202:
        reply = registry.finish_upload(reply.headers["Location"], digest_of(content), content)
    assert reply.status == 201
    assert registry.get_blob(repository, digest_of(content)).body == content


def test_blob_is_pushed_streamed(registry, repository):
    content = bytes(range(256)) * 5000
    assert registry.push_blob_streamed(repository, content).status == 201
    assert registry.get_blob(repository, digest_of(content)).body == content


def test_blob_is_pushed_in_chunks(registry, repository):
    content = bytes(range(256)) * 1000
    assert registry.push_blob_in_chunks(repository, content, 100_000).status == 201
    assert registry.get_blob(repository, digest_of(content)).body == content


def test_large_blob_makes_the_round_trip(registry, repository):
    content = b"0123456789abcdef" * (4 * 1024 * 1024)
    assert registry.push_blob(repository, content).status == 201
    assert registry.get_blob(repository, digest_of(content)).body == content


def read_parts(reply):
    """(Content-Range, bytes) of each, as a parser of mail reads them."""
    field = f"Content-Type: {reply.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(field + reply.body, policy=email.policy.HTTP)
    assert message.is_multipart() and not message.defects
    return [(part["Content-Range"], part.get_payload(decode=True)) for part in message.iter_parts()]


@pytest.mark.parametrize("size", [5000, 3_000_000], ids=["small", "large"])
def test_several_parts_come_in_one_answer(registry, repository, size):
    content = bytes((number * number) % 251 for number in range(1000)) * (size // 1000)
    digest = digest_of(content)
    registry.push_blob(repository, content)
    wanted = [(10, 19), (1000, size // 2), (size - 3, size - 1), (0, 0)]
    for _ in range(2):
        reply = registry.get_blob(
            repository, digest, Range=f"bytes=10-19, 1000-{size // 2}, -3,0-0,{size}-")
        assert (reply.status, reply.headers["Content-Range"]) == (206, None)
        assert reply.headers["Content-Length"] == str(len(reply.body))
        # The first and the last are near each other.
        assert read_parts(reply) == [
            (f"bytes {first}-{last}/{size}", content[first:last + 1])
            for first, last in [*wanted[1:3], (0, 19)]]
    assert registry.get_blob(repository, digest).body == content


def test_parts_have_a_boundary_that_nobody_can_foresee(registry, repository):
    content = b"x" * 1000
    registry.push_blob(repository, content)
    replies = [registry.get_blob(repository, digest_of(content), Range="bytes=0-1,500-501")
               for _ in range(5)]
    assert len({reply.headers["Content-Type"] for reply in replies}) == 5


@pytest.mark.parametrize("wanted, status, told", [
    ("bytes=0-9,5-15", 206, "bytes 0-15/1000"), ("bytes=900-,-200,0-,3-4", 206, "bytes 0-999/1000"),
    ("bytes=0-1,2000-", 206, "bytes 0-1/1000"), ("bytes=1000-,2000-", 416, "bytes */1000"),
    ("bytes=0-1,x", 200, None), ("bytes=" + ",".join(["0-1"] * 64), 206, "bytes 0-1/1000"),
    ("bytes=" + ",".join(["0-1"] * 65), 200, None)])
def test_ranges_come_in_as_few_parts_as_possible(registry, repository, wanted, status, told):
    content = b"0123456789" * 100
    registry.push_blob(repository, content)
    reply = registry.get_blob(repository, digest_of(content), Range=wanted)
    assert (reply.status, reply.headers["Content-Range"]) == (status, told)
    assert "multipart" not in reply.headers["Content-Type"]


def test_parts_are_of_the_version_that_is_known(registry, repository):
    content = b"0123456789" * 100
    registry.push_blob(repository, content)
    digest = digest_of(content)
    fields = {"Range": "bytes=0-1,500-501", "If-Range": f'"{digest}"'}
    assert registry.get_blob(repository, digest, **fields).status == 206
    fields["If-Range"] = '"another"'
    assert registry.get_blob(repository, digest, **fields).body == content
    head = registry.get_blob(repository, digest, method="HEAD", Range="bytes=0-1,500-501")
    assert (head.status, head.headers["Content-Length"]) == (200, "1000")


def test_empty_blob_is_a_blob(registry, repository):
    assert registry.push_blob(repository, b"").status == 201
    assert registry.get_blob(repository, digest_of(b"")).body == b""


def test_location_of_an_upload_is_a_path(registry, repository):
    assert registry.begin_upload(repository).startswith("/")


def test_upload_tells_how_far_it_is(registry, repository):
    location = registry.begin_upload(repository)
    assert registry.request("GET", location).headers["Range"] == "0-0"
    patched = registry.patch_upload(location, b"12345")
    assert patched.headers["Range"] == "0-4"
    status = registry.request("GET", location)
    assert (status.status, status.headers["Range"]) == (204, "0-4")


def test_chunk_out_of_order_is_refused_and_can_be_corrected(registry, repository):
    location = registry.begin_upload(repository)
    reply = registry.patch_upload(location, b"678", {"Content-Range": "5-7"})
    assert reply.status == 416
    reply = registry.patch_upload(location, b"12345", {"Content-Range": "0-4"})
    assert reply.status == 202
    assert registry.finish_upload(location, digest_of(b"12345678"), b"678").status == 201


def test_wrong_digest_is_refused_and_stores_nothing(registry, repository):
    content = b"what was sent"
    other = digest_of(b"what was meant, " + repository.encode())
    reply = registry.finish_upload(registry.begin_upload(repository), other, content)
    assert reply.status == 400
    assert reply.error_code() == "DIGEST_INVALID"
    assert registry.get_blob(repository, other).status == 404


@pytest.mark.parametrize("digest", ["", "sha256:", "sha256:xyz", "md5:d41d8cd98f00b204e9800998ecf8427e",
                                    "sha256:" + "A" * 64, "sha256:" + "a" * 63])
def test_malformed_digest_is_refused(registry, repository, digest):
    reply = registry.finish_upload(registry.begin_upload(repository), digest, b"x")
    assert reply.status == 400
    assert reply.error_code() == "DIGEST_INVALID"


def test_unknown_upload_is_told(registry, repository):
    for method in ("GET", "PATCH", "PUT"):
        body = None if method == "GET" else b"x"
        reply = registry.request(method, f"/v2/{repository}/blobs/uploads/no-such?digest="
                                         f"{UNKNOWN_DIGEST}", body)
        assert (method, reply.status) == (method, 404)
        assert reply.error_code() == "BLOB_UPLOAD_UNKNOWN"


def test_upload_belongs_to_its_repository(registry, repository):
    location = registry.begin_upload(repository).replace(repository, new_repository())
    assert registry.patch_upload(location, b"x").status == 404


def test_answered_request_has_let_go_of_its_upload(server, repository):
    """Clients send the next request of an upload at once, and often by another connection."""
    with RegistryClient(server.port) as one, RegistryClient(server.port) as other:
        for number in range(100):
            location = one.begin_upload(repository)
            assert other.patch_upload(location, b"%d " % number).status == 202
            assert one.patch_upload(location, b"and").status == 202
            digest = digest_of(b"%d and" % number)
            assert other.finish_upload(location, digest).status == 201


def test_unfinished_upload_can_be_given_up(registry, repository):
    location = registry.begin_upload(repository)
    assert registry.request("DELETE", location).status == 204
    assert registry.request("GET", location).status == 404


def test_uploads_survive_a_restart(start_server, repository):
    server = start_server()
    with RegistryClient(server.port) as registry:
        location = registry.begin_upload(repository)
        assert registry.patch_upload(location, b"before ").status == 202
    server.restart()
    with RegistryClient(server.port) as registry:
        reply = registry.finish_upload(location, digest_of(b"before after"), b"after")
    assert reply.status == 201


# -- blobs

def test_blob_is_known_to_head(registry, repository):
    content = b"for head"
    registry.push_blob(repository, content)
    reply = registry.get_blob(repository, digest_of(content), "HEAD")
    assert (reply.status, reply.headers["Content-Length"]) == (200, str(len(content)))
    assert reply.headers["Docker-Content-Digest"] == digest_of(content)


def test_unknown_blob_is_told(registry, repository):
    reply = registry.get_blob(repository, UNKNOWN_DIGEST)
    assert (reply.status, reply.error_code()) == (404, "BLOB_UNKNOWN")
    assert registry.get_blob(repository, UNKNOWN_DIGEST, "HEAD").status == 404


def test_part_of_a_blob_is_served(registry, repository):
    registry.push_blob(repository, b"0123456789")
    reply = registry.get_blob(repository, digest_of(b"0123456789"), Range="bytes=2-5")
    assert (reply.status, reply.body) == (206, b"2345")
    assert reply.headers["Content-Range"] == "bytes 2-5/10"
    assert registry.get_blob(repository, digest_of(b"0123456789"), Range="bytes=-3").body == b"789"
    assert registry.get_blob(repository, digest_of(b"0123456789"), Range="bytes=7-").body == b"789"


def test_part_beyond_a_blob_is_refused(registry, repository):
    registry.push_blob(repository, b"0123456789")
    reply = registry.get_blob(repository, digest_of(b"0123456789"), Range="bytes=10-")
    assert reply.status == 416
    assert reply.headers["Content-Range"] == "bytes */10"


def test_known_blob_is_not_sent_again(registry, repository):
    registry.push_blob(repository, b"cached")
    tag = registry.get_blob(repository, digest_of(b"cached")).headers["ETag"]
    headers = {"If-None-Match": tag}
    reply = registry.request("GET", f"/v2/{repository}/blobs/{digest_of(b'cached')}", None, headers)
    assert (reply.status, reply.body) == (304, b"")


# -- manifests

def test_image_is_pushed_and_pulled_by_tag(registry, repository, image):
    reply = registry.push_image(repository, "1.0", image)
    assert reply.status == 201
    assert reply.headers["Docker-Content-Digest"] == image.digest
    pulled = registry.get_manifest(repository, "1.0")
    assert pulled.status == 200
    assert pulled.body == image.manifest
    assert pulled.headers["Content-Type"] == OCI_MANIFEST
    assert pulled.headers["Docker-Content-Digest"] == image.digest


def test_image_is_pulled_by_digest(registry, repository, image):
    registry.push_image(repository, "1.0", image)
    pulled = registry.get_manifest(repository, image.digest)
    assert (pulled.status, pulled.body) == (200, image.manifest)
    assert "immutable" in pulled.headers["Cache-Control"]


def test_manifest_is_known_to_head(registry, repository, image):
    registry.push_image(repository, "1.0", image)
    for reference in ("1.0", image.digest):
        reply = registry.get_manifest(repository, reference, "HEAD")
        assert reply.status == 200
        assert reply.headers["Content-Length"] == str(len(image.manifest))
        assert reply.headers["Docker-Content-Digest"] == image.digest


def test_image_is_pushed_by_digest_alone(registry, repository, image):
    assert registry.push_image(repository, image.digest, image).status == 201
    assert registry.get_manifest(repository, image.digest).body == image.manifest
    assert registry.list_tags(repository).json()["tags"] in ([], None)


def test_odd_formatting_survives(registry, repository, image):
    registry.push_image(repository, "plain", image)
    odd = b'\n {  "schemaVersion" :2,\t"config":%s,\n\n"layers":[ ],"x":"\\u00e9 \xc3\xa9"}\n ' % (
        json.dumps(descriptor(OCI_CONFIG, image.config)).encode())
    assert registry.put_manifest(repository, "odd", odd, OCI_MANIFEST).status == 201
    assert registry.get_manifest(repository, "odd").body == odd


def test_accept_never_changes_the_answer(registry, repository, image):
    registry.push_image(repository, "1.0", image)
    for accept in ("text/plain", DOCKER_MANIFEST, "*/*", OCI_INDEX):
        reply = registry.get_manifest(repository, "1.0", Accept=accept)
        assert (reply.body, reply.headers["Content-Type"]) == (image.manifest, OCI_MANIFEST)


def test_unknown_manifest_is_told(registry, repository, image):
    registry.push_image(repository, "1.0", image)
    for reference in ("2.0", UNKNOWN_DIGEST):
        reply = registry.get_manifest(repository, reference)
        assert (reply.status, reply.error_code()) == (404, "MANIFEST_UNKNOWN")


def test_manifest_belongs_to_one_repository(registry, repository, image):
    registry.push_image(repository, "1.0", image)
    other = new_repository()
    registry.push_image(other, "1.0", make_image())
    assert registry.get_manifest(other, image.digest).status == 404


def test_manifest_with_a_missing_layer_is_refused(registry, repository, image):
    registry.push_blob(repository, image.config)
    reply = registry.put_manifest(repository, "1.0", image.manifest, OCI_MANIFEST)
    assert reply.status in {400, 404}
    assert reply.error_code() == "MANIFEST_BLOB_UNKNOWN"
    assert digest_of(image.layer) in reply.error_text()
    assert registry.get_manifest(repository, "1.0").status == 404


@pytest.mark.parametrize("manifest", [
    b"", b"{", b"[]", b"null", b"42", b'{"schemaVersion": 2}', b"\xff\xfe", b"[" * 100000,
    b'{"schemaVersion": 2, "layers": [], "manifests": []}',
    b'{"schemaVersion": 2, "config": {"digest": "../../etc/passwd", "size": 1}, "layers": []}',
    b'{"schemaVersion": 2, "config": {"mediaType": "x", "digest": "' + UNKNOWN_DIGEST.encode() +
    b'", "size": -1}, "layers": []}',
], ids=["empty", "cut", "array", "null", "number", "nothing in it", "not UTF-8", "deep", "both kinds",
        "path", "negative size"])
def test_broken_manifest_is_refused(registry, repository, manifest):
    reply = registry.put_manifest(repository, "1.0", manifest, OCI_MANIFEST)
    assert reply.status == 400
    assert reply.error_code() in {"MANIFEST_INVALID", "DIGEST_INVALID", "SIZE_INVALID"}


def test_manifest_that_contradicts_its_content_type_is_refused(registry, repository, image):
    registry.push_image(repository, "1.0", image)
    reply = registry.put_manifest(repository, "2.0", image.manifest, DOCKER_MANIFEST)
    assert (reply.status, reply.error_code()) == (400, "MANIFEST_INVALID")


def test_manifest_under_another_digest_is_refused(registry, repository, image):
    registry.push_image(repository, "1.0", image)
    reply = registry.put_manifest(repository, UNKNOWN_DIGEST, image.manifest, OCI_MANIFEST)
    assert (reply.status, reply.error_code()) == (400, "DIGEST_INVALID")


# -- names

@pytest.mark.parametrize("name", ["alone", "Team/app", "team/App", "team/-app", "team/app-",
                                  "team/a..b", "team//app", "team/app%2f..%2fother", "team/" + "a" * 300])
def test_malformed_name_is_refused(registry, name):
    reply = registry.request("POST", f"/v2/{name}/blobs/uploads/")
    assert (reply.status, reply.error_code()) == (403, "DENIED")
    assert reply.reason == "Repository Is Not team/artifact"
    for path in ("manifests/1.0", "tags/list", f"blobs/{UNKNOWN_DIGEST}",
                 f"referrers/{UNKNOWN_DIGEST}"):
        reply = registry.request("GET", f"/v2/{name}/{path}")
        assert (reply.status, reply.error_code()) == (404, "NAME_UNKNOWN")
        assert registry.request("HEAD", f"/v2/{name}/{path}").status == 404


@pytest.mark.parametrize("name", ["team/a/b/c", "team/blobs", "team/manifests/tags", "t/a__b.c-d",
                                  "team/uploads/blobs"])
def test_unusual_name_is_a_name(registry, image, name):
    repository = f"{name}/{new_repository().replace('/', '-')}"
    assert registry.push_image(repository, "1.0", image).status == 201
    assert registry.get_manifest(repository, "1.0").body == image.manifest


@pytest.mark.parametrize("tag", ["-a", ".a", "a" * 129, "a%20b", "a+b"])
def test_malformed_tag_is_refused(registry, repository, image, tag):
    reply = registry.push_image(repository, tag, image)
    assert reply.status in {400, 404}
    assert registry.list_tags(repository).status in {200, 404}


# -- tags

def test_tags_are_listed_in_order(registry, repository, image):
    for tag in ("b", "a", "10", "9", "B"):
        assert registry.push_image(repository, tag, image).status == 201
    assert registry.list_tags(repository).json() == {
        "name": repository, "tags": ["10", "9", "B", "a", "b"]}


def test_tags_are_listed_page_by_page(registry, repository, image):
    tags = [f"1.{number}" for number in range(5)]
    for tag in tags:
        registry.push_image(repository, tag, image)
    first = registry.list_tags(repository, "?n=2")
    assert first.json()["tags"] == tags[:2]
    assert 'rel="next"' in first.headers["Link"]
    path = first.headers["Link"].partition("<")[2].partition(">")[0]
    second = registry.request("GET", path[path.index("/v2/"):])
    assert second.json()["tags"] == tags[2:4]
    last = registry.list_tags(repository, "?n=2&last=1.3")
    assert last.json()["tags"] == tags[4:]
    assert last.headers["Link"] is None


def test_tags_of_nothing_are_not_found(registry, repository):
    reply = registry.list_tags(repository)
    assert (reply.status, reply.error_code()) == (404, "NAME_UNKNOWN")


# -- nothing moves, nothing goes

def test_same_image_is_pushed_again(registry, repository, image):
    for _ in range(3):
        assert registry.push_image(repository, "1.0", image).status == 201


def test_another_image_for_a_tag_is_refused(registry, repository, image):
    registry.push_image(repository, "1.0", image)
    other = make_image()
    reply = registry.push_image(repository, "1.0", other)
    assert (reply.status, reply.reason) == (409, "Tag Is Immutable")
    assert reply.error_code() == "DENIED"
    for part in ("1.0", image.digest, other.digest, "immutable"):
        assert part in reply.error_text(), reply.body
    assert registry.get_manifest(repository, "1.0").body == image.manifest


def test_tag_is_the_same_after_a_restart(start_server, repository, image):
    server = start_server()
    with RegistryClient(server.port) as registry:
        registry.push_image(repository, "1.0", image)
    server.restart()
    with RegistryClient(server.port) as registry:
        assert registry.get_manifest(repository, "1.0").body == image.manifest
        assert registry.push_image(repository, "1.0", make_image()).status == 409


def test_tag_is_the_same_after_kill(start_server, repository, image):
    server = start_server()
    with RegistryClient(server.port) as registry:
        assert registry.push_image(repository, "1.0", image).status == 201
    server.kill()
    server.start()
    with RegistryClient(server.port) as registry:
        assert registry.get_manifest(repository, "1.0").body == image.manifest
        assert registry.get_blob(repository, digest_of(image.layer)).body == image.layer


def test_one_of_many_racing_pushes_wins(server, repository):
    images = [make_image() for _ in range(16)]

    def push_blobs(image):
        with RegistryClient(server.port) as registry:
            registry.push_image(repository, image.digest, image)

    def push_tag(image):
        with RegistryClient(server.port) as registry:
            return registry.put_manifest(repository, "race", image.manifest, OCI_MANIFEST).status

    with concurrent.futures.ThreadPoolExecutor(len(images)) as pool:
        list(pool.map(push_blobs, images))
        statuses = list(pool.map(push_tag, images))
    assert sorted(statuses) == [201] + [409] * (len(images) - 1)
    with RegistryClient(server.port) as registry:
        assert registry.get_manifest(repository, "race").body == images[statuses.index(201)].manifest


@pytest.mark.parametrize("kind", ["tag", "manifest", "blob"])
def test_nothing_is_deletable(registry, repository, image, kind):
    registry.push_image(repository, "1.0", image)
    path = {"tag": "manifests/1.0", "manifest": f"manifests/{image.digest}",
            "blob": f"blobs/{digest_of(image.layer)}"}[kind]
    reply = registry.request("DELETE", f"/v2/{repository}/{path}")
    assert (reply.status, reply.error_code()) == (405, "UNSUPPORTED")
    assert "DELETE" not in (reply.headers["Allow"] or "")
    assert registry.get_manifest(repository, "1.0").body == image.manifest
    assert registry.get_blob(repository, digest_of(image.layer)).body == image.layer


def test_index_is_pushed_and_pulled(registry, repository, image):
    registry.push_image(repository, image.digest, image)
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {**descriptor(OCI_MANIFEST, image.manifest),
         "platform": {"os": "linux", "architecture": "amd64"}}]}).encode()
    assert registry.put_manifest(repository, "multi", index, OCI_INDEX).status == 201
    assert registry.get_manifest(repository, "multi").body == index


def test_docker_s_manifest_is_kept_with_its_type(registry, repository, image):
    manifest = json.dumps({
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": descriptor("application/vnd.docker.container.image.v1+json", image.config),
        "layers": [descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", image.layer)],
    }).encode()
    for blob in image.blobs:
        registry.push_blob(repository, blob)
    assert registry.put_manifest(repository, "1.0", manifest, DOCKER_MANIFEST).status == 201
    reply = registry.get_manifest(repository, "1.0")
    assert (reply.body, reply.headers["Content-Type"]) == (manifest, DOCKER_MANIFEST)
    assert OCI_LAYER not in reply.body.decode()
