"""Which files of a workspace on another machine are meant, and what is in them."""

from pathlib import Path

from skyflow._util.glob import make_glob
from skyflow.model.artifacts import Entry, is_safe_path
from skyflow.runners.remote.data import HostData
from skyflow.runners.remote.hashing import matching_files
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.paths import PathPairs

__all__ = ["RemoteFiles"]


class RemoteFiles:
    """The files in the workspace of one attempt: a folder on the machine, which the supervisor knows as `RUN/JOB/NUMBER`."""

    def __init__(self, link: HostLink, data: HostData, *, paths: PathPairs, workspace: str, attempt: str) -> None:
        """Prepare; nothing happens yet.

        Args:
            link: reaches the machine.
            data: lists files there.
            paths: what of this machine stands for what there.
            workspace: the folder there.
            attempt: what the supervisor calls it.
        """
        self._link = link
        self._data = data
        self._paths = paths
        self._workspace = workspace
        self._attempt = attempt

    async def matching(self, patterns: str) -> list[Entry]:
        """Return the files that match patterns, one per line, as actions take them; links stand for what they lead to.

        Raises:
            PatternError: a pattern cannot be used.
            TransportError: a file cannot be read there.
        """
        glob = make_glob(self._paths.to_there(patterns), workspace=Path(self._workspace))
        names = matching_files(
            glob.patterns, Path(self._workspace), await self._link.ask("walk", folder=self._workspace)
        )
        return await self._data.list(self._attempt, names, follow_links=True) if names else []

    async def below(self, path: str) -> list[Entry]:
        """Return everything at and below a path as it is; nothing where there is nothing.

        Raises:
            TransportError: a file cannot be read there.
        """
        walked = (await self._link.ask("walk", folder=self._workspace)).listing()
        found = [each[0] for each in walked if isinstance(each, list) and each and isinstance(each[0], str)]
        names = sorted(name for name in found if (name == path or name.startswith(f"{path}/")) and is_safe_path(name))
        return await self._data.list(self._attempt, names, follow_links=False) if names else []
