"""The OpenAPI document: whole in itself, true of the server, and what answers are held against."""

import json
import re

import jsonschema
import pytest

from support.images import make_image
from support.openapi import DOCUMENT_FILE, METHODS, OpenApi
from support.registry_client import RegistryClient
from support.server import ROOT

ROUTE = re.compile(r"\{HTTP_(\w+),\s*\"([^\"]+)\"")


@pytest.fixture(scope="module")
def openapi():
    return OpenApi.load()


def operations_of(openapi):
    for path, item in openapi.document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def references_in(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value
        for member in value.values():
            yield from references_in(member)
    elif isinstance(value, list):
        for element in value:
            yield from references_in(element)


def test_it_is_served_as_it_is_here(registry, openapi):
    reply = registry.request("GET", "/openapi.json")
    assert (reply.status, reply.body) == (200, DOCUMENT_FILE.read_bytes())
    assert openapi.document["openapi"].startswith("3.1.")


def test_it_is_whole(openapi):
    for reference in references_in(openapi.document):
        assert openapi.resolve(reference), reference
    for schema in openapi.document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    names = [operation["operationId"] for _, _, operation in operations_of(openapi)]
    assert len(names) == len(set(names))
    for _, path, operation in operations_of(openapi):
        assert operation["summary"] and "200" in operation["responses"]
        named = {openapi.resolve(parameter)["name"] for parameter in operation.get("parameters", ())
                 if openapi.resolve(parameter)["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), path


def test_its_examples_are_valid(openapi):
    checked = 0
    for schema in openapi.document["components"]["schemas"].values():
        for example in schema.get("examples", ()):
            openapi.validate(schema, example)
            checked += 1
    assert checked > 3


def test_it_describes_every_route_and_no_other(openapi):
    """`{name}` of a route is a team with or without an artifact, as the handlers read it."""
    def shape(path):
        path = path.replace("/{team}/artifacts/{artifact}", "/{}").replace("/{team}/{artifact}", "/{}")
        return re.sub(r"{\w*}", "{}", path)

    source = (ROOT / "src/api/routes.c").read_text(encoding="utf-8")
    routes = {(method.lower(), shape(path)) for method, path in ROUTE.findall(source)
              if not path.startswith("/v2") and path not in ("/health", "/ready")}
    assert len(routes) > 10
    assert routes == {(method, shape(path)) for method, path, _ in operations_of(openapi)}


def test_every_operation_answers_as_described(registry, openapi):
    """The client of the tests checks each answer; here each operation is asked once for what is there."""
    image = make_image()
    assert registry.push_image("oateam/app", "1.0", image).status == 201
    values = {"team": "oateam", "artifact": "app", "tag": "1.0",
              "image": json.loads(image.manifest)["config"]["digest"][:24]}
    for method, path, operation in operations_of(openapi):
        target = re.sub(r"{(\w+)}", lambda name: values[name.group(1)], path)
        assert openapi.operation(method, target) is operation, target
        body = b'{"incident_id":"INC-1"}' if "requestBody" in operation else None
        reply = registry.request(method.upper(), target, body=body)
        # Of this image nobody says what it was built from.
        expected = {"markProductionReady": 422, "getScmSource": 404}
        assert reply.status == expected.get(operation["operationId"], 200), target


def tag_with(**changes):
    tag = dict(OpenApi.load().document["components"]["schemas"]["Tag"]["examples"][0])
    tag.update(changes)
    return json.dumps(tag).encode()


@pytest.mark.parametrize("path, status, media_type, body", [
    ("/teams", 200, "application/json", b"{}"),
    ("/teams", 200, "text/plain", b"[]"),
    ("/teams", 418, "application/json", b"[]"),
    ("/stats", 404, "application/problem+json", b"{}"),
    ("/nowhere", 200, "application/json", b"[]"),
    ("/teams/t/artifacts/a/tags/1", 200, "application/json", tag_with(digest="sha256:0")),
    ("/teams/t/artifacts/a/b/tags/1", 200, "application/json", tag_with(created="2015-05-07")),
    ("/teams/t/artifacts/a/tags/1", 200, "application/json", tag_with(more=1)),
])
def test_wrong_answers_are_found(openapi, path, status, media_type, body):
    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        openapi.check("GET", path, status, {"Content-Type": media_type}, body)


def test_right_answers_are_not(openapi):
    openapi.check("GET", "/teams/t/artifacts/a/b/tags/1", 200, {"Content-Type": "application/json"},
                  tag_with())


def test_refusals_are_described(start_server, services):
    """Where one has to log in: 401 with its challenge, on every path that needs it."""
    server = start_server(services.settings())
    document = OpenApi.load()
    with RegistryClient(server.port) as stranger:
        for method, path, operation in operations_of(document):
            target = re.sub(r"{\w+}", "a1", path)
            status = stranger.request(method.upper(), target).status
            assert status == (200 if operation.get("security") == [] else 401), target
