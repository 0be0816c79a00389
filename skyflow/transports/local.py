"""The link to this machine itself, for what is done elsewhere over SSH: a login node that skyflow runs on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from skyflow.ports.transport import Ended
from skyflow.transports.base import BaseTransport
from skyflow.transports.process_channel import ProcessChannel

__all__ = ["LocalTransport"]

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126


class LocalTransport(BaseTransport):
    """Starts commands here, in the home folder as sshd does; see `skyflow.ports.transport.Transport`."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        """Prepare.

        Args:
            name: what this machine is called in messages.
            environment: that of the commands.
        """
        self._name = name
        self._environment = dict(environment)
        home = self._environment.get("HOME", "")
        self._home = home if Path(home).is_dir() else "/"

    @property
    def name(self) -> str:
        """What this machine is called."""
        return self._name

    async def open(self, command: Sequence[str]) -> ProcessChannel:
        """Start a command; one that is not there ends as under a shell."""
        try:
            return await _LocalChannel.start(
                self._name,
                command,
                on_end=lambda: None,
                env=self._environment,
                cwd=self._home,
            )
        except OSError as error:
            code = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
            script = ["/bin/sh", "-c", 'echo "$1" >&2; exit "$2"', "sh", f"{command[0]}: {error.strerror}", str(code)]
            return await _LocalChannel.start(self._name, script, on_end=lambda: None, env={}, cwd="/")

    async def aclose(self) -> None:
        """Do nothing: there is no link."""


class _LocalChannel(ProcessChannel):
    """A command under way here."""

    def ended(self, exit_code: int, error_text: str) -> Ended:
        """Return how it ended."""
        return Ended(exit_code=exit_code if exit_code >= 0 else 128 - exit_code, error_text=error_text)
