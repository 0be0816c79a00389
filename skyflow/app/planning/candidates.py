"""Which machines each job of a workflow could be placed on, before the planner chooses among them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from skyflow._util.text import did_you_mean
from skyflow.app.market.residency import is_resident
from skyflow.app.planning.expansion import ExpectedJobs
from skyflow.app.planning.host_options import reason_to_stay
from skyflow.catalog import Catalog, Selected, select_candidates
from skyflow.errors import NoCandidateError, UsageError
from skyflow.model.blocks import Block
from skyflow.model.catalog import LOCAL_PLACE, Offering, Place
from skyflow.model.planning import DataPlace, PlanSpec
from skyflow.model.resources import LOCAL, RENTED, Estimate, Requirements
from skyflow.model.workflow import JobSpec
from skyflow.planner import Knowledge, OutsideData, PlanningJob
from skyflow.planner.estimates import type_of, work_seconds

__all__ = ["Selection"]

_Question = tuple[Requirements, Estimate | None]
_Asked = tuple[_Question, str]
"""What one or several jobs ask for; with the key of a job whose past says how long it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the candidates of jobs are chosen from, and by; `PlanOptions` says what the last four are."""

    catalog: Catalog
    plan: PlanSpec
    knowledge: Knowledge
    by_power: bool
    providers: Collection[str] | None
    pinned: Mapping[str, tuple[Offering, float]]
    lost: frozenset[str]
    blocks: tuple[Block, ...]

    def of_all(self, expected: Sequence[ExpectedJobs]) -> list[PlanningJob]:
        """Return every job with its candidates; a pinned one has that which it is pinned to.

        Raises:
            NoCandidateError: nothing in the catalog satisfies a job's requirements.
            UsageError: the workflow names a place that no table knows.
        """
        questions: list[tuple[ExpectedJobs, str, _Asked]] = []
        found: dict[_Asked, tuple[Offering, ...]] = {}  # many jobs ask for the same
        for each in expected:
            question = (
                _allowed(each.spec, self.providers),
                each.spec.estimate if _differs(each.spec.estimate) else None,
            )
            for key in each.keys:
                asked = question, key if self.knowledge.is_by_job else ""
                questions.append((each, key, asked))
                if key not in self.pinned and asked not in found:
                    found[asked] = self._of(question, job=each.spec.id, key=key)
        if len(found) > 1 and not self.plan.quotas:
            found = dict(self._with_shared(found))
        outside = {
            each.spec.id: tuple(_outside(data, self.catalog, job=each.spec.id) for data in each.spec.data_places)
            for each in expected
        }
        jobs = []
        for each, key, asked in questions:
            spec, pin = each.spec, self.pinned.get(key)
            jobs.append(
                PlanningJob(
                    key=key,
                    candidates=found[asked] if pin is None else (pin[0],),
                    needs=each.needs,
                    estimate=spec.estimate,
                    data_gb=tuple((data.job, data.gigabytes) for data in each.data),
                    outside=outside[spec.id],
                    utilization=spec.requirements.utilization,
                    setup=spec.requirements.setup,
                    reuse=spec.requirements.reuse,
                    recovery=spec.recovery,
                    pinned_seconds=None if pin is None else pin[1],
                )
            )
        return jobs

    def _of(self, question: _Question, *, job: str, key: str) -> tuple[Offering, ...]:
        """Return the offerings that a best plan can use; all there are where a quota asks what else they take up."""
        requirements, estimate = question
        some = select_candidates(
            self.catalog,
            requirements,
            job=job,
            seconds=None if estimate is None else self._seconds(estimate, key),
            by_power=self.by_power,
            every=bool(self.plan.quotas),
            blocks=[each for each in self.blocks if each.concerns(requirements.image)],
        )
        if estimate is not None:
            known = self._of_known_speed(some, estimate, key=key)
            if not known:
                raise _unknown_speed(some, job=job)
            some = known
        return self._admitted(some, job=job)

    def _of_known_speed(self, offerings: tuple[Offering, ...], estimate: Estimate, *, key: str) -> tuple[Offering, ...]:
        """Leave out machines of which nobody knows how fast they do the work that the job states."""
        if estimate.work is None or estimate.work.flops is None:
            return offerings
        examples = {type_of(one): one for one in offerings}
        known = {kind: isfinite(self._seconds(estimate, key)(one)) for kind, one in examples.items()}
        return tuple(one for one in offerings if known[type_of(one)])

    def _seconds(self, estimate: Estimate, key: str) -> Callable[[Offering], float]:
        """Return how long the job takes on a machine, with its start: that is paid for, and large machines pay more for it."""

        def seconds(offering: Offering) -> float:
            return work_seconds(key, estimate, offering, self.knowledge)[0] + self.knowledge.startup(offering)

        return seconds

    def _with_shared(self, found: Mapping[_Asked, tuple[Offering, ...]]) -> Mapping[_Asked, tuple[Offering, ...]]:
        """Add the machines that are best for another job and fit this one too: the two may share one."""
        selected = Selected(self.catalog, (one for some in found.values() for one in some if one.provider in RENTED))
        wider = {}
        for asked, mine in found.items():
            (requirements, estimate), key = asked
            more: tuple[Offering, ...] = ()
            if requirements.reuse:
                more = selected.also_fitting(requirements, besides=mine, job=key)
                if self.blocks:
                    image = requirements.image
                    more = tuple(one for one in more if not any(each.covers(one, image=image) for each in self.blocks))
                if estimate is not None:
                    more = self._of_known_speed(more, estimate, key=key)
            wider[asked] = (*mine, *more)
        return wider

    def _admitted(self, offerings: tuple[Offering, ...], *, job: str) -> tuple[Offering, ...]:
        """Leave out what residency forbids and what has been lost."""
        resident = offerings
        if self.plan.residency:  # only then are the regions read
            regions = self.catalog.regions
            resident = tuple(one for one in offerings if is_resident(one.place, self.plan.residency, regions))
        if not resident:
            raise NoCandidateError(
                f"job '{job}' finds machines only outside of {', '.join(self.plan.residency)}, where 'plan.residency' keeps it",
                hint="add a place to it; `local` is this machine"
                if offerings[0].provider == LOCAL
                else "add a place to it",
            )
        left = tuple(one for one in resident if one.id not in self.lost) if self.lost else resident
        if not left:
            raise NoCandidateError(f"job '{job}' has lost every machine it could run on")
        return left


def _unknown_speed(offerings: Sequence[Offering], *, job: str) -> NoCandidateError:
    device = next(one.accelerators.name for one in offerings if one.accelerators)
    return NoCandidateError(
        f"job '{job}' states its work in 'flops', and no table knows how many of them {device} does in a second",
        hint=f"add a duration for it, such as {{work: ..., on: {{{device}: 2h}}}}",
    )


def _differs(estimate: Estimate | None) -> bool:
    """Tell whether a job takes another time on another machine."""
    return estimate is not None and bool(estimate.on or estimate.work or estimate.function or estimate.from_history)


def _outside(data: DataPlace, catalog: Catalog, *, job: str) -> OutsideData:
    if data.region == LOCAL:
        place = LOCAL_PLACE
    else:
        provider, _, region = data.region.partition("/")
        place = Place(provider, region)
        if (provider, region) not in catalog.regions:
            known = [f"{provider}/{region}" for provider, region in catalog.regions]
            raise UsageError(
                f"{data.said_at}: 'data' of job '{job}' is in '{data.region}', which no table knows",
                hint=did_you_mean(data.region, known),
            )
    return OutsideData(name=data.uri, place=place, gigabytes=data.gigabytes, is_output=data.is_output)


def _allowed(spec: JobSpec, providers: Collection[str] | None) -> Requirements:
    requirements = replace(spec.requirements, only_here=reason_to_stay(spec))
    if not providers:
        return requirements
    asked = spec.requirements.providers
    both = frozenset(providers) if asked is None else asked & frozenset(providers)
    if not both:
        raise NoCandidateError(
            f"job '{spec.id}' runs on {', '.join(sorted(asked or ()))} only, which --on {', '.join(providers)} rules out",
            hint="change its runs-on, or leave --on away",
        )
    return replace(requirements, providers=both)
