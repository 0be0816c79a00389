r"""The placement model for a MIP solver: variables, named constraint families, objective.

Sets         J jobs, K[j] candidates of job j, A places, A[j] places of job j, E edges (i, j), C capacities
Parameters   usd[j,k], grams[j,k] and seconds[j,k]; d[i,j] gigabytes; per gigabyte Q[a,b] dollars, G[a,b] grams and
             P[a,b] seconds; u[c,j,k] units of capacity c; limits on dollars, grams and seconds
Variables    x[j,k] = 1 when job j runs on candidate k; y[j,a] = sum of x[j,k] over the candidates k at place a
             q, g, p[i,j,a,s] = 1 when i runs at place a and the transfer to j is dearer, dirtier, slower than step s
             f[j] finish time of job j; makespan, the end of the run

The cost of a transfer is the product y[i,a] * y[j,b] * d * Q[a,b]. It is linear without a variable per pair: with
l[0] < l[1] < ... the distinct values of row a, the cost is l[0] * y[i,a] plus (l[s+1] - l[s]) * q[i,j,a,s] over the
steps s, where q[i,j,a,s] >= y[i,a] - sum of y[j,b] over the places b of value at most l[s]. This is exact for every
table, and short because a real price row has two to four distinct values. Transfer times go the same way.

Dollars, grams and seconds are counted in `units`, so that the solver's absolute tolerances mean the same for every
problem.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import mip

from skyflow.model.objective import Goal
from skyflow.planner.problem import Edge, Limits, PlacementProblem, Table
from skyflow.planner.solver.names import lp_names, lp_term

__all__ = ["FAMILIES", "FIGURES", "Formulation", "Units", "constraint", "formulate"]

FIGURES = {"usd": "q", "grams": "g", "seconds": "p"}
"""What is counted, and the letter of the step variables that count it for transfers."""

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
    """What the model counts as one, of the goal and of each figure."""

    goal: float = 1.0
    usd: float = 1.0
    grams: float = 1.0
    seconds: float = 1.0


@dataclass(kw_only=True)
class Formulation:
    """A problem together with its decision variables.

    `kept` are the candidates of each job that the model chooses from. `ceilings` are goals that may not exceed a value,
    because they were decided before. A variable of a step is keyed by (edge position, source place, step).
    """

    problem: PlacementProblem
    kept: Sequence[Sequence[int]]
    goal: Goal
    ceilings: Sequence[tuple[Goal, float]]
    units: Units
    model: mip.Model
    x: dict[tuple[int, int], mip.Var] = field(default_factory=dict)
    steps: dict[str, dict[tuple[int, int, int], mip.Var]] = field(default_factory=dict)
    f: list[mip.Var] = field(default_factory=list)
    makespan: mip.Var | None = None

    def minds(self, figure: str) -> bool:
        """Tell whether the model has to count this figure at all."""
        goals = (self.goal, *(goal for goal, _ in self.ceilings))
        return figure in self.problem.limits.named() or any(getattr(goal, figure) for goal in goals)

    @property
    def limits(self) -> Limits:
        """The limits of the problem."""
        return self.problem.limits

    @cached_property
    def job_names(self) -> list[str]:
        """The name of each job."""
        names = lp_names(self.problem.jobs)
        return [names[job] for job in self.problem.jobs]

    @cached_property
    def candidate_names(self) -> dict[str, str]:
        """The name of each candidate."""
        names = (self.problem.candidates[job].name(k) for job, kept in enumerate(self.kept) for k in kept)
        return lp_names(names, length=60)  # x(job,candidate) is the only name with one in it

    @cached_property
    def place_names(self) -> dict[int, str]:
        """The name of each place, by its index."""
        names: dict[int, str] = {}
        for job, kept in enumerate(self.kept):
            options = self.problem.candidates[job]
            for k in kept:
                place = options.place[k]
                names[place] = (
                    f"{options.offerings[k].provider}.{options.offerings[k].place.name}"
                    if options.offerings
                    else f"place.{place}"
                )
        legal = lp_names(names.values())
        return {place: legal[name] for place, name in names.items()}

    @cached_property
    def places(self) -> list[tuple[int, ...]]:
        """The places of each job."""
        return [
            tuple(sorted({self.problem.candidates[job].place[k] for k in kept})) for job, kept in enumerate(self.kept)
        ]

    def edge_names(self, edge: Edge) -> tuple[str, str]:
        """Return the names of an edge's two jobs."""
        return self.job_names[edge.source], self.job_names[edge.target]

    def at(self, job: int, places: tuple[int, ...]) -> mip.LinExpr:
        """Return 1 when the job runs at one of the places."""
        column = self.problem.candidates[job].place
        return mip.xsum(self.x[job, k] for k in self.kept[job] if column[k] in places)

    def own(self, job: int, figure: str) -> mip.LinExpr:
        """Return what the job itself takes of a figure, in its unit."""
        column, unit = getattr(self.problem.candidates[job], figure), getattr(self.units, figure)
        return mip.xsum(column[k] / unit * self.x[job, k] for k in self.kept[job])

    def table(self, figure: str) -> Table:
        """Return a figure per gigabyte, in its unit."""
        table: Table = getattr(self.problem, f"{figure}_per_gb")
        return table

    def levels(self, edge: Edge, source: int, figure: str) -> list[float]:
        """Return the distinct values that an edge can have from one source place, ascending, in units."""
        row, unit = self.table(figure)[source], getattr(self.units, figure)
        return sorted({edge.gigabytes * row[place] / unit for place in self.places[edge.target]})

    def transfer(self, edge: Edge, figure: str) -> mip.LinExpr:
        """Return what an edge's transfer takes of a figure, in its unit."""
        terms = []
        for source in self.places[edge.source]:
            levels = self.levels(edge, source, figure)
            terms.append(levels[0] * self.at(edge.source, (source,)))
            terms.extend(
                (above - below) * self.steps[figure][edge.position, source, step]
                for step, (below, above) in enumerate(pairwise(levels))
            )
        return mip.xsum(terms)

    def total(self, figure: str) -> mip.LinExpr:
        """Return the whole of one figure, in its unit."""
        if figure == "seconds":
            return mip.xsum([self.makespan])
        jobs = mip.xsum(self.own(job, figure) for job in range(len(self.kept)))
        return jobs + mip.xsum(self.transfer(edge, figure) for edge in self.problem.edges)

    def value(self, goal: Goal) -> mip.LinExpr:
        """Return what a goal counts, in the unit of the goal."""
        return mip.xsum(
            getattr(goal, figure) * getattr(self.units, figure) / self.units.goal * self.total(figure)
            for figure in FIGURES
            if getattr(goal, figure)
        )


