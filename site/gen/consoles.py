r"""Runs what pages written by hand show, so that the output on them is what skyflow really prints.

Every page is one session in an empty folder that holds a copy of `workflows/`. A comment in front of a block says what
to do with it, from the top of the page to its end:

    <!-- file: NAME -->   the block is the content of a file of the session
    <!-- run -->          a `console` block: every `$ COMMAND` is run and must print the lines below it;
                          a `python` block is run and must not fail

Times, dates and ids differ from run to run, and lines of jobs that run at once come in any order, so two outputs are
the same if their sorted lines are equal once those are blanked. A block that differs is rewritten.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CONSOLE_PAGES", "refreshed"]

_ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"^<!-- (?P<what>run|file: (?P<file>\S+)) -->\n```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
_VARYING = (
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), "WHEN"),
    (re.compile(r"(?<=kept until )\d{4}-\d\d-\d\d"), "DAY"),
    (re.compile(r"\b\d+(\.\d+)?(ms|s)\b"), "TIME"),
    (re.compile(r"\b\d+ at once"), "N at once"),
    (re.compile(r"process \d+"), "process N"),
    (re.compile(r"\s+"), " "),
)
_SECONDS = 60
_SHOWN_FOLDER = "~/project"
"""How the temporary folder is called on pages, so that they are the same each time."""

CONSOLE_PAGES = (
    _ROOT / "README.md",
    *sorted(
        path
        for folder in ("", "tutorial", "how-to", "explanation")
        for path in (_ROOT / "site" / "docs" / folder).glob("*.md")
        if "<!-- run -->" in path.read_text(encoding="utf-8")
    ),
)
"""The pages with blocks that can be run."""


def refreshed(page: Path) -> str:
    """Run the blocks of a page and return its text, with the output that it should show.

    Raises:
        RuntimeError: a Python block fails.
    """
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="skyflow-docs-") as name:
        session = _Session(Path(name) / "project")
        pieces: list[str] = []
        end = 0
        for match in _BLOCK.finditer(text):
            pieces += [text[end : match.start("body")], _block(session, match)]
            end = match.end("body")
        return "".join([*pieces, text[end:]])


def _block(session: "_Session", match: re.Match[str]) -> str:
    body = match["body"]
    if match["file"]:
        session.write(match["file"], body)
    elif match["language"] == "python":
        session.python(body)
    else:
        return "".join(session.answered(exchange) for exchange in _exchanges(body))
    return body


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One command and what the page says it prints."""

    command: str
    lines: tuple[str, ...]


def _exchanges(body: str) -> Iterator[_Exchange]:
    command, lines = "", list[str]()
    for line in body.splitlines():
        if line.startswith("$ "):
            if command:
                yield _Exchange(command, tuple(lines))
            command, lines = line.removeprefix("$ "), []
        elif line.startswith("> ") and not lines:  # the shell waits for the rest of the command
            command += "\n" + line.removeprefix("> ")
        else:
            lines.append(line)
    yield _Exchange(command, tuple(lines))


class _Session:
    """One folder, and the exit code of the command before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._code = 0
        folder.mkdir()
        shutil.copytree(_ROOT / "workflows", folder / "workflows")
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("SKYFLOW_", "GITHUB_", "RUNNER_"))
        }
        tools = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        self._environment = {**kept, "PATH": tools, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(_ROOT)}

    def write(self, name: str, text: str) -> None:
        """Put a file into the folder."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def python(self, text: str) -> None:
        """Run a Python program."""
        done = self._run([sys.executable, "-c", text])
        if done.returncode != 0:
            raise RuntimeError(f"a Python block fails:\n{text}\n{done.stdout}")

    def answered(self, exchange: _Exchange) -> str:
        """Run a command and return it with its output: as the page has it, where that is still right."""
        done = self._run(["bash", "-c", f"(exit {self._code}); {exchange.command}"])
        self._code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        shown = done.stdout.replace(str(self._folder), _SHOWN_FOLDER)
        printed = shown.rstrip("\n").split("\n") if shown.strip() else []
        same = _comparable(printed) == _comparable(exchange.lines)
        command = "$ " + exchange.command.replace("\n", "\n> ")
        return "".join(f"{line}\n" for line in (command, *(exchange.lines if same else printed)))

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
        )


def _comparable(lines: Sequence[str]) -> list[str]:
    blanked = []
    for line in lines:
        changed = line
        for pattern, word in _VARYING:
            changed = pattern.sub(word, changed)
        blanked.append(changed.strip())
    return sorted(line for line in blanked if line)
