"""Checks workflow files: named ones, those below folders, and standard input."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from skyflow.app.container_engine import engine_findings
from skyflow.app.project import CONFIG_NAME
from skyflow.diagnostics import Diagnostic, Severity, Span, in_reading_order
from skyflow.errors import UsageError, WorkflowInvalidError
from skyflow.spec import load_action, load_workflow, reader_for
from skyflow.spec.checks.registry import CHECKS
from skyflow.spec.form_rules import FORM_RULES
from skyflow.spec.second_opinion import schema_findings
from skyflow.spec.source import read_bytes

__all__ = ["STANDARD_INPUT", "Validated", "find_files", "meanings", "validate_files", "workflow_folders"]

STANDARD_INPUT = "-"
"""The name that stands for standard input."""
_SUFFIXES = (".yml", ".yaml")
_ACTION_FILES = frozenset({"action.yml", "action.yaml"})
_NO_WORKFLOWS = _ACTION_FILES | {CONFIG_NAME}
_WORKFLOW_FOLDERS = (Path(".github/workflows"), Path("workflows"))


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


def workflow_folders() -> tuple[str, ...]:
    """Return the folders of the current folder in which workflows are looked for.

    Raises:
        UsageError: there are none.
    """
    found = tuple(str(home) for home in _WORKFLOW_FOLDERS if home.is_dir())
    if not found:
        raise UsageError(
            f"there is neither {_WORKFLOW_FOLDERS[0]} nor {_WORKFLOW_FOLDERS[1]} in this folder",
            hint="name a file: skyflow validate FILE; `skyflow init` makes one to start from",
        )
    return found


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


def find_files(name: str) -> Iterator[str]:
    """Yield the files that a name stands for: itself, or, for a folder, the workflows below it.

    Of a repository these are the files in `.github/workflows` and `workflows`; of any other folder all YAML files, but
    for those that describe actions, or a project. There may be none.
    """
    folder = Path(name)
    if name == STANDARD_INPUT or "\0" in name or not folder.is_dir():
        yield name
        return
    homes = [folder / home for home in _WORKFLOW_FOLDERS if (folder / home).is_dir()] or [folder]
    found = sorted(
        path
        for home in homes
        for path in home.rglob("*")
        if path.suffix in _SUFFIXES and path.name not in _NO_WORKFLOWS and path.is_file()
    )
    yield from map(str, found)


def _nothing_below(folder: str) -> Diagnostic:
    message, hint = "there are no workflow files in this folder", "workflow files end in .yml or .yaml"
    return Diagnostic(folder, Span(1, 1, 1, 1), "file-empty", message, Severity.ERROR, hint)


def _check(file: str, content: bytes | None) -> tuple[Diagnostic, ...]:
    try:
        if Path(file).name in _ACTION_FILES:
            load_action(file, read_bytes(file))
            return ()
        read = reader_for(Path.cwd()) if content is not None else None
        loaded = load_workflow(file, text=content, platform=sys.platform, read=read)
        second = schema_findings(file, loaded.workflow.source)
    except WorkflowInvalidError as error:
        return error.diagnostics
    return (*loaded.findings, *loaded.refusals, *engine_findings(loaded.workflow), *second)
