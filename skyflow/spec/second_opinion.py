"""What `schemas/workflow.schema.json` says of a workflow file: the schema that editors hold it against.

The grammar decides, and the schema is made from it, so the two agree; should they ever not, an editor would mark what
skyflow accepts. `skyflow validate` therefore asks both. jsonschema takes longer to import than most files to check, so a
run asks the grammar alone.
"""

import json

from skyflow._util.data_files import data_file
from skyflow.diagnostics import Diagnostic, Span, in_reading_order
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import Node, find, to_plain

__all__ = ["schema_findings"]


def schema_findings(path: str, root: Node) -> tuple[Diagnostic, ...]:
    """Return what the published schema has against a file that the grammar accepts, each at the value it is about.

    Args:
        path: The file, as findings are to name it.
        root: What stands in it.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415 -- see the module's docstring

    findings = Findings(path)
    schema = json.loads(data_file("schemas", "workflow.schema.json").read_text(encoding="utf-8"))
    for error in Draft202012Validator(schema).iter_errors(to_plain(root)):
        findings.error(
            "schema",
            _span(root, tuple(error.absolute_path)),
            f"the published schema does not accept this: {error.message}",
            hint="this is a mistake of the schema; please report it",
        )
    return in_reading_order(findings.found)


def _span(root: Node, path: tuple[str | int, ...]) -> Span:
    node = find(root, path)
    return (node or root).span
