"""The runs that somebody looks at, each of which is read and drawn once for all who do."""

from threading import Lock

from skyflow.app.project import Project
from skyflow.app.showing.history import find_run
from skyflow.app.showing.live_run import LiveRun
from skyflow.ports.clock import Clock

__all__ = ["LiveRuns"]

_MOST = 8
"""So many runs are kept; one that is looked at and was forgotten is read anew."""


class LiveRuns:
    """Keeps the runs that were looked at last."""

    def __init__(self, project: Project, *, clock: Clock, write_token: str) -> None:
        self._project = project
        self._clock = clock
        self._write_token = write_token
        self._lock = Lock()
        self._kept: dict[str, LiveRun] = {}

    def named(self, name: str) -> LiveRun:
        """Return a run, from any thread.

        Raises:
            UsageError: there is no such run.
        """
        found = find_run(self._project, name)
        with self._lock:
            live = self._kept.pop(found, None)
            if live is None:
                live = LiveRun(self._project, found, clock=self._clock, write_token=self._write_token)
            self._kept[found] = live
            while len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]
            return live
