"""Which manifests are taken: what two programs could read in two ways is not; what says less is."""

import concurrent.futures
import json
import pathlib
import socket

import pytest

from support.images import (DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, descriptor,
                            digest_of, make_image, new_repository)
from support.registry_client import RegistryClient
from support.waiting import PATIENCE_S
from support.wire import Wire

MANIFEST_MAX_BYTES = 4 * 1024 * 1024
VALUES_MAX = 150_000
MIB = 1024 * 1024


@pytest.fixture
def repository():
    return new_repository()


@pytest.fixture
def image(registry, repository):
    """One whose blobs and manifest are there."""
    made = make_image()
    assert registry.push_image(repository, "there", made).status == 201
    return made


def put(registry, repository, manifest, media_type=OCI_MANIFEST):
    """`manifest`: its bytes, or what is to be sent as JSON."""
    content = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return registry.put_manifest(repository, "1.0", content, media_type)


def check_refused(registry, repository, reply, *named):
    assert (reply.status, reply.error_code()) == (400, "MANIFEST_INVALID"), reply
    for name in named:
        assert name in reply.error_text()
    assert registry.get_manifest(repository, "1.0").status == 404


# -- names that Go's decoder does not tell apart

@pytest.mark.parametrize("name, wanted", [
    ("Config", "config"), ("LAYERS", "layers"), ("layer\u017f", "layers"), ("Subject", "subject"),
    ("mediatype", "mediaType"), ("Manifests", "manifests"), ("FSLayers", "fsLayers"),
    ("Annotations", "annotations"), ("artifacttype", "artifactType")])
def test_member_that_differs_in_case_only_is_refused(registry, repository, image, name, wanted):
    manifest = json.loads(image.manifest)
    manifest[name] = manifest.get(wanted)
    for content in (json.dumps(manifest), json.dumps(manifest, ensure_ascii=False)):
        reply = put(registry, repository, content.encode())
        check_refused(registry, repository, reply, f'take for "{wanted}"')


@pytest.mark.parametrize("name", ["Digest", "SIZE", "\u017fize", "MediaType", "Urls", "Data",
                                  "Platform"])
def test_descriptor_is_read_in_one_way(registry, repository, image, name):
    manifest = json.loads(image.manifest)
    for part in (manifest["config"], manifest["layers"][0]):
        part[name] = "x"
        check_refused(registry, repository, put(registry, repository, manifest), name)
        del part[name]
    manifest["subject"] = {**descriptor(OCI_MANIFEST, image.manifest), name: "x"}
    check_refused(registry, repository, put(registry, repository, manifest))


@pytest.mark.parametrize("name", ["OS", "Architecture", "o\u017f", "OS.version", "Variant"])
def test_platform_is_read_in_one_way(registry, repository, image, name):
    entry = {**descriptor(OCI_MANIFEST, image.manifest),
             "platform": {"os": "linux", "architecture": "amd64", name: "x"}}
    index = {"schemaVersion": 2, "manifests": [entry]}
    check_refused(registry, repository, put(registry, repository, index, OCI_INDEX))


def image_with_config(registry, repository, config):
    image = make_image()
    for blob in (config, image.layer):
        assert registry.push_blob(repository, blob).status == 201
    return {**json.loads(image.manifest), "config": descriptor(OCI_CONFIG, config)}


@pytest.mark.parametrize("config", [
    b'{"os":"linux","architecture":"amd64","Architecture":"arm64"}',
    '{"o\u017f":"linux","architecture":"amd64"}'.encode(),
    b'{"os":"linux","architecture":"amd64","os":"windows"}',
    b'{"os":"linux","architecture":"amd64","config":{"User":"1","User":"0"}}'],
    ids=["case", "long s", "twice", "twice, deep"])
def test_config_is_read_in_one_way(registry, repository, config):
    manifest = image_with_config(registry, repository, config)
    check_refused(registry, repository, put(registry, repository, manifest), "config")


@pytest.mark.parametrize("config", [b"no JSON", b"{}", b'{"os":1}', b'{"config":{"user":"0"}}'])
def test_config_that_says_nothing_is_taken(registry, repository, config):
    manifest = image_with_config(registry, repository, config)
    assert put(registry, repository, manifest).status == 201


@pytest.mark.parametrize("member", [
    b'"layers":[]', b'"\\u006cayers":[]', b'"annotations":{"a":"1","a":"2"}', b'"x":{"y":[{"a":1,"a":1}]}'],
    ids=["plain", "escaped", "annotations", "of no meaning"])
def test_name_that_stands_twice_is_refused(registry, repository, image, member):
    content = image.manifest.replace(b"{", b"{" + member + b",", 1)
    check_refused(registry, repository, put(registry, repository, content))


