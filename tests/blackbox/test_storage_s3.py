"""Layers in S3: what pushes and pulls ask of it, and what arrives."""

import concurrent.futures
import hashlib
import http.client
import random
import socket
import ssl
import urllib.parse
import urllib.request

import pytest

from support.ceph import DOMAIN
from support.images import digest_of, make_image, new_repository
from support.registry_client import RegistryClient
from support.s3 import follow
from support.waiting import PATIENCE_S, wait_until
from support.wire import Wire, request

MIB = 1024 * 1024
PART = 5 * MIB  # the first 500 of an upload have this size

BEGIN, PUT_PART, COMPLETE = "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"


def content_of(size, seed=0):
    """Bytes that nobody has pushed before, and that do not repeat."""
    return random.Random(f"{new_repository()} {seed}").randbytes(size)


@pytest.fixture
def repository():
    return new_repository()


@pytest.fixture
def linking(start_s3_server, client):
    """A client of a server that sends those who pull to S3."""
    return client(start_s3_server())


@pytest.fixture
def proxying(start_s3_server, client):
    """A client of a server through which layers come."""
    return client(start_s3_server(redirect=False))


def pull(registry, repository, content):
    """By link or not."""
    reply = registry.get_blob(repository, digest_of(content))
    if reply.status == 307:
        return follow(reply.headers["Location"])[1]
    assert reply.status == 200, reply
    return reply.body


# -- what a push costs

def push_in_one_post(registry, repository, content):
    return registry.request("POST", f"/v2/{repository}/blobs/uploads/?digest={digest_of(content)}",
                            content, {"Content-Type": "application/octet-stream"})


WAYS = {
    "POST": push_in_one_post,
    "POST and PUT": RegistryClient.push_blob,
    "streamed PATCH and PUT": RegistryClient.push_blob_streamed,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [1, 1000, PART], ids=["1 byte", "1000 bytes", "5 MiB"])
def test_small_blob_is_one_request(linking, s3, bucket, repository, way, size):
    content = content_of(size)
    assert WAYS[way](linking, repository, content).status == 201
    assert s3.kinds() == ["PutObject"]
    [key] = bucket.keys()
    assert bucket.get(key) == content


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size, parts", [(PART + 1, 2), (4 * PART, 4), (23 * MIB, 5)])
def test_large_blob_is_its_parts_and_two(linking, s3, bucket, repository, way, size, parts):
    content = content_of(size)
    assert WAYS[way](linking, repository, content).status == 201
    assert sorted(s3.kinds()) == sorted([BEGIN, COMPLETE] + [PUT_PART] * parts)
    [key] = bucket.keys()
    assert bucket.get(key) == content
    assert bucket.uploads() == []


def test_blob_that_is_there_costs_nothing_more(linking, s3, repository):
    content = content_of(1000)
    linking.push_blob(repository, content)
    s3.forget()
    assert linking.push_blob(repository, content).status == 201
    assert s3.kinds() == []


def test_blob_of_another_repository_costs_nothing(linking, s3, repository):
    content = content_of(1000)
    linking.push_blob(repository, content)
    s3.forget()
    reply = linking.request("POST", f"/v2/{new_repository()}/blobs/uploads/"
                                    f"?mount={digest_of(content)}&from={repository}")
    assert reply.status == 201
    assert s3.kinds() == []


def test_large_blob_that_is_there_is_stored_once(linking, bucket, repository):
    content = content_of(PART + 1)
    for _ in range(2):
        assert linking.push_blob(repository, content).status == 201
    assert len(bucket.keys()) == 1
    assert bucket.uploads() == []


def test_empty_blob_is_a_blob(linking, repository):
    assert linking.push_blob(repository, b"").status == 201
    assert pull(linking, repository, b"") == b""


def test_image_is_pushed_and_its_manifest_is_read_from_no_bucket(linking, s3, repository):
    image = make_image()
    assert linking.push_image(repository, "1.0", image).status == 201
    s3.forget()
    assert linking.get_manifest(repository, "1.0").body == image.manifest
    assert s3.kinds() == []


