"""Checks requests and answers against Google's own description of the API."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema

_COMMON = frozenset({"$alt", "alt", "fields", "key", "prettyPrint", "quotaUser", "userIp"})


class Contract:
    """The methods and schemas of a discovery document, as `excerpt.py` cut them out."""

    def __init__(self, path: Path) -> None:
        document = json.loads(path.read_text(encoding="utf-8"))
        self._routes = [
            (
                each["verb"],
                re.compile("^/compute/v1/" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", each["path"]) + "$"),
                name,
            )
            for name, each in document["methods"].items()
        ]
        self._methods = document["methods"]
        sent = {name: _converted(each, sent=True) for name, each in document["schemas"].items()}
        answered = {name: _converted(each, sent=False) for name, each in document["schemas"].items()}
        self._definitions = {True: sent, False: answered}
        self._validators: dict[tuple[str, bool], Any] = {}

    def find(self, verb: str, path: str) -> tuple[str, dict[str, str]] | None:
        """Return the method that a request calls, and the names in its path."""
        for wanted, pattern, name in self._routes:
            found = pattern.match(path)
            if found and wanted == verb:
                return name, {key: unquote(each) for key, each in found.groupdict().items()}
        return None

    def faults_of_request(self, method: str, named: dict[str, str], query: dict[str, str], body: Any) -> list[str]:
        """Return what is wrong with a request."""
        described = self._methods[method]
        faults = []
        for key, value in {**named, **query}.items():
            parameter = described["parameters"].get(key)
            if parameter is None:
                if key not in _COMMON:
                    faults.append(f'Unknown name "{key}": Cannot bind query parameter.')
            elif "pattern" in parameter and not re.fullmatch(parameter["pattern"], value):
                faults.append(f"Invalid value for field '{key}': '{value}'")
        if described["request"]:
            faults += self._faults(described["request"], body or {}, sent=True)
        elif body:
            faults.append("a body was sent to a method that takes none")
        return faults

    def faults_of_answer(self, method: str, answer: Any) -> list[str]:
        """Return what is wrong with an answer: the tests' own mistakes."""
        return self._faults(self._methods[method]["response"], answer, sent=False)

    def _faults(self, schema: str, value: Any, *, sent: bool) -> list[str]:
        if (schema, sent) not in self._validators:
            whole = {"$ref": f"#/$defs/{schema}", "$defs": self._definitions[sent]}
            self._validators[schema, sent] = jsonschema.Draft202012Validator(whole)
        found = self._validators[schema, sent].iter_errors(value)
        return [f"{'/'.join(str(part) for part in each.absolute_path)}: {each.message[:200]}" for each in found]


def _converted(schema: dict[str, Any], *, sent: bool) -> dict[str, Any]:
    """Return a schema of the discovery format as JSON Schema; unknown fields are faults."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    kind = schema.get("type")
    if kind == "object":
        made: dict[str, Any] = {"type": "object"}
        if "properties" in schema:
            made["properties"] = {key: _converted(each, sent=sent) for key, each in schema["properties"].items()}
            made["additionalProperties"] = False
        if "additionalProperties" in schema:
            made["additionalProperties"] = _converted(schema["additionalProperties"], sent=sent)
        return made
    if kind == "array":
        return {"type": "array", "items": _converted(schema["items"], sent=sent)}
    if kind == "string" and schema.get("format") in {"int64", "uint64"}:  # Google takes numbers, and answers in strings
        return {"type": ["string", "integer"] if sent else "string", "pattern": r"^-?\d+$"}
    if kind == "string":
        made = {"type": "string"}
        if "enum" in schema:
            made["enum"] = schema["enum"]
        if "pattern" in schema:
            made["pattern"] = f"^(?:{schema['pattern']})$"
        return made
    return {"type": kind} if kind in {"integer", "number", "boolean"} else {}
