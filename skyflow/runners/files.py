"""The files a step writes to talk to the runner: GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH, GITHUB_STEP_SUMMARY.

Format of the first two, as GitHub's runner reads it: `NAME=value` lines, and `NAME<<DELIMITER` followed by lines up to
one that is exactly the delimiter. These four also have SKYFLOW_* names (GITHUB_STATE has none: SKYFLOW_STATE is the
database).

GITHUB_ARTIFACTS and GITHUB_ARTIFACTS_LIST are for attestations, which only GitHub can make: they are there so that a script
that writes to one works, and what it writes is not looked at. GitHub's own runner does the same unless told otherwise.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from skyflow.model.execution import Pairs

__all__ = [
    "SUMMARY_LIMIT_BYTES",
    "CommandFiles",
    "FileAnswers",
    "FileCommandError",
    "check_variable",
    "parse_paths",
    "parse_variables",
]

SUMMARY_LIMIT_BYTES = 1024 * 1024
"""GitHub drops a larger step summary."""

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


class CommandFiles:
    """The command files of one step, empty at first; those of a step that was begun by another driver are kept."""

    def __init__(self, folder: Path, place: str, *, is_begun: bool = False) -> None:
        self._begin = f"{folder / place}."
        self._output = folder / f"{place}.output"
        self._env = folder / f"{place}.env"
        self._path = folder / f"{place}.path"
        self._state = folder / f"{place}.state"
        self._summary = folder / f"{place}.summary"
        self._artifacts = folder / f"{place}.artifacts"
        self._artifacts_list = folder / f"{place}.artifacts_list"
        unread = (self._artifacts, self._artifacts_list)
        self._all = (self._output, self._env, self._path, self._state, self._summary, *unread)
        for file in () if is_begun else self._all:
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666))

    def variables(self) -> Pairs:
        """Return the environment variables that tell the step where its files are."""
        files = (
            ("OUTPUT", self._output),
            ("ENV", self._env),
            ("PATH", self._path),
            ("STEP_SUMMARY", self._summary),
        )
        both = tuple((f"{prefix}_{name}", str(file)) for prefix in ("GITHUB", "SKYFLOW") for name, file in files)
        return (
            *both,
            ("GITHUB_STATE", str(self._state)),
            ("GITHUB_ARTIFACTS", str(self._artifacts)),
            ("GITHUB_ARTIFACTS_LIST", str(self._artifacts_list)),
        )

    def open_to_all(self) -> None:
        """Let every user write the files: a container may run as another one."""
        for file in self._all:
            file.chmod(0o666)

    def names(self) -> dict[str, str]:
        """Return the variables with what follows the place of the step in the names of their files."""
        return {variable: path.removeprefix(self._begin) for variable, path in self.variables()}

    def fill(self, name: str, content: bytes) -> None:
        """Put in what a step wrote on another machine."""
        Path(f"{self._begin}{name}").write_bytes(content)

    def read(self) -> FileAnswers:
        """Return what the step wrote.

        Raises:
            FileCommandError: a file is not in the format; the step has failed.
        """
        outputs = parse_variables(_text(self._output), command="output")
        state = parse_variables(_text(self._state), command="state")
        env = parse_variables(_text(self._env), command="env")
        for name, _ in env:
            check_variable(name)
        return FileAnswers(outputs=outputs, state=state, env=env, path=parse_paths(_text(self._path)))

    def keep_summary(self, target: Path, hide: Callable[[bytes], bytes]) -> None:
        """Keep the step summary, if there is one, with hidden texts taken out. What the step wrote is removed.

        Raises:
            FileCommandError: it is too large and was dropped.
        """
        size = self._summary.stat().st_size if self._summary.is_file() else 0
        if 0 < size <= SUMMARY_LIMIT_BYTES:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(hide(self._summary.read_bytes()))
        self._summary.unlink(missing_ok=True)
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


def _text(file: Path) -> str:
    try:
        if not file.stat().st_size:  # nearly always, and quicker to ask than to read
            return ""
        return file.read_bytes().decode("utf-8-sig", errors="replace")
    except FileNotFoundError:  # a step may well delete its own file; then it wrote nothing
        return ""