def test_wrong_digest_leaves_nothing_to_be_had(linking, bucket, repository):
    for size in (1000, PART + 1):
        content, other = content_of(size), digest_of(content_of(10))
        reply = linking.finish_upload(linking.begin_upload(repository), other, content)
        assert (reply.status, reply.error_code()) == (400, "DIGEST_INVALID")
        for digest in (other, digest_of(content)):
            assert linking.get_blob(repository, digest).status == 404
    assert bucket.uploads() == []


@pytest.mark.parametrize("size", [0, 1000, PART, 2 * PART + 1])
def test_blob_is_known_by_its_sha512(linking, repository, size):
    content = content_of(size)
    digest = "sha512:" + hashlib.sha512(content).hexdigest()
    location = linking.begin_upload(repository)
    assert linking.patch_upload(location, content).status == 202
    assert linking.finish_upload(location, digest).status == 201
    reply = linking.get_blob(repository, digest)
    assert (reply.body if size == 0 else follow(reply.headers["Location"])[1]) == content


# -- chunks

def test_smallest_useful_chunk_is_told(linking, repository):
    assert linking.ask_upload(repository).headers["OCI-Chunk-Min-Length"] == str(PART)


@pytest.mark.parametrize("chunks", [
    [1, 1, 1],
    [PART - 1, 1, 1],
    [PART, PART, 1],
    [PART + 1, PART - 1],
    [1, PART, PART - 1, 1],
    [3 * MIB] * 5,
    [7 * MIB + 13, 11, 4 * MIB + 1, 999_983],
], ids=str)
def test_chunks_have_any_size(linking, bucket, repository, chunks):
    content = content_of(sum(chunks))
    location, offset = linking.begin_upload(repository), 0
    for size in chunks:
        reply = linking.patch_upload(location, content[offset:offset + size],
                                     {"Content-Range": f"{offset}-{offset + size - 1}"})
        offset += size
        assert (reply.status, reply.headers["Range"]) == (202, f"0-{offset - 1}")
        location = reply.headers["Location"]
    assert linking.finish_upload(location, digest_of(content)).status == 201
    assert pull(linking, repository, content) == content
    assert bucket.uploads() == []


@pytest.mark.parametrize("seed", range(4))
def test_upload_goes_on_after_restarts(start_s3_server, repository, seed):
    """Each chunk, of a size that chance chooses, meets another process."""
    server, chance = start_s3_server(), random.Random(seed)
    usual = [1, 1000, PART - 1, PART, PART + 1, 2 * PART]
    sizes = [chance.choice([*usual, chance.randint(1, 3 * PART)]) for _ in range(4)]
    content, offset = content_of(sum(sizes), seed), 0
    with RegistryClient(server.port) as registry:
        location = registry.begin_upload(repository)
    for size in sizes:
        with RegistryClient(server.port) as registry:
            reply = registry.patch_upload(location, content[offset:offset + size])
            assert reply.status == 202, (sizes, reply)
        offset += size
        server.restart()
    with RegistryClient(server.port) as registry:
        assert registry.finish_upload(location, digest_of(content)).status == 201, sizes
        assert pull(registry, repository, content) == content, sizes


def test_chunk_out_of_order_is_refused_and_can_be_corrected(linking, repository):
    content = content_of(2 * PART + 3)
    location = linking.begin_upload(repository)
    assert linking.patch_upload(location, content[:PART + 1]).status == 202
    reply = linking.patch_upload(location, content[PART:PART + 3],
                                 {"Content-Range": f"{PART}-{PART + 2}"})
    assert reply.status == 416
    assert linking.request("GET", location).headers["Range"] == f"0-{PART}"
    assert linking.finish_upload(location, digest_of(content), content[PART + 1:]).status == 201
    assert pull(linking, repository, content) == content


def test_upload_given_up_is_aborted(linking, bucket, repository):
    location = linking.begin_upload(repository)
    assert linking.patch_upload(location, content_of(PART + 1)).status == 202
    assert len(bucket.uploads()) == 1
    assert linking.request("DELETE", location).status == 204
    assert bucket.uploads() == []


# -- races, and one bucket for more than one server

