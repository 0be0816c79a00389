"""Checks workflow files: named ones, those below folders, and standard input."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from skyflow.app.container_engine import engine_findings
from skyflow.diagnostics import Diagnostic, in_reading_order
from skyflow.errors import UsageError, WorkflowInvalidError
from skyflow.spec import load_action, load_workflow, reader_for
from skyflow.spec.second_opinion import schema_findings
from skyflow.spec.source import read_bytes

__all__ = ["STANDARD_INPUT", "Validated", "find_files", "validate_files"]

STANDARD_INPUT = "-"
"""The name that stands for standard input."""
_SUFFIXES = (".yml", ".yaml")
_ACTION_FILES = frozenset({"action.yml", "action.yaml"})
_WORKFLOW_FOLDERS = (Path(".github/workflows"), Path("workflows"))


@dataclass(frozen=True, slots=True)
class Validated:
    """What was looked at, and what was found, in reading order; `text` has the content of standard input."""

    files: tuple[str, ...]
    findings: tuple[Diagnostic, ...]
    text: str = ""


def validate_files(names: Iterable[str], *, read_input: Callable[[], bytes]) -> Validated:
    """Check every file that is named, and every workflow below a folder that is named.

    Args:
        names: files, folders, and `-` for standard input.
        read_input: returns what comes in on standard input.

    Raises:
        UsageError: a file cannot be read, or there is no workflow below a folder.
    """
    files = tuple(dict.fromkeys(file for name in names for file in find_files(name)))
    findings: list[Diagnostic] = []
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
    for those that describe actions.

    Raises:
        UsageError: there is none below a folder.
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
        if path.suffix in _SUFFIXES and path.name not in _ACTION_FILES and path.is_file()
    )
    if not found:
        raise UsageError(f"there are no workflow files below {name}", hint="workflow files end in .yml or .yaml")
    yield from map(str, found)


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
