"""Runs to make reports of: such as really took place, and such as are written into a store as if they had."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from report.browser import CHROMIUM, DRIVER, Browser

from skyflow.app.machines.clouds import open_journal
from skyflow.app.planning.expansion import expected_jobs
from skyflow.app.planning.plan import PlanOptions, prepare_planning
from skyflow.app.project import Project
from skyflow.app.showing.report import make_report
from skyflow.model.catalog import Offering
from skyflow.model.execution import StepRef
from skyflow.model.layout import StateFolder
from skyflow.model.machines import MachineRequest
from skyflow.model.placement import Plan
from skyflow.model.resources import Market
from skyflow.model.run import NewRun, RunId, Transition
from skyflow.model.status import Conclusion, Entity, Reason, Status
from skyflow.model.workflow import Workflow
from skyflow.spec import load_workflow
from skyflow.store.store import Store, open_store

RUN = RunId("20260304-093000-abcd")
BEGAN = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class FixedClock:
    at: datetime = BEGAN + timedelta(days=1)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


@dataclass
class PastRuns:
    """A project whose store can be given runs that never took place."""

    folder: Path
    project: Project = field(init=False)

    def __post_init__(self) -> None:
        self.project = Project(self.folder, StateFolder(self.folder / ".skyflow" / "state.db"))

    def add(
        self,
        source: str,
        *,
        failing: frozenset[str] = frozenset(),
        lost: frozenset[str] = frozenset(),
        logs: Mapping[str, str] | Callable[[str], str] = lambda key: f"output of {key}\n",
        summaries: Mapping[str, str] = {},
    ) -> None:
        """Add a run in which every job ran as planned, and took a tenth longer; `lost` ones took two attempts."""
        workflow = load_workflow("w.yml", text=source).workflow
        plan = prepare_planning(workflow, options=PlanOptions(slots=4, counts_carbon=True), project=self.project).plan()
        with open_store(self.project.state) as store:
            store.connection.execute("PRAGMA synchronous = OFF")  # thousands of moves, and nothing to lose
            run = _stored_run(store, workflow, plan)
            for at, moves in _moves(workflow, plan, failing, lost):
                store.record(run, moves, at)
        folder = self.project.state.run(run)
        for placement in plan.placements:
            ref = StepRef(placement.job, 2 if placement.job in lost else 1, 1)
            folder.log(ref).parent.mkdir(parents=True)
            text = logs(placement.job) if callable(logs) else logs.get(placement.job, "")
            folder.log(ref).write_text(text)
            if placement.job in summaries:
                folder.summary(ref).write_text(summaries[placement.job])

    def rent(self, job: str, attempt: int, *, hours: float, usd_per_hour: float, region: str) -> None:
        """Remember that a machine was rented for an attempt."""
        offering = Offering(
            provider="aws", region=region, instance_type="m6i.xlarge", market=Market.SPOT, vcpus=4, memory_gib=16.0,
            price_usd_per_hour=usd_per_hour, price_basis="list",
        )  # fmt: skip
        journal = open_journal(self.project)
        request = MachineRequest(
            offering=offering, owner=journal.owner(), run=RUN, job=job, attempt=attempt, public_key="ssh-ed25519 AAAA"
        )
        journal.intend(request, BEGAN)
        journal.created(request.name, "i-1", BEGAN)
        journal.released(request.name, BEGAN + timedelta(hours=hours))
        journal.gone(request.name, BEGAN + timedelta(hours=hours), "no longer needed")

    def report(self, *, with_frontier: bool | None = False) -> str:
        _, page = make_report(self.project, "latest", clock=FixedClock(), with_frontier=with_frontier)
        return page


def _stored_run(store: Store, workflow: Workflow, plan: Plan) -> RunId:
    new = NewRun(
        id=RUN,
        workflow_name=workflow.name or "w",
        workflow_path="w.yml",
        workflow_source=workflow.source,
        callee_sources={},
        contexts={},
        plan=plan.to_json(),
        slots=4,
    )
    return store.create_run(new, BEGAN).id


def _moves(
    workflow: Workflow, plan: Plan, failing: frozenset[str], lost: frozenset[str]
) -> list[tuple[datetime, list[Transition]]]:
    """Return the moves of a run by the time at which they happened."""
    found: list[tuple[datetime, list[Transition]]] = []
    spec_of = {key: each.spec.id for each in expected_jobs(workflow, {}) for key in each.keys}
    found.append((BEGAN, [Transition(entity=Entity.RUN, old=Status.QUEUED, new=Status.IN_PROGRESS)]))
    for placement in plan.placements:
        key = placement.job
        begin = BEGAN + timedelta(seconds=placement.start_seconds * 1.1)
        end = begin + timedelta(seconds=placement.duration_seconds * 1.1)
        made = {"spec_id": spec_of[key], "leg_index": 0, "leg_total": 1, "name": key, "fail_fast": True}
        data = {**made, "matrix": None, "continue_on_error": False}
        found.append((begin, [Transition(entity=Entity.JOB, old=None, new=Status.QUEUED, job_key=key, data=data)]))
        if key in lost:
            middle = begin + (end - begin) / 2
            found += [(begin, _begin(key, 1)), (middle, _end(key, 1, Conclusion.CANCELLED, Reason.LOST))]
            begin = middle
        found.append((begin, _begin(key, 2 if key in lost else 1)))
        if key in failing:
            found.append((end, _end(key, 1, Conclusion.FAILURE, Reason.EXIT_CODE)))
        else:
            found.append((end, _end(key, 2 if key in lost else 1, Conclusion.SUCCESS, None)))
    last = max(at for at, _ in found)
    conclusion = Conclusion.FAILURE if failing else Conclusion.SUCCESS
    ended = Transition(entity=Entity.RUN, old=Status.IN_PROGRESS, new=Status.COMPLETED, conclusion=conclusion)
    return [*sorted(found, key=lambda pair: pair[0]), (last, [ended])]


def _begin(key: str, attempt: int) -> list[Transition]:
    step = {"job_key": key, "attempt": attempt, "position": 1}
    return [
        Transition(entity=Entity.JOB, old=Status.QUEUED, new=Status.IN_PROGRESS, job_key=key),
        Transition(entity=Entity.ATTEMPT, old=None, new=Status.IN_PROGRESS, job_key=key, attempt=attempt),
        Transition(entity=Entity.STEP, old=None, new=Status.PENDING, data={"name": "Run it"}, **step),
        Transition(entity=Entity.STEP, old=Status.PENDING, new=Status.IN_PROGRESS, **step),
    ]


def _end(key: str, attempt: int, conclusion: Conclusion, reason: Reason | None) -> list[Transition]:
    is_lost = reason is Reason.LOST
    message = "exit code 3" if conclusion is Conclusion.FAILURE else None
    how = {"conclusion": conclusion, "reason": reason, "message": message, "data": {"outcome": conclusion.value}}
    old, new = Status.IN_PROGRESS, Status.COMPLETED
    job = {} if is_lost else how
    return [
        Transition(entity=Entity.STEP, old=old, new=new, job_key=key, attempt=attempt, position=1, **how),
        Transition(entity=Entity.ATTEMPT, old=old, new=new, job_key=key, attempt=attempt, **how),
        Transition(entity=Entity.JOB, old=old, new=Status.QUEUED if is_lost else new, job_key=key, **job),
    ]


@pytest.fixture
def past(tmp_path: Path) -> PastRuns:
    return PastRuns(tmp_path)


def thousand(jobs: int = 1000) -> str:
    """Return a workflow of so many jobs in columns of fifty, each of which needs one or two of the column before."""
    lines = ["name: thousand", "on: push", "jobs:"]
    for number in range(jobs):
        column = number // 50
        needs = sorted({(column - 1) * 50 + number % 50, (column - 1) * 50 + number * 7 % 50}) if column else []
        after = f"needs: [{', '.join(f'job{need}' for need in needs)}], " if needs else ""
        lines.append(f"  job{number}: {{{after}runs-on: local, estimate: 1m, steps: [{{run: 'true'}}]}}")
    return "\n".join(lines) + "\n"


SHOWCASE = """\
name: showcase
on: push
jobs:
  build:
    name: build <b>bold</b>
    runs-on: local
    estimate: 1s
    outputs: {digest: '${{ steps.d.outputs.digest }}'}
    steps:
      - id: d
        run: echo "digest=sha256:4711" >> "$GITHUB_OUTPUT"
      - name: Compile
        run: |
          echo "::group::Unpack"
          echo inside the group
          echo "::endgroup::"
          printf '\\033[1;31mred and bold\\033[0m <script>alert(1)</script>\\n'
          echo "::warning file=src/a.c,line=3,col=5,title=Unused::x is never read"
          printf '%s\\n' '## Built' '' '| what | size |' '|---|---|' '| app | 3 MB |' '' \\
            '<img src="http://example.com/track.png" alt="chart"><script>alert(2)</script>' >> "$GITHUB_STEP_SUMMARY"
  test:
    needs: build
    runs-on: local
    strategy: {matrix: {part: [1, 2, 3]}, fail-fast: false}
    steps:
      - run: |
          seq 1 30
          echo "needle in part ${{ matrix.part }}"
          test ${{ matrix.part }} != 2
  ship:
    needs: test
    runs-on: local
    steps: [{run: 'true'}]