def _step_rows(m: Formulation, figure: str) -> Iterator[Row]:
    for (position, source, step), variable in m.steps.get(figure, {}).items():
        edge = m.problem.edges[position]
        level = m.levels(edge, source, figure)[step]
        row, unit = m.table(figure)[source], getattr(m.units, figure)
        near = tuple(place for place in m.places[edge.target] if edge.gigabytes * row[place] / unit <= level)
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
    yield from _step_rows(m, "usd")


@constraint(
    r"g_{ijas} \ge y_{ia} - \sum_{b \in A_j : d_{ij} G_{ab} \le \ell_s} y_{jb}"
    r" \quad \forall (i,j) \in E, a \in A_i, s"
)
def emits_for_transfer(m: Formulation) -> Iterator[Row]:
    """Data on a dirtier way than a step of emissions allows emits the next step as well."""
    yield from _step_rows(m, "grams")


@constraint(
    r"p_{ijas} \ge y_{ia} - \sum_{b \in A_j : d_{ij} P_{ab} \le \ell_s} y_{jb}"
    r" \quad \forall (i,j) \in E, a \in A_i, s"
)
def waits_for_transfer(m: Formulation) -> Iterator[Row]:
    """Data that takes longer than a time step allows waits for the next step as well."""
    yield from _step_rows(m, "seconds")


@constraint(r"f_j \ge \sum_{k \in K_j} t_{jk} x_{jk} \quad \forall j \in J")
def takes_its_time(m: Formulation) -> Iterator[Row]:
    """No job ends before it has run."""
    for job, finish in enumerate(m.f):
        yield (m.job_names[job],), finish >= m.own(job, "seconds")


@constraint(
    r"f_j \ge f_i + \sum_{a \in A_i} \bigl(\ell_0 y_{ia} + \sum_s (\ell_{s+1} - \ell_s) p_{ijas}\bigr)"
    r" + \sum_{k \in K_j} t_{jk} x_{jk} \quad \forall (i,j) \in E"
)
def finishes_after_needs(m: Formulation) -> Iterator[Row]:
    """A job starts when every job it needs has ended and its data has arrived."""
    for edge in m.problem.edges if m.f else ():
        wait = m.transfer(edge, "seconds")
        yield m.edge_names(edge), m.f[edge.target] >= m.f[edge.source] + wait + m.own(edge.target, "seconds")


@constraint(r"\mathit{makespan} \ge f_j \quad \forall j \in J \text{ that no job needs}")
def ends_last(m: Formulation) -> Iterator[Row]:
    """The run ends when its last job has ended."""
    for job, finish in enumerate(m.f):
        if not m.problem.outgoing[job]:
            yield (m.job_names[job],), m.makespan >= finish


