"""What the OCI Distribution Specification 1.1 demands of a registry, sentence by sentence.

docs/conformance.md says which sentence is shown by which test.
"""

import hashlib
import json
import pathlib
import re

import pytest

from support.images import (OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, descriptor, digest_of, make_image,
                            new_repository)

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/conformance.md"

STORAGES = ("folder", "s3")

MANIFEST_MAX_BYTES = 4 * 1024 * 1024
SBOM = "application/vnd.example.sbom.v1"
UNKNOWN_DIGEST = digest_of(b"nobody ever pushed this")

# distribution-spec 1.1 "Error Codes", and those of "Legacy Docker support error codes".
CODES = {
    "BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN",
    "SIZE_INVALID", "UNAUTHORIZED", "DENIED", "UNSUPPORTED", "TOOMANYREQUESTS", "TAG_INVALID",
}


@pytest.fixture
def repository():
    return new_repository("conformance")


@pytest.fixture
def image(registry, repository):
    """Pushed as 1.0."""
    image = make_image()
    assert registry.push_image(repository, "1.0", image).status == 201
    return image


def path_of(location):
    """Locations may be absolute; ours are not, but a test of the specification takes both."""
    return re.sub(r"^https?://[^/]+", "", location)


def follow(registry, reply):
    return registry.request("GET", path_of(reply.headers["Location"]))


def next_page(registry, reply):
    link = reply.headers["Link"]
    assert re.fullmatch(r'<[^<>]+>; *rel="?next"?', link), link
    return registry.request("GET", path_of(link[1:link.index(">")]))


def make_referrer(registry, repository, subject, **members):
    """Pushes an image manifest about `subject`, which need not be there; returns its bytes."""
    assert registry.push_blob(repository, b"{}").status == 201
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, b"{}"),
        "layers": [], "subject": descriptor(OCI_MANIFEST, subject), **members}).encode()
    reply = registry.put_manifest(repository, digest_of(manifest), manifest, OCI_MANIFEST)
    assert reply.status == 201, reply
    assert reply.headers["OCI-Subject"] == digest_of(subject)
    return manifest


def referrers(registry, repository, subject, query=""):
    return registry.request("GET", f"/v2/{repository}/referrers/{digest_of(subject)}{query}")


# -- Determining support; pull

def test_base_path_is_found(registry):
    assert registry.request("GET", "/v2/").status == 200


def test_manifest_is_pulled_by_tag_and_by_digest(registry, repository, image):
    for reference in ("1.0", image.digest):
        reply = registry.get_manifest(repository, reference)
        assert (reply.status, reply.body) == (200, image.manifest)
        assert reply.headers["Docker-Content-Digest"] == image.digest
        assert reply.headers["Content-Type"] == OCI_MANIFEST


def test_blob_is_pulled_by_digest(registry, repository, image):
    reply = registry.get_blob(repository, digest_of(image.layer))
    assert (reply.status, reply.body) == (200, image.layer)
    assert reply.headers["Docker-Content-Digest"] == digest_of(image.layer)


def test_part_of_a_blob_is_pulled(registry, repository, image):
    reply = registry.get_blob(repository, digest_of(image.layer), Range="bytes=3-")
    assert (reply.status, reply.body) == (206, image.layer[3:])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_not_there_is_not_found(registry, repository, image, method):
    assert registry.get_manifest(repository, "2.0", method).status == 404
    assert registry.get_manifest(repository, UNKNOWN_DIGEST, method).status == 404
    assert registry.get_blob(repository, UNKNOWN_DIGEST, method).status == 404
    assert registry.get_manifest(new_repository(), "1.0", method).status == 404


