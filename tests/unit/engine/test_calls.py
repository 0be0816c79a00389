"""Jobs that call other workflows."""

from collections.abc import Callable
from dataclasses import replace

from skyflow.diagnostics import Span
from skyflow.engine.events import RunBegun
from skyflow.engine.machine import handle
from skyflow.expr import parse_template
from skyflow.model.status import Conclusion, Entity, Reason, Status
from skyflow.model.workflow import (
    Authored,
    CallInput,
    CallInterface,
    CallOutput,
    CallSecret,
    CallSpec,
    InputType,
    JobSpec,
    Workflow,
)
from skyflow.spec import load_workflow

SPAN = Span(1, 1, 1, 1)
PATH = "./called.yml"


def text(source: str) -> Authored:
    return Authored(parse_template(source), SPAN)


def load(jobs: str, **more: object) -> Workflow:
    return replace(load_workflow("w.yml", text=f"on: push\njobs:\n{jobs}").workflow, **more)


def calling(workflow: Workflow, job_id: str, **call: object) -> Workflow:
    """Turn a job of a workflow into one that calls another workflow."""

    def changed(spec: JobSpec) -> JobSpec:
        return replace(spec, steps=(), call=CallSpec(uses=PATH, span=SPAN, **call)) if spec.id == job_id else spec

    return replace(workflow, jobs=tuple(map(changed, workflow.jobs)))


JOB = "runs-on: local, steps: [{run: '%s'}]"
CALLER = (
    f"  before: {{{JOB % 'before'}}}\n  mid: {{needs: before, {JOB % 'x'}}}\n"
    f"  after: {{needs: mid, {JOB % 'got-${{ needs.mid.outputs.o }}'}}}\n"
)


def callee(jobs: str, **more: object) -> Workflow:
    return load(jobs, path="called.yml", **more)


def test_the_jobs_of_a_called_workflow_run_in_the_middle_of_the_calling_one(world: Callable) -> None:
    interface = CallInterface(outputs=(CallOutput(name="o", span=SPAN, value=text("${{ jobs.two.outputs.v }}!")),))
    called = callee(
        f"  one: {{{JOB % 'one'}}}\n  two: {{needs: one, outputs: {{v: '${{{{ steps.s.outputs.v }}}}'}}, "
        "runs-on: local, steps: [{id: s, run: 'two ${{ needs.one.result }} ${{ github.job }}'}]}\n",
        call=interface,
    )
    run = world(calling(load(CALLER), "mid"), callees={PATH: called})
    run.end("before")
    assert [ref.job_key for ref in run.running] == ["mid/one"]
    assert run.job("mid/one").name == "mid / one"
    run.end("mid/one")
    assert run.scripts() == ["two success two"]
    run.end("mid/two", outputs=(("v", "42"),))
    assert run.job("mid").outputs == (("o", "42!"),)
    assert run.scripts() == ["got-42!"]
    run.end("after")
    assert set(run.results().values()) == {"success"}
    assert run.state.conclusion is Conclusion.SUCCESS


def test_inputs_have_the_types_and_defaults_of_the_called_workflow(world: Callable) -> None:
    interface = CallInterface(
        inputs=(
            CallInput(name="s", span=SPAN, type=InputType.STRING),
            CallInput(name="b", span=SPAN, type=InputType.BOOLEAN),
            CallInput(name="n", span=SPAN, type=InputType.NUMBER, default=text("${{ 7 }}")),
        )
    )
    called = callee(f"  one: {{{JOB % 'x'}}}\n", call=interface)
    spec = called.jobs[0]
    step = replace(spec.steps[0], run=text("${{ toJSON(inputs.s) }} ${{ toJSON(inputs.b) }} ${{ toJSON(inputs.n) }}"))
    called = replace(called, jobs=(replace(spec, steps=(step,)),))
    run = world(
        calling(load(CALLER), "mid", inputs=(("B", text("${{ needs.before.result == 'success' }}")),)),
        callees={PATH: called},
    )
    run.end("before")
    assert run.scripts() == ['"" true 7']


