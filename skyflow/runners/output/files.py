"""The files a step writes to talk to the runner: GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH, GITHUB_STEP_SUMMARY.

Format of the first two, as GitHub's runner reads it: `NAME=value` lines, and `NAME<<DELIMITER` followed by lines up to
one that is exactly the delimiter. These four also have SKYFLOW_* names (GITHUB_STATE has none: SKYFLOW_STATE is the
database).

GITHUB_ARTIFACTS and GITHUB_ARTIFACTS_LIST are for attestations, which only GitHub can make: they are there so that a script
that writes to one works, and what it writes is not looked at. GitHub's own runner does the same unless told otherwise.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from skyflow.model.execution import Pairs

__all__ = [
    "ANSWER_LIMIT_BYTES",
    "KINDS",
    "SUMMARY_LIMIT_BYTES",
    "CommandFiles",
    "FileAnswers",
    "FileCommandError",
    "Written",
    "WrittenElsewhere",
    "check_variable",
    "keep_summary",
    "parse_paths",
    "parse_variables",
    "read_answers",
]

ANSWER_LIMIT_BYTES = 16 * 1024 * 1024
"""What a step can tell later ones through one of its files, or through commands: it is stored with the run."""
SUMMARY_LIMIT_BYTES = 1024 * 1024
"""GitHub drops a larger step summary."""

KINDS = {
    **{
        f"{prefix}_{name}": kind
        for prefix in ("GITHUB", "SKYFLOW")
        for name, kind in (("OUTPUT", "output"), ("ENV", "env"), ("PATH", "path"), ("STEP_SUMMARY", "summary"))
    },
    "GITHUB_STATE": "state",
    "GITHUB_ARTIFACTS": "artifacts",
    "GITHUB_ARTIFACTS_LIST": "artifacts_list",
}
"""The variables that tell a step where its files are, each with the kind of its file."""

_READ = ("output", "env", "path", "state", "summary")
"""The kinds that actions want to be there. The others come to be when somebody writes to them: hardly anybody does, and a
file costs more than most else that is done for a step."""

_REFUSED_ENV = frozenset({"NODE_OPTIONS"})
"""GitHub refuses to set these: they change how every later Node.js action starts."""


class FileCommandError(Exception):
    """A command file cannot be read; the message is for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnswers:
    """What a step wrote to its command files."""

    outputs: Pairs = ()
    state: Pairs = ()
    env: Pairs = ()
    path: tuple[str, ...] = ()


class Written(Protocol):
    """What a step wrote to its command files, by their kind, such as `output` (see `KINDS`)."""

    def size(self, kind: str) -> int:
        """Return how many bytes it wrote."""
        ...

    def content(self, kind: str) -> bytes:
        """Return them."""
        ...


class WrittenElsewhere:
    """What a step wrote on another machine; see `Written`."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._contents = contents

    def size(self, kind: str) -> int:
        """Return how many bytes it wrote."""
        return len(self.content(kind))

    def content(self, kind: str) -> bytes:
        """Return them."""
        return self._contents.get(kind, b"")


class CommandFiles:
    """The command files of one step, empty at first; those of a step that was begun by another driver are kept.

    See `Written`.
    """

    def __init__(self, folder: Path, place: str, *, is_begun: bool = False) -> None:
        self._files = {kind: folder / f"{place}.{kind}" for kind in dict.fromkeys(KINDS.values())}
        for kind in () if is_begun else _READ:
            os.close(os.open(self._files[kind], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666))

    def variables(self) -> Pairs:
        """Return the environment variables that tell the step where its files are."""
        return tuple((variable, str(self._files[kind])) for variable, kind in KINDS.items())

    def open_to_all(self) -> None:
        """Let every user write the files: a container may run as another one."""
        for file in self._files.values():
            file.touch()
            file.chmod(0o666)

    def size(self, kind: str) -> int:
        """Return how many bytes the step wrote."""
        file = self._files[kind]
        return file.stat().st_size if file.is_file() else 0

    def content(self, kind: str) -> bytes:
        """Return them; a step may well delete its own file, and then it wrote nothing."""
        try:
            return self._files[kind].read_bytes()
        except FileNotFoundError:
            return b""

    def forget_summary(self) -> None:
        """Remove the step summary as the step wrote it: what is hidden in the one that is kept stands in it."""
        self._files["summary"].unlink(missing_ok=True)


def read_answers(written: Written) -> FileAnswers:
    """Return what a step wrote for later ones.

    Raises:
        FileCommandError: a file is not in the format, or too large; the step has failed.
    """
    env = parse_variables(_text(written, "env"), command="env")
    for name, _ in env:
        check_variable(name)
    return FileAnswers(
        outputs=parse_variables(_text(written, "output"), command="output"),
        state=parse_variables(_text(written, "state"), command="state"),
        env=env,
        path=parse_paths(_text(written, "path")),
    )


def keep_summary(written: Written, target: Path, hide: Callable[[bytes], bytes]) -> None:
    """Keep the step summary, if there is one, with hidden texts taken out.

    Raises:
        FileCommandError: it is too large and was dropped.
    """
    size = written.size("summary")
    if 0 < size <= SUMMARY_LIMIT_BYTES:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(hide(written.content("summary")))
    if size > SUMMARY_LIMIT_BYTES:
        raise FileCommandError(f"the step summary has {size} bytes and was dropped: {SUMMARY_LIMIT_BYTES} are kept")


def check_variable(name: str) -> None:
    """Let a name pass that a step may set in the environment of later ones.

    Raises:
        FileCommandError: it is one of those that GitHub refuses.
    """
    if name.upper() in _REFUSED_ENV:
        raise FileCommandError(f"Can't store {name} with GITHUB_ENV: it is reserved")


def parse_variables(text: str, *, command: str) -> Pairs:
    """Read `NAME=value` and `NAME<<DELIMITER` entries; the last value of a name wins.

    Raises:
        FileCommandError: a line is neither, a name or delimiter is empty, or a delimiter is missing.
    """
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, value = line[:equals], line[equals + 1 :]
        elif heredoc >= 0:
            name, delimiter = line[:heredoc], line[heredoc + 2 :]
            if not name or not delimiter:
                raise _unreadable(command, f"Invalid format '{line}'. Name and delimiter must not be empty")
            value = _heredoc(lines, delimiter, command)
        else:
            raise _unreadable(command, f"Invalid format '{line}'")
        if not name:
            raise _unreadable(command, f"Invalid format '{line}'. Name must not be empty")
        found[name] = value
    return tuple(found.items())


def parse_paths(text: str) -> tuple[str, ...]:
    """Return one PATH entry per line that is not empty; the last line comes first in PATH."""
    return tuple(reversed([line for line in text.split("\n") if line]))


def _heredoc(lines: Iterator[str], delimiter: str, command: str) -> str:
    collected: list[str] = []
    for line in lines:
        if line == delimiter:
            return "\n".join(collected)
        collected.append(line)
    raise _unreadable(command, f"Invalid value. Matching delimiter not found '{delimiter}'")


def _unreadable(command: str, why: str) -> FileCommandError:
    return FileCommandError(f"Unable to process file command '{command}' successfully. {why}")


def _text(written: Written, kind: str) -> str:
    size = written.size(kind)
    if not size:  # nearly always, and quicker to ask than to read
        return ""
    if size > ANSWER_LIMIT_BYTES:
        raise _unreadable(
            kind, f"It has {size} bytes, and {ANSWER_LIMIT_BYTES} are kept: hand large data on as artifacts"
        )
    return written.content(kind).decode("utf-8-sig", errors="replace")
