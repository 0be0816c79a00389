"""Steps in a container: how a command is started in there, and how what it starts is ended."""

import posixpath
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio

from skyflow.model.containers import Mounts
from skyflow.runners.containers.engine import ContainerEngine, ContainerError, variable_options
from skyflow.runners.processes.kept import KeptProcess
from skyflow.runners.processes.process import TAG_VARIABLE, ProcessTree

__all__ = ["DEFAULT_PATH", "ContainedTree", "StepContainer"]

_REMEMBER = 'echo $$ >"$1" && shift && exec "$@"'
"""Says which process the command is, before it begins."""
_SIGNAL = 'kill -"$0" -"$1"'
_KILL_TAGGED = 'for p in /proc/[0-9]*; do if grep -qs "$0" "$p/environ"; then kill -KILL "${p#/proc/}"; fi; done'
_SIGNAL_SECONDS = 10.0
_GRACE_SECONDS = 0.5
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What an image without one has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContainer:
    """The container that the steps of a job run in.

    `workspace` and `temp` are its paths of those folders, `search_path` is the PATH of its image.
    """

    engine: ContainerEngine
    id: str
    mounts: Mounts
    workspace: str
    temp: str
    search_path: str = DEFAULT_PATH

    def working_directory(self, wanted: str | None) -> str:
        """Return where a step starts."""
        return posixpath.normpath(posixpath.join(self.workspace, self.mounts.to_inside(wanted or "")))

    def environment(self, env: Mapping[str, str], path: Sequence[str]) -> dict[str, str]:
        """Return the variables of a step, with paths as they are inside and further entries before PATH."""
        inside = {name: self.mounts.to_inside(value) for name, value in env.items()}
        if path:
            entries = (self.mounts.to_inside(entry) for entry in path)
            inside["PATH"] = ":".join((*entries, inside.get("PATH", self.search_path)))
        return inside

    def command(
        self, words: Sequence[str], *, cwd: str, env: Mapping[str, str], pid_file: str | None = None
    ) -> tuple[list[str], dict[str, str]]:
        """Return the command that runs another one inside, and the environment it needs itself.

        With `pid_file`, a file of `temp`, that will tell the process in the container.
        """
        options, inherited = variable_options(env)
        before = ["sh", "-c", _REMEMBER, "sh", f"{self.temp}/{pid_file}"] if pid_file is not None else []
        line = [self.engine.program, "exec", "--workdir", cwd, *options, "--env", TAG_VARIABLE, self.id]
        return [*line, *before, *words], {**self.engine.environment, **inherited}

    async def signal(self, name: str, pid: int) -> None:
        """Send a signal to the process group of a command."""
        await self._tell(_SIGNAL, name, str(pid))

    async def kill_tagged(self, tag: str) -> None:
        """Kill every process that carries a tag."""
        await self._tell(_KILL_TAGGED, tag)

    async def empty_temp(self) -> None:
        """Remove what is in the folder for temporary files; outside it may belong to somebody whose files we may not."""
        await self._tell(f"rm -rf {self.temp}/* {self.temp}/.[!.]*")

    async def _tell(self, script: str, *arguments: str) -> None:
        with suppress(ContainerError), anyio.move_on_after(_SIGNAL_SECONDS):  # what it cannot end, the removal does
            await self.engine.ask("exec", "--user", "0", self.id, "sh", "-c", script, *arguments)


class ContainedTree(ProcessTree):
    """A command in a container, with everything it starts: signals go to it, not to the client that waits for it."""

    def __init__(self, kept: KeptProcess, *, tag: str, spool: Path, container: StepContainer, pid_file: Path) -> None:
        super().__init__(kept, tag=tag, spool=spool)
        self._container, self._pid_file = container, pid_file

    async def interrupt(self) -> None:
        """Send SIGINT to the process group inside."""
        await self._signal_inside("INT")

    async def terminate(self) -> None:
        """Send SIGTERM to the process group inside."""
        await self._signal_inside("TERM")

    async def kill(self) -> None:
        """Send SIGKILL to all that the command has started inside, and to the client."""
        await self._kill_inside()
        await super().kill()

    async def terminate_rest(self, patience_seconds: float) -> None:
        """End what is left inside: SIGTERM, SIGKILL; and what is left of the client."""
        await self._signal_inside("TERM")
        await anyio.sleep(min(patience_seconds, _GRACE_SECONDS))  # no engine tells when a process group has ended
        await self._kill_inside()
        await super().terminate_rest(patience_seconds)

    async def _kill_inside(self) -> None:
        await self._signal_inside("KILL")
        await self._container.kill_tagged(self.tag)

    async def _signal_inside(self, name: str) -> None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):  # it has not begun
            return
        await self._container.signal(name, pid)
