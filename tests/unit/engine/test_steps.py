"""The steps of an attempt: order, conditions, environment, outputs."""

from collections.abc import Callable

import pytest

from skyflow.model.execution import StepResult
from skyflow.model.status import Conclusion, Entity, Reason


def job(steps: str, *, extra: str = "") -> str:
    return f"  a:\n    runs-on: local\n{extra}    steps:\n{steps}"


def outcomes(run: object) -> list[str | None]:
    moves = [m for m in run.moves if m.entity is Entity.STEP and m.conclusion]
    return [m.conclusion.value for m in sorted(moves, key=lambda m: m.position)]


def test_steps_run_one_after_the_other(world: Callable) -> None:
    run = world(job("      - run: one\n      - run: two\n"))
    assert run.scripts() == ["one"]
    assert run.end("a").scripts() == ["two"]


@pytest.mark.parametrize(
    ("condition", "runs"),
    [("", False), ("failure()", True), ("always()", True), ("success()", False), ("cancelled()", False)],
)
def test_a_condition_of_a_step_sees_whether_an_earlier_one_failed(world: Callable, condition: str, runs: bool) -> None:
    run = world(job(f"      - run: one\n      - {{run: two, if: '{condition}'}}\n")).end("a", 1)
    assert run.scripts() == (["two"] if runs else [])


def test_a_step_that_may_fail_lets_the_job_go_on(world: Callable) -> None:
    run = world(
        job(
            "      - {run: one, id: x, continue-on-error: true}\n      - run: ${{ steps.x.outcome }} ${{ steps.x.conclusion }}\n"
        )
    ).end("a", 1)
    assert run.scripts() == ["failure success"]
    run.end("a")
    assert run.results() == {"a": "success"}


def test_outputs_of_a_step_reach_later_steps_and_the_outputs_of_the_job(world: Callable) -> None:
    run = world(
        job(
            "      - {run: one, id: x}\n      - run: got ${{ steps.x.outputs.v }}\n",
            extra="    outputs: {v: '${{ steps.x.outputs.v }}', empty: '${{ steps.x.outputs.none }}'}\n",
        )
        + "  b: {runs-on: local, needs: a, steps: [{run: 'b ${{ needs.a.outputs.v }}'}]}\n"
    )
    run.end("a", outputs=(("v", "42"),))
    assert run.scripts() == ["got 42"]
    run.end("a")
    assert run.job("a").outputs == (("v", "42"),)
    assert run.scripts() == ["b 42"]


def test_the_last_combination_wins_an_output_of_a_matrix(world: Callable) -> None:
    run = world(
        "  m:\n    runs-on: local\n    strategy: {matrix: {n: [1, 2]}}\n"
        "    outputs: {'v${{ 1 }}': x, last: '${{ steps.s.outputs.v }}'}\n    steps: [{id: s, run: x}]\n".replace(
            "'v${{ 1 }}': x, ", ""
        )
        + "  b: {runs-on: local, needs: m, steps: [{run: '${{ needs.m.outputs.last }}'}]}\n"
    )
    run.end("m.1", outputs=(("v", "two"),)).end("m.0", outputs=(("v", "one"),))
    assert run.scripts() == ["two"]


def test_environment_is_layered_from_the_workflow_to_the_step(world: Callable) -> None:
    run = world(
        "on: push\nenv: {A: workflow, B: workflow, C: workflow, D: workflow}\njobs:\n"
        + job(
            "      - run: one\n      - {run: 'x${{ env.C }}', env: {D: step, E: '${{ env.B }}'}}\n",
            extra="    env: {B: job, C: job}\n",
        )
    )
    assert {name: run.env("a")[name] for name in "ABCD"} == {"A": "workflow", "B": "job", "C": "job", "D": "workflow"}
    run.end("a", env=(("C", "file"),))
    env = run.env("a")
    assert {name: env[name] for name in "ABCDE"} == {"A": "workflow", "B": "job", "C": "file", "D": "step", "E": "job"}
    assert run.scripts() == ["xfile"]


def test_a_key_may_be_an_expression(world: Callable) -> None:
    steps = "      - {run: one, env: {'${{ github.actor }}_${{ 1 }}': x, '${{ insert }}': '${{ matrix.more }}'}}\n"
    matrix = "    strategy: {matrix: {'${{ github.ref_name }}': [1], include: [{more: {B: b}}]}}\n"
    run = world(job(steps, extra=matrix))
    env = run.env("a.0")
    assert (env["somebody_1"], env["B"]) == ("x", "b")
    assert run.job("a.0").name == "a (1)"


def test_variables_of_the_runner_cannot_be_overridden(world: Callable) -> None:
    run = world(job("      - {run: one, env: {GITHUB_ACTOR: me, CI: 'no'}}\n"))
    env = run.env("a")
    assert (env["GITHUB_ACTOR"], env["CI"], env["GITHUB_JOB"], env["RUNNER_OS"]) == ("somebody", "true", "a", "Linux")
    assert "GITHUB_EVENT" not in env


