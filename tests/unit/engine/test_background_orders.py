"""Whatever a job's background steps do, and in whatever order they end: every step ends once, and so does the job."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from skyflow.engine.events import StepEnded
from skyflow.model.execution import StepResult
from skyflow.model.status import Entity, Status
from tests.unit.engine.conftest import World

CONDITIONS = st.sampled_from(["", ", if: always()", ", if: failure()", ", continue-on-error: true"])
SCRIPT = st.builds(lambda background, condition: ("run", background, condition), st.booleans(), CONDITIONS)
STEP = st.one_of(
    SCRIPT,
    st.tuples(st.just("parallel"), st.integers(1, 4), CONDITIONS),
    st.tuples(st.sampled_from(["wait", "cancel"]), st.integers(0, 5), st.just("")),
    st.tuples(st.just("wait-all"), st.just(0), st.just("")),
)


def written(steps: list[tuple[str, int, str]]) -> str:
    lines, ids = [], []
    for number, (kind, detail, condition) in enumerate(steps):
        match kind:
            case "run":
                ids.append(f"s{number}")
                lines.append(f"{{id: s{number}, run: x, background: {str(bool(detail)).lower()}{condition}}}")
            case "parallel":
                lines.append(f"{{parallel: [{', '.join(['{run: x}'] * detail)}]{condition}}}")
            case "wait-all":
                lines.append("{wait-all: true}")
            case _ if ids:
                lines.append(f"{{{kind}: {ids[detail % len(ids)]}}}")
    return "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n" + "".join(
        f"      - {line}\n" for line in lines or ["run: x"]
    )


@given(steps=st.lists(STEP, min_size=1, max_size=8), data=st.data())
def test_every_step_and_the_job_end_once(steps: list[tuple[str, int, str]], data: st.DataObject) -> None:
    run = World(written(steps)).begin()
    choose: Callable[..., int] = lambda most: data.draw(st.integers(0, most))  # noqa: E731
    while run.running:
        step = sorted(run.running)[choose(len(run.running) - 1)]
        if choose(20) == 0 and run.state.stop is None:
            run.stop()
            continue
        del run.running[step]
        was_stopped = run.stopping.pop(step, None) is not None
        run.send(StepEnded(step, StepResult(exit_code=int(choose(3) == 0), stopped=was_stopped and choose(1) == 0)))
    assert run.state.status in {Status.COMPLETED, Status.INTERRUPTED}
    moves = [move for move in run.moves if move.entity is Entity.STEP]
    created = sum(move.old is None for move in moves)
    assert sum(move.new is Status.COMPLETED for move in moves) == created
