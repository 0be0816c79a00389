"""Azure's contract as its own SDK has it: routes and versions from the source, bodies from the models.

Microsoft generates azure-mgmt-compute from the description of the service, so what the SDK would not send or understand
is no request or answer of the service either. Unknown and read-only fields are faults; values of open enumerations are
compared with those that the SDK knows.
"""

import ast
import enum
import re
import typing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import azure.mgmt.compute
import jsonschema
from azure.mgmt.compute import models

_NAMES = {
    "_models": models, "datetime": __import__("datetime"), "Any": Any, "Optional": typing.Optional, "Union": typing.Union,
    "Literal": typing.Literal, "str": str,
}  # fmt: skip
_STALE_ENUMERATIONS = ("/vmSize", "/networkApiVersion")
_PLAIN = {str: "string", bool: "boolean", int: "integer", float: "number", datetime: "string", bytes: "string"}


@dataclass(frozen=True)
class Route:
    name: str
    verb: str
    pattern: re.Pattern[str]
    version: str


def routes() -> list[Route]:
    """Return every request that the SDK can build."""
    source = Path(azure.mgmt.compute.__path__[0], "operations", "_operations.py").read_text(encoding="utf-8")
    found = []
    for text in re.findall(
        r"^def build_.*?(?=^def |^class )", source, re.DOTALL | re.MULTILINE
    ):  # the classes are huge
        [function] = ast.parse(text).body
        assert isinstance(function, ast.FunctionDef)
        url = verb = version = ""
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_url":
                url = getattr(node.value, "value", "") or url
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "HttpRequest":
                verb = next(each.value.value for each in node.keywords if each.arg == "method")
            elif (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", "") == "pop"
                and node.args
                and getattr(node.args[0], "value", None) == "api-version"
            ):
                version = node.args[1].value
        if isinstance(url, str) and url:
            pattern = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", url) + "$", re.IGNORECASE)
            name = function.name.removeprefix("build_").removesuffix("_request")
            found.append(Route(name, verb, pattern, version))
    return found


@dataclass
class ModelSchemas:
    """JSON Schemas of the SDK's models, made when they are first asked for."""

    definitions: dict[str, Any] = field(default_factory=dict)

    def faults(self, model: type[Any], value: Any, *, sent: bool) -> list[str]:
        """Return what is wrong with a body; one that is sent must not have read-only fields."""
        root = self._reference(model)
        validator = jsonschema.Draft202012Validator({**root, "$defs": self.definitions})
        faults = [
            f"{'/'.join(map(str, each.absolute_path))}: {each.message[:160]}" for each in validator.iter_errors(value)
        ]
        if sent:
            self._walk(root, value, "", faults)
        return faults

    def _walk(self, schema: dict[str, Any], value: Any, path: str, faults: list[str]) -> None:
        if "$ref" in schema:
            schema = self.definitions[schema["$ref"].removeprefix("#/$defs/")]
        if isinstance(value, dict):
            faults += [f"{path}/{key}: is read-only" for key in value if key in schema.get("x-read-only", ())]
            for key, each in value.items():
                known = schema.get("properties", {}).get(key) or schema.get("additionalProperties") or {}
                self._walk(known, each, f"{path}/{key}", faults)
        elif isinstance(value, list):
            for number, each in enumerate(value):
                self._walk(schema.get("items", {}), each, f"{path}/{number}", faults)
        elif "x-values" in schema and not path.endswith(_STALE_ENUMERATIONS) and value not in schema["x-values"]:
            faults.append(f"{path}: {value!r} is none of {schema['x-values'][:8]}")

    def _reference(self, model: type[Any]) -> dict[str, Any]:
        name = model.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # models refer to themselves
            model.__new__(model)  # which fills in the fields
            hints: dict[str, Any] = {}
            for base in reversed(model.__mro__):
                hints.update(getattr(base, "__annotations__", {}))
            fields = model._attr_to_rest_field
            self.definitions[name] = {
                "type": "object",
                "properties": {each._rest_name: self._schema(hints.get(key, Any)) for key, each in fields.items()},
                "additionalProperties": False,
                "x-read-only": [each._rest_name for each in fields.values() if each._visibility == ["read"]],
            }
        return {"$ref": f"#/$defs/{name}"}

    def _schema(self, hint: Any) -> dict[str, Any]:
        hint = _resolved(hint)
        origin, arguments = typing.get_origin(hint), [_resolved(each) for each in typing.get_args(hint)]
        if origin is typing.Union:
            wanted = [each for each in arguments if each is not type(None)]
            values = [each for each in wanted if isinstance(each, type) and issubclass(each, enum.Enum)]
            if values:
                return {"type": "string", "x-values": [each.value for each in values[0]]}
            return self._schema(wanted[0]) if len(wanted) == 1 else {}
        if origin is list:
            return {"type": "array", "items": self._schema(arguments[0])}
        if origin is dict:
            return {"type": "object", "additionalProperties": self._schema(arguments[1])}
        if isinstance(hint, type) and hasattr(hint, "_attr_to_rest_field"):
            return self._reference(hint)
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return {"type": "string", "x-values": [each.value for each in hint]}
        return {"type": _PLAIN[hint]} if hint in _PLAIN else {}


def _resolved(hint: Any) -> Any:
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    return eval(hint, dict(_NAMES)) if isinstance(hint, str) else hint
