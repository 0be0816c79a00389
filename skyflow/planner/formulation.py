r"""The placement model for a MIP solver: variables, named constraint families, objective.

Sets         J jobs, K[j] candidates of job j, A places, A[j] places of job j, E edges (i, j)
Parameters   usd[j,k] and seconds[j,k]; d[i,j] gigabytes; Q[a,b] dollars and P[a,b] seconds per gigabyte; slots[a]
Variables    x[j,k] = 1 when job j runs on candidate k; y[j,a] = sum of x[j,k] over the candidates k at place a
             q[i,j,a,s], p[i,j,a,s] = 1 when i runs at place a and the transfer to j is dearer, slower, than step s
             f[j] finish time of job j; makespan, the end of the run

The cost of a transfer is the product y[i,a] * y[j,b] * d * Q[a,b]. It is linear without a variable per pair: with
l[0] < l[1] < ... the distinct values of row a, the cost is l[0] * y[i,a] plus (l[s+1] - l[s]) * q[i,j,a,s] over the
steps s, where q[i,j,a,s] >= y[i,a] - sum of y[j,b] over the places b of value at most l[s]. This is exact for every
table, and short because a real price row has two to four distinct values. Transfer times go the same way.

Dollars and seconds are counted in `units`, so that the solver's absolute tolerances mean the same for every problem.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import mip

from skyflow.model.objective import Objective
from skyflow.planner.names import lp_names, lp_term
from skyflow.planner.problem import Edge, PlacementProblem

__all__ = ["FAMILIES", "Formulation", "Units", "constraint", "formulate"]

Row = tuple[tuple[str | int, ...], mip.LinExpr]
Family = Callable[["Formulation"], Iterator[Row]]

FAMILIES: dict[str, tuple[str, Family]] = {}
"""Every constraint family by name: its LaTeX and the function that yields its rows."""


def constraint(latex: str) -> Callable[[Family], Family]:
    """Register a constraint family under its function name, with the mathematics that it encodes."""

    def register(family: Family) -> Family:
        FAMILIES[family.__name__] = (latex, family)
        return family

    return register


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What the model counts as one, in dollars and in seconds."""

    usd: float = 1.0
    seconds: float = 1.0

    def of(self, objective: Objective) -> float:
        """Return the unit of one objective."""
        match objective:
            case Objective.COST:
                return self.usd
            case Objective.MAKESPAN:
                return self.seconds


