"""Runs a workflow again whenever something it may depend on changes.

Three kinds of processes, so that a run starts within a moment of a change and none can take the others along: the loop, which
has everything loaded and no threads; the looker, forked from it at the start, which says what has changed; and a worker for
each run, forked when there is one to do.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from skyflow.app.project import Project
from skyflow.app.running.drive import CANCEL_SIGNAL
from skyflow.errors import EXIT_NOT_SUCCESS, EXIT_SUCCESS
from skyflow.store.lease import lease_holder
from skyflow.store.store import open_store

__all__ = ["Busy", "Kind", "watch"]

_DEBOUNCE_MILLISECONDS = 50
_GIT_SECONDS = 10
_GENERATED_AFTER = 2
"""A file that has changed during so many runs in a row is made by them."""
_POLL_SECONDS = 0.2
_ENDING = (signal.SIGTERM, signal.SIGHUP)


class Busy(StrEnum):
    """What to do about a change while a run goes on."""

    RESTART = "restart"
    """Cancel it and begin another one."""
    QUEUE = "queue"
    """Begin another one when it has ended."""


class Kind(StrEnum):
    """What a run is for."""

    CHANGED = "changed"
    """Something has changed: jobs that do not depend on it are taken over."""
    ALL = "all"
    """Everything is to run."""
    FAILED = "failed"
    """What failed the last time is to run."""


@dataclass(slots=True)
class _Loop:
    project: Project
    work: Callable[[Kind], int]
    say: Callable[[str], None]
    failed: Callable[[], None]
    busy: Busy
    selector: selectors.BaseSelector
    worker: int | None = None
    upcoming: Kind | None = None
    changed_meanwhile: set[str] = field(default_factory=set)
    repeats: dict[str, int] = field(default_factory=dict)
    generated: set[str] = field(default_factory=set)

    def ask(self, kind: Kind) -> None:
        """Begin a run, now or when the one that goes on has ended or was cancelled."""
        if self.worker is None:
            self._begin(kind)
            return
        self.upcoming = Kind.ALL if Kind.ALL in {kind, self.upcoming} else kind
        if self.busy is Busy.RESTART:
            self._cancel(self.worker)

    def changed(self, paths: Sequence[str]) -> None:
        """Take note of changes; files that runs themselves make do not count."""
        new = [path for path in paths if path not in self.generated]
        if self.worker is not None:
            for path in set(new) - self.changed_meanwhile:
                self.repeats[path] = self.repeats.get(path, 0) + 1
                self.changed_meanwhile.add(path)
            made = {path for path in new if self.repeats[path] > _GENERATED_AFTER}
            if made:
                self.generated |= made
                self.say(
                    f"{', '.join(sorted(made))}: changes with every run, so it is taken to be made by it from now on"
                )
            new = [path for path in new if path not in made]
        if new:
            more = f" and {len(new) - 1} more" if len(new) > 1 else ""
            self.say(f"{new[0]}{more} changed")
            self.ask(Kind.CHANGED)

    def reap(self) -> None:
        """Look whether the run has ended, and begin the next one that was asked for."""
        if self.worker is None:
            return
        pid, status = os.waitpid(self.worker, os.WNOHANG)
        if pid == 0:
            return
        self.worker = None
        for path in self.repeats.keys() - self.changed_meanwhile:
            self.repeats[path] = 0
        self.changed_meanwhile.clear()
        if os.waitstatus_to_exitcode(status) != EXIT_SUCCESS and self.upcoming is None:
            self.failed()
        if self.upcoming is not None:
            kind, self.upcoming = self.upcoming, None
            self._begin(kind)
        else:
            self.say("waiting for changes")

    def end(self) -> None:
        """Interrupt what goes on, and wait for it."""
        if self.worker is not None:
            with suppress(ProcessLookupError):
                os.kill(self.worker, signal.SIGINT)
            os.waitpid(self.worker, 0)

    def _begin(self, kind: Kind) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self.worker = pid
            return
        code = EXIT_NOT_SUCCESS
        try:
            _end_at_once()  # a worker that has begun a run sees to it by itself
            self.selector.close()
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, sys.stdin.fileno())
            code = self.work(kind)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)

    def _cancel(self, worker: int) -> None:
        """Cancel the run of a worker; one that has none yet is simply ended."""
        if self.project.state.database.exists():
            with open_store(self.project.state, create=False) as store:
                for run in store.unfinished_runs():
                    if lease_holder(self.project.state.run(run.id)) == worker:
                        store.cancel_run(run.id)
                        os.kill(worker, CANCEL_SIGNAL)
                        return
        os.kill(worker, signal.SIGTERM)


def watch(
    paths: Sequence[Path],
    *,
    project: Project,
    work: Callable[[Kind], int],
    say: Callable[[str], None],
    failed: Callable[[], None],
    busy: Busy,
    keys: int | None,
) -> None:
    """Run a workflow, and again whenever files change, until the key q is pressed or the process is interrupted.

    Args:
        paths: the files and folders to look at.
        project: the project; its own state never counts.
        work: does one run, in a process of its own, and returns the exit code.
        say: is told what goes on.
        failed: is called when a run has not succeeded.
        busy: what to do about a change while a run goes on.
        keys: where single keys are read from, None without a keyboard.
    """
    looker, changes = _start_looking(paths, project)
    _end_in_good_order()
    selector = selectors.DefaultSelector()
    selector.register(changes, selectors.EVENT_READ)
    if keys is not None:
        selector.register(keys, selectors.EVENT_READ)
    loop = _Loop(project, work, say, failed, busy, selector)
    unread = b""
    try:
        loop.ask(Kind.CHANGED)
        while True:
            for key, _ in selector.select(_POLL_SECONDS if loop.worker is not None else None):
                data = os.read(key.fd, 65536)
                if key.fd != changes:
                    if not data or not _obey(loop, data):
                        return
                    continue
                if not data:
                    say("files cannot be watched any more")
                    return
                *lines, unread = (unread + data).split(b"\n")
                for line in lines:
                    loop.changed(json.loads(line))
            loop.reap()
    except KeyboardInterrupt:
        pass
    finally:
        loop.end()
        os.kill(looker, signal.SIGKILL)
        os.waitpid(looker, 0)


def _end_in_good_order() -> None:
    """Let other signals do what Ctrl-C does, so that neither the looker nor a run stays behind; `nohup` is heeded."""
    for each in _ENDING:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, signal.default_int_handler)


def _end_at_once() -> None:
    """Let signals do again what they did before `_end_in_good_order`."""
    for each in _ENDING:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, signal.SIG_DFL)


def _obey(loop: _Loop, keys: bytes) -> bool:
    """Do what keys mean; False for the one that ends it all."""
    for key in keys.decode(errors="replace").lower():
        if key == "q":
            return False
        kind = {"r": Kind.CHANGED, "a": Kind.ALL, "f": Kind.FAILED}.get(key)
        if kind is not None:
            loop.ask(kind)
    return True


def _start_looking(paths: Sequence[Path], project: Project) -> tuple[int, int]:
    """Start the process that looks for changes, and return it with the pipe that it writes lists of paths to."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write_end)
        return pid, read_end
    os.close(read_end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the loop ends it
    try:
        _look(paths, project, write_end)
    finally:
        os._exit(0)


def _look(paths: Sequence[Path], project: Project, pipe: int) -> None:
    import watchfiles  # noqa: PLC0415 -- brings threads along, which only this process may have

    state = project.state.root
    filtered = watchfiles.DefaultFilter(ignore_paths=[state])
    for changes in watchfiles.watch(
        *paths, watch_filter=filtered, debounce=_DEBOUNCE_MILLISECONDS, step=20, raise_interrupt=False
    ):
        found = _not_ignored(sorted({Path(path) for _, path in changes}), project.root)
        if found:
            os.write(pipe, json.dumps(found).encode() + b"\n")


def _not_ignored(paths: Sequence[Path], root: Path) -> list[str]:
    """Return the paths that git does not ignore, relative to the project."""
    names = [str(path.relative_to(root)) if path.is_relative_to(root) else str(path) for path in paths]
    try:
        done = subprocess.run(
            ("git", "check-ignore", "-z", "--stdin"),
            cwd=root,
            input="\0".join(names).encode(errors="surrogateescape"),
            capture_output=True,
            check=False,
            timeout=_GIT_SECONDS,
        )
        ignored = {os.fsdecode(name) for name in done.stdout.split(b"\0")}
    except (OSError, subprocess.TimeoutExpired):  # without git nothing is ignored
        ignored = set()
    return [name for name in names if name not in ignored]
