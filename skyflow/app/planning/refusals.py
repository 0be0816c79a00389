"""What earlier runs were refused a moment ago, in a new plan: left out, and said, unless there is no plan without it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from skyflow.app.clock import SystemClock
from skyflow.app.market.availability import refused_lately
from skyflow.app.planning.candidates import Selection
from skyflow.app.planning.expansion import ExpectedJobs
from skyflow.app.project import Project
from skyflow.errors import NoCandidateError
from skyflow.model.blocks import Block
from skyflow.model.machines import FailureKind
from skyflow.model.units import format_duration
from skyflow.planner import PlanningJob

__all__ = ["Offered", "jobs_with_offers"]

_WHENEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """All jobs with their candidates, and the refusals that make a difference for these, as of `now`.

    `are_asked` tells that what was refused is among the candidates all the same.
    """

    jobs: list[PlanningJob]
    refused: list[Block]
    are_asked: bool
    now: datetime

    def notes(self) -> Iterator[str]:
        """Yield a sentence on each refusal."""
        for block in self.refused:
            place = "/".join(part for part in (block.provider, block.zone or block.region) if part)
            market = f" ({block.market})" if block.market else ""
            what = "had no" if block.kind is FailureKind.CAPACITY else "did not offer"
            age = format_duration((self.now - block.at).total_seconds())
            then = f"not asked again before {block.ends_at.astimezone():%Y-%m-%d %H:%M}"
            if self.are_asked:
                then = "asked again, for there is no plan without it"
            yield f"{place} {what} {block.instance_type}{market} {age} ago: {then}"


def jobs_with_offers(
    selection: Selection, expected: Sequence[ExpectedJobs], project: Project, *, asks_again: bool
) -> Offered:
    """Return all jobs with their candidates, without what was refused to earlier runs of the project.

    Where a job has no candidate left, or if we are told so, what was refused is asked for again.

    Raises:
        NoCandidateError, UsageError: as `Selection.of_all`.
        StoreError: the store cannot be read.
    """
    now = SystemClock().now()
    jobs = selection.of_all(expected)
    lately = (block for block in refused_lately(project, now) if block not in selection.blocks)
    refused = list(_met(lately, jobs))
    if refused and not asks_again:
        with suppress(NoCandidateError):
            left = replace(selection, blocks=(*selection.blocks, *refused)).of_all(expected)
            return Offered(jobs=left, refused=refused, are_asked=False, now=now)
    return Offered(jobs=jobs, refused=refused, are_asked=True, now=now)


def _met(lately: Iterable[Block], jobs: Iterable[PlanningJob]) -> Iterator[Block]:
    """Yield the refusals of what jobs could be placed on, the newest of those that say the same."""
    alike = {id(job.candidates): job for job in jobs if job.pinned_seconds is None}.values()
    newest = {replace(block, at=_WHENEVER): block for block in lately}
    for block in newest.values():
        images = ((job, None if job.setup is None else job.setup.image) for job in alike)
        if any(block.covers(one, image=image) for job, image in images for one in job.candidates):
            yield block
