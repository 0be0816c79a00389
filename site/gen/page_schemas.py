"""Pages from JSON Schemas: the workflow syntax, the events, a stored run, a plan."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markdown_text import code, page, table

from skyflow.spec.grammar.workflow import WORKFLOW
from skyflow.spec.json_schema import to_json_schema

__all__ = [
    "render_events",
    "render_plan_json",
    "render_run_json",
    "render_workflow_schema",
    "render_workflow_syntax",
]

Schema = Mapping[str, Any]

_SCHEMAS = Path(__file__).parents[2] / "schemas"
_KINDS = {"object": "map", "array": "list", "string": "text", "integer": "whole number", "boolean": "true or false"}


def render_workflow_schema() -> str:
    """Return the JSON Schema of workflow files, made from the grammar."""
    schema = to_json_schema(WORKFLOW, title="skyflow workflow")
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def render_workflow_syntax() -> str:
    """Return the page about workflow files."""
    schema: Schema = json.loads(render_workflow_schema())
    definitions: Schema = schema["$defs"]
    sections: list[tuple[str, Schema]] = [
        ("The file", schema),
        ("`jobs.<id>`", definitions["job"]),
        ("`jobs.<id>` that calls a workflow", definitions["callingJob"]),
        ("`jobs.<id>.resources`", definitions["resources"]),
        ("`jobs.<id>.estimate`", definitions["estimate"]),
        ("`jobs.<id>.strategy`", definitions["strategy"]),
        ("`jobs.<id>.strategy.matrix`", definitions["matrix"]),
        ("`jobs.<id>.container`", definitions["container"]),
        ("`jobs.<id>.services.<name>`", definitions["service"]),
        ("`jobs.<id>.steps[*]`: a script", definitions["runStep"]),
        ("`jobs.<id>.steps[*]`: an action", definitions["usesStep"]),
        ("`jobs.<id>.steps[*]`: waiting for some background steps", definitions["waitStep"]),
        ("`jobs.<id>.steps[*]`: waiting for all of them", definitions["waitAllStep"]),
        ("`jobs.<id>.steps[*]`: stopping one", definitions["cancelStep"]),
        ("`jobs.<id>.steps[*]`: several at once", definitions["parallelStep"]),
        ("`on.workflow_call`", definitions["workflowCall"]),
        ("`on.workflow_call.inputs.<name>`", definitions["callInput"]),
        ("`permissions`", definitions["permissions"]),
        ("`plan`", definitions["plan"]),
    ]
    parts = [
        (
            f"{schema['description']} The same as a schema for editors is `schemas/workflow.schema.json`, and `skyflow "
            "schema` prints it: put `# yaml-language-server: $schema=../schemas/workflow.schema.json` on top of a file. "
            "[Diagnostics](diagnostics.md) lists what is checked beyond the schema, and "
            "[Differences from GitHub](../explanation/github-differences.md) what GitHub has and skyflow has not."
        ),
    ]
    for title, section in sections:
        parts += [f"## {title}", _table(section, schema)]
    return page("Workflow syntax", source="`skyflow/spec/grammar`", parts=parts)


def render_events() -> str:
    """Return the page about JSON lines."""
    schema = _load("event")
    parts = [schema["description"], "The schema is `schemas/event.schema.json`."]
    for name in ("move", "annotation", "output", "stopping"):
        section = schema["$defs"][name]
        parts += [f"## {section['title']}", section["description"], _table(section, schema)]
        if name == "move":
            parts += ["### `data`", section["properties"]["data"]["description"]]
            parts.append(_table(section["properties"]["data"], schema))
    return page("Events", source="`schemas/event.schema.json`", parts=parts)


def render_run_json() -> str:
    """Return the page about stored runs."""
    schema = _load("run")
    parts = [schema["description"], "The schema is `schemas/run.schema.json`.", "## A run", _table(schema, schema)]
    for name in ("job", "attempt", "step", "annotation"):
        section = schema["$defs"][name]
        parts += [f"## {section['title']}", section["description"], _table(section, schema)]
    return page("Runs as JSON", source="`schemas/run.schema.json`", parts=parts)


def render_plan_json() -> str:
    """Return the page about plans."""
    schema = _load("plan")
    parts = [schema["description"], "The schema is `schemas/plan.schema.json`.", "## A plan", _table(schema, schema)]
    for name in ("cost", "proof"):
        parts += [f"### `{name}`", _table(schema["properties"][name], schema)]
    for name in ("placement", "transfer", "offering"):
        section = schema["$defs"][name]
        parts += [f"## {name.capitalize()}", section["description"], _table(section, schema)]
    return page("Plans as JSON", source="`schemas/plan.schema.json`", parts=parts)


def _load(name: str) -> Schema:
    schema: Schema = json.loads((_SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return schema


def _table(section: Schema, root: Schema) -> str:
    required = section.get("required", ())
    is_input = "x-expected" in root
    rows = []
    for name, key in section["properties"].items():
        about = _described(key, root)
        if "default" in key:
            about += f" Default: {code(str(key['default']))}."
        must = " (required)" if is_input and name in required else ""
        may = " (optional)" if not is_input and "required" in section and name not in required else ""
        rows.append((f"{code(name)}{must}{may}", _takes(key, root), about))
    return table(("key", "takes" if is_input else "is", "meaning"), rows)


def _described(key: Schema, root: Schema) -> str:
    about: str = key.get("description") or _resolved(key, root).get("description", "")
    return about


def _takes(key: Schema, root: Schema) -> str:
    """Say what a key holds, in as few words as the schema allows."""
    full = _resolved(key, root)
    if "x-expected" in full:
        return str(full["x-expected"])
    if "const" in full:
        return code(json.dumps(full["const"]))
    if "enum" in full:
        return ", ".join(code(value if isinstance(value, str) else json.dumps(value)) for value in full["enum"])
    if "oneOf" in full:
        return " or ".join(_takes(option, root) for option in reversed(full["oneOf"]))
    if "items" in full and full.get("type") == "array":
        return f"list of {_takes(full['items'], root)}" if "$ref" not in full["items"] else "list"
    kinds = full.get("type", "anything")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    suffix = " (date and time)" if full.get("format") == "date-time" else ""
    return " or ".join(_KINDS.get(kind, kind) for kind in kinds) + suffix


def _resolved(key: Schema, root: Schema) -> Schema:
    """Follow references; what stands beside one counts before what it points at."""
    while "$ref" in key:
        target = root["$defs"][key["$ref"].removeprefix("#/$defs/")]
        key = target | {name: value for name, value in key.items() if name != "$ref"}
        key = key if "$ref" in target else {name: value for name, value in key.items() if name != "$ref"}
    return key
