"""Jobs with containers: what is asked for, what steps see, and that what was begun is ended."""

from collections.abc import Callable

import pytest

from skyflow.model.containers import (
    ContainerRequest,
    ContainersRequest,
    Mounts,
    StartedContainer,
    StartedContainers,
)
from skyflow.model.execution import StepRef
from skyflow.model.status import Conclusion, Entity, Reason, Status

STARTED = StartedContainers(
    network="net",
    container=StartedContainer(id="c1"),
    services=(("db", StartedContainer(id="s1", ports=(("5432", "49153"),))),),
    mounts=Mounts.of([("/home/p", "/__w/p/p"), ("/state/runs/r/temp/a@1", "/__w/_temp")]),
)
JOB = "  a:\n    runs-on: local\n    container: alpine\n    services: {db: {image: postgres}}\n    steps:\n"


def step_moves(run, position: int) -> list[tuple[Status, Conclusion | None, Reason | None]]:
    return [
        (move.new, move.conclusion, move.reason)
        for move in run.moves
        if move.entity is Entity.STEP and move.position == position
    ]


def test_containers_start_before_the_first_step_and_stop_after_the_last(world: Callable) -> None:
    run = world(JOB + "      - run: one\n")
    assert run.step("a") == StepRef("a", 1, 0)
    assert run.request("a") == ContainersRequest(
        container=ContainerRequest(name="", image="alpine"),
        services=(ContainerRequest(name="db", image="postgres"),),
    )
    run.containers("a", STARTED)
    assert run.scripts() == ["one"]
    run.end("a", outputs=(("x", "1"),))
    assert run.step("a") == StepRef("a", 1, 2)
    assert run.results() == {}, "a job whose containers still run has not ended"
    run.end("a")
    assert run.results() == {"a": "success"}
    names = [move.data["name"] for move in run.moves if move.entity is Entity.STEP and move.old is None]
    assert names == ["Run one", "Initialize containers", "Stop containers"]


def test_steps_see_their_containers_and_paths_as_they_are_inside(world: Callable) -> None:
    run = world(
        JOB + "      - run: |\n"
        "          ${{ job.container.id }} ${{ job.container.network }} ${{ job.services.db.id }}\n"
        "          ${{ job.services.db.ports['5432'] }} ${{ job.services.db.network }} ${{ runner.temp }}\n"
    )
    run.containers("a", STARTED)
    assert run.scripts() == ["c1 net s1\n49153 net /__w/_temp\n"]
    assert run.env("a")["RUNNER_TEMP"] == "/__w/_temp"


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ("${{ matrix.image }}", ContainerRequest(name="", image="node:24")),
        ("docker://alpine", ContainerRequest(name="", image="alpine")),
        ("${{ '' }}", None),
        ("{image: '${{ vars.none }}', env: {A: b}}", None),
        (
            '${{ fromJSON(\'{"image":"x", "ports":[80], "env":{"a":1, "B":true}}\') }}',
            ContainerRequest(name="", image="x", ports=("80",), env=(("a", "1"), ("B", "true"))),
        ),
        (
            (
                "{image: x, env: {E: '${{ env.W }}'}, volumes: ['a:/b'], options: --cpus 1,"
                " credentials: {username: u, password: '${{ secrets.none }}p'}}"
            ),
            ContainerRequest(
                name="",
                image="x",
                env=(("E", "w"),),
                volumes=("a:/b",),
                options="--cpus 1",
                username="u",
                password="p",
            ),
        ),
    ],
)
def test_a_container_may_be_written_in_many_ways(world: Callable, container: str, expected: object) -> None:
    run = world(
        "  a:\n    runs-on: local\n    strategy: {matrix: {image: ['node:24']}}\n    env: {W: w}\n"
        f"    container: {container}\n    steps: [{{run: x}}]\n"
    )
    request = run.request("a.0")
    assert (request.container if isinstance(request, ContainersRequest) else None) == expected


def test_services_may_be_computed_and_one_without_an_image_is_left_out(world: Callable) -> None:
    run = world(
        "  a:\n    runs-on: local\n    steps: [{run: x}]\n    services: "
        '${{ fromJSON(\'{"db":"postgres", "no":"", "web":{"image":"x", "command":"-v"}}\') }}\n'
    )
    assert run.request("a") == ContainersRequest(
        services=(
            ContainerRequest(name="db", image="postgres"),
            ContainerRequest(name="web", image="x", command="-v"),
        )
    )


def test_a_computed_container_with_an_unknown_key_fails_the_job(world: Callable) -> None:
    run = world(
        "  a:\n    runs-on: local\n    steps: [{run: x}]\n"
        '    container: ${{ fromJSON(\'{"image":"x", "imgae":"y"}\') }}\n'
    )
    assert run.results() == {"a": "failure"}
    [message] = {move.message for move in run.moves if move.entity is Entity.JOB and move.message}
    assert "the container has the key 'imgae', which containers do not have" in message


def test_when_containers_do_not_start_only_clean_up_steps_run(world: Callable) -> None:
    run = world(JOB + "      - run: one\n      - {run: clean, if: always()}\n")
    run.containers("a", None, exit_code=None, not_started="no such image")
    assert run.scripts() == ["clean"]
    run.end("a").end("a")
    assert run.results() == {"a": "failure"}
    assert step_moves(run, 0)[-1] == (Status.COMPLETED, Conclusion.FAILURE, Reason.NOT_STARTED)
    assert step_moves(run, 1)[-1][1] is Conclusion.SKIPPED
    assert [move.message for move in run.moves if move.entity is Entity.JOB][-1] == "no such image"


def test_a_job_that_is_cancelled_while_its_containers_start_stops_them(world: Callable) -> None:
    run = world(JOB + "      - run: one\n")
    run.stop()
    assert run.stopping == {StepRef("a", 1, 0): False}
    run.containers("a", None, exit_code=None, stopped=True)
    assert run.step("a") == StepRef("a", 1, 2), "the containers are stopped all the same"
    run.end("a")
    assert run.job("a").status is Status.QUEUED
    assert run.state.status is Status.INTERRUPTED


def test_a_forced_stop_leaves_the_containers_to_the_release(world: Callable) -> None:
    run = world(JOB + "      - run: one\n")
    run.containers("a", STARTED)
    run.stop()
    run.stop(force=True)
    run.obey_stops()
    assert run.state.status is Status.INTERRUPTED
    assert step_moves(run, 2) == []


def test_a_time_limit_counts_the_start_of_containers(world: Callable) -> None:
    run = world(JOB + "      - run: one\n")
    run.fire("a")
    run.containers("a", None, exit_code=None, stopped=True)
    run.end("a")
    assert run.results() == {"a": "cancelled"}


def test_containers_of_a_lost_attempt_are_not_heard_of_any_more(world: Callable) -> None:
    """A driver that died while containers started left step 0 in progress."""
    run = world(JOB + "      - run: one\n")
    before = len(run.moves)
    run.running.clear()
    run.timers.clear()
    run.begin()
    lost = [(move.entity_id, move.reason) for move in run.moves[before:] if move.reason is Reason.LOST]
    assert lost == [("a#1/0", Reason.LOST), ("a#1/1", Reason.LOST), ("a#1", Reason.LOST)]
    assert run.step("a") == StepRef("a", 2, 0)