def test_names_that_mean_nothing_may_be_alike(registry, repository, image):
    """Annotations and labels are maps, whose keys Go tells apart."""
    manifest = json.loads(image.manifest)
    manifest["annotations"] = {"Layers": "1", "layers": "2", "LAYERS": "3"}
    manifest["layers"][0]["annotations"] = {"Digest": "1", "digest": "2"}
    assert put(registry, repository, manifest).status == 201


def test_client_runs_what_was_checked(registry, server, repository, skopeo, client_folder):
    """Of an image with two configs the registry would check one, and skopeo copy the other."""
    good, bad = make_image(), make_image()
    for blob in (*good.blobs, *bad.blobs):
        assert registry.push_blob(repository, blob).status == 201
    manifest = json.loads(good.manifest)
    other = json.loads(bad.manifest)
    manifest.update(Config=other["config"], Layers=other["layers"])
    check_refused(registry, repository, put(registry, repository, manifest), "Config", "config")
    skopeo.refuse("copy", "--src-tls-verify=false", f"docker://{server.host}/{repository}:1.0",
                  f"oci:{client_folder / 'out'}")


@pytest.mark.parametrize("text", [
    b"\xef\xbb\xbf%s", b"%s{}", b"%s\0", b"%s ]", b"%s//"],
    ids=["byte order mark", "another", "NUL", "bracket", "comment"])
def test_nothing_stands_around_a_manifest(registry, repository, image, text):
    check_refused(registry, repository, put(registry, repository, text % image.manifest))


@pytest.mark.parametrize("value", [
    b'"\\ud800"', b'"\\u0000"', b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\xaf"', b"1e999", b"01", b"NaN",
    b"9223372036854775808", b"'a'", b"[1,]", b"[" * 40 + b"]" * 40])
def test_what_parsers_differ_about_is_refused(registry, repository, image, value):
    content = image.manifest.replace(b"{", b'{"x":' + value + b",", 1)
    check_refused(registry, repository, put(registry, repository, content))


@pytest.mark.parametrize("number", [b"%d.0", b"%de0", b'"%d"', b"-%d", b"+%d", b"0%d",
                                    b"1844674407370955%d", b"null", b"true"])
def test_size_is_a_plain_number(registry, repository, image, number):
    size = len(image.layer)
    wrong = number % size if b"%" in number else number
    content = image.manifest.replace(b'"size": %d\n' % size, b'"size": %s\n' % wrong)
    assert content != image.manifest
    check_refused(registry, repository, put(registry, repository, content))


# -- what is said of other manifests

def index_of(*entries):
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)}


@pytest.mark.parametrize("change", [{"size": 1}, {"mediaType": OCI_INDEX},
                                    {"mediaType": DOCKER_MANIFEST}],
                         ids=["size", "kind", "format"])
def test_entry_of_an_index_is_as_it_says(registry, repository, image, change):
    entry = {**descriptor(OCI_MANIFEST, image.manifest), **change}
    check_refused(registry, repository, put(registry, repository, index_of(entry), OCI_INDEX),
                  image.digest)


@pytest.mark.parametrize("change", [{"size": 1}, {"mediaType": OCI_INDEX}], ids=["size", "kind"])
def test_subject_is_as_it_says_if_it_is_there(registry, repository, image, change):
    subject = {**descriptor(OCI_MANIFEST, image.manifest), **change}
    manifest = {**json.loads(image.manifest), "subject": subject}
    check_refused(registry, repository, put(registry, repository, manifest), image.digest)
    absent = {**descriptor(OCI_MANIFEST, b"not yet"), **change}
    assert put(registry, repository, {**manifest, "subject": absent}).status == 201


def test_manifest_that_was_pushed_as_a_blob_is_no_entry(registry, repository):
    image = make_image()
    for blob in (*image.blobs, image.manifest):
        assert registry.push_blob(repository, blob).status == 201
    index = index_of(descriptor(OCI_MANIFEST, image.manifest))
    reply = put(registry, repository, index, OCI_INDEX)
    assert (reply.status, reply.error_code()) == (404, "MANIFEST_BLOB_UNKNOWN")


# -- what others take, and where nothing is lost

def without_layers(image, **members):
    manifest = json.loads(image.manifest)
    del manifest["layers"]
    return {**manifest, **members}


@pytest.mark.parametrize("members", [
    {}, {"layers": None}, {"layers": [], "subject": None, "annotations": None, "mediaType": None,
                           "artifactType": None}], ids=["absent", "null", "all null"])
def test_image_without_layers_is_taken(registry, server, repository, image, members, skopeo):
    content = json.dumps(without_layers(image, **members)).encode()
    assert put(registry, repository, content).status == 201
    assert registry.get_manifest(repository, "1.0").body == content
    name = f"docker://{server.host}/{repository}:1.0"
    assert skopeo.run("inspect", "--raw", "--tls-verify=false", name).encode() == content


