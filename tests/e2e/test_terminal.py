"""On a real terminal: a live board, and the terminal as it was afterwards."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping

import pyte

SLOW = """\
name: slow
on: push
jobs:
  quick: {runs-on: local, steps: [{run: echo first; echo last words; exit 4}]}
  slow: {runs-on: local, steps: [{run: 'for i in 1 2 3 4 5 6; do echo line $i; sleep 0.1; done'}]}
"""


def on_a_terminal(
    project,
    *arguments: str,
    width: int = 80,
    env: Mapping[str, str] = {},
    interrupt_when: str | None = None,
    answers: tuple[tuple[str, str], ...] = (),
) -> tuple[int, str]:
    """Run a command on a pseudo-terminal, and return its exit code and all that it wrote.

    `answers` has prompts with what is typed when they have appeared.
    """
    waiting = list(answers)
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, width, 0, 0))
    process = subprocess.Popen(
        project.command(*arguments),
        cwd=project.folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=project.environment(TERM="xterm-256color", **env),
        start_new_session=True,
    )
    os.close(theirs)
    written = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            piece = os.read(mine, 65536)
        except OSError:  # Linux says EIO when the last writer has closed
            break
        if not piece:
            break
        written += piece
        if interrupt_when and interrupt_when in written.decode(errors="replace"):
            process.send_signal(signal.SIGINT)
            interrupt_when = None
        if waiting and waiting[0][0] in written.decode(errors="replace"):
            os.write(mine, f"{waiting.pop(0)[1]}\n".encode())
    os.close(mine)
    return process.wait(60), written.decode()


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "")


def test_the_board_shows_running_jobs_and_the_tail_of_a_failure(project) -> None:
    project.write(SLOW)
    code, raw = on_a_terminal(project, "run", "--jobs", "2", "w.yml")
    text = plain(raw)
    assert code == 1
    assert re.search(r"✗ quick  \d+ms  failure: exit code 4", text)
    assert "│ last words" in text
    assert "0 of 2 jobs done" in text
    assert re.search(r"slow +\d+s  line [1-6]", text), "the last line of a step that runs"
    assert "all of it: skyflow logs 1 quick" in text
    assert re.search(
        r"Run 1: failure in .*\(1 success, 1 failure\)\s*\nWhat it printed: skyflow logs 1 quick\s*$", text
    )
    assert raw.rfind("\x1b[?25h") > raw.rfind("\x1b[?25l"), "the cursor is back"


def test_an_interrupt_leaves_the_terminal_sane(project) -> None:
    project.write(SLOW.replace("sleep 0.1", "sleep 5"))
    code, raw = on_a_terminal(project, "run", "--jobs", "2", "w.yml", interrupt_when="line 1")
    assert code == 130
    assert "Ctrl-C again to kill" in plain(raw)
    assert "`skyflow resume 1` continues it." in plain(raw)
    assert raw.rfind("\x1b[?25h") > raw.rfind("\x1b[?25l")


def test_narrow_terminals_do_not_wrap_the_board(project) -> None:
    project.write(SLOW.replace("echo line $i", "printf %0200d 1; echo; echo line $i"))
    _, raw = on_a_terminal(project, "run", "--jobs", "2", "w.yml", width=60)
    lines = re.split(r"[\r\n]+|\x1b\[1A", raw)
    assert [line for line in lines if len(plain(line)) > 60] == []


def test_verbose_shows_all_output_on_a_terminal_too(project) -> None:
    project.write(SLOW)
    _, raw = on_a_terminal(project, "run", "-v", "w.yml")
    assert "[slow] │ line 6" in plain(raw)


def test_a_secret_is_asked_for_and_not_shown(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'echo ${{ secrets.TOKEN }} is hidden'}]}\n")
    code, raw = on_a_terminal(project, "run", "-v", "--secret", "TOKEN", "w.yml", answers=(("TOKEN: ", "hush-4711"),))
    assert code == 0
    assert "│ *** is hidden" in plain(raw)
    assert "hush" not in raw


def test_a_required_input_is_asked_for_until_it_fits(project) -> None:
    project.write(
        "on: {workflow_dispatch: {inputs: {stage: {description: Where to?, type: choice, options: [x, y],"
        " required: true}}}}\n"
        "jobs:\n  a: {runs-on: local, steps: [{run: 'echo to ${{ inputs.stage }}'}]}\n"
    )
    answers = (("stage (x, y): ", "z"), ("not 'z'", "y"))
    code, raw = on_a_terminal(project, "run", "-v", "w.yml", answers=answers)
    assert code == 0
    assert "Where to?\nstage (x, y): z\nstage is one of x or y, not 'z'" in plain(raw)
    assert "│ to y" in plain(raw)


def screens(raw: str, *, width: int = 80, height: int = 30) -> list[list[str]]:
    """Return what stood on the screen after each frame of the board, and at the end."""
    screen = pyte.Screen(width, height)
    stream = pyte.Stream(screen)
    found = []
    for frame in raw.split("\x1b[2K\x1b[1A"):  # rich goes up line by line before it draws again
        found.append([line.rstrip() for line in screen.display if line.strip()])
        stream.feed(f"\x1b[2K\x1b[1A{frame}" if found[1:] else frame)
    found.append([line.rstrip() for line in screen.display if line.strip()])
    return found


def test_nothing_of_the_board_is_left_on_the_screen(project) -> None:
    project.write(SLOW)
    _, raw = on_a_terminal(project, "run", "--jobs", "2", "w.yml")
    shown = [re.sub(r"\d+(\.\d+)?m?s", "TIME", line) for line in screens(raw)[-1]]
    assert [re.sub(r" +", " ", line) for line in shown] == [
        "Run 1: slow; 2 jobs planned on this machine, 2 at once",
        "✗ quick TIME failure: exit code 4",
        " Run echo first; echo last words; exit 4",
        " │ first",
        " │ last words",
        " all of it: skyflow logs 1 quick",
        "✓ slow TIME",
        " job result time",
        "✗ quick failure TIME exit code 4",
        "✓ slow success TIME",
        "Run 1: failure in TIME (1 success, 1 failure)",
        "What it printed: skyflow logs 1 quick",
    ]


def test_the_board_stands_below_what_has_scrolled_up(project) -> None:
    project.write(SLOW)
    _, raw = on_a_terminal(project, "run", "--jobs", "2", "w.yml")
    middle = next(
        shown for shown in screens(raw) if any("all of it" in line for line in shown) and " of 2 jobs" in shown[-1]
    )
    assert re.match(r"[━─]+  1 of 2 jobs done, 1 failed, \d+s$", middle[-1])
    assert re.match(r". slow +\d+s  \S", middle[-2])


def test_no_colours_where_they_are_not_wanted(project) -> None:
    project.write(SLOW)
    _, raw = on_a_terminal(project, "run", "--jobs", "2", "w.yml", env={"NO_COLOR": "1"})
    colours = re.findall(r"\x1b\[[0-9;]*m", raw)
    assert all(re.fullmatch(r"\x1b\[(0|1)?m", code) for code in colours), "bold is no colour"