"""


@pytest.fixture(scope="session")
def showcase(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a run that really took place and in which one job failed."""
    folder = tmp_path_factory.mktemp("showcase")
    (folder / "w.yml").write_text(SHOWCASE)
    for arguments in (["run", "-q", "w.yml"], ["report", "-o", "report.html"]):
        subprocess.run([sys.executable, "-m", "skyflow", *arguments], cwd=folder, check=False, capture_output=True)
    return folder / "report.html"


@pytest.fixture(scope="session")
def thousand_jobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a run of a thousand jobs, two of which failed."""
    folder = tmp_path_factory.mktemp("thousand")
    past = PastRuns(folder)
    lines = "".join(f"[{number}/40] a line of output that is about as long as lines are\n" for number in range(40))
    past.add(thousand(), failing=frozenset({"job949", "job977"}), logs=lambda key: f"{lines}the end of {key}\n")
    path = folder / "report.html"
    path.write_text(past.report())
    return path


@pytest.fixture(scope="session")
def opened_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of a worker: it takes seconds to start."""
    if not (CHROMIUM and DRIVER):
        pytest.skip("chromium and chromium-driver are not installed")
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.quit()


@pytest.fixture
def browser(opened_browser: Browser) -> Browser:
    """A browser that shows nothing, knows no cookie, and has had no complaint."""
    opened_browser.forget()
    return opened_browser


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The accessibility checker, fetched through npm."""
    folder = tmp_path_factory.mktemp("axe")
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), "axe-core@4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        pytest.skip("axe-core cannot be fetched: there is no network")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()