@constraint(
    r"\sum_{j \in J} \sum_{k \in K_j} u_{cjk} t_{jk} x_{jk} \le \mathit{units}_c \mathit{makespan}"
    r" \quad \forall c \in C"
)
def shares_capacity(m: Formulation) -> Iterator[Row]:
    """What the jobs take up of a capacity, times how long, fits into the whole run."""
    names = lp_names(capacity.name for capacity in m.problem.capacities)
    if m.makespan is None:
        return
    for capacity in m.problem.capacities:
        work = [
            capacity.use(job, k) * m.problem.candidates[job].seconds[k] / m.units.seconds * m.x[job, k]
            for job, kept in enumerate(m.kept)
            for k in kept
            if capacity.use(job, k)
        ]
        if work:
            yield (names[capacity.name],), mip.xsum(work) <= capacity.units * m.makespan


def _total(machine: str, step: str) -> str:
    """Return the LaTeX of what machines and transfers add up to, by the letters of a candidate and of a step."""
    return (
        rf"\sum_{{j \in J}} \sum_{{k \in K_j}} {machine}_{{jk}} x_{{jk}} + \sum_{{(i,j) \in E}} \sum_{{a \in A_i}}"
        rf" \bigl(\ell_0 y_{{ia}} + \sum_s (\ell_{{s+1}} - \ell_s) {step}_{{ijas}}\bigr)"
    )


@constraint(r"\mathit{makespan} \le D")
def meets_deadline(m: Formulation) -> Iterator[Row]:
    """The run ends by the deadline."""
    if m.limits.seconds is not None:
        yield (), m.total("seconds") <= m.limits.seconds / m.units.seconds


@constraint(_total("c", "q") + r" \le B")
def within_budget(m: Formulation) -> Iterator[Row]:
    """Machines and transfers cost no more than the budget."""
    if m.limits.usd is not None:
        yield (), m.total("usd") <= m.limits.usd / m.units.usd


@constraint(_total("e", "g") + r" \le M")
def within_carbon_cap(m: Formulation) -> Iterator[Row]:
    """Machines and transfers emit no more than the cap."""
    if m.limits.grams is not None:
        yield (), m.total("grams") <= m.limits.grams / m.units.grams


@constraint(r"\mathit{goal}_i \le \mathit{value}_i \quad \forall i \text{ decided before}")
def keeps_what_was_decided(m: Formulation) -> Iterator[Row]:
    """Breaking ties may not make an earlier goal worse."""
    for goal, ceiling in m.ceilings:
        yield (goal.objective.value,), m.value(goal) <= ceiling / m.units.goal


def formulate(
    problem: PlacementProblem,
    goal: Goal,
    *,
    kept: Sequence[Sequence[int]] | None = None,
    ceilings: Sequence[tuple[Goal, float]] = (),
    units: Units | None = None,
    solver_name: str = mip.CBC,
    families: tuple[str, ...] | None = None,
) -> Formulation:
    """Build the model: variables, then each registered family (or only those named), then the objective."""
    model = mip.Model(sense=mip.MINIMIZE, solver_name=solver_name)
    model.verbose = 0
    m = Formulation(
        problem=problem,
        kept=kept or [range(len(options)) for options in problem.candidates],
        goal=goal,
        ceilings=ceilings,
        units=units or Units(),
        model=model,
    )
    for job, candidates in enumerate(m.kept):
        for k in candidates:
            name = lp_term("x", m.job_names[job], m.candidate_names[problem.candidates[job].name(k)])
            m.x[job, k] = model.add_var(name=name, var_type=mip.BINARY)
    for figure, letter in FIGURES.items():
        if m.minds(figure):
            m.steps[figure] = dict(_steps(m, figure, letter))
    if m.minds("seconds"):
        m.f = [model.add_var(name=lp_term("f", name)) for name in m.job_names]
        m.makespan = model.add_var(name="makespan")
    for name, (_, family) in FAMILIES.items():
        if families is None or name in families:
            for index, row in family(m):
                model.add_constr(row, name=lp_term(name, *index))
    model.objective = m.value(goal)
    return m


def _steps(m: Formulation, figure: str, letter: str) -> Iterator[tuple[tuple[int, int, int], mip.Var]]:
    for edge in m.problem.edges:
        for source in m.places[edge.source]:
            for step in range(len(m.levels(edge, source, figure)) - 1):
                name = lp_term(letter, *m.edge_names(edge), m.place_names[source], step)
                yield (edge.position, source, step), m.model.add_var(name=name, lb=0, ub=1)
