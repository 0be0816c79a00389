"""`skyflow top` on a real terminal."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

import pyte
import pytest

pytest.importorskip("textual")

FAILING = """\
name: failing
on: push
jobs:
  good: {runs-on: local, estimate: 1s, steps: [{run: 'true'}]}
  bad: {runs-on: local, needs: good, steps: [{run: exit 3}]}
"""
WAITING = """\
name: waiting
on: push
jobs:
  slow: {runs-on: local, estimate: 1h, steps: [{name: Wait, run: 'while [ ! -e go ]; do sleep 0.05; done'}]}
  later: {needs: slow, runs-on: local, estimate: 10m, steps: [{run: 'true'}]}
"""


class Terminal:
    """A program on a terminal of some size, and what stands on its screen."""

    def __init__(self, project, *arguments: str, width: int, height: int = 24) -> None:
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self._mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.raw = b""
        self.process = subprocess.Popen(
            project.command(*arguments),
            cwd=project.folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=project.environment(TERM="xterm-256color"),
            start_new_session=True,
        )
        os.close(theirs)

    @property
    def lines(self) -> list[str]:
        return [re.sub(r" +", " ", line).strip() for line in self.screen.display]

    def until(self, condition) -> None:
        """Follow what is drawn until the screen is as wanted."""
        deadline = time.monotonic() + 60
        while not condition(self.lines):
            assert time.monotonic() < deadline, "\n".join(self.screen.display)
            self.follow(0.1)

    def follow(self, seconds: float) -> None:
        if select.select([self._mine], [], [], seconds)[0]:
            try:
                piece = os.read(self._mine, 65536)
            except OSError:  # the program has closed it
                return
            self.raw += piece
            self._stream.feed(
                re.sub(rb"\x1b\[[<>=][0-9;]*u|\x1bP.*?\x1b\\", b"", piece)
            )  # pyte shows what it does not know

    def press(self, keys: str) -> None:
        os.write(self._mine, keys.encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it, also when a test has failed."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
        with suppress(OSError):
            os.close(self._mine)

    def close(self) -> int:
        while self.process.poll() is None:
            self.follow(0.05)
        self.follow(0.05)
        return self.process.returncode


@contextmanager
def going_on(project, wait_until) -> Iterator[None]:
    project.write(WAITING, "waiting.yml")
    process = project.start("run", "waiting.yml")
    wait_until(lambda: "in progress" in project.skyflow("runs").out)
    try:
        yield
    finally:
        (project.folder / "go").touch()
        process.communicate(timeout=60)


def has(text: str):
    return lambda lines: any(text in line for line in lines)


def test_runs_that_go_on_come_first_and_the_jobs_of_the_chosen_one_below(project, wait_until) -> None:
    project.write(FAILING)
    project.skyflow("run", "-q", "w.yml", code=1)
    with going_on(project, wait_until), Terminal(project, "top", width=120) as terminal:
        terminal.until(has("Wait"))
        lines = terminal.lines
        assert re.match(r"run workflow state jobs time left", lines[0])
        assert re.match(r"2 waiting ▶ in progress 0 of 2 \S+ about 1h", lines[1])
        assert re.match(r"1 failing ✗ failure 2 of 2, 1 failed ", lines[2])
        assert has("Jobs of run 2: waiting")(lines)
        assert any(re.match(r"slow ▶ running this machine (\S+ )?1h 00m Wait$", line) for line in lines)
        terminal.press("\x1b[B")
        terminal.until(has("Jobs of run 1: failing"))
        terminal.until(has("exit code 3"))
        terminal.press("q")
        assert terminal.close() == 0
    assert terminal.raw.rfind(b"\x1b[?1049l") > terminal.raw.rfind(b"\x1b[?1049h"), "the old screen is back"
    assert terminal.raw.rfind(b"\x1b[?25h") > terminal.raw.rfind(b"\x1b[?25l"), "the cursor is back"


def test_the_chosen_run_is_cancelled(project, wait_until) -> None:
    with going_on(project, wait_until), Terminal(project, "top", width=120) as terminal:
        terminal.until(has("Wait"))
        terminal.press("c")
        terminal.until(has("cancelled"))
        terminal.press("q")
        assert terminal.close() == 0


def test_it_fits_narrow_and_wide_terminals(project) -> None:
    project.write(FAILING.replace("failing", "failing with a name that is longer than there is room for it", 1))
    project.skyflow("run", "-q", "w.yml", code=1)
    for width in (60, 80, 200):
        with Terminal(project, "top", width=width) as terminal:
            terminal.until(has("Jobs of run 1"))
            terminal.until(lambda lines: re.match(r"1 failing.* ✗ failure 2 of 2, 1 failed", lines[1]))
            terminal.until(has("Quit"))
            terminal.press("q")
            assert terminal.close() == 0


def test_where_nothing_ran_it_says_how_to_begin(project) -> None:
    with Terminal(project, "top", width=80) as terminal:
        terminal.until(has("No run yet. `skyflow run FILE` makes the first."))
        terminal.press("q")
        assert terminal.close() == 0


def test_it_needs_a_terminal_and_its_extra(project) -> None:
    assert "`skyflow runs` and `skyflow show` print the same" in project.skyflow("top", code=2).err
    (project.folder / "textual.py").write_text("raise ModuleNotFoundError('No module named textual', name='textual')\n")
    done = project.skyflow("top", code=2, PYTHONPATH=str(project.folder))
    assert "`skyflow top` needs textual" in done.err
    assert "pip install 'skyflow[top]'" in done.err
