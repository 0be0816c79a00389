"""Cuts out of Google's discovery document of Compute Engine what the tests need: methods, and the schemas they use.

    pip download --no-deps google-api-python-client && unzip *.whl 'googleapiclient/discovery_cache/documents/compute.v1.json'
    python tests/clouds/excerpt.py googleapiclient/discovery_cache/documents/compute.v1.json

It writes `data/compute.v1.json`, without descriptions. Method `disks.insert` is for the tests alone.
"""

import json
import sys
from pathlib import Path
from typing import Any

METHODS = {
    "instances": ("insert", "get", "delete", "aggregatedList"),
    "zoneOperations": ("get",),
    "globalOperations": ("get",),
    "firewalls": ("get", "insert", "delete", "list"),
    "networks": ("get", "insert", "delete"),
    "disks": ("aggregatedList", "delete", "insert"),
    "regions": ("get",),
    "projects": ("get",),
}
KEPT = (
    "$ref", "type", "format", "pattern", "enum", "items", "properties", "additionalProperties", "required", "repeated",
    "location",
)  # fmt: skip
TARGET = Path(__file__).parent / "data" / "compute.v1.json"


def slim(value: Any, *, names: bool = False) -> Any:
    """Return a schema without descriptions; where `names`, the keys are names of fields rather than words of JSON Schema."""
    if isinstance(value, list):
        return [slim(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: slim(each, names=key == "properties" and not names) for key, each in value.items() if names or key in KEPT
    }


def references(value: Any) -> set[str]:
    """Return the names of all schemas that a value refers to."""
    if isinstance(value, list):
        return set().union(*(references(each) for each in value))
    if not isinstance(value, dict):
        return set()
    here = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return here.union(*(references(each) for each in value.values()))


def excerpt(document: dict[str, Any]) -> dict[str, Any]:
    """Return what the tests need of a discovery document."""
    methods = {}
    wanted: set[str] = set()
    for resource, names in METHODS.items():
        for name in names:
            found = document["resources"][resource]["methods"][name]
            methods[f"{resource}.{name}"] = {
                "verb": found["httpMethod"],
                "path": found.get("flatPath", found["path"]),
                "parameters": {key: slim(each) for key, each in found["parameters"].items()},
                "request": found.get("request", {}).get("$ref"),
                "response": found["response"]["$ref"],
            }
            wanted |= {ref for ref in (methods[f"{resource}.{name}"]["request"], found["response"]["$ref"]) if ref}
    schemas: dict[str, Any] = {}
    while missing := wanted - set(schemas):
        for name in missing:
            schemas[name] = slim(document["schemas"][name])
            wanted |= references(schemas[name])
    return {"revision": document["revision"], "methods": methods, "schemas": dict(sorted(schemas.items()))}


if __name__ == "__main__":
    made = excerpt(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    TARGET.write_text(json.dumps(made, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
    print(f"{TARGET}: {len(made['methods'])} methods, {len(made['schemas'])} schemas, revision {made['revision']}")