@dataclass(kw_only=True)
class Formulation:
    """A problem together with its decision variables.

    `ceilings` are the values, in dollars or seconds, that earlier objectives must keep. A variable of a step is keyed
    by (edge position, source place, step).
    """

    problem: PlacementProblem
    objective: Objective
    ceilings: dict[Objective, float]
    units: Units
    model: mip.Model
    x: dict[tuple[int, int], mip.Var] = field(default_factory=dict)
    q: dict[tuple[int, int, int], mip.Var] = field(default_factory=dict)
    p: dict[tuple[int, int, int], mip.Var] = field(default_factory=dict)
    f: list[mip.Var] = field(default_factory=list)
    makespan: mip.Var | None = None

    def minds(self, objective: Objective) -> bool:
        """Tell whether the model has to count this objective at all."""
        return objective is self.objective or objective in self.ceilings

    @cached_property
    def job_names(self) -> list[str]:
        """The name of each job."""
        names = lp_names(self.problem.jobs)
        return [names[job] for job in self.problem.jobs]

    @cached_property
    def candidate_names(self) -> dict[str, str]:
        """The name of each offering, by its id."""
        ids = (candidate.offering.id for options in self.problem.candidates for candidate in options)
        return lp_names(ids, length=60)  # x(job,candidate) is the only name with one in it

    @cached_property
    def place_names(self) -> dict[int, str]:
        """The name of each place, by its index."""
        places = {
            candidate.place: candidate.offering.place for options in self.problem.candidates for candidate in options
        }
        names = lp_names(f"{place.provider}.{place.name}" for place in places.values())
        return {index: names[f"{place.provider}.{place.name}"] for index, place in places.items()}

    @cached_property
    def places(self) -> list[tuple[int, ...]]:
        """The places of each job."""
        return [self.problem.places_of(job) for job in range(len(self.problem.jobs))]

    def edge_names(self, edge: Edge) -> tuple[str, str]:
        """Return the names of an edge's two jobs."""
        return self.job_names[edge.source], self.job_names[edge.target]

    def at(self, job: int, places: tuple[int, ...]) -> mip.LinExpr:
        """Return 1 when the job runs at one of the places."""
        return mip.xsum(
            self.x[job, candidate.rank] for candidate in self.problem.candidates[job] if candidate.place in places
        )

    def runtime(self, job: int) -> mip.LinExpr:
        """Return the units of time that the job takes."""
        return mip.xsum(
            candidate.seconds / self.units.seconds * self.x[job, candidate.rank]
            for candidate in self.problem.candidates[job]
        )

    def levels(self, edge: Edge, source: int, table: tuple[tuple[float, ...], ...], unit: float) -> list[float]:
        """Return the distinct values that an edge can have from one source place, ascending, in units."""
        return sorted({edge.gigabytes * table[source][place] / unit for place in self.places[edge.target]})

    def transfer(
        self,
        edge: Edge,
        steps: dict[tuple[int, int, int], mip.Var],
        table: tuple[tuple[float, ...], ...],
        unit: float,
    ) -> mip.LinExpr:
        """Return the units that an edge's transfer costs or takes."""
        terms = []
        for source in self.places[edge.source]:
            levels = self.levels(edge, source, table, unit)
            terms.append(levels[0] * self.at(edge.source, (source,)))
            terms.extend(
                (above - below) * steps[edge.position, source, step]
                for step, (below, above) in enumerate(pairwise(levels))
            )
        return mip.xsum(terms)

    def total(self, objective: Objective) -> mip.LinExpr:
        """Return the whole of one objective, in its unit."""
        match objective:
            case Objective.COST:
                compute = mip.xsum(
                    candidate.usd / self.units.usd * self.x[job, candidate.rank]
                    for job, options in enumerate(self.problem.candidates)
                    for candidate in options
                )
                return compute + mip.xsum(
                    self.transfer(edge, self.q, self.problem.usd_per_gb, self.units.usd) for edge in self.problem.edges
                )
            case Objective.MAKESPAN:
                return mip.xsum([self.makespan])


def _step_rows(
    m: Formulation, steps: dict[tuple[int, int, int], mip.Var], table: tuple[tuple[float, ...], ...], unit: float
) -> Iterator[Row]:
    for (position, source, step), variable in steps.items():
        edge = m.problem.edges[position]
        level = m.levels(edge, source, table, unit)[step]
        near = tuple(place for place in m.places[edge.target] if edge.gigabytes * table[source][place] / unit <= level)
        index = (*m.edge_names(edge), m.place_names[source], step)
        yield index, variable >= m.at(edge.source, (source,)) - m.at(edge.target, near)


@constraint(r"\sum_{k \in K_j} x_{jk} = 1 \quad \forall j \in J")
def assign_once(m: Formulation) -> Iterator[Row]:
    """Every job runs on exactly one candidate."""
    for job, name in enumerate(m.job_names):
        yield (name,), m.at(job, m.places[job]) == 1


@constraint(
    r"q_{ijas} \ge y_{ia} - \sum_{b \in A_j : d_{ij} Q_{ab} \le \ell_s} y_{jb}"
    r" \quad \forall (i,j) \in E, a \in A_i, s"
)
def pays_for_transfer(m: Formulation) -> Iterator[Row]:
    """Data that goes further than a price step reaches pays the next step as well."""
    yield from _step_rows(m, m.q, m.problem.usd_per_gb, m.units.usd)


@constraint(
    r"p_{ijas} \ge y_{ia} - \sum_{b \in A_j : d_{ij} P_{ab} \le \ell_s} y_{jb}"
    r" \quad \forall (i,j) \in E, a \in A_i, s"
)
def waits_for_transfer(m: Formulation) -> Iterator[Row]:
    """Data that takes longer than a time step allows waits for the next step as well."""
    yield from _step_rows(m, m.p, m.problem.seconds_per_gb, m.units.seconds)


@constraint(r"f_j \ge \sum_{k \in K_j} t_{jk} x_{jk} \quad \forall j \in J")
def takes_its_time(m: Formulation) -> Iterator[Row]:
    """No job ends before it has run."""
    for job, finish in enumerate(m.f):
        yield (m.job_names[job],), finish >= m.runtime(job)


