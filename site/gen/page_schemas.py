"""Pages from JSON Schemas: the workflow syntax, the events, a stored run, a plan."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markdown_text import code, page, table

from skyflow.catalog.columns import TABLES, TableSpec
from skyflow.spec.grammar.config import CONFIG
from skyflow.spec.grammar.workflow import WORKFLOW
from skyflow.spec.json_schema import to_json_schema

__all__ = [
    "render_catalog_format",
    "render_catalog_schema",
    "render_config_schema",
    "render_configuration",
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
        ("`jobs.<id>.checkpoint`", definitions["checkpoint"]),
        ("`jobs.<id>.artifacts.<name>`", definitions["declaredArtifact"]),
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


def render_config_schema() -> str:
    """Return the JSON Schema of `skyflow.yml`, made from the grammar."""
    schema = to_json_schema(CONFIG, title="skyflow config")
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def render_configuration() -> str:
    """Return the page about `skyflow.yml`."""
    schema: Schema = json.loads(render_config_schema())
    parts = [
        (
            f"{schema['description']} It stands in the root of the project. `skyflow config check` looks whether it is "
            "right and whether what it names is in the catalog; `schemas/config.schema.json` is the same for editors. "
            "[Use your own machines and prices](../how-to/own-machines-and-prices.md) shows one."
        ),
        "## The file",
        _table(schema, schema),
    ]
    for title, name in (
        ("`machines.<name>`", "machines"),
        ("`machines.<name>.hosts[*]`", "host"),
        ("`machines.<name>.ssh`", "ssh"),
        ("`machines.<name>.place`", "place"),
        ("`machines.<name>.power`", "power"),
        ("`prices[*]`", "price"),
        ("`peering[*]`", "line"),
    ):
        parts += [f"## {title}", _table(schema["$defs"][name], schema)]
    return page("Project configuration", source="`skyflow/spec/grammar/config.py`", parts=parts)


def render_catalog_schema() -> str:
    """Return the JSON Schema of the rows of all catalog tables, made from the columns."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "skyflow catalog",
        "description": "One row of a catalog table, as a map from column to cell; every cell is text, as in the file.",
        "$comment": "Made from skyflow/catalog/columns.py by site/gen/build.py.",
        "anyOf": [{"$ref": f"#/$defs/{name.removesuffix('.csv')}"} for name in TABLES],
        "$defs": {name.removesuffix(".csv"): _row_schema(spec) for name, spec in TABLES.items()},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _row_schema(spec: TableSpec) -> Schema:
    return {
        "description": f"{spec.title}.",
        "type": "object",
        "additionalProperties": False,
        "required": list(spec.names),
        "properties": {column.name: {"description": column.meaning, **column.json} for column in spec.columns},
    }


def render_catalog_format() -> str:
    """Return the page about the catalog's tables."""
    parts = [
        (
            "A catalog is a folder of CSV files. `instance_types.csv` and `prices.csv` are in a folder for each cloud, the "
            "others beside these. A row that is wrong is left out, and `skyflow catalog doctor` names its file, line, "
            "column and reason; a file with other columns is refused. `schemas/catalog.schema.json` has the same for "
            "programs. [The catalog](../explanation/catalog.md) explains where the figures come from."
        )
    ]
    for name, spec in TABLES.items():
        rows = [(code(column.name), column.meaning) for column in spec.columns]
        parts += [f"## `{name}`", f"{spec.title}.", table(("column", "meaning"), rows)]
    return page("Catalog tables", source="`skyflow/catalog/columns.py`", parts=parts)


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
    for name in ("placement", "transfer", "offering", "footprint"):
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