def test_head_tells_digest_and_size(registry, repository, image):
    layer = digest_of(image.layer)
    for reply, digest, content in (
            (registry.get_manifest(repository, "1.0", "HEAD"), image.digest, image.manifest),
            (registry.get_manifest(repository, image.digest, "HEAD"), image.digest, image.manifest),
            (registry.get_blob(repository, layer, "HEAD"), layer, image.layer)):
        assert (reply.status, reply.body) == (200, b"")
        assert reply.headers["Docker-Content-Digest"] == digest
        assert reply.headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize("reference", ["a" * 129, "-a", ".a", "a+b", "sha256:abc", "sha256:" + "Z" * 64])
def test_reference_is_a_tag_or_a_digest(registry, repository, image, reference):
    assert registry.put_manifest(repository, reference, image.manifest, OCI_MANIFEST).status == 400
    assert registry.get_manifest(repository, reference).status == 404


@pytest.mark.parametrize("name", ["team/App", "team/app-", "team/a..b", "team/.a", "team/a___b"])
def test_name_has_the_specified_form(registry, name):
    reply = registry.request("POST", f"/v2/{name}/blobs/uploads/")
    assert (reply.status, reply.error_code()) == (403, "DENIED")


# -- Push: blobs

def test_upload_begins_with_a_location(registry, repository):
    reply = registry.request("POST", f"/v2/{repository}/blobs/uploads/", b"")
    assert reply.status == 202
    assert re.search(r"/[0-9a-f]{32}$", reply.headers["Location"])
    other = registry.request("POST", f"/v2/{repository}/blobs/uploads/", b"")
    assert other.headers["Location"] != reply.headers["Location"]


def test_blob_is_pushed_with_post_and_put(registry, repository):
    reply = registry.finish_upload(registry.begin_upload(repository), digest_of(b"put"), b"put")
    assert reply.status == 201
    assert follow(registry, reply).body == b"put"


def test_blob_is_pushed_with_a_single_post(registry, repository):
    reply = registry.request(
        "POST", f"/v2/{repository}/blobs/uploads/?digest={digest_of(b'post')}", b"post")
    assert reply.status == 201
    assert follow(registry, reply).body == b"post"


@pytest.mark.parametrize("last_chunk_in", ["PATCH", "PUT"])
def test_blob_is_pushed_in_chunks(registry, repository, last_chunk_in):
    content = f"chunks {last_chunk_in} {repository}".encode()
    chunks = [content[:4], content[4:9], content[9:]]
    reply = registry.request("POST", f"/v2/{repository}/blobs/uploads/", b"")
    end = 0
    for chunk in chunks if last_chunk_in == "PATCH" else chunks[:-1]:
        reply = registry.patch_upload(path_of(reply.headers["Location"]), chunk,
                                      {"Content-Range": f"{end}-{end + len(chunk) - 1}"})
        end += len(chunk)
        assert (reply.status, reply.headers["Range"]) == (202, f"0-{end - 1}")
    last = {"Content-Range": f"{end}-{len(content) - 1}"} if end < len(content) else {}
    reply = registry.request("PUT", f"{path_of(reply.headers['Location'])}?digest={digest_of(content)}",
                             content[end:], last)
    assert reply.status == 201
    assert follow(registry, reply).body == content


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("content_range", ["0-2", "5-7"], ids=["again", "behind a gap"])
def test_chunk_out_of_order_is_refused(registry, repository, method, content_range):
    location = registry.begin_upload(repository)
    assert registry.patch_upload(location, b"abc", {"Content-Range": "0-2"}).status == 202
    reply = registry.request(method, f"{location}?digest={UNKNOWN_DIGEST}", b"def",
                             {"Content-Range": content_range})
    assert reply.status == 416


def test_upload_tells_where_to_go_on(registry, repository):
    location = registry.begin_upload(repository)
    assert registry.patch_upload(location, b"abc", {"Content-Range": "0-2"}).status == 202
    assert registry.patch_upload(location, b"xyz", {"Content-Range": "9-11"}).status == 416
    reply = registry.request("GET", location)
    assert (reply.status, reply.headers["Range"], reply.body) == (204, "0-2", b"")
    location = path_of(reply.headers["Location"])
    assert registry.patch_upload(location, b"def", {"Content-Range": "3-5"}).status == 202
    assert registry.finish_upload(location, digest_of(b"abcdef")).status == 201