@constraint(
    r"f_j \ge f_i + \sum_{a \in A_i} \bigl(\ell_0 y_{ia} + \sum_s (\ell_{s+1} - \ell_s) p_{ijas}\bigr)"
    r" + \sum_{k \in K_j} t_{jk} x_{jk} \quad \forall (i,j) \in E"
)
def finishes_after_needs(m: Formulation) -> Iterator[Row]:
    """A job starts when every job it needs has ended and its data has arrived."""
    for edge in m.problem.edges if m.f else ():
        wait = m.transfer(edge, m.p, m.problem.seconds_per_gb, m.units.seconds)
        yield m.edge_names(edge), m.f[edge.target] >= m.f[edge.source] + wait + m.runtime(edge.target)


@constraint(r"\mathit{makespan} \ge f_j \quad \forall j \in J \text{ that no job needs}")
def ends_last(m: Formulation) -> Iterator[Row]:
    """The run ends when its last job has ended."""
    for job, finish in enumerate(m.f):
        if not m.problem.outgoing[job]:
            yield (m.job_names[job],), m.makespan >= finish


@constraint(
    r"\sum_{j \in J} \sum_{k \in K_j : \mathit{place}(k) = a} t_{jk} x_{jk} \le \mathit{slots}_a \mathit{makespan}"
    r" \quad \forall a \in A \text{ with slots}"
)
def shares_slots(m: Formulation) -> Iterator[Row]:
    """The jobs of a place that takes only so many at once need at least their time divided by the slots."""
    if m.makespan is None:
        return
    for place, slots in enumerate(m.problem.slots):
        if slots is not None and place in m.place_names:
            work = mip.xsum(
                candidate.seconds / m.units.seconds * m.x[job, candidate.rank]
                for job, options in enumerate(m.problem.candidates)
                for candidate in options
                if candidate.place == place
            )
            yield (m.place_names[place],), work <= slots * m.makespan


@constraint(r"\mathit{objective}_1 \le \mathit{value}_1")
def keeps_first_objective(m: Formulation) -> Iterator[Row]:
    """Breaking ties may not make the first objective worse."""
    for objective, ceiling in m.ceilings.items():
        yield (objective.value,), m.total(objective) <= ceiling / m.units.of(objective)


def formulate(
    problem: PlacementProblem,
    objective: Objective,
    *,
    ceilings: dict[Objective, float] | None = None,
    units: Units | None = None,
    solver_name: str = mip.CBC,
    families: tuple[str, ...] | None = None,
) -> Formulation:
    """Build the model: variables, then each registered family (or only those named), then the objective."""
    model = mip.Model(sense=mip.MINIMIZE, solver_name=solver_name)
    model.verbose = 0
    m = Formulation(problem=problem, objective=objective, ceilings=ceilings or {}, units=units or Units(), model=model)
    for job, options in enumerate(problem.candidates):
        for candidate in options:
            name = lp_term("x", m.job_names[job], m.candidate_names[candidate.offering.id])
            m.x[job, candidate.rank] = model.add_var(name=name, var_type=mip.BINARY)
    if m.minds(Objective.COST):
        _add_steps(m, "q", m.q, problem.usd_per_gb, m.units.usd)
    if m.minds(Objective.MAKESPAN):
        _add_steps(m, "p", m.p, problem.seconds_per_gb, m.units.seconds)
        m.f = [model.add_var(name=lp_term("f", name)) for name in m.job_names]
        m.makespan = model.add_var(name="makespan")
    for name, (_, family) in FAMILIES.items():
        if families is None or name in families:
            for index, row in family(m):
                model.add_constr(row, name=lp_term(name, *index))
    model.objective = m.total(objective)
    return m


def _add_steps(
    m: Formulation,
    letter: str,
    steps: dict[tuple[int, int, int], mip.Var],
    table: tuple[tuple[float, ...], ...],
    unit: float,
) -> None:
    for edge in m.problem.edges:
        for source in m.places[edge.source]:
            for step in range(len(m.levels(edge, source, table, unit)) - 1):
                name = lp_term(letter, *m.edge_names(edge), m.place_names[source], step)
                steps[edge.position, source, step] = m.model.add_var(name=name, lb=0, ub=1)
