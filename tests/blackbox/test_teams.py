"""Pier One's own API, beside what the registry's clients push."""

from support.authorization import bearer
from support.images import make_image
from support.registry_client import RegistryClient


def test_what_was_pushed_is_listed(start_server, services):
    server = start_server(services.settings())
    field = bearer(services.add_employee("jdoe", "myteam"))
    image = make_image()
    with RegistryClient(server.port, authorization=field) as registry:
        for tag in ("1.0", "2.0"):
            assert registry.push_image("myteam/app/deeper", tag, image).status == 201
        assert registry.request("GET", "/teams").json() == ["myteam"]
        assert registry.request("GET", "/teams/myteam/artifacts").json() == ["app/deeper"]
        tags = registry.request("GET", "/teams/myteam/artifacts/app%2Fdeeper/tags").json()
        assert [tag["name"] for tag in tags] == ["1.0", "2.0"]
        one = registry.request("GET", "/teams/myteam/artifacts/app/deeper/tags/2.0").json()
        assert one == tags[1]
        assert one["created_by"] == "jdoe"
        head = registry.request("HEAD", "/v2/myteam/app/deeper/manifests/2.0")
        assert one["digest"] == head.headers["Docker-Content-Digest"]
        old = registry.request("GET", "/v1/repositories/myteam/app/deeper/tags").json()
        assert old == {tag["name"]: tag["image"] for tag in tags} | {"latest": tags[1]["image"]}
    with RegistryClient(server.port) as stranger:
        reply = stranger.request("GET", "/teams")
        assert reply.status == 401
        assert reply.headers["WWW-Authenticate"].startswith("Bearer ")
        assert reply.json()["message"]