@pytest.mark.parametrize("digest", [UNKNOWN_DIGEST, "sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e"],
                         ids=["another content's", "malformed", "unsupported"])
def test_digest_must_be_that_of_the_content(registry, repository, digest):
    reply = registry.finish_upload(registry.begin_upload(repository), digest, b"content")
    assert (reply.status, reply.error_code()) == (400, "DIGEST_INVALID")
    reply = registry.request("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", b"content")
    assert (reply.status, reply.error_code()) == (400, "DIGEST_INVALID")
    assert registry.get_blob(repository, UNKNOWN_DIGEST).status == 404


@pytest.mark.parametrize("query", ["", "?digest-algorithm=sha512"])
def test_sha512_is_a_digest_too(registry, repository, query):
    content = f"sha512 {query} {repository}".encode()
    digest = "sha512:" + hashlib.sha512(content).hexdigest()
    reply = registry.request("POST", f"/v2/{repository}/blobs/uploads/{query}", b"")
    reply = registry.finish_upload(path_of(reply.headers["Location"]), digest, content)
    assert (reply.status, reply.headers["Docker-Content-Digest"]) == (201, digest)
    assert follow(registry, reply).body == content


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_manifest_has_the_digest_that_is_stated(registry, repository, algorithm):
    image = make_image()
    for blob in image.blobs:
        assert registry.push_blob(repository, blob).status == 201
    wrong, right = (f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
                    for content in (b"another", image.manifest))
    for reference in ("1.0", image.digest):
        for query in (f"digest={wrong}", f"digest={wrong[:-1]}", "digest=", "digest=md5:0",
                      f"digest={right}&digest={right}"):
            reply = registry.put_manifest(repository, f"{reference}?{query}", image.manifest,
                                          image.media_type)
            assert (reply.status, reply.error_code()) == (400, "DIGEST_INVALID"), query
    assert registry.list_tags(repository).status == 404
    reply = registry.put_manifest(repository, f"1.0?digest={right}", image.manifest,
                                  image.media_type)
    assert (reply.status, reply.headers["Docker-Content-Digest"]) == (201, right)
    for reference in ("1.0", right):
        assert registry.get_manifest(repository, reference).body == image.manifest


def test_tags_are_pushed_with_a_digest(registry, repository):
    image = make_image()
    for blob in image.blobs:
        assert registry.push_blob(repository, blob).status == 201
    for tags in (["1.2.3", "1.2", "1"], ["1.2.3", "1.2", "1"], ["1", "1.2.3-alpine"]):
        query = "&".join(f"tag={tag}" for tag in tags + tags[:1])
        reply = registry.put_manifest(repository, f"{image.digest}?{query}", image.manifest,
                                      image.media_type)
        assert (reply.status, reply.headers["Docker-Content-Digest"]) == (201, image.digest)
        assert reply.headers.get_all("OCI-Tag") == tags
        for tag in tags:
            assert registry.get_manifest(repository, tag).body == image.manifest
    assert registry.list_tags(repository).json()["tags"] == ["1", "1.2", "1.2.3", "1.2.3-alpine"]


def test_twenty_tags_are_pushed_at_once_and_no_more(registry, repository):
    image = make_image()
    for blob in image.blobs:
        assert registry.push_blob(repository, blob).status == 201
    tags = [f"{number:x<128}" for number in range(20)]
    for number, status in ((21, 414), (20, 201)):
        query = "&".join(f"tag={tag}" for tag in (tags + ["20"])[:number])
        reply = registry.put_manifest(repository, f"{image.digest}?{query}", image.manifest,
                                      image.media_type)
        assert reply.status == status
    assert reply.headers.get_all("OCI-Tag") == tags
    assert sum(len(f"{name}: {value}\r\n") for name, value in reply.headers.items()) < 4000


