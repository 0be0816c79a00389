"""What earlier runs have moved, for the next plan: how much jobs have from each other, and how fast it went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, median

from skyflow.app.project import Project
from skyflow.model.catalog import LOCAL_PLACE, Place, TransferRates
from skyflow.model.job_keys import names_in_plan
from skyflow.model.transfers import Handover, TransferRecord, Way
from skyflow.model.workflow import Workflow
from skyflow.store.store import open_store
from skyflow.store.transfers import TransferStore

__all__ = ["DataHistory", "Handed", "Speed", "data_history"]

_RUNS = 20
"""How many runs of a workflow are looked through, the newest first."""
_TRANSFERS = 500
"""How many of the newest transfers of a project are."""
_LEAST_BYTES = 1_000_000
"""Less takes as long as it takes to begin, which says nothing about more."""
_WAYS = frozenset({Way.TO_HERE, Way.FROM_HERE, Way.DIRECT, Way.UPLOAD, Way.DOWNLOAD})
_MEGABYTES_PER_GIGABYTE = 1e3


@dataclass(frozen=True, slots=True)
class Handed:
    """What one job had from those of another spec: decimal gigabytes, the median of so many runs."""

    gigabytes: float
    runs: int

    def __str__(self) -> str:
        """Return where the figure comes from."""
        return "as in the last run" if self.runs == 1 else f"median of {self.runs} runs"


@dataclass(frozen=True, slots=True)
class Speed:
    """How long a decimal gigabyte took, over so many transfers."""

    seconds_per_gb: float
    transfers: int

    def __str__(self) -> str:
        """Return the figure as people know it, and where it comes from."""
        speed = _MEGABYTES_PER_GIGABYTE / self.seconds_per_gb if self.seconds_per_gb else 0.0
        times = "transfer" if self.transfers == 1 else "transfers"
        return f"{speed:.3g} MB/s measured in {self.transfers} {times}"


@dataclass(frozen=True, slots=True)
class DataHistory:
    """What is known of data. `handed` is by jobs, without the numbers of combinations; `speeds` by regions."""

    handed: Mapping[tuple[str, str], Handed] = field(default_factory=dict)
    speeds: Mapping[tuple[Place, Place], Speed] = field(default_factory=dict)

    def between(self, source: str, target: str) -> Handed | None:
        """Return what a job had from another one."""
        return self.handed.get((_name(source), _name(target)))

    def speed(self, source: Place, target: Place) -> Speed | None:
        """Return how fast data went from one place to another, through this machine where it goes that way."""
        ends = _region(source), _region(target)
        if ends in self.speeds or LOCAL_PLACE in ends:
            return self.speeds.get(ends)
        legs = [self.speeds.get((ends[0], LOCAL_PLACE)), self.speeds.get((LOCAL_PLACE, ends[1]))]
        if legs[0] is None or legs[1] is None:
            return None
        return Speed(legs[0].seconds_per_gb + legs[1].seconds_per_gb, min(legs[0].transfers, legs[1].transfers))

    def measured(self, rates: TransferRates) -> TransferRates:
        """Return rates with the times that were measured in place of those of the tables."""
        regions = {end for ends in self.speeds for end in ends}
        known = [index for index, place in enumerate(rates.places) if _region(place) in regions]
        if not known:
            return rates
        seconds = [list(row) for row in rates.seconds_per_gb]
        for source in known:
            for target in known:
                speed = self.speed(rates.places[source], rates.places[target])
                if speed is not None:
                    seconds[source][target] = speed.seconds_per_gb
        return replace(rates, seconds_per_gb=tuple(map(tuple, seconds)))


def data_history(workflow: Workflow, project: Project) -> DataHistory:
    """Return what earlier runs have moved; nothing where there were none.

    Raises:
        StoreError: the state store cannot be used.
    """
    if not project.state.database.exists():
        return DataHistory()
    with open_store(project.state, create=False) as store:
        transfers = TransferStore(store)
        handovers = transfers.handovers(project.name_of(workflow.path), runs=_RUNS)
        latest = transfers.latest(at_least=_LEAST_BYTES, limit=_TRANSFERS)
    return DataHistory(handed=_handed(handovers), speeds=_speeds(latest))


def _handed(runs: Mapping[str, Sequence[Handover]]) -> dict[tuple[str, str], Handed]:
    """Return what one job had on average from all of a spec, run by run, then the middle of these."""
    found: dict[tuple[str, str], list[float]] = {}
    for handovers in runs.values():
        taken: dict[tuple[str, str], dict[str, int]] = {}
        for each in handovers:
            by_taker = taken.setdefault((_name(each.from_job), _name(each.to_job)), {})
            by_taker[each.to_job] = by_taker.get(each.to_job, 0) + each.size
        for pair, sizes in taken.items():
            found.setdefault(pair, []).append(fmean(sizes.values()) / 1e9)
    return {pair: Handed(median(sizes), len(sizes)) for pair, sizes in found.items()}


def _speeds(transfers: Sequence[TransferRecord]) -> dict[tuple[Place, Place], Speed]:
    found: dict[tuple[Place, Place], list[TransferRecord]] = {}
    for each in transfers:
        if each.way in _WAYS and each.source is not None and each.target is not None:
            ends = _region(each.source), _region(each.target)
            if ends != (LOCAL_PLACE, LOCAL_PLACE):
                found.setdefault(ends, []).append(each)
    return {
        ends: Speed(sum(each.seconds for each in some) / sum(each.size for each in some) * 1e9, len(some))
        for ends, some in found.items()
    }


def _name(job: str) -> str:
    """Return the key of a job without the numbers of combinations."""
    *_, name = names_in_plan(job)
    return name


def _region(place: Place) -> Place:
    return Place(place.provider, place.region)
