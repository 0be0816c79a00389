"""Checks workflow files: named ones, those below folders, and standard input."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from skyflow.app.action_folders import action_folders
from skyflow.app.container_engine import engine_findings
from skyflow.app.workflow_files import ACTION_FILES, STANDARD_INPUT, find_files
from skyflow.diagnostics import Diagnostic, Severity, Span, in_reading_order
from skyflow.errors import WorkflowInvalidError
from skyflow.spec import load_action, load_workflow, reader_for, workspace_of
from skyflow.spec.checks.registry import CHECKS
from skyflow.spec.form_rules import FORM_RULES
from skyflow.spec.second_opinion import schema_findings
from skyflow.spec.source import read_bytes

__all__ = ["Validated", "meanings", "validate_files"]


@dataclass(frozen=True, slots=True)
class Validated:
    """What was looked at, and what was found, in reading order; `text` has the content of standard input."""

    files: tuple[str, ...]
    findings: tuple[Diagnostic, ...]
    text: str = ""

    @property
    def wrong_files(self) -> int:
        """How many files have errors."""
        return len({finding.path for finding in self.findings if finding.severity is Severity.ERROR})


def meanings() -> dict[str, str]:
    """Return what each code of a finding means, as a sentence."""
    checks = {check.code: check.summary for check in CHECKS}
    return checks | {rule.code: rule.summary for rule in FORM_RULES}


def validate_files(names: Iterable[str], *, read_input: Callable[[], bytes]) -> Validated:
    """Check every file that is named, and every workflow below a folder that is named.

    Args:
        names: files, folders, and `-` for standard input.
        read_input: returns what comes in on standard input.

    Raises:
        UsageError: a file cannot be read.
    """
    findings: list[Diagnostic] = []
    below = {name: tuple(find_files(name)) for name in names}
    findings += [_nothing_below(name) for name, files in below.items() if not files]
    files = tuple(dict.fromkeys(file for found in below.values() for file in found))
    text = ""
    for file in files:
        if file == STANDARD_INPUT:
            content = read_input()
            text = content.decode("utf-8", "replace")
            findings += _check(file, content)
        else:
            findings += _check(file, None)
    return Validated(files, in_reading_order(findings), text)


def _nothing_below(folder: str) -> Diagnostic:
    message, hint = "there are no workflow files in this folder", "workflow files end in .yml or .yaml"
    return Diagnostic(folder, Span(1, 1, 1, 1), "file-empty", message, Severity.ERROR, hint)


def _check(file: str, content: bytes | None) -> tuple[Diagnostic, ...]:
    try:
        if Path(file).name in ACTION_FILES:
            load_action(file, read_bytes(file))
            return ()
        root = workspace_of(file) if content is None else Path.cwd()
        loaded = load_workflow(
            file, text=content, platform=sys.platform, read=reader_for(root), folder_of=action_folders(root)
        )
        second = schema_findings(file, loaded.root)
    except WorkflowInvalidError as error:
        return error.diagnostics
    return (*loaded.findings, *loaded.refusals, *engine_findings(loaded.workflow), *second)
