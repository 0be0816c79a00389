"""Starts a step with a process that watches over it, and reads what it prints.

Files are opened anew for every piece that is written or read. Watcher and reader may be on two machines that share the
folder: over NFS, closing a file is what sends its content off, and opening it what fetches the news. For the same reason
files are not looked for before they are there: that there is no such file is remembered for long.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select

from skyflow.runners.onhost.begun import BEGUN, Begun, read_begun
from skyflow.runners.onhost.lean import signal, suppress
from skyflow.runners.onhost.processes import TAG_VARIABLE, is_running, started
from skyflow.runners.onhost.refused import RefusedError
from skyflow.runners.onhost.small_files import CHUNK_BYTES, append, read_piece, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ANSWERS", "Follower", "give_up", "start"]

ANSWERS = ("output", "env", "path", "state", "summary")
"""The files through which a step answers."""
SHORTEST_WAIT_SECONDS = 0.002
LONGEST_WAIT_SECONDS = 0.1
LONGEST_WAIT_FOR_AGENT_SECONDS = 0.5
"""How often to look for new output. An agent has little to say, and there may be a thousand in the queue for hours."""
_MEMORY = "/dev/shm"  # noqa: S108 -- a folder of our own is made in it
_SET_PIPE_SIZE = 1031
"""Linux's F_SETPIPE_SZ, which Python has a name for since 3.10."""
_CODE_WIDTH = 8
_MOST_PIECES = 16
"""More than a pipe holds: what was printed before the end is read before it, however much others go on printing."""


class Follower:
    """Reads what a step prints; one that runs `inside` an allocation is watched over by the agent there, which is one, too."""

    def __init__(self, step: str, folder: str, offset: int, *, inside: bool, is_agent: bool = False) -> None:
        self.step = step
        self.offset = offset
        self.may_have_more = True
        self.due = 0.0  # when to look again, on the clock that only grows
        self._wait = SHORTEST_WAIT_SECONDS
        self._longest = LONGEST_WAIT_FOR_AGENT_SECONDS if is_agent else LONGEST_WAIT_SECONDS
        self._folder = folder
        self._inside = inside
        self._begun = None if inside else read_begun(folder)
        self._log = os.path.join(folder, "log")

    def read(self) -> bytes:
        """Return what is new, as much as fits into a message."""
        data = read_piece(self._log, CHUNK_BYTES, self.offset)
        self.offset += len(data)
        self.may_have_more = len(data) == CHUNK_BYTES
        return data

    def rest(self, now: float, *, has_news: bool) -> None:
        """Look again soon where there are news, and less and less often after them."""
        self._wait = SHORTEST_WAIT_SECONDS if has_news else min(self._longest, self._wait * 1.5)
        self.due = now if self.may_have_more else now + self._wait

    def hurry(self) -> None:
        """Look again at once: there are to be news."""
        self._wait, self.due = SHORTEST_WAIT_SECONDS, 0.0

    def has_ended(self) -> bool:
        """Tell whether the step has left its exit code, or can leave none any more."""
        if read_piece(os.path.join(self._folder, "end"), 1, 0):
            return True
        return not self._inside and (self._begun is None or not is_running(self._begun.watcher, self._begun.since))


def give_up(folder: str, why: str = "") -> None:
    """Leave word that a step is lost, or why it was not started, where its exit code would be."""
    with suppress(OSError):
        write(os.path.join(folder, "end"), f"!{why}".encode(errors="replace"))


def start(ask: dict[str, Any], script: bytes, folder: str, foreign: list[int], *, kept: int = -1) -> tuple[int, str]:
    """Start a step with a process that watches over it.

    Args:
        ask: `shells`, the command lines to choose from; `suffix` of the script; `cwd`; `env`; `path`, what goes before
            PATH; `files`, the variables that name the files of the step; `tag`. Perhaps `before`, what goes before the
            command line; `is_shared`, if other machines have to see the script.
        script: what the command line's `{0}` stands for.
        folder: where the step leaves its files.
        foreign: descriptors that are none of its business.
        kept: one that all processes of the step hold, if any.

    Returns:
        The end of a pipe that closes when the step ends, and what went wrong, if anything did.
    """
    report, report_in = os.pipe()
    end, end_in = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for descriptor in (report, end, *foreign):
                os.close(descriptor)
            os.setsid()
            _watch(ask, script, folder, report=report_in, end=end_in, kept=kept)
            code = 0
        finally:
            os._exit(code)
    os.close(report_in)
    os.close(end_in)
    problem = b"".join(iter(lambda: os.read(report, 4096), b"")).decode(errors="replace")
    os.close(report)
    return end, problem


