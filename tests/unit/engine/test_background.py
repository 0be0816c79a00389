"""Background steps: what runs beside what, what is seen of it when, and what its end means for the job."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from skyflow.engine.background import MOST_AT_ONCE
from skyflow.engine.events import StepEnded
from skyflow.model.execution import StepResult
from skyflow.model.status import Entity, Reason, Status
from skyflow.model.uses import LocalAction
from tests.unit.engine.test_actions import composite, script, text, use, workflow

SERVER = "      - {id: server, run: serve, background: true}\n"


def job(steps: str, *, extra: str = "") -> str:
    return f"  a:\n    runs-on: local\n{extra}    steps:\n{steps}"


def conclusions(run: object) -> dict[int, str]:
    return {m.position: m.conclusion.value for m in run.moves if m.entity is Entity.STEP and m.conclusion}


def reasons(run: object, position: int) -> Reason | None:
    return [m.reason for m in run.moves if m.entity is Entity.STEP and m.position == position][-1]


def names(run: object) -> list[str]:
    created = [m for m in run.moves if m.entity is Entity.STEP and m.old is None]
    return [str(m.data["name"]) for m in sorted(created, key=lambda m: m.position)]


def test_the_next_step_starts_while_a_background_step_runs(world: Callable) -> None:
    run = world(job(SERVER + "      - run: test\n      - wait: server\n      - run: after\n"))
    assert run.scripts() == ["serve", "test"]
    assert run.end("a", position=2).scripts() == ["serve"]
    assert run.end("a").scripts() == ["after"]
    assert run.end("a").results() == {"a": "success"}


def test_background_may_be_false(world: Callable) -> None:
    run = world(job("      - {run: one, background: false}\n      - run: two\n"))
    assert run.scripts() == ["one"]


def test_what_a_background_step_leaves_is_seen_only_after_a_wait(world: Callable) -> None:
    seen = "[${{ steps.server.outputs.v }}${{ steps.server.outcome }}${{ env.X }}]"
    run = world(
        job(f"{SERVER}      - run: one\n      - run: before {seen}\n      - wait: server\n      - run: after {seen}\n")
    )
    run.end("a", position=1, outputs=(("v", "1"),), env=(("X", "2"),), path=("/p",)).end("a")
    assert run.scripts() == ["before []"]
    assert run.request("a").path == ()
    run.end("a")
    assert run.scripts() == ["after [1success2]"]
    assert run.request("a").path == ("/p",)


def test_outputs_of_a_job_see_background_steps_that_nothing_has_named(world: Callable) -> None:
    run = world(job(SERVER, extra="    outputs: {v: '${{ steps.server.outputs.v }}'}\n"))
    assert names(run) == ["Run serve", "Wait for all background steps"]
    run.end("a", outputs=(("v", "1"),))
    assert run.job("a").outputs == (("v", "1"),)


def test_no_wait_is_added_where_everything_is_named(world: Callable) -> None:
    assert names(world(job(SERVER + "      - wait: [server]\n"))) == ["Run serve", "Wait for server"]
    assert names(world(job(SERVER + "      - wait-all:\n"))) == ["Run serve", "Wait for all background steps"]
    assert names(world(job(SERVER + "      - cancel: server\n"))) == ["Run serve", "Cancel server"]


def test_a_failure_counts_from_the_wait_on(world: Callable) -> None:
    run = world(job(SERVER + "      - run: one\n      - run: two\n      - wait: server\n      - run: three\n"))
    run.end("a", 1, position=1).end("a")
    assert run.scripts() == ["two"]
    run.end("a")
    assert conclusions(run) == {1: "failure", 2: "success", 3: "success", 4: "failure", 5: "skipped"}
    assert run.results() == {"a": "failure"}
    [move] = [m for m in run.moves if m.entity is Entity.JOB and m.conclusion]
    assert move.message == "failed in the background: server"


def test_a_background_step_that_may_fail_does_not_fail_the_job(world: Callable) -> None:
    run = world(job("      - {id: x, run: x, background: true, continue-on-error: true}\n      - wait: x\n")).end(
        "a", 1
    )
    assert conclusions(run) == {1: "success", 2: "success"}
    assert run.results() == {"a": "success"}


def test_a_wait_that_may_fail_lets_the_steps_go_on_but_not_the_job_succeed(world: Callable) -> None:
    run = world(job(SERVER + "      - {wait-all: true, continue-on-error: true}\n      - run: after\n")).end("a", 1)
    assert run.scripts() == ["after"]
    assert run.end("a").results() == {"a": "failure"}


def test_waits_run_whatever_happened_before(world: Callable) -> None:
    run = world(job(SERVER + "      - run: one\n      - wait: server\n")).end("a", 1, position=2)
    assert run.scripts() == ["serve"]
    run.end("a")
    assert conclusions(run) == {1: "success", 2: "failure", 3: "success"}


def test_cancel_stops_a_background_step_and_costs_the_job_nothing(world: Callable) -> None:
    run = world(job(SERVER + "      - run: test\n      - cancel: server\n      - run: after\n")).end("a", position=2)
    assert list(run.stopping.values()) == [False]
    run.obey_stops()
    assert run.scripts() == ["after"]
    assert reasons(run, 1) is Reason.STEP_CANCELLED
    run.end("a")
    assert conclusions(run) == {1: "cancelled", 2: "success", 3: "success", 4: "success"}
    assert run.results() == {"a": "success"}


def test_cancelling_what_has_ended_does_nothing_and_a_failure_still_counts(world: Callable) -> None:
    run = world(job(SERVER + "      - run: test\n      - cancel: server\n")).end("a", 1, position=1).end("a")
    assert not run.stopping
    assert run.results() == {"a": "failure"}


def test_waiting_for_what_was_skipped_or_is_no_background_step_passes(world: Callable) -> None:
    run = world(
        job("      - {id: x, run: x, background: true, if: false}\n      - {id: y, run: y}\n      - wait: [x, y]\n")
    ).end("a")
    assert conclusions(run) == {1: "skipped", 2: "success", 3: "success"}


def test_at_most_ten_run_at_once_and_others_wait_for_one_to_end(world: Callable) -> None:
    run = world(job("".join(f"      - {{id: s{n}, run: s{n}, background: true}}\n" for n in range(12))))
    assert len(run.running) == MOST_AT_ONCE
    run.end("a", position=3)
    assert run.scripts()[-1] == "s10"
    for position in (1, 2, *range(4, 13)):
        run.end("a", position=position)
    assert run.results() == {"a": "success"}


def test_one_that_waits_for_its_turn_can_be_cancelled(world: Callable) -> None:
    many = "".join(f"      - {{id: s{n}, run: s{n}, background: true}}\n" for n in range(11))
    run = world(job(many + "      - cancel: s10\n      - run: after\n"))
    assert "after" in run.scripts()
    assert not run.stopping
    assert conclusions(run)[11] == "cancelled"


def test_members_of_a_parallel_group_run_at_once_and_the_group_ends_with_the_last(world: Callable) -> None:
    run = world(
        job(
            "      - name: Build\n        parallel: [{run: x, id: x}, {run: y}, {run: z, if: false}]\n      - run: '${{ steps.x.outputs.v }}'\n"
        )
    )
    assert names(run) == ["Run x", "Run y", "Run z", "Build", "Run ${{ steps.x.outputs.v }}"]
    assert run.scripts() == ["x", "y"]
    run.end("a", position=1, outputs=(("v", "seen"),))
    assert run.scripts() == ["y"]
    assert run.end("a").scripts() == ["seen"]
    assert conclusions(run)[3] == "skipped"


def test_the_condition_of_a_group_is_that_of_every_member(world: Callable) -> None:
    run = world(
        job("      - run: one\n      - parallel: [{run: x}, {run: y, if: always()}]\n        if: failure()\n")
    ).end("a")
    assert conclusions(run) == {1: "success", 2: "skipped", 3: "skipped", 4: "success"}


def test_cancelling_the_job_stops_all_that_runs(world: Callable) -> None:
    run = world(job(SERVER + "      - run: test\n      - {run: clean, if: always()}\n      - {run: no}\n")).stop()
    assert len(run.stopping) == 2
    run.obey_stops()
    assert run.scripts() == ["clean"]
    run.end("a")
    assert conclusions(run) == {1: "cancelled", 2: "cancelled", 3: "success", 4: "skipped", 5: "cancelled"}
    assert run.state.status is Status.INTERRUPTED


def test_a_forced_stop_ends_the_attempt_when_the_last_of_it_is_gone(world: Callable) -> None:
    run = world(job(SERVER + "      - run: test\n      - wait: server\n")).stop().stop(force=True)
    assert set(run.stopping.values()) == {True}
    run.obey_stops()
    assert run.state.status is Status.INTERRUPTED


def test_a_stop_while_the_steps_wait_reaches_what_they_wait_for(world: Callable) -> None:
    run = world(job(SERVER + "      - wait: server\n      - run: after\n")).stop()
    run.obey_stops()
    assert conclusions(run) == {1: "cancelled", 2: "cancelled", 3: "skipped"}


def test_a_background_step_has_a_time_limit_of_its_own(world: Callable) -> None:
    run = world(job("      - {id: x, run: x, background: true, timeout-minutes: 1}\n      - wait: x\n"))
    run.fire("a", 1).obey_stops()
    assert reasons(run, 1) is Reason.TIMEOUT
    assert run.results() == {"a": "failure"}


def test_an_error_in_a_condition_counts_at_once_and_one_in_a_script_at_the_wait(world: Callable) -> None:
    wrong = "${{ fromJSON(''{'') }}"
    run = world(job(f"      - {{run: x, background: true, if: '{wrong}'}}\n      - run: no\n"))
    assert conclusions(run)[2] == "skipped"
    run = world(job(f"      - {{run: '{wrong}', background: true}}\n      - run: yes\n"))
    assert run.scripts() == ["yes"]
    assert run.end("a").results() == {"a": "failure"}


@pytest.mark.parametrize("place", ["run: '${{ hashFiles(''x'') }}'", "run: x, if: \"hashFiles('x') == 'h'\""])
def test_hashing_files_does_not_hold_the_other_steps_up(world: Callable, place: str) -> None:
    run = world(job(f"      - {{{place}, background: true}}\n      - run: next\n"))
    run.hashed("h")
    assert sorted(run.scripts()) in (["h", "next"], ["next", "x"])
    run.end("a", position=1).end("a")
    assert run.results() == {"a": "success"}


def test_several_background_steps_may_wait_for_hashes_at_once(world: Callable) -> None:
    run = world(job("".join(f"      - {{run: '${{{{ hashFiles(''{n}'') }}}}', background: true}}\n" for n in "xyz")))
    for _ in range(3):
        run.hashed("h")
    assert run.scripts() == ["h", "h", "h"]


def act(*, always: str = "") -> LocalAction:
    steps = [script("one", id_="one"), script("two ${{ env.E }}")]
    return composite(*steps, *([script(always, if_="always()")] if always else []))


def test_a_composite_action_runs_in_the_background_and_its_steps_see_each_other(world: Callable) -> None:
    run = world(workflow(use("./act", background=text("${{ true }}")), script("front ${{ env.E }}")))
    assert run.scripts() == ["front "]
    run.load(act())
    assert run.scripts() == ["front ", "one"]
    run.end("a", position=1, env=(("E", "e"),))
    assert run.scripts() == ["front ", "two e"]
    run.end("a", position=2).end("a", position=1)
    assert run.results() == {"a": "success"}


def test_a_cancelled_composite_action_cleans_up_and_the_job_goes_on(world: Callable) -> None:
    made = world(job(SERVER + "      - run: test\n      - cancel: server\n")).state.root.workflow
    cancel = made.jobs[0].steps[2]
    server = replace(use("./act", id_="server", background=text("${{ true }}")), key="server")
    run = world(workflow(server, script("t"), cancel))
    run.load(act(always="clean")).end("a", position=2).obey_stops()
    assert run.scripts() == ["clean"]
    run.end("a")
    assert conclusions(run)[1] == "cancelled"
    assert run.results() == {"a": "success"}


def test_masks_of_a_background_step_hold_at_once(world: Callable) -> None:
    run = world(job(SERVER + "      - run: one\n      - {run: x, name: say hush}\n"))
    ref = run.step("a", 1)
    del run.running[ref]
    run.send(StepEnded(ref, StepResult(exit_code=0, masks=("hush",)))).end("a")
    assert run.moves[-1].data["name"] == "say ***"


def test_a_step_that_always_runs_may_use_an_action_after_the_job_was_cancelled(world: Callable) -> None:
    run = world(workflow(script("one"), use("./act", if_="always()"))).stop().obey_stops()
    run.load(composite(script("inside", if_="always()")))
    assert run.scripts() == ["inside"]