@pytest.mark.parametrize("size", [1000, 2 * PART + 1])
def test_same_blob_is_pushed_by_many_at_once(start_s3_server, bucket, repository, size):
    server, content = start_s3_server(), content_of(size)

    def push(_):
        with RegistryClient(server.port) as registry:
            return registry.push_blob(repository, content).status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(push, range(8))) == {201}
    with RegistryClient(server.port) as registry:
        assert pull(registry, repository, content) == content
    assert bucket.uploads() == []


def test_bucket_serves_another_server_after_the_first(start_s3_server, client, repository):
    """With a data folder of its own: it knows nothing, and finds small blobs there already."""
    small, large = content_of(1000), content_of(PART + 1)
    first = client(start_s3_server())
    for content in (small, large):
        assert first.push_blob(repository, content).status == 201
    second = client(start_s3_server())
    assert second.get_blob(repository, digest_of(small)).status == 404
    for content in (small, large):
        assert second.push_blob(repository, content).status == 201
        assert pull(second, repository, content) == content
        assert pull(first, repository, content) == content


def test_two_registries_share_a_bucket_by_prefix(start_s3_server, client, bucket, repository):
    content = content_of(1000)
    for prefix in ("one/", "two/"):
        registry = client(start_s3_server(prefix=prefix))
        for size in (1000, PART + 1):
            assert registry.push_blob(repository, content_of(size)).status == 201
        assert registry.push_blob(repository, content).status == 201
    keys = bucket.keys()
    assert len(keys) == 6
    assert [sum(key.startswith(prefix) for key in keys) for prefix in ("one/", "two/")] == [3, 3]


def test_server_on_a_folder_is_not_changed(start_server, client, repository):
    registry = client(start_server())
    assert registry.push_blob(repository, b"in a folder").status == 201
    assert registry.get_blob(repository, digest_of(b"in a folder")).status == 200


# -- pulls by link

@pytest.fixture
def link(linking, repository, s3):
    """To a blob of ten digits; S3 has not been asked for it yet."""
    linking.push_blob(repository, b"0123456789")
    s3.forget()
    reply = linking.get_blob(repository, digest_of(b"0123456789"))
    assert reply.status == 307
    return reply


def test_link_leads_to_the_blob(link):
    assert follow(link.headers["Location"]) == (200, b"0123456789")


def test_link_is_made_without_asking_s3(link, s3):
    assert s3.kinds() == []


def test_link_is_not_to_be_kept(link):
    assert link.headers["Cache-Control"] == "no-store"


def test_several_parts_are_asked_of_s3_too(linking, repository):
    linking.push_blob(repository, b"0123456789")
    reply = linking.get_blob(repository, digest_of(b"0123456789"), Range="bytes=0-1,500-501")
    assert reply.status == 307


@pytest.mark.parametrize("wanted, part", [("bytes=2-5", b"2345"), ("bytes=-3", b"789"),
                                          ("bytes=7-", b"789")])
def test_part_is_had_by_link(link, wanted, part):
    assert follow(link.headers["Location"], Range=wanted) == (206, part)


def test_link_is_for_reading_only(link, ceph, bucket):
    parts = urllib.parse.urlsplit(link.headers["Location"])
    for method in ("PUT", "DELETE", "POST"):
        connection = http.client.HTTPConnection("127.0.0.1", ceph.place.port, timeout=PATIENCE_S)
        connection.request(method, f"{parts.path}?{parts.query}", b"", {"Host": parts.netloc})
        assert connection.getresponse().status == 403
        connection.close()
    [key] = bucket.keys()
    assert bucket.get(key) == b"0123456789"


def test_link_says_nothing_secret(link, ceph):
    assert ceph.operator.secret_key not in link.headers["Location"]


def test_link_is_not_logged(start_s3_server, client, repository):
    """Whoever has it has the layer."""
    server = start_s3_server({"log": {"level": "debug"}})
    registry = client(server)
    registry.push_blob(repository, b"who reads logs reads no layers")
    reply = registry.get_blob(repository, digest_of(b"who reads logs reads no layers"))
    signature = urllib.parse.parse_qs(reply.headers["Location"])["X-Amz-Signature"][0]
    server.wait_for_logged(status=307)
    assert signature not in server.whole_log()