def test_tags_that_cannot_be_set_are_refused(registry, repository):
    image = make_image()
    for blob in image.blobs:
        assert registry.push_blob(repository, blob).status == 201
    for query in ("2.0?tag=1", "2.0?tag=2.0", "2.0?tag=", f"{image.digest}?tag=",
                  f"{image.digest}?tag=1&tag=-x", f"{image.digest}?tag=1&tag=%00",
                  f"{image.digest}?tag=1&tag={'x' * 129}"):
        reply = registry.put_manifest(repository, query, image.manifest, image.media_type)
        assert (reply.status, reply.error_code()) == (400, "TAG_INVALID"), query
    assert registry.list_tags(repository).status == 404


def test_upload_can_be_cancelled(registry, repository):
    location = registry.begin_upload(repository)
    assert registry.request("DELETE", location).status == 204
    assert registry.request("GET", location).status == 404
    assert registry.request("DELETE", location).status == 204


def test_blob_is_mounted(registry, repository, image):
    other = new_repository()
    layer = digest_of(image.layer)
    for query in (f"?mount={layer}&from={repository}", f"?mount={layer}"):
        reply = registry.request("POST", f"/v2/{other}/blobs/uploads/{query}", b"")
        assert (reply.status, reply.headers["Docker-Content-Digest"]) == (201, layer)
        assert path_of(reply.headers["Location"]) == f"/v2/{other}/blobs/{layer}"
        assert follow(registry, reply).body == image.layer


def test_mount_of_what_is_missing_is_an_upload(registry, repository):
    reply = registry.request("POST", f"/v2/{repository}/blobs/uploads/?mount={UNKNOWN_DIGEST}&from=a/b",
                             b"")
    assert reply.status == 202
    content = b"mounted in vain"
    assert registry.finish_upload(path_of(reply.headers["Location"]), digest_of(content),
                                  content).status == 201


# -- Push: manifests

def test_manifest_is_pushed_and_found_at_its_location(registry, repository, image):
    reply = registry.put_manifest(repository, "again", image.manifest, OCI_MANIFEST)
    assert (reply.status, reply.headers["Docker-Content-Digest"]) == (201, image.digest)
    assert follow(registry, reply).body == image.manifest
    reply = registry.put_manifest(repository, image.digest, image.manifest, OCI_MANIFEST)
    assert (reply.status, reply.headers["Docker-Content-Digest"]) == (201, image.digest)


def test_bytes_of_a_manifest_are_kept(registry, repository, image):
    manifest = b"\n\t" + json.dumps(json.loads(image.manifest), indent=7).encode() + b"  \r\n"
    assert registry.put_manifest(repository, "bytes", manifest, OCI_MANIFEST).status == 201
    assert registry.get_manifest(repository, "bytes").body == manifest


def test_parameters_of_the_content_type_are_ignored(registry, repository, image):
    reply = registry.put_manifest(repository, "typed", image.manifest,
                                  f"{OCI_MANIFEST}; charset=utf-8")
    assert reply.status == 201
    assert registry.get_manifest(repository, "typed").headers["Content-Type"] == OCI_MANIFEST


def test_manifest_needs_no_layers(registry, repository):
    assert registry.push_blob(repository, b"{}").status == 201
    manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                           "config": descriptor(OCI_CONFIG, b"{}"), "layers": []}).encode()
    assert registry.put_manifest(repository, "empty", manifest, OCI_MANIFEST).status == 201


def test_missing_blobs_are_named(registry, repository):
    image = make_image()
    reply = registry.put_manifest(repository, "1.0", image.manifest, OCI_MANIFEST)
    errors = reply.json()["errors"]
    assert 400 <= reply.status < 500
    assert [error["code"] for error in errors] == ["MANIFEST_BLOB_UNKNOWN"] * 2
    assert [error["detail"]["digest"] for error in errors] == [digest_of(image.config),
                                                               digest_of(image.layer)]