def _watch(ask: dict[str, Any], script: bytes, folder: str, *, report: int, end: int, kept: int) -> None:
    """Start the step, keep what it prints, leave its exit code. Runs in a process of its own."""
    memory = ""
    try:
        child_ended, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        begun = os.open(os.path.join(folder, BEGUN), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        append(os.path.join(folder, "log"), b"")
        # room for the exit code is taken now: later the disk may be full
        write(os.path.join(folder, "end.part"), b" " * _CODE_WIDTH)
        cwd = working_directory(ask["cwd"])
        env = environment(ask, folder)
        words = find_shell(ask["shells"], env.get("PATH", os.defpath))
        memory = memory_folder(folder, is_shared=ask.get("is_shared", False))
        file = os.path.join(memory, "step" + ask["suffix"])
        write(file, script)
        command = [word.replace("{0}", file) for word in words]
        if ask.get("before"):
            command = [*find_shell([ask["before"]], env.get("PATH", os.defpath)), *command]
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        output, output_in = os.pipe()
        with suppress(OSError):  # then it stays as large as it is
            fcntl.fcntl(output_in, _SET_PIPE_SIZE, CHUNK_BYTES)
        pid = _spawn(command, cwd, env, output_in, report, kept)
        os.write(begun, Begun(pid, os.getpid(), started(os.getpid()), memory).line())
    except (OSError, RefusedError) as error:
        if not (isinstance(error, OSError) and error.errno == errno.EEXIST):  # somebody else has begun the step
            os.write(report, str(error if isinstance(error, RefusedError) else error.strerror).encode())
        _forget(memory)
        return
    for descriptor in (report, output_in, kept):
        with suppress(OSError):  # there may be none to keep
            os.close(descriptor)
    os.set_blocking(output, False)
    _see_through(pid, output, child_ended, folder, memory, end)


def _see_through(pid: int, output: int, child_ended: int, folder: str, memory: str, end: int) -> None:  # noqa: PLR0917
    """Keep what a step prints until it has ended, and what it has left behind is silent."""
    log = os.path.join(folder, "log")
    status, is_open = None, True
    while status is None or is_open:
        if child_ended in select.select([output, child_ended] if is_open else [child_ended], [], [])[0]:
            os.read(child_ended, CHUNK_BYTES)
        has_ended, found = (0, 0) if status is not None else os.waitpid(pid, os.WNOHANG)
        for _ in range(_MOST_PIECES):  # first what it has printed, then that it has ended
            piece = _read(output) if is_open else None
            if piece is None:
                break
            is_open = bool(piece)
            with suppress(OSError):  # what a full disk does not take is lost, for the step has to go on
                append(log, piece)
        if has_ended:
            status = found
            _forget(memory)
            _leave_code(folder, status)
            os.close(end)


def _forget(memory: str) -> None:
    """Remove the folder of a script; a module that removes any folder takes longer to load than a small step."""
    with suppress(OSError):
        for name in os.listdir(memory) if memory else []:
            os.unlink(os.path.join(memory, name))
        os.rmdir(memory)


def _read(pipe: int) -> bytes | None:
    """Return what is in a pipe, nothing at its end; None if nothing is there now."""
    try:
        return os.read(pipe, CHUNK_BYTES)
    except BlockingIOError:
        return None


def _leave_code(folder: str, status: int) -> None:
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    with suppress(OSError):  # the step was given up in the meantime, and its folder removed
        with open(os.path.join(folder, "end.part"), "r+b") as part:
            part.write(str(code).ljust(_CODE_WIDTH).encode())
        os.rename(os.path.join(folder, "end.part"), os.path.join(folder, "end"))


def _spawn(  # noqa: PLR0917 -- what a process is made of
    command: list[str], cwd: str, env: dict[str, str], output: int, report: int, kept: int
) -> int:
    """Start a command in a session of its own, and return its process id."""
    failed, failed_in = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.close(report)
            if kept >= 0:
                os.set_inheritable(kept, True)  # noqa: FBT003 -- its only form
            for number in (
                signal.SIGPIPE,
                signal.SIGINT,
                signal.SIGTERM,
                signal.SIGHUP,
                signal.SIGXFSZ,
                signal.SIGCHLD,
            ):
                signal.signal(number, signal.SIG_DFL)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.chdir(cwd)
            os.execve(command[0], command, env)
        except (OSError, ValueError) as error:  # a ValueError: a variable with a zero byte in it
            os.write(failed_in, str(error).encode())
        finally:
            os._exit(127)
    os.close(failed_in)
    problem = os.read(failed, 4096)
    os.close(failed)
    if problem:
        os.waitpid(pid, 0)
        raise RefusedError(problem.decode(errors="replace"))
    return pid


def working_directory(path: str) -> str:
    """Return a folder that is there."""
    if not os.path.isdir(path):
        raise RefusedError(f"the working directory '{path}' does not exist")
    return path


def environment(ask: dict[str, Any], folder: str) -> dict[str, str]:
    """Return the environment of a step: this session's, what is asked for, and where its files are."""
    env = dict(os.environ)
    env.update(ask["env"])
    env.update({variable: os.path.join(folder, name) for variable, name in ask["files"].items()})
    if ask["path"]:
        env["PATH"] = os.pathsep.join([*ask["path"], env.get("PATH", os.defpath)])
    env[TAG_VARIABLE] = ask["tag"]
    return env


def find_shell(choices: list[list[str]], search_path: str) -> list[str]:
    """Return the first command line whose program is here, with the path of it."""
    for program, *rest in choices:
        for folder in [""] if os.sep in program else search_path.split(os.pathsep):
            path = os.path.join(folder, program)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return [path, *rest]
    raise RefusedError(f"the shell '{choices[0][0]}' is not on PATH of this machine")


def memory_folder(fallback: str, *, is_shared: bool) -> str:
    """Return a new folder for what must not stay: in memory if possible, unless other machines have to see it."""
    parent = _MEMORY if not is_shared and os.access(_MEMORY, os.W_OK | os.X_OK) else fallback
    path = os.path.join(parent, f"skyflow-{os.getuid()}-{os.urandom(6).hex()}")
    os.mkdir(path, 0o700)
    return path