def test_link_goes_where_clients_reach_s3(start_s3_server, ceph, client, repository):
    registry = client(start_s3_server(public_endpoint=ceph.endpoint))
    registry.push_blob(repository, b"public")
    location = registry.get_blob(repository, digest_of(b"public")).headers["Location"]
    assert location.startswith(ceph.endpoint + "/")
    assert follow(location) == (200, b"public")


def test_link_dies(start_s3_server, client, repository):
    registry = client(start_s3_server(link_lifetime="1s"))
    registry.push_blob(repository, b"mortal")
    location = registry.get_blob(repository, digest_of(b"mortal")).headers["Location"]
    wait_until(lambda: follow(location)[0] == 403, "the link to die")


@pytest.mark.parametrize("redirect", [True, False], ids=["by link", "through us"])
def test_head_is_never_sent_on(start_s3_server, s3, client, repository, redirect):
    registry = client(start_s3_server(redirect=redirect))
    for content in (content_of(1000), content_of(PART + 1)):
        registry.push_blob(repository, content)
        s3.forget()
        reply = registry.get_blob(repository, digest_of(content), "HEAD")
        assert (reply.status, reply.headers["Content-Length"]) == (200, str(len(content)))
        assert reply.headers["Docker-Content-Digest"] == digest_of(content)
        assert "Location" not in reply.headers
        assert s3.kinds() == []


@pytest.mark.parametrize("redirect", [True, False], ids=["by link", "through us"])
def test_blob_that_a_client_has_is_not_sent(start_s3_server, s3, client, repository, redirect):
    registry = client(start_s3_server(redirect=redirect))
    registry.push_blob(repository, b"known")
    tag = registry.get_blob(repository, digest_of(b"known"), "HEAD").headers["ETag"]
    s3.forget()
    reply = registry.request("GET", f"/v2/{repository}/blobs/{digest_of(b'known')}", None,
                             {"If-None-Match": tag})
    assert reply.status == 304
    assert s3.kinds() == []


# -- pulls through us

@pytest.mark.parametrize("size", [0, 1, 1000, MIB, MIB + 1, 13 * MIB + 7])
def test_blob_comes_through(proxying, repository, size):
    content = content_of(size)
    proxying.push_blob(repository, content)
    reply = proxying.get_blob(repository, digest_of(content))
    assert (reply.status, reply.body) == (200, content)
    assert reply.headers["Content-Length"] == str(size)
    assert "immutable" in reply.headers["Cache-Control"]


def test_parts_come_through(proxying, repository):
    content = content_of(3 * MIB)
    proxying.push_blob(repository, content)
    for wanted, part in (("bytes=0-0", content[:1]), (f"bytes={MIB - 1}-{2 * MIB}",
                                                      content[MIB - 1:2 * MIB + 1]),
                         ("bytes=-5", content[-5:]), ("bytes=100-", content[100:])):
        reply = proxying.get_blob(repository, digest_of(content), Range=wanted)
        assert (reply.status, reply.body) == (206, part)
    assert proxying.get_blob(repository, digest_of(content),
                             Range=f"bytes={3 * MIB}-").status == 416


