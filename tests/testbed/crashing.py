"""Runs a workflow again and again, with a driver that is killed a moment later each time, and resumes it.

Started as a program: `crashing.py FOLDER...` runs `w.yml` in the first folder undisturbed and writes down how many moments
that has; in the others it is killed at moment 1, 2, and so on. Every run is a process of its own, forked from this one, which
has imported everything: that takes longer than the run.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import skyflow
from skyflow.app.running import drive
from skyflow.engine.driver import Driver
from skyflow.errors import UsageError
from skyflow.testing.mortal import Fate


def killed() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


class MortalDriver(Driver):
    """Dies as the fate of its process says."""

    fate = Fate()

    def __init__(self, *arguments, store, runner, host, groups, cache, **others) -> None:
        mortal = self.fate.wrap(store=store, runner=runner, host=host, groups=groups, cache=cache)
        super().__init__(*arguments, **mortal, **others)


def in_a_process(folder: Path, work: Callable[[], object]) -> int:
    """Do some work in a folder, and return the exit code of its process."""
    child = os.fork()
    if child == 0:
        try:
            os.chdir(folder)
            work()
        except BaseException as error:  # noqa: BLE001 -- the other process hears of it by the exit code
            sys.stderr.write(f"{folder}: {error!r}\n")
            os._exit(70)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def run(dies_at: int) -> None:
    MortalDriver.fate = Fate(dies_at, killed)
    skyflow.run("w.yml", jobs=2)
    Path("moments").write_text(str(MortalDriver.fate.count))


def go_on() -> None:
    try:
        skyflow.resume()
    except UsageError as error:  # killed after the end of the run was stored
        if "none was interrupted" not in error.message:
            raise


def main(calm: Path, others: list[Path]) -> int:
    drive.Driver = MortalDriver
    failed = in_a_process(calm, lambda: run(0))
    moments = int((calm / "moments").read_text()) if not failed else 0
    for moment, folder in enumerate(others[:moments], start=1):
        ended = in_a_process(folder, lambda at=moment: run(at))
        if ended != -signal.SIGKILL:  # the last moments of a run may be fewer another time
            (folder / "ended").touch()
        elif in_a_process(folder, go_on):
            failed = 1
    return failed


if __name__ == "__main__":
    folders = [Path(name) for name in sys.argv[1:]]
    raise SystemExit(main(folders[0], folders[1:]))