def test_manifest_of_four_megabytes_is_taken(registry, repository, image):
    manifest = {**json.loads(image.manifest), "annotations": {"padding": ""}}
    room = MANIFEST_MAX_BYTES - len(json.dumps(manifest))
    manifest["annotations"]["padding"] = "x" * room
    content = json.dumps(manifest).encode()
    assert len(content) == MANIFEST_MAX_BYTES
    assert registry.put_manifest(repository, "large", content, OCI_MANIFEST).status == 201


def test_larger_manifest_is_refused_before_it_is_sent(wire, repository):
    wire.send(f"PUT /v2/{repository}/manifests/1.0 HTTP/1.1\r\nHost: localhost\r\n"
              f"Content-Type: {OCI_MANIFEST}\r\nContent-Length: {MANIFEST_MAX_BYTES + 1}\r\n\r\n"
              .encode())
    answer = wire.read()
    assert answer.status == 413
    assert json.loads(answer.body)["errors"][0]["code"] in CODES


def test_subject_need_not_be_there(registry, repository, image):
    subject = json.dumps({**json.loads(image.manifest), "annotations": {"later": "yes"}}).encode()
    manifest = make_referrer(registry, repository, subject)
    assert registry.put_manifest(repository, "2.0", subject, OCI_MANIFEST).status == 201
    listed = referrers(registry, repository, subject).json()["manifests"]
    assert [entry["digest"] for entry in listed] == [digest_of(manifest)]


# -- Content discovery: tags

@pytest.fixture
def tags(registry, repository, image):
    """All of the repository's, in the order of a list."""
    for tag in ("b", "a", "0.9", "A"):
        assert registry.put_manifest(repository, tag, image.manifest, OCI_MANIFEST).status == 201
    return ["0.9", "1.0", "A", "a", "b"]


def test_tags_are_listed_in_order(registry, repository, tags):
    reply = registry.list_tags(repository)
    assert (reply.status, reply.json()) == (200, {"name": repository, "tags": tags})


def test_list_of_tags_may_be_empty(registry, repository):
    image = make_image()
    assert registry.push_image(repository, image.digest, image).status == 201
    reply = registry.list_tags(repository)
    assert (reply.status, reply.json()["tags"]) == (200, [])


def test_n_limits_a_list_and_link_goes_on(registry, repository, tags):
    reply = registry.list_tags(repository, "?n=2")
    listed = reply.json()["tags"]
    assert listed == tags[:2]
    while reply.headers["Link"]:
        reply = next_page(registry, reply)
        listed += reply.json()["tags"]
    assert listed == tags
    reply = registry.list_tags(repository, f"?n={len(tags)}")
    assert (reply.json()["tags"], reply.headers["Link"]) == (tags, None)


def test_n_of_zero_is_an_empty_list(registry, repository, tags):
    reply = registry.list_tags(repository, "?n=0")
    assert (reply.status, reply.json()["tags"], reply.headers["Link"]) == (200, [], None)


def test_last_begins_a_list_behind_a_tag(registry, repository, tags):
    assert registry.list_tags(repository, "?n=2&last=1.0").json()["tags"] == tags[2:4]
    assert registry.list_tags(repository, "?last=1.0").json()["tags"] == tags[2:]


def test_tags_of_nothing_are_not_found(registry, repository):
    assert registry.list_tags(repository).status == 404


# -- Content discovery: referrers

def test_referrers_are_an_index(registry, repository, image):
    manifest = make_referrer(registry, repository, image.manifest, artifactType=SBOM,
                             annotations={"made.by": "hand"})
    reply = referrers(registry, repository, image.manifest)
    assert (reply.status, reply.headers["Content-Type"]) == (200, OCI_INDEX)
    assert reply.json() == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [{
        "mediaType": OCI_MANIFEST, "digest": digest_of(manifest), "size": len(manifest),
        "artifactType": SBOM, "annotations": {"made.by": "hand"}}]}


