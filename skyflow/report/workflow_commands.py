"""Workflow commands as GitHub's runner reads them, for a skyflow that runs inside of one."""

from skyflow._util.terminal import plain
from skyflow.model.annotation import Annotation

__all__ = ["annotation_command", "group_command", "guarded"]


def annotation_command(annotation: Annotation, *, where: str) -> str:
    """Return the line that makes GitHub show an annotation; `where` is the job and step, for its title."""
    properties = {
        "file": annotation.file,
        "line": annotation.line,
        "endLine": annotation.end_line,
        "col": annotation.column,
        "endColumn": annotation.end_column,
        "title": f"{where}: {annotation.title}" if annotation.title else where,
    }
    pairs = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value is not None)
    code = f" ({annotation.code})" if annotation.code else ""
    return f"::{annotation.level.value} {pairs}::{_data(annotation.message + code)}"


def group_command(title: str) -> str:
    """Return the line that begins a group."""
    return f"::group::{_data(title)}"


def guarded(text: str, token: str) -> str:
    """Return lines such that GitHub takes none of them for a command; `token` must be secret to whoever wrote them."""
    if "::" not in text and "##[" not in text:
        return text
    return f"::stop-commands::{token}\n{text}::{token}::\n"


def _data(text: str) -> str:
    return plain(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
