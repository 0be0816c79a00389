"""Steps that use actions: composite ones run their own steps, others run as a whole and may have a post phase."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from skyflow.diagnostics import Span
from skyflow.expr import BUILTINS, FunctionSpec, Template, parse_condition, parse_template
from skyflow.model.action import Action, ActionInput, ActionOutput, CompositeRuns, NodeRuns
from skyflow.model.execution import ActionRequest, StepResult
from skyflow.model.status import Conclusion, Entity, Reason
from skyflow.model.uses import BuiltInAction, LocalAction
from skyflow.model.workflow import Authored, RunStep, Step, UsesStep, Workflow
from skyflow.spec import load_workflow

SPAN = Span(1, 1, 1, 1)
FUNCTIONS = {
    **BUILTINS,
    **{
        name: FunctionSpec(name=name, min_args=0, max_args=None, run=lambda _: None)
        for name in ("success", "failure", "cancelled", "always", "hashfiles")
    },
}


def text(source: str) -> Authored:
    return Authored(parse_template(source, functions=FUNCTIONS), SPAN)


def when(source: str) -> Authored:
    condition = parse_condition(source, functions=FUNCTIONS)
    return Authored(Template(condition.source, condition.expr, condition.is_mixed), SPAN)


def script(source: str, *, key: str = "__run", id_: str | None = None, if_: str = "", **more: object) -> RunStep:
    return RunStep(key=key, id=id_, span=SPAN, condition=when(if_), run=text(source), shell=text("bash"), **more)


def use(uses: str, *, id_: str | None = None, if_: str = "", **more: object) -> UsesStep:
    return UsesStep(key="__use", id=id_, span=SPAN, condition=when(if_), uses=uses, uses_span=SPAN, **more)


def workflow(*steps: Step, outputs: str = "") -> Workflow:
    made = load_workflow(
        "w.yml", text=f"on: push\nenv: {{A: w}}\njobs:\n  a:\n    runs-on: local\n{outputs}    steps: [{{run: x}}]\n"
    ).workflow
    return replace(made, jobs=(replace(made.jobs[0], steps=steps),))


def composite(
    *steps: Step, inputs: tuple[ActionInput, ...] = (), outputs: tuple[ActionOutput, ...] = ()
) -> LocalAction:
    action = Action(path="act/action.yml", runs=CompositeRuns(steps=steps), inputs=inputs, outputs=outputs)
    return LocalAction(action=action, folder="/ws/act")


def test_the_steps_of_a_composite_action_run_within_the_step_that_uses_it(world: Callable) -> None:
    run = world(workflow(use("./act", id_="act"), script("echo ${{ steps.act.outputs.o }}")))
    assert list(run.loading.values()) == ["./act"]
    greet = ActionInput(name="who", span=SPAN, default=text("${{ github.actor }}"))
    result = ActionOutput(name="o", span=SPAN, value=text("${{ steps.s.outputs.v }}!"))
    run.load(
        composite(
            script("hello ${{ inputs.who }} from ${{ github.action_path }}", id_="s"),
            script("two"),
            inputs=(greet,),
            outputs=(result,),
        )
    )
    assert run.scripts() == ["hello somebody from /ws/act"]
    assert str(run.step("a")) == "a#1/1.1"
    run.end("a", outputs=(("v", "42"),), env=(("B", "set inside"),))
    assert str(run.step("a")) == "a#1/1.2"
    assert run.env("a")["B"] == "set inside"
    run.end("a")
    assert run.scripts() == ["echo 42!"]
    assert run.env("a")["B"] == "set inside"
    run.end("a")
    assert run.results() == {"a": "success"}
    recorded = [move.entity_id for move in run.moves if move.entity is Entity.STEP and move.conclusion]
    assert recorded == ["a#1/1", "a#1/2"]


def test_inputs_and_environment_of_the_step_reach_the_action_and_end_with_it(world: Callable) -> None:
    step = use("./act", inputs=(("Who", text("me")), ("unknown", text("x"))), env=(("E", text("${{ env.A }}!")),))
    run = world(workflow(step, script("after")))
    who = ActionInput(name="who", span=SPAN)
    run.load(composite(script("${{ inputs.who }}${{ inputs.unknown }} ${{ env.E }}"), inputs=(who,)))
    assert run.scripts() == ["me w!"]
    assert run.env("a")["E"] == "w!"
    run.end("a")
    assert "E" not in run.env("a")


def test_a_failing_inner_step_fails_the_action_after_its_own_clean_up(world: Callable) -> None:
    run = world(workflow(use("./act"), script("next"), script("always", if_="always()")))
    run.load(composite(script("one"), script("two"), script("clean", if_="failure()")))
    run.end("a", 1)
    assert run.scripts() == ["clean"]
    run.end("a")
    assert run.scripts() == ["always"]
    run.end("a")
    assert run.results() == {"a": "failure"}
    [move] = [move for move in run.moves if move.entity is Entity.STEP and move.conclusion is Conclusion.FAILURE]
    assert move.message == "a step of the action failed: exit code 1"


def test_an_action_that_may_fail_lets_the_job_go_on(world: Callable) -> None:
    run = world(workflow(use("./act", continue_on_error=text("${{ true }}")), script("next")))
    run.load(composite(script("one"))).end("a", 1)
    assert run.scripts() == ["next"]


def test_success_inside_an_action_looks_at_the_action_alone(world: Callable) -> None:
    run = world(workflow(script("one"), use("./act", if_="failure()")))
    run.end("a", 1).load(composite(script("inside")))
    assert run.scripts() == ["inside"]


def test_actions_may_use_actions(world: Callable) -> None:
    run = world(workflow(use("./outer"), script("last")))
    run.load(composite(use("./inner", id_="i"), script("outer"))).load(composite(script("inner")))
    assert str(run.step("a")) == "a#1/1.1.1"
    run.end("a").end("a")
    assert run.scripts() == ["last"]


def test_an_action_that_uses_itself_is_stopped(world: Callable) -> None:
    run = world(workflow(use("./loop")))
    loop = composite(use("./loop"))
    for _ in range(11):
        run.load(loop)
    assert run.results() == {"a": "failure"}
    [move] = [move for move in run.moves if move.entity is Entity.STEP and move.conclusion is Conclusion.FAILURE]
    assert move.message == "a step of the action failed: actions use each other more than 10 deep: act/action.yml"


@pytest.mark.parametrize("error", ["./gone has no action.yml", None])
def test_a_missing_action_fails_its_step(world: Callable, error: str | None) -> None:
    run = world(workflow(use("./gone"), script("x"))).load(None, error)
    assert run.results() == {"a": "failure"}
    [move] = [move for move in run.moves if move.entity is Entity.STEP and move.conclusion is Conclusion.FAILURE]
    assert (move.reason, move.message) == (Reason.NOT_STARTED, error or "there is no such action")


def test_a_built_in_action_gets_its_inputs_and_runs_its_post_phase_at_the_end(world: Callable) -> None:
    run = world(workflow(use("actions/cache@v4", inputs=(("KEY", text("k")),)), script("work")))
    run.load(
        BuiltInAction(name="actions/cache", inputs=(("key", ""), ("path", "p")), has_post=True, post_if="success()")
    )
    request = run.request("a")
    assert isinstance(request, ActionRequest)
    assert (request.name, request.phase, request.inputs) == ("actions/cache", "main", (("KEY", "k"), ("path", "p")))
    run.end_with("a", StepResult(exit_code=0, state=(("hit", "no"),)))
    assert run.scripts() == ["work"]
    run.end("a")
    post = run.request("a")
    assert isinstance(post, ActionRequest)
    assert (post.phase, post.state) == ("post", (("hit", "no"),))
    assert str(run.step("a")) == "a#1/3"
    run.end("a")
    assert run.results() == {"a": "success"}


def test_a_post_phase_that_wants_success_is_skipped_after_a_failure(world: Callable) -> None:
    run = world(workflow(use("actions/cache@v4"), script("work")))
    run.load(BuiltInAction(name="actions/cache", has_post=True, post_if="success()")).end("a").end("a", 1)
    assert run.results() == {"a": "failure"}
    last = [move for move in run.moves if move.entity is Entity.STEP][-1]
    assert (last.entity_id, last.conclusion) == ("a#1/3", Conclusion.SKIPPED)


def test_post_phases_run_last_begun_first_and_a_failing_one_fails_the_job(world: Callable) -> None:
    run = world(workflow(use("./one"), use("./two")))
    for name in ("one", "two"):
        action = Action(path=f"{name}/action.yml", runs=NodeRuns(using="node20", main="m.js", post=f"{name}.js"))
        run.load(LocalAction(action=action, folder=f"/ws/{name}"))
        assert run.request("a").script == f"/ws/{name}/m.js"
        assert run.env("a")["GITHUB_ACTION_PATH"] == f"/ws/{name}"
        run.end("a")
    assert run.request("a").script == "/ws/two/two.js"
    run.end("a", 1)
    assert run.request("a").script == "/ws/one/one.js"
    run.end("a")
    assert run.results() == {"a": "failure"}


def test_an_interrupt_inside_an_action_lets_clean_up_steps_run_everywhere(world: Callable) -> None:
    run = world(workflow(use("./act"), script("outer clean", if_="cancelled()")))
    run.load(composite(script("one"), script("two"), script("inner clean", if_="cancelled()")))
    run.stop().obey_stops()
    assert run.scripts() == ["inner clean"]
    run.end("a")
    assert run.scripts() == ["outer clean"]
    run.end("a")
    assert run.state.is_settled()


def test_an_interrupt_while_an_action_is_looked_up_cancels_its_step(world: Callable) -> None:
    run = world(workflow(use("./act"), script("next"))).stop()
    run.stopping.clear()
    run.load(composite(script("one")))
    assert run.scripts() == []
    assert run.state.is_settled()


def test_a_composite_action_that_takes_too_long_fails_as_a_whole(world: Callable) -> None:
    run = world(workflow(use("./act", timeout_minutes=text("${{ 1 }}")), script("x", if_="failure()")))
    run.load(composite(script("one"), script("two", if_="always()")))
    run.fire("a", 1).obey_stops()
    assert run.scripts() == ["x"]
    [move] = [move for move in run.moves if move.entity_id == "a#1/1" and move.conclusion]
    assert move.reason is Reason.TIMEOUT


def test_files_are_hashed_before_a_step_that_asks_for_it(world: Callable) -> None:
    run = world(workflow(script("key-${{ hashFiles('a', 'b/**') }}", if_="hashFiles('c') != ''"), script("two")))
    assert run.hashing[0].patterns == ("c",)
    run.hashed("cc")
    assert run.hashing[0].patterns == ("a", "b/**")
    run.hashed("abc")
    assert run.scripts() == ["key-abc"]
    assert run.end("a").scripts() == ["two"]


def test_inputs_of_an_action_may_ask_for_hashes(world: Callable) -> None:
    run = world(workflow(use("actions/cache@v4", inputs=(("key", text("${{ hashFiles('x') }}")),))))
    run.load(BuiltInAction(name="actions/cache")).hashed("h")
    assert run.request("a").inputs == (("key", "h"),)


def test_files_that_cannot_be_hashed_fail_the_step(world: Callable) -> None:
    run = world(workflow(script("${{ hashFiles('a') }}"))).hashed("", "it took too long")
    assert run.results() == {"a": "failure"}
    assert any("it took too long" in (move.message or "") for move in run.moves)


def test_a_hash_is_taken_anew_for_every_step(world: Callable) -> None:
    run = world(workflow(script("${{ hashFiles('a') }}"), script("${{ hashFiles('a') }}")))
    run.hashed("1").end("a").hashed("2")
    assert run.scripts() == ["2"]
