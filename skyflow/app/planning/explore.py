"""Plans of one workflow under one weighting after another; what does not depend on the weights is made once."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from skyflow.app.planning.callees import callees_in
from skyflow.app.planning.plan import Planning, PlanOptions, prepare_planning
from skyflow.app.planning.plan_views import diff_plans, frontier
from skyflow.app.planning.replan import prepare_rest
from skyflow.app.project import Project
from skyflow.errors import UsageError
from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import Plan
from skyflow.model.plan_view import Explored, Weights
from skyflow.spec import load_workflow

__all__ = ["Explorer", "workflow_files"]

_FOLDERS = (".", "workflows", ".github/workflows")
_SECONDS_PER_PLAN = 3.0


def workflow_files(root: Path) -> list[str]:
    """Return the workflow files of a project, in the folders where they usually are."""
    found = (path for folder in _FOLDERS for path in sorted((root / folder).glob("*.y*ml")))
    return [path.relative_to(root).as_posix() for path in found if _is_workflow(path)]


def _is_workflow(path: Path) -> bool:
    if path.suffix not in {".yml", ".yaml"} or not path.is_file():
        return False
    return any(line.startswith(("jobs:", '"jobs"')) for line in path.read_text("utf-8", errors="replace").splitlines())


@dataclass(slots=True)
class _Subject:
    """What is planned, with what was found of it so far."""

    title: str
    planning: Planning
    before: Plan
    cheapest: Plan
    is_rest: bool
    frontier: tuple[Plan, ...] | None = None


class Explorer:
    """Plans the workflows and runs of a project; remembers what it planned last."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._last: tuple[object, _Subject] | None = None

    def of_file(self, name: str, weights: Weights | None, *, with_frontier: bool) -> Explored:
        """Return a plan of a workflow file of the project; without weights that for its own goal.

        Raises:
            UsageError: there is no such workflow file in the project.
            WorkflowInvalidError: it has errors.
            PlanningError: there is no plan.
        """
        if name not in workflow_files(self._project.root):
            raise UsageError(f"there is no workflow file '{name}' in {self._project.root}")
        path = self._project.root / name
        key = name, path.stat().st_mtime_ns
        if self._last is None or self._last[0] != key:
            self._last = key, self._subject_of_file(name, path)
        return _explored(self._last[1], weights, with_frontier=with_frontier)

    def of_run(self, name: str, weights: Weights | None, *, now: datetime, with_frontier: bool) -> Explored:
        """Return a plan of a run, or of what is left of it where it goes on.

        Raises:
            UsageError: there is no such run, or its plan cannot be read.
            PlanningError: there is no plan.
        """
        rest = prepare_rest(name, project=self._project, now=now, options=_OPTIONS)
        if not rest.is_completed:
            subject = _subject(rest.title, rest.planning, rest.old, is_rest=True)
            return _explored(subject, weights, with_frontier=with_frontier)
        key = "run", rest.title
        if self._last is None or self._last[0] != key:
            self._last = key, _subject(rest.title, rest.planning, rest.old, is_rest=False)
        return _explored(self._last[1], weights, with_frontier=with_frontier)

    def _subject_of_file(self, name: str, path: Path) -> _Subject:
        workflow = load_workflow(str(path)).workflow
        callees = callees_in(workflow, self._project.root)
        planning = prepare_planning(workflow, callees=callees, options=_OPTIONS, project=self._project)
        return _subject(name, planning, planning.plan(again=True), is_rest=False)


_OPTIONS = PlanOptions(counts_carbon=True, time_limit_seconds=_SECONDS_PER_PLAN)


def _subject(title: str, planning: Planning, before: Plan, *, is_rest: bool) -> _Subject:
    cheapest = planning.plan(goal=Goal.of(Objective.COST), again=True)
    return _Subject(title, planning, before, cheapest, is_rest)


def _explored(subject: _Subject, weights: Weights | None, *, with_frontier: bool) -> Explored:
    goal = subject.planning.goal if weights is None else weights.goal(subject.cheapest)
    plan = subject.planning.plan(goal=goal, again=True)
    if with_frontier and subject.frontier is None:
        subject.frontier = tuple(frontier(subject.planning))
    return Explored(
        title=subject.title,
        goal=goal,
        weights=weights or Weights.of(goal, subject.cheapest),
        diff=diff_plans(subject.before, plan),
        frontier=subject.frontier,
        has_choice=any(len(options) > 1 for options in subject.planning.problem.placement.candidates),
        is_rest=subject.is_rest,
    )
