"""A run that is being looked at: its page in parts, and which of them have changed since somebody last saw it."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from skyflow.app.project import Project
from skyflow.app.showing.graph import expected_of_run
from skyflow.app.showing.history import read_run, summaries_of_job
from skyflow.app.showing.log_excerpts import GrowingLogs
from skyflow.app.showing.report import gather
from skyflow.app.showing.run_plans import RunPlans, plans_of_run
from skyflow.model.run import RunId
from skyflow.ports.clock import Clock
from skyflow.report.page.data import ReportData
from skyflow.report.page.parts import Part
from skyflow.report.page.render import RunPage, title_of
from skyflow.store.lease import is_leased
from skyflow.store.store import open_store

__all__ = ["Change", "Changes", "LiveRun"]

_PLANS = 2
"""Where the mark of a run counts its earlier plans."""
_SECONDS_BETWEEN_TICKS = 5.0
"""How often the page of a run is made anew of which nothing has changed but the time."""


@dataclass(frozen=True, slots=True)
class Change:
    """A part that is different; where it is not there yet, it comes `after` the one with that id, or first."""

    part: Part
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different on a page, in the order of the page, and its `version` then."""

    version: int
    title: str
    changes: tuple[Change, ...]


class LiveRun:
    """Makes the page of a run, for several who look at it from several threads.

    It is asked often, and reads only what tells that nothing has changed until something has. Jobs that have not moved and
    print nothing are then taken as they were.

    Raises:
        UsageError: there is no such run.
    """

    def __init__(self, project: Project, name: str, *, clock: Clock, write_token: str) -> None:
        self._project = project
        self._clock = clock
        self._lock = Lock()
        self._history = read_run(project, name)
        self._folder = project.state.run(self.id)
        self._expected = expected_of_run(self._history)
        self._logs = GrowingLogs(self._folder, jobs=sum(len(each.keys) for each in self._expected))
        self._summaries: dict[str, list[str]] = {}
        self._plans: RunPlans | None = None
        self._page = RunPage(write_token=write_token)
        self._mark: tuple[int, ...] = ()
        self._looked_at: datetime | None = None
        self._data: ReportData | None = None
        self._parts: list[Part] = []
        self._versions: dict[str, tuple[Part, int]] = {}
        self._version = int(clock.now().timestamp() * 1000)  # larger than all of an earlier one that was forgotten

    @property
    def id(self) -> RunId:
        """Which run it is."""
        return self._history.overview.run.id

    def page(self) -> str:
        """Return the whole page as it is now; it names its version."""
        with self._lock:
            return self._page.whole(self._look(), self._parts, version=str(self._version))

    def changes(self, since: int) -> Changes | None:
        """Return what is different from a version, everything if there was never such a one; None if nothing is."""
        with self._lock:
            data = self._look()
            if since == self._version:
                return None
            known = since if since < self._version else 0
            return Changes(self._version, title_of(data), tuple(self._changed(known)))

    def _look(self) -> ReportData:
        """Return what there is to see now; the parts of the page are made of it."""
        with open_store(self._project.state, create=False) as store:
            mark = (*store.mark_of_run(self.id), int(is_leased(self._folder)))
            is_other = mark != self._mark
            events = store.events(self.id, after=self._mark[0]) if is_other and self._mark else []
        now = self._clock.now()
        printing = self._logs.grown()
        if self._data is not None and not (is_other or printing or self._is_late(now)):
            return self._data
        moved = {event.transition.job_key for event in events if event.transition.job_key is not None}
        is_planned_anew = not self._mark or mark[_PLANS] != self._mark[_PLANS]
        self._mark, self._looked_at = mark, now
        self._data = self._gathered(now, moved | printing, is_planned_anew=is_planned_anew)
        self._renew(self._page.parts(self._data, None if is_planned_anew else moved | printing))
        return self._data

    def _is_late(self, now: datetime) -> bool:
        """Tell whether the times on the page of a run that is driven are too old."""
        if self._looked_at is None or not self._history.overview.is_driven:
            return False
        return (now - self._looked_at).total_seconds() > _SECONDS_BETWEEN_TICKS

    def _gathered(self, now: datetime, changed: AbstractSet[str], *, is_planned_anew: bool) -> ReportData:
        history = self._history = read_run(self._project, self.id)
        if self._plans is None or is_planned_anew:
            self._plans = plans_of_run(history)
        for job in history.jobs:
            if job.key in changed or job.key not in self._summaries:
                self._summaries[job.key] = summaries_of_job(self._folder, job.key)
        return gather(
            history,
            self._expected,
            self._plans,
            logs=self._logs.read(history.steps, changed),
            summaries=[(job.name, text) for job in history.jobs for text in self._summaries[job.key]],
            made_at=now,
        )

    def _renew(self, parts: list[Part]) -> None:
        """Take new parts, those that are gone as empty ones, and give all that are different the next version."""
        gone = [Part(part.id, "", part.inside) for part, _ in self._versions.values()]
        latest = {part.id: part for part in (*gone, *parts)}
        different = [
            part for id_, part in latest.items() if id_ not in self._versions or self._versions[id_][0] != part
        ]
        if different:
            self._version += 1
            self._versions |= {part.id: (part, self._version) for part in different}
        self._parts = parts

    def _changed(self, since: int) -> Iterator[Change]:
        """Yield what has changed since a version, in the order of the page."""
        there = {part.id for part in self._parts}
        for part, version in self._versions.values():
            if version > since and part.id not in there:
                yield Change(part, "")
        last: dict[str, str] = {}
        for part in self._parts:
            if self._versions[part.id][1] > since:
                yield Change(part, last.get(part.inside, ""))
            if part.html:
                last[part.inside] = part.id
