"""From the bytes of a workflow file to text that is safe to read on: size, encoding, characters."""

import re
from pathlib import Path
from typing import NoReturn

from skyflow.diagnostics import Span
from skyflow.errors import UsageError, WorkflowInvalidError
from skyflow.spec.findings import FileRefusedError, Findings

__all__ = ["MAX_CHARACTERS", "WORKFLOW_FOLDERS", "decode", "position_at", "read_bytes", "source_lines"]

MAX_CHARACTERS = 1024 * 1024
"""GitHub's limit for one workflow file."""
_MAX_BYTES = MAX_CHARACTERS * 4  # no character takes more than four bytes in UTF-8
_LINE_END = re.compile(r"\r\n|\r|\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")  # large classes take long to compile
WORKFLOW_FOLDERS = (Path(".github/workflows"), Path("workflows"))
"""Where workflows are, below the root of a project."""
_NO_CHARACTERS = ("\ufffe", "\uffff")
_BYTE_ORDER_MARK = "\ufeff"


def read_bytes(path: str) -> bytes:
    """Return the content of the file, or as much of it as shows that it is too large.

    Raises:
        UsageError: there is no such file, or it cannot be read.
        WorkflowInvalidError: it is a directory.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"no such file: {path}", hint=_meant(path)) from None
    except IsADirectoryError:
        findings = Findings(path or ".")
        hint = "name one workflow file in it"
        findings.error("file-not-text", Span(1, 1, 1, 1), "this is a directory, not a workflow file", hint=hint)
        raise WorkflowInvalidError(tuple(findings.found)) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"cannot read {path}: {reason}") from error


def decode(content: bytes | str, findings: Findings) -> str:
    """Return the text of the file without a byte order mark.

    Raises:
        FileRefusedError: the content is too large, not UTF-8, or holds characters that no text file holds.
    """
    text = content if isinstance(content, str) else _decode_utf8(content, findings)
    text = text.removeprefix(_BYTE_ORDER_MARK)
    if len(text) > MAX_CHARACTERS:
        findings.error(
            "file-too-large",
            Span(1, 1, 1, 1),
            "the file is larger than 1 MiB (1,048,576 characters)",
            hint="move long scripts into files of their own and call them from the steps",
        )
        raise FileRefusedError
    forbidden = _forbidden(text)
    if forbidden is not None:
        code_point = f"U+{ord(text[forbidden]):04X}"
        _refuse_character(findings, text, forbidden, f"the character {code_point} is not allowed in a file")
    return text


def _forbidden(text: str) -> int | None:
    """Return where the first character stands that YAML does not allow."""
    control = _CONTROL.search(text)
    places = [control.start()] if control else []
    places += [place for character in _NO_CHARACTERS if (place := text.find(character)) >= 0]
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as surrogate:
        places.append(surrogate.start)
    return min(places, default=None)


def position_at(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column, both counted from 1, of an offset into the text."""
    line, start = 1, 0
    for end in _LINE_END.finditer(text, 0, offset):
        line, start = line + 1, end.end()
    return line, offset - start + 1


def source_lines(text: str) -> list[str]:
    """Split where YAML splits: at LF, CRLF and CR, and nowhere else."""
    return _LINE_END.split(text)


def _decode_utf8(content: bytes, findings: Findings) -> str:
    try:
        return content[:_MAX_BYTES].decode("utf-8")
    except UnicodeDecodeError as error:
        if len(content) > _MAX_BYTES and error.start > _MAX_BYTES - 4:  # cut in the middle of the last character
            return content[: error.start].decode("utf-8")
        before = content[: error.start].decode("utf-8").removeprefix(_BYTE_ORDER_MARK)
        message = f"the file is not UTF-8 text: byte 0x{content[error.start]:02X} has no meaning here"
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            message = "the file is UTF-16, not UTF-8"
        _refuse_character(findings, before, len(before), message)


def _refuse_character(findings: Findings, text: str, offset: int, message: str) -> NoReturn:
    line, column = position_at(text, offset)
    span = Span(line, column, line, column + 1)
    findings.error("file-not-text", span, message, hint="a workflow file is YAML, saved as UTF-8")
    raise FileRefusedError


def _meant(path: str) -> str | None:
    """Return a hint when the file exists with the other of the two usual suffixes, with one at all, or where workflows are."""
    named = Path(path)
    if named.name in {"", ".", ".."} or "\0" in path:
        return None
    suffixed = [named, *(named.with_suffix(suffix) for suffix in (".yml", ".yaml"))]
    for folder in (Path(), *WORKFLOW_FOLDERS):
        for other in suffixed:
            if (folder / other).is_file():
                return f"did you mean '{folder / other}'?"
    return None