def test_slow_clients_hold_nobody_up(start_s3_server, client, repository):
    """More of them than threads that ask S3."""
    server = start_s3_server({"limits": {"carriers": 2, "workers": 2}}, redirect=False)
    registry, content = client(server), content_of(16 * MIB)
    registry.push_blob(repository, content)
    path = f"/v2/{repository}/blobs/{digest_of(content)}"
    connections = []
    try:
        for _ in range(8):
            connection = socket.socket()
            connections.append(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            connection.settimeout(PATIENCE_S)
            connection.sendall(request("GET", path))
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert registry.get_blob(repository, digest_of(content)).body == content
        assert registry.push_blob(repository, content_of(PART + 1)).status == 201
    finally:
        for connection in connections:
            connection.close()


def test_client_that_leaves_is_forgotten(start_s3_server, client, repository):
    server = start_s3_server(redirect=False, downloads=1)
    registry, content = client(server), content_of(16 * MIB)
    registry.push_blob(repository, content)
    with Wire(server.connect()) as wire:
        wire.send(request("GET", f"/v2/{repository}/blobs/{digest_of(content)}"))
        assert wire.read_head().status == 200
        busy = registry.get_blob(repository, digest_of(content))
        assert busy.status == 503
        assert int(busy.headers["Retry-After"]) > 0
    wait_until(lambda: registry.get_blob(repository, digest_of(content)).status == 200,
               "room for another download")


# -- ways to S3

def round_trip(registry, repository):
    for content in (content_of(1000), content_of(PART + 1)):
        assert registry.push_blob(repository, content).status == 201
        assert pull(registry, repository, content) == content


@pytest.mark.parametrize("redirect", [True, False], ids=["by link", "through us"])
def test_bucket_is_named_by_the_host(start_server, ceph, bucket, client, repository, redirect):
    settings = bucket.settings(ceph.host_endpoint, path_style=False, redirect=redirect)
    registry = client(start_server(settings, ceph.operator.environment))
    round_trip(registry, repository)
    assert len(bucket.keys()) == 2
    if redirect:
        registry.push_blob(repository, b"link")
        location = registry.get_blob(repository, digest_of(b"link")).headers["Location"]
        assert urllib.parse.urlsplit(location).hostname == f"{bucket.name}.{DOMAIN}"


@pytest.mark.parametrize("path_style", [True, False], ids=["in the path", "in the host"])
def test_s3_is_reached_by_tls(start_server, ceph, bucket, client, repository, path_style):
    endpoint = ceph.tls_endpoint if path_style else ceph.tls_host_endpoint
    settings = bucket.settings(endpoint, path_style=path_style, redirect=False)
    registry = client(start_server({**settings, "ca_file": str(ceph.ca_file)},
                                   ceph.operator.environment))
    round_trip(registry, repository)


def test_link_leads_to_tls(start_server, ceph, bucket, client, repository):
    """Plain HTTP among us, TLS for clients."""
    settings = bucket.settings(ceph.endpoint, public_endpoint=ceph.tls_endpoint)
    registry = client(start_server(settings, ceph.operator.environment))
    registry.push_blob(repository, b"by TLS")
    location = registry.get_blob(repository, digest_of(b"by TLS")).headers["Location"]
    context = ssl.create_default_context(cafile=str(ceph.ca_file))
    with urllib.request.urlopen(location, context=context) as reply:
        assert reply.read() == b"by TLS"


def test_certificate_that_nobody_vouches_for_is_refused(start_server, ceph, bucket, client,
                                                        repository):
    settings = bucket.settings(ceph.tls_endpoint, retry_time="1ms")
    server = start_server(settings, ceph.operator.environment)
    assert client(server).push_blob(repository, b"secret").status == 503
    assert bucket.keys() == []
    assert "certificate" in server.wait_for_logged(status=503)["failure"]


def test_objects_are_encrypted_by_a_key_of_the_store(start_s3_server, ceph, client, bucket,
                                                     repository):
    registry = client(start_s3_server(encryption="aws:kms", kms_key=ceph.kms_key, redirect=False))
    round_trip(registry, repository)
    for key in bucket.keys():
        assert bucket.head(key).headers["x-amz-server-side-encryption"] == "aws:kms"


def test_keys_come_from_the_shared_file(start_server, ceph, bucket, client, repository, folder,
                                        used_secrets):
    """Of the profile that is asked for, where the environment has none."""
    used_secrets.add(ceph.operator.secret_key)
    file = folder / "credentials"
    file.write_text("[default]\naws_access_key_id = WRONG\naws_secret_access_key = wrong\n\n"
                    f"[pierone]\naws_access_key_id = {ceph.operator.access_key}\n"
                    f"aws_secret_access_key = {ceph.operator.secret_key}\n", encoding="ascii")
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_PROFILE": "pierone",
                   "AWS_EC2_METADATA_DISABLED": "true"}
    registry = client(start_server(bucket.settings(ceph.endpoint, redirect=False), environment))
    round_trip(registry, repository)