def test_artifact_type_of_an_image_is_its_config_s(registry, repository, image):
    make_referrer(registry, repository, image.manifest)
    listed = referrers(registry, repository, image.manifest).json()["manifests"]
    assert [entry["artifactType"] for entry in listed] == [OCI_CONFIG]


def test_index_without_artifact_type_has_none(registry, repository, image):
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX,
                        "manifests": [descriptor(OCI_MANIFEST, image.manifest)],
                        "subject": descriptor(OCI_MANIFEST, image.manifest)}).encode()
    reply = registry.put_manifest(repository, "referring-index", index, OCI_INDEX)
    assert (reply.status, reply.headers["OCI-Subject"]) == (201, image.digest)
    listed = referrers(registry, repository, image.manifest).json()["manifests"]
    assert [(entry["mediaType"], "artifactType" in entry) for entry in listed] == [(OCI_INDEX, False)]


def test_no_referrers_are_an_empty_list(registry, repository, image):
    for name in (repository, new_repository()):
        reply = referrers(registry, name, image.manifest)
        assert (reply.status, reply.json()["manifests"]) == (200, [])


@pytest.mark.parametrize("digest", ["1.0", "sha256:abc", "sha256"])
def test_referrers_of_what_is_no_digest_are_refused(registry, repository, digest):
    assert registry.request("GET", f"/v2/{repository}/referrers/{digest}").status == 400


def test_referrers_are_filtered_by_artifact_type(registry, repository, image):
    make_referrer(registry, repository, image.manifest)
    manifest = make_referrer(registry, repository, image.manifest, artifactType=SBOM)
    reply = referrers(registry, repository, image.manifest, f"?artifactType={SBOM}")
    assert reply.headers["OCI-Filters-Applied"] == "artifactType"
    assert [entry["digest"] for entry in reply.json()["manifests"]] == [digest_of(manifest)]
    reply = referrers(registry, repository, image.manifest, "?artifactType=none/such")
    assert (reply.status, reply.json()["manifests"]) == (200, [])
    assert reply.headers["OCI-Filters-Applied"] == "artifactType"


def test_long_list_of_referrers_has_a_link(registry, repository, image):
    """Together they are larger than a manifest may be."""
    pushed = {digest_of(make_referrer(registry, repository, image.manifest,
                                      annotations={"padding": f"{number}" + "x" * 900_000}))
              for number in range(7)}
    reply = referrers(registry, repository, image.manifest)
    listed = [entry["digest"] for entry in reply.json()["manifests"]]
    assert reply.headers["Link"]
    while reply.headers["Link"]:
        reply = next_page(registry, reply)
        assert len(reply.body) <= MANIFEST_MAX_BYTES
        listed += [entry["digest"] for entry in reply.json()["manifests"]]
    assert len(listed) == len(pushed) and set(listed) == pushed


def test_newest_referrers_come_first(registry, repository, image):
    """Some clients read the first page alone. What comes meanwhile moves no page."""
    def push(number):
        return digest_of(make_referrer(registry, repository, image.manifest,
                                       annotations={"number": f"{number}"}))
    pushed = {push(number) for number in range(12)}
    reply = referrers(registry, repository, image.manifest, "?n=7")
    newest = push("last")
    listed = [entry["digest"] for entry in reply.json()["manifests"]]
    listed += [entry["digest"] for entry in next_page(registry, reply).json()["manifests"]]
    assert (len(listed), set(listed)) == (12, pushed)
    reply = referrers(registry, repository, image.manifest, "?n=2")
    assert newest in [entry["digest"] for entry in reply.json()["manifests"]]


# -- Content management