def test_the_env_context_minds_case_and_others_do_not(world: Callable) -> None:
    run = world(job("      - {run: '${{ env.a }}${{ env.A }}${{ GitHub.ACTOR }}', env: {A: x}}\n"))
    assert run.scripts() == ["xsomebody"]


def test_later_path_entries_come_first(world: Callable) -> None:
    run = world(job("      - run: one\n      - run: two\n      - run: three\n"))
    run.end("a", path=("/b", "/a")).end("a", path=("/c",))
    assert run.request("a").path == ("/c", "/b", "/a")


def test_defaults_of_the_job_come_before_those_of_the_workflow(world: Callable) -> None:
    run = world(
        "on: push\ndefaults: {run: {shell: sh, working-directory: w}}\njobs:\n"
        + job("      - run: one\n      - {run: two, shell: python}\n", extra="    defaults: {run: {shell: bash}}\n")
    )
    assert (run.request("a").shell, run.request("a").working_directory) == ("bash", "w")
    run.end("a")
    assert (run.request("a").shell, run.request("a").working_directory) == ("python", "w")


def test_a_step_that_takes_too_long_fails(world: Callable) -> None:
    run = world(job("      - {run: one, timeout-minutes: 0.5}\n      - {run: two, if: failure()}\n"))
    assert 30.0 in run.timers.values()
    run.fire("a", 1).obey_stops()
    assert run.scripts() == ["two"]
    run.end("a")
    assert run.results() == {"a": "failure"}
    assert [m.reason for m in run.moves if m.entity is Entity.STEP and m.position == 1][-1] is Reason.TIMEOUT


def test_an_expression_error_in_a_step_fails_it_with_its_place(world: Callable) -> None:
    run = world(job("      - run: ${{ fromJSON('{') }}\n      - {run: two, if: always()}\n"))
    [move] = [m for m in run.moves if m.reason is Reason.EXPRESSION]
    assert move.message is not None
    assert move.message.startswith("w.yml:6:14: ")
    assert run.scripts() == ["two"]


def test_an_expression_error_in_the_environment_of_a_job_fails_it_before_its_steps(world: Callable) -> None:
    run = world(job("      - run: one\n", extra="    env: {A: \"${{ fromJSON('{') }}\"}\n"))
    assert run.results() == {"a": "failure"}
    assert outcomes(run) == ["skipped"]


@pytest.mark.parametrize(
    ("result", "reason", "message"),
    [
        (StepResult(exit_code=3), Reason.EXIT_CODE, "exit code 3"),
        (StepResult(exit_code=None, not_started="no such shell"), Reason.NOT_STARTED, "no such shell"),
        (StepResult(exit_code=0, file_error="bad line"), Reason.FILE_COMMAND, "bad line"),
    ],
)
def test_a_failed_step_says_why(world: Callable, result: StepResult, reason: Reason, message: str) -> None:
    run = world(job("      - run: one\n")).end_with("a", result)
    [move] = [m for m in run.moves if m.entity is Entity.STEP and m.conclusion is Conclusion.FAILURE]
    assert (move.reason, move.message) == (reason, message)
    assert run.results() == {"a": "failure"}


def test_the_name_of_a_step_is_evaluated_when_it_starts(world: Callable) -> None:
    run = world(job("      - {run: one, name: 'Hello ${{ github.actor }}'}\n"))
    assert run.moves[-1].data["name"] == "Hello somebody"


def test_a_matrix_job_is_named_after_its_values(world: Callable) -> None:
    run = world(
        "  m: {runs-on: local, strategy: {matrix: {os: [x, y], v: [1.5]}}, steps: [{run: '${{ strategy.job-index }}/${{ strategy.job-total }}'}]}"
    )
    assert [j.name for j in run.state.jobs.values()] == ["m (x, 1.5)", "m (y, 1.5)"]
    assert run.scripts() == ["0/2", "1/2"]


def test_a_matrix_may_come_from_the_output_of_another_job(world: Callable) -> None:
    run = world(
        job("      - {run: one, id: x}\n", extra="    outputs: {list: '${{ steps.x.outputs.list }}'}\n")
        + "  m:\n    needs: a\n    runs-on: local\n    strategy: {matrix: {n: '${{ fromJSON(needs.a.outputs.list) }}'}}\n"
        "    steps: [{run: 'n=${{ matrix.n }}'}]\n"
    )
    run.end("a", outputs=(("list", "[7, 8]"),))
    assert run.scripts() == ["n=7", "n=8"]


def test_masked_texts_do_not_reach_names_messages_or_outputs(world: Callable) -> None:
    run = world(
        job(
            "      - {id: s, run: one}\n      - {name: 'use ${{ steps.s.outputs.v }}', run: 'echo ${{ steps.s.outputs.v }}'}\n",
            extra="    outputs: {v: 'a ${{ steps.s.outputs.v }}', w: fine}\n",
        )
    )
    run.end_with("a", StepResult(exit_code=0, masks=("hush",), outputs=(("v", "hush"),)))
    assert run.scripts() == ["echo hush"]
    assert run.moves[-1].data["name"] == "use ***"
    run.end("a")
    assert run.job("a").outputs == (("w", "fine"),)
    assert "hush" not in repr(run.moves)