def test_media_types_do_not_differ_by_case(registry, server, repository, image, skopeo,
                                           client_folder):
    """The bytes stay; the Content-Type is the specification's, which is what clients look for."""
    manifest = json.loads(image.manifest)
    manifest["mediaType"] = OCI_MANIFEST.upper()
    content = json.dumps(manifest).encode()
    assert put(registry, repository, content, OCI_MANIFEST.title()).status == 201
    reply = registry.get_manifest(repository, "1.0")
    assert (reply.headers["Content-Type"], reply.body) == (OCI_MANIFEST, content)
    index = json.dumps(index_of({**descriptor(OCI_MANIFEST.upper(), content)})).encode()
    assert registry.put_manifest(repository, "all", index, OCI_INDEX).status == 201
    copied = client_folder / "copied"
    skopeo.run("copy", "--src-tls-verify=false", f"docker://{server.host}/{repository}:1.0",
               f"dir:{copied}")
    assert digest_of(pathlib.Path(copied, "manifest.json").read_bytes()) == digest_of(content)


@pytest.mark.parametrize("media_type", [
    "application/json", "text/plain", OCI_MANIFEST, DOCKER_MANIFEST,
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "Application/vnd.docker.distribution.manifest.V1+JSON"])
def test_schema_1_is_told_what_it_is(registry, repository, media_type):
    manifest = {"schemaVersion": 1, "name": repository, "tag": "1.0", "architecture": "amd64",
                "fsLayers": [], "history": []}
    reply = put(registry, repository, manifest, media_type)
    assert (reply.status, reply.error_code()) == (415, "UNSUPPORTED")
    assert "schema 1" in reply.error_text()


# -- memory

def objects(count):
    """A manifest of so many empty objects, beside what it needs to be one."""
    return b'{"schemaVersion":2,"layers":[],"x":[' + b",".join([b"{}"] * count) + b"]}"


@pytest.mark.parametrize("count, status", [(MANIFEST_MAX_BYTES // 3 - 20, 413),
                                           (VALUES_MAX - 10, 400)], ids=["too many", "many"])
def test_parsing_takes_little_memory(start_shipped_server, repository, count, status):
    """Twelve at once took 2.8 GB."""
    server = start_shipped_server()

    def push(number):
        with RegistryClient(server.port, source=f"127.0.0.{number + 1}") as client:
            return client.put_manifest(repository, f"{number}", objects(count), OCI_MANIFEST).status

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert set(pool.map(push, range(12))) == {status}
    assert server.peak_memory_bytes() < 150 * MIB


def begin_put(server, source, length, sent):
    """Sends the beginning of a manifest, and no more."""
    connection = socket.create_connection(("127.0.0.1", server.port), PATIENCE_S, (source, 0))
    wire = Wire(connection)
    wire.send(f"PUT /v2/team/evil/manifests/1.0 HTTP/1.1\r\nHost: x\r\n"
              f"Content-Type: {OCI_MANIFEST}\r\nContent-Length: {length}\r\n\r\n".encode())
    connection.setblocking(False)
    try:
        while sent > 0:
            sent -= connection.send(b" " * min(sent, MIB))
    except BlockingIOError:
        pass  # it waits
    return wire


@pytest.mark.parametrize("sources, size", [(1, MANIFEST_MAX_BYTES), (4, MANIFEST_MAX_BYTES),
                                           (1, 60_000)], ids=["one", "four", "small"])
def test_unfinished_manifests_hold_up_nobody(start_shipped_server, repository, sources, size):
    server = start_shipped_server()
    held = [begin_put(server, f"127.0.1.{number % sources + 1}", size, size - 1)
            for number in range(100 if size == MANIFEST_MAX_BYTES else 400)]
    try:
        with RegistryClient(server.port) as client:
            assert client.push_image(repository, "1.0", make_image()).status == 201
            large = json.dumps({**json.loads(make_image().manifest), "annotations": {
                "padding": "x" * 100_000}}).encode()
            if sources == 1:
                assert client.put_manifest(repository, "2.0", large, OCI_MANIFEST).status == 404
    finally:
        for wire in held:
            wire.close()
    assert server.peak_memory_bytes() < 150 * MIB


def test_manifest_in_chunks_is_taken(registry, repository, image):
    manifest = {**json.loads(image.manifest), "annotations": {"padding": "x" * 200_000}}
    content = json.dumps(manifest).encode()
    pieces = (content[begin:begin + 1000] for begin in range(0, len(content), 1000))
    reply = registry.put_manifest(repository, "chunks", pieces, OCI_MANIFEST)
    assert reply.status == 201, reply
    too_large = (b" " * 100_000 for _ in range(50))
    assert registry.put_manifest(repository, "large", too_large, OCI_MANIFEST).status == 413
