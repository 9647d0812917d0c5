"""Holds answers of Pier One's own API against its OpenAPI document."""

import json
import re

import jsonschema

from .server import ROOT

DOCUMENT_FILE = ROOT / "src/api/openapi.json"

# Not of that API: the distribution's, and what operators' probes ask.
OTHERS = re.compile(r"/v2(/|$)|/(health|ready)$")
METHODS = ("get", "post", "put", "patch", "delete")


class OpenApi:
    def __init__(self, document):
        self.document = document
        # The more of a path is literal, the closer it fits: `/teams/{team}/artifacts` before others.
        templates = sorted(document["paths"], key=lambda path: -len(re.sub(r"{\w+}", "", path)))
        self._paths = [(self._pattern(template), template) for template in templates]

    @classmethod
    def load(cls):
        return cls(json.loads(DOCUMENT_FILE.read_text(encoding="utf-8")))

    @staticmethod
    def _pattern(template):
        """Artifacts may hold slashes."""
        parts = re.split(r"({\w+})", template)
        return re.compile("".join(
            (r"(.+)" if part == "{artifact}" else r"([^/]+)") if part.startswith("{")
            else re.escape(part) for part in parts))

    def operation(self, method, path):
        """The description of what a request asks for; None if there is none."""
        for pattern, template in self._paths:
            if pattern.fullmatch(path):
                wanted = "get" if method == "HEAD" else method.lower()
                if wanted in self.document["paths"][template]:
                    return self.document["paths"][template][wanted]
        return None

    def resolve(self, value):
        """What a `$ref` of this document names."""
        while "$ref" in value:
            target = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            value = target
        return value

    def validate(self, schema, value):
        jsonschema.Draft202012Validator(
            {**schema, "components": self.document["components"]}).validate(value)

    def check(self, method, target, status, headers, body):
        """Asserts that an answer is as described; of paths and methods that are not, that it says so."""
        path = target.split("?")[0]
        if OTHERS.match(path):
            return
        operation = self.operation(method, path)
        if operation is None:
            assert status in (400, 401, 404, 405), f"{method} {path}: {status}, and not described"
            assert headers["Content-Type"] == "application/problem+json", f"{method} {path}"
            if method != "HEAD":
                self.validate(self.document["components"]["schemas"]["Problem"], json.loads(body))
            return
        described = operation["responses"].get(str(status))
        assert described, f"{method} {path}: status {status} is not described"
        described = self.resolve(described)
        for name, field in described.get("headers", {}).items():
            if field.get("required"):
                assert name in headers, f"{method} {path}: {status} without {name}"
            if name in headers:
                self.validate(field["schema"], headers[name])
        media_type = headers["Content-Type"]
        assert media_type in described["content"], f"{method} {path}: {status} as {media_type}"
        if method != "HEAD":
            self.validate(described["content"][media_type]["schema"], json.loads(body))
