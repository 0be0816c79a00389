"""What jobs take and cost on many machines, whole columns at once; the figures are those of `estimates`, number for number.

A hundred jobs may be placed on ten thousand offerings each, mostly the same ones. So each offering is looked at once; of a
job, the duration is asked for once per type of machine, and what interruptions add once per duration and rate.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skyflow.model.catalog import Offering, Place
from skyflow.planner.estimates import Knowledge, interruption_rate, type_of, with_losses, work_seconds
from skyflow.planner.jobs import PlanningJob, Pool
from skyflow.planner.problem import Candidates

__all__ = ["Columns"]

_Numbers = NDArray[np.int64]
_Figures = NDArray[np.float64]
_Uses = tuple["array[float] | None", ...]


class Columns:
    """The offerings that some jobs may be placed on: a row each, with what does not depend on the job."""

    def __init__(
        self,
        offerings: Iterable[Offering],
        *,
        place: Callable[[Place], int],
        pools: Sequence[Pool],
        knowledge: Knowledge,
    ) -> None:
        self.knowledge = knowledge
        self.offerings = tuple({id(one): one for one in offerings}.values())
        self._row = {id(one): row for row, one in enumerate(self.offerings)}
        self._name = _numbered(one.id for one in self.offerings)
        self._place = np.array([place(one.place) for one in self.offerings])
        self._usd_per_hour = self._figures(lambda one: one.price_usd_per_hour)
        self._startup = self._figures(knowledge.startup)
        self._curve = np.array([knowledge.curve(one) for one in self.offerings])
        rates, self._rate = np.unique(self._figures(lambda one: interruption_rate(one, knowledge)), return_inverse=True)
        self._rates: list[float] = rates.tolist()
        types: dict[Hashable, int] = {}
        self._type = np.array([types.setdefault(type_of(one), len(types)) for one in self.offerings])
        _, self._example = np.unique(self._type, return_index=True)
        self._kilowatts: dict[float | None, _Figures] = {}
        self._grams_per_kwh = self._figures(lambda one: _grams_per_kwh(one, knowledge))
        self._takes = [self._figures(pool.takes) for pool in pools]
        self._fits = np.ones(len(self.offerings), dtype=bool)
        for pool, takes in zip(pools, self._takes, strict=True):
            self._fits &= takes <= pool.units

    def candidates(self, job: PlanningJob) -> tuple[Candidates, _Uses]:
        """Return those of a job, cheapest first, then fastest, then by id; and what each takes up of every pool.

        Those that alone take up more of a pool than there is are left out, unless the job has no other.
        """
        rows = self._rows(job.candidates)
        fitting = rows[self._fits[rows]]
        rows = fitting if len(fitting) else rows
        startup = self._startup[rows]
        seconds = startup + self._expected(job, rows)
        with np.errstate(invalid="ignore"):  # what takes for ever and costs nothing
            usd = self._usd_per_hour[rows] * seconds / 3600
            grams = self._power(job.utilization)[rows] * seconds / 3600 * self._grams_per_kwh[rows]
        grams[np.isnan(grams)] = 0.0  # where nothing is known, for ever too
        order = np.lexsort((self._name[rows], seconds, usd))
        rows, startup, curve = rows[order], startup[order], self._curve[rows[order]]
        candidates = Candidates(
            place=_array("q", self._place[rows]),
            seconds=_array("d", seconds[order]),
            usd=_array("d", usd[order]),
            grams=_array("d", grams[order]),
            offerings=tuple(map(self.offerings.__getitem__, rows.tolist())),
            startup=_array("d", startup if startup.any() else startup[:0]),
            curve=_array("q", curve if (curve >= 0).any() else curve[:0]),
        )
        uses = [takes[rows] for takes in self._takes]
        return candidates, tuple(_array("d", column) if column.any() else None for column in uses)

    def _rows(self, offerings: Sequence[Offering]) -> _Numbers:
        """Return the rows of some offerings; of several with one id, the last counts."""
        rows = np.fromiter(map(self._row.__getitem__, map(id, offerings)), np.int64, len(offerings))[::-1]
        _, last = np.unique(self._name[rows], return_index=True)
        found: _Numbers = rows[last]
        return found

    def _expected(self, job: PlanningJob, rows: _Numbers) -> _Figures:
        """Return how long the work of a job takes in some rows, interruptions included."""
        durations, duration = np.unique(self._work(job, rows), return_inverse=True)
        pairs, pair = np.unique(duration * len(self._rates) + self._rate[rows], return_inverse=True)
        lasting: list[float] = durations.tolist()
        expected = []
        for which in pairs.tolist():
            number, rate = divmod(which, len(self._rates))
            expected.append(with_losses(lasting[number], job.estimate, rate=self._rates[rate]))
        found: _Figures = np.array(expected)[pair]
        return found

    def _work(self, job: PlanningJob, rows: _Numbers) -> _Figures:
        if job.estimate is not None and job.estimate.function:  # which may look at anything
            examples, which = rows, np.arange(len(rows))
        else:
            types, which = np.unique(self._type[rows], return_inverse=True)
            examples = self._example[types]
        found = [
            work_seconds(job.key, job.estimate, self.offerings[row], self.knowledge)[0] for row in examples.tolist()
        ]
        return np.array(found)[which]

    def _power(self, utilization: float | None) -> _Figures:
        if utilization not in self._kilowatts:
            self._kilowatts[utilization] = self._figures(lambda one: _kilowatts(one, utilization, self.knowledge))
        return self._kilowatts[utilization]

    def _figures(self, figure: Callable[[Offering], float]) -> _Figures:
        return np.array([figure(one) for one in self.offerings], dtype=np.float64)


def _kilowatts(offering: Offering, utilization: float | None, knowledge: Knowledge) -> float:
    footprint = knowledge.footprint(offering)
    return 0.0 if footprint is None else footprint.kilowatts(utilization)


def _grams_per_kwh(offering: Offering, knowledge: Knowledge) -> float:
    footprint = knowledge.footprint(offering)
    return 0.0 if footprint is None else footprint.gco2_per_kwh


def _numbered(names: Iterable[str]) -> _Numbers:
    """Return the place of each name in their order; the same names have the same."""
    every = list(names)
    number: Mapping[str, int] = {name: position for position, name in enumerate(sorted(set(every)))}
    return np.array([number[name] for name in every])


def _array(kind: str, column: NDArray[Any]) -> "array[Any]":
    return array(kind, column.tobytes())