def test_secrets_are_passed_by_name_or_inherited(world: Callable) -> None:
    interface = CallInterface(secrets=(CallSecret(name="token", span=SPAN),))
    called = callee(f"  one: {{{JOB % 'x'}}}\n", call=interface)
    spec = called.jobs[0]
    called = replace(called, jobs=(replace(spec, steps=(replace(spec.steps[0], run=text("t=${{ secrets.token }}")),)),))
    run = world(calling(load(CALLER), "mid", secrets=(("token", text("abc")),)), callees={PATH: called}).end("before")
    assert run.scripts() == ["t=abc"]


def test_a_failing_job_fails_the_calling_one_and_what_needs_it(world: Callable) -> None:
    called = callee(f"  one: {{{JOB % 'one'}}}\n  two: {{needs: one, {JOB % 'two'}}}\n")
    run = world(calling(load(CALLER), "mid"), callees={PATH: called}).end("before").end("mid/one", 1)
    assert run.results() == {
        "before": "success",
        "mid": "failure",
        "mid/one": "failure",
        "mid/two": "skipped",
        "after": "skipped",
    }


def test_a_matrix_may_call_a_workflow_several_times(world: Callable) -> None:
    called = callee(f"  one: {{{JOB % 'one'}}}\n")
    jobs = "  m: {strategy: {matrix: {n: [1, 2]}}, runs-on: local, steps: [{run: x}]}\n"
    run = world(calling(load(jobs), "m"), callees={PATH: called})
    assert [ref.job_key for ref in run.running] == ["m.0/one", "m.1/one"]
    assert run.job("m.1/one").name == "m (2) / one"
    run.end("m.0/one", 1)
    run.obey_stops()
    assert run.results() == {"m.0": "failure", "m.0/one": "failure", "m.1": "cancelled", "m.1/one": "cancelled"}
    assert Reason.FAIL_FAST in {move.reason for move in run.moves if move.entity is Entity.JOB}


def test_called_workflows_may_call_others(world: Callable) -> None:
    inner = callee(f"  deep: {{{JOB % 'deep'}}}\n")
    outer = calling(callee(f"  in: {{{JOB % 'x'}}}\n"), "in")
    outer = replace(outer, jobs=(replace(outer.jobs[0], call=CallSpec(uses="./inner.yml", span=SPAN)),))
    run = world(calling(load(CALLER), "mid"), callees={PATH: outer, "./inner.yml": inner}).end("before")
    assert [ref.job_key for ref in run.running] == ["mid/in/deep"]
    run.end("mid/in/deep").end("after")
    assert run.results()["mid/in"] == "success"


def test_a_missing_workflow_fails_the_job(world: Callable) -> None:
    run = world(calling(load(CALLER), "mid")).end("before")
    assert run.results() == {"before": "success", "mid": "failure", "after": "skipped"}


def test_an_interrupt_reaches_into_called_workflows(world: Callable) -> None:
    called = callee(f"  one: {{{JOB % 'one'}}}\n  two: {{needs: one, {JOB % 'two'}}}\n")
    run = world(calling(load(CALLER), "mid"), callees={PATH: called}).end("before").stop().obey_stops()
    assert run.state.status is Status.INTERRUPTED
    assert run.job("mid").status is Status.IN_PROGRESS
    assert run.job("mid/one").status is Status.QUEUED
    resumed, _ = handle(replace(run.state, stop=None), RunBegun())
    assert resumed.jobs["mid/one"].attempts == 2


def test_the_job_context_tells_which_file_a_job_is_written_in(world: Callable) -> None:
    shown = "${{ job.workflow_file_path }} ${{ job.workflow_ref }}"
    callee = load_workflow(
        "./sub/c.yml", text=f"on: workflow_call\njobs:\n  c: {{runs-on: local, steps: [{{run: '{shown}'}}]}}\n"
    ).workflow
    text = f"  a: {{runs-on: local, steps: [{{run: '{shown}'}}]}}\n  b: {{uses: ./sub/c.yml}}\n"
    run = world(text, callees={"./sub/c.yml": callee})
    assert run.scripts() == ["w.yml ", "sub/c.yml sub/c.yml"]