def test_deleting_is_disabled(registry, repository, image):
    for path in ("manifests/1.0", f"manifests/{image.digest}", f"blobs/{digest_of(image.layer)}"):
        reply = registry.request("DELETE", f"/v2/{repository}/{path}")
        assert (reply.status, reply.error_code()) == (405, "UNSUPPORTED")
    assert registry.get_manifest(repository, "1.0").body == image.manifest


# -- Error codes

@pytest.mark.parametrize("bad", ["{0}=%zz", "{0}=%00", "{0}=a%", "{0}=%FF", "{0}={1}&{0}={1}",
                                 "{0}={1}&%{2:x}{3}={1}", "{0}=" + "a" * 1024])
def test_parameter_that_cannot_be_read_is_refused(registry, repository, image, bad):
    """Taken for absent, it would list all, or begin an upload instead of ending it."""
    for path, name, good in ((f"{repository}/tags/list", "n", 1), ("_catalog", "last", "a"),
                             (f"{repository}/referrers/{image.digest}", "artifactType", SBOM)):
        assert registry.request("GET", f"/v2/{path}?{name}={good}").status == 200
        query = bad.format(name, good, ord(name[0]), name[1:])
        assert registry.request("GET", f"/v2/{path}?{query}").status == 400, query
    digest = digest_of(b"content")
    for name in ("digest", "mount", "digest-algorithm"):
        query = bad.format(name, "sha256" if "-" in name else digest, ord(name[0]), name[1:])
        reply = registry.request("POST", f"/v2/{repository}/blobs/uploads/?{query}", b"content")
        assert (reply.status, reply.error_code()) == (400, "DIGEST_INVALID"), query
    location = registry.begin_upload(repository)
    query = bad.format("digest", digest, ord("d"), "igest")
    assert registry.request("PUT", f"{location}?{query}", b"content").status == 400
    assert registry.get_blob(repository, digest).status == 404


def test_unknown_parameters_are_ignored(registry, repository, image):
    reply = registry.request("GET", f"/v2/{repository}/tags/list?ns=docker.io&ns=%zz&n=1")
    assert reply.json()["tags"] == ["1.0"]


def test_errors_have_the_specified_form(registry, repository, image):
    for method, path, body in (
            ("GET", "/v2/nothing", None),
            ("POST", "/v2/", b""),
            ("GET", "/v2/alone/tags/list", None),
            ("GET", f"/v2/{repository}/manifests/none", None),
            ("GET", f"/v2/{new_repository()}/tags/list", None),
            ("GET", f"/v2/{repository}/blobs/{UNKNOWN_DIGEST}", None),
            ("GET", f"/v2/{repository}/blobs/none", None),
            ("GET", f"/v2/{repository}/blobs/uploads/none", None),
            ("PUT", f"/v2/{repository}/manifests/1.0", b"{}"),
            ("PUT", f"/v2/{repository}/manifests/-", b"{}"),
            ("DELETE", f"/v2/{repository}/manifests/1.0", None)):
        reply = registry.request(method, path, body, {"Content-Type": OCI_MANIFEST})
        assert 400 <= reply.status < 500, (method, path)
        assert reply.headers["Content-Type"] == "application/json"
        assert list(reply.json()) == ["errors"]
        for error in reply.json()["errors"]:
            assert error["code"] in CODES, (method, path, error)
            assert error["message"]


# -- the document itself

def test_document_and_tests_know_each_other():
    """Each test that docs/conformance.md names is there, and each of this file is named by it."""
    named = set(re.findall(r"`(test_\w+)`", DOCUMENT.read_text(encoding="utf-8")))
    present = set()
    for path in pathlib.Path(__file__).parent.glob("test_*.py"):
        present |= set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M))
    text = pathlib.Path(__file__).read_text(encoding="utf-8")
    own = set(re.findall(r"^def (test_\w+)", text, re.M))
    assert named - present == set()
    assert own - named == set()
