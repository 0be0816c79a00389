"""`skyflow validate`."""

import gc
import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from skyflow.cli._completion import complete_workflow

__all__ = ["Format", "validate"]


class Format(StrEnum):
    """How findings are shown."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def validate(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="Workflow files, folders, or - for standard input.  [default: .github/workflows and workflows]",
            autocompletion=complete_workflow,
        ),
    ] = None,
    *,
    form: Annotated[
        Format, typer.Option("--format", help="text for people, json, sarif, or github for annotations.")
    ] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Check workflow files; every finding is shown with its place. Nothing is run."""
    gc.disable()  # a short life that makes many small values and hardly a cycle, so there is nothing to collect
    from skyflow.app.validate import validate_files  # noqa: PLC0415 -- start-up
    from skyflow.app.workflow_files import workflow_folders  # noqa: PLC0415
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.diagnostics import has_errors  # noqa: PLC0415
    from skyflow.errors import EXIT_WORKFLOW_INVALID  # noqa: PLC0415

    checked = validate_files(files or workflow_folders(), read_input=sys.stdin.buffer.read)
    match Format.JSON if as_json else form:
        case Format.JSON:
            out(json.dumps([finding.to_json() for finding in checked.findings], indent=2, ensure_ascii=False))
        case Format.SARIF:
            from skyflow import __version__  # noqa: PLC0415
            from skyflow.app.validate import meanings  # noqa: PLC0415
            from skyflow.report.sarif import to_sarif  # noqa: PLC0415

            log = to_sarif(checked.findings, version=__version__, meanings=meanings())
            out(json.dumps(log, indent=2, ensure_ascii=False))
        case Format.GITHUB:
            from skyflow.report.finding_commands import to_annotation  # noqa: PLC0415

            for finding in checked.findings:
                out(to_annotation(finding))
        case Format.TEXT:
            from skyflow.cli._findings import print_findings  # noqa: PLC0415

            print_findings(checked.findings, standard_input=checked.text)
            if checked.wrong_files and len(checked.files) > 1:
                err(f"{checked.wrong_files} of {len(checked.files)} files have errors")
    if has_errors(checked.findings):
        raise typer.Exit(EXIT_WORKFLOW_INVALID)
    if form is Format.TEXT and not as_json:
        out(f"{len(checked.files)} {'file is' if len(checked.files) == 1 else 'files are'} valid")
