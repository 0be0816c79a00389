"""The container engine of this machine: docker or podman, through the command line that both have in common."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import Process

__all__ = ["CHOICE_VARIABLE", "ContainerEngine", "ContainerError", "NoEngineError", "find_engine", "variable_options"]

CHOICE_VARIABLE = "SKYFLOW_CONTAINER_ENGINE"
"""Names the program to use, where docker would not be the right one although it answers."""

_PROBE_SECONDS = 20.0
_GROUPS = frozenset({"container", "context", "image", "network"})
"""Commands whose first argument is a command as well."""
_ADVICE = ("See '", "Run '", "For more help")
_CLIENT_NAMES = frozenset({"HOME", "PATH", "TMPDIR", "REGISTRY_AUTH_FILE", "GODEBUG", "SSH_AUTH_SOCK"})
_CLIENT_PREFIXES = ("DOCKER_", "CONTAINER_", "CONTAINERS_", "BUILDAH_", "STORAGE_", "XDG_", "LD_", "SSL_", "DBUS_")
"""Variables that change what the client itself does, so that it must not inherit what a container is to get."""


class ContainerError(Exception):
    """The engine refused or failed; the message is for the user."""


class NoEngineError(Exception):
    """There is no engine that answers; the message says what was tried."""


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """A client that answers. `environment` is what it inherits."""

    program: str
    is_podman: bool
    environment: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """What messages call it."""
        return Path(self.program).name

    async def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, show: Callable[[bytes], None] | None = None
    ) -> str:
        """Run one command to its end and return what it printed on standard output; it is killed if we are cancelled.

        Args:
            arguments: what follows the name of the program.
            env: variables beside those of the environment.
            show: takes the output as it comes, standard error included; nothing is returned then.

        Raises:
            ContainerError: the command failed; the message has the last line it printed.
        """
        code, out, told = await self.ask(*arguments, env=env, show=show)
        if code != 0:
            verb = " ".join(arguments[: 2 if arguments[0] in _GROUPS else 1])
            raise ContainerError(f"`{self.name} {verb}` failed: {_last_word(told) or f'exit code {code}'}")
        return out.decode(errors="replace")

    async def ask(
        self, *arguments: str, env: Mapping[str, str] | None = None, show: Callable[[bytes], None] | None = None
    ) -> tuple[int, bytes, bytes]:
        """Run one command to its end and return its exit code, its output, and what it said of errors.

        Raises:
            ContainerError: the program cannot be started.
        """
        try:
            process = await anyio.open_process(
                (self.program, *arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if show else subprocess.PIPE,
                env={**self.environment, **(env or {})},
                start_new_session=True,  # Ctrl-C is for us to act upon
            )
        except (OSError, ValueError) as error:
            raise ContainerError(f"{self.program} cannot be started: {error}") from error
        async with process:
            out, told = await _outputs(process, show)
            code = await process.wait()
        return code, out, out if show else told


def find_engine(environment: Mapping[str, str]) -> ContainerEngine:
    """Return docker if it answers, else podman; or what SKYFLOW_CONTAINER_ENGINE names.

    Raises:
        NoEngineError: neither does.
    """
    wanted = environment.get(CHOICE_VARIABLE, "").strip()
    tried: list[str] = []
    for name in (wanted,) if wanted else ("docker", "podman"):
        program = shutil.which(name, path=environment.get("PATH", os.defpath))
        if program is None:
            tried.append(f"{name} is not installed")
            continue
        problem = _problem(program, environment)
        if problem is None:
            return ContainerEngine(program, _is_podman(program, environment), dict(environment))
        tried.append(f"{name} does not answer ({problem})")
    raise NoEngineError("; ".join(tried))


def variable_options(variables: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the options that set variables in a container, and what the client has to inherit for them.

    Values are inherited rather than written on the command line, where every user of the machine could read them. The
    exceptions are variables that the client would take to be its own.
    """
    options: list[str] = []
    inherited: dict[str, str] = {}
    for name, value in variables.items():
        if name in _CLIENT_NAMES or name.startswith(_CLIENT_PREFIXES):
            options += ["--env", f"{name}={value}"]
        else:
            options += ["--env", name]
            inherited[name] = value
    return options, inherited


async def _outputs(process: Process, show: Callable[[bytes], None] | None) -> tuple[bytes, bytes]:
    """Read a process to the end of its output; what is shown is kept only at its end, for messages."""
    found = {"out": b"", "told": b""}

    async def read(name: str) -> None:
        stream = process.stdout if name == "out" else process.stderr
        if stream is None:
            return
        async for data in stream:
            if show is not None:
                show(data)
                found[name] = (found[name] + data)[-64 * 1024 :]
            else:
                found[name] += data

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, "out")
        tasks.start_soon(read, "told")
    return found["out"], found["told"]


def _problem(program: str, environment: Mapping[str, str]) -> str | None:
    """Return why an engine does not answer."""
    podman = _is_podman(program, environment)
    question = (
        ("info", "--format", "{{.Version.Version}}") if podman else ("version", "--format", "{{.Server.Version}}")
    )
    try:
        done = _call(program, question, environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return _last_word(done.stderr) or f"exit code {done.returncode}"


def _is_podman(program: str, environment: Mapping[str, str]) -> bool:
    """Tell whether a program is podman, which may well be called docker."""
    if Path(program).name.startswith("podman"):
        return True
    try:
        return b"podman" in _call(program, ("--version",), environment).stdout.lower()
    except (OSError, subprocess.TimeoutExpired):
        return False


def _call(program: str, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        (program, *arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment,
        check=False,
        timeout=_PROBE_SECONDS,
    )


def _last_word(told: bytes) -> str:
    """Return the last line of what a program said that is not advice on how to use it."""
    lines = (line.strip() for line in reversed(told.decode(errors="replace").splitlines()))
    return next((line.removeprefix("Error: ") for line in lines if line and not line.startswith(_ADVICE)), "")
