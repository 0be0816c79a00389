"""The state store on a real SQLite file."""

import contextlib
import fcntl
import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skyflow.errors import (
    InvalidTransitionError,
    SchemaTooNewError,
    StaleWriteError,
    StoreError,
    StoreLockedError,
    UsageError,
)
from skyflow.model.annotation import Annotation, AnnotationLevel
from skyflow.model.concurrency import GroupMove
from skyflow.model.layout import StateFolder
from skyflow.model.run import NewRun, RunId, Transition
from skyflow.model.status import Conclusion, Entity, Reason, Status
from skyflow.store.groups import GroupStore
from skyflow.store.lease import hold_lease, is_leased
from skyflow.store.store import Store, open_store

NOW = datetime(2026, 11, 23, 12, 0, 0, 123000, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
RUN = RunId("20261123-120000-abcd")


def new_run(run_id: str = RUN) -> NewRun:
    return NewRun(
        id=RunId(run_id),
        workflow_name="w",
        workflow_path="w.yml",
        workflow_source="on: push\n",
        callee_sources={},
        contexts={"github": {"actor": "ä"}},
        plan={"jobs": []},
        slots=2,
    )


def created(key: str = "a") -> Transition:
    data = {
        "spec_id": key, "leg_index": 0, "leg_total": 1, "name": key, "matrix": {"x": 1.5},
        "max_parallel": None, "fail_fast": True, "continue_on_error": False,
    }  # fmt: skip
    return Transition(entity=Entity.JOB, old=None, new=Status.QUEUED, job_key=key, data=data)


BEGUN = Transition(entity=Entity.JOB, old=Status.QUEUED, new=Status.IN_PROGRESS, job_key="a")
ATTEMPT = Transition(entity=Entity.ATTEMPT, old=None, new=Status.IN_PROGRESS, job_key="a", attempt=1)
STEP = Transition(
    entity=Entity.STEP, old=None, new=Status.PENDING, job_key="a", attempt=1, position=1, data={"name": "Run x"}
)
FAILED = Transition(
    entity=Entity.STEP,
    old=Status.PENDING,
    new=Status.COMPLETED,
    job_key="a",
    attempt=1,
    position=1,
    conclusion=Conclusion.FAILURE,
    reason=Reason.EXIT_CODE,
    message="exit code 3",
    data={"outcome": "failure", "exit_code": 3},
)


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state" / "state.db")


@pytest.fixture
def store(folder: StateFolder) -> Iterator[Store]:
    with open_store(folder) as opened:
        opened.create_run(new_run(), NOW)
        yield opened


def test_a_run_is_read_back_as_it_was_stored(store: Store) -> None:
    run = store.find_run("latest")
    assert (run.id, run.number, run.status, run.created_at) == (RUN, 1, Status.QUEUED, NOW)
    assert run.contexts == {"github": {"actor": "ä"}}
    assert run.conclusion is None


def test_a_run_is_named_after_its_number(store: Store) -> None:
    other = replace(new_run("20261124-000000-0000"), secret_names=("A", "B"))
    run = store.create_run(other, LATER, name=lambda number: f"no. {number}")
    assert (run.number, run.display_name, run.title, run.secret_names) == (2, "no. 2", "w: no. 2", ("A", "B"))
    first = store.find_run("1")
    assert (first.display_name, first.title, first.secret_names) == (None, "w", ())


def test_a_run_that_cannot_be_named_is_not_stored(store: Store) -> None:
    def refuse(_: int) -> str:
        raise UsageError("no")

    with pytest.raises(UsageError):
        store.create_run(new_run("20261124-000000-0000"), LATER, name=refuse)
    assert [run.number for run in store.latest_runs(9)] == [1]


def test_moves_change_rows_and_append_events(store: Store) -> None:
    store.record(RUN, [created(), BEGUN, ATTEMPT, STEP], NOW)
    store.record(RUN, [FAILED], LATER)
    [job] = store.jobs(RUN)
    assert (job.status, job.started_at, job.matrix, job.fail_fast) == (Status.IN_PROGRESS, NOW, {"x": 1.5}, True)
    [step] = store.steps(RUN)
    assert (step.name, step.exit_code, step.message, step.completed_at) == ("Run x", 3, "exit code 3", LATER)
    assert [attempt.number for attempt in store.attempts(RUN)] == [1]
    events = store.events(RUN)
    assert [event.transition for event in events] == [created(), BEGUN, ATTEMPT, STEP, FAILED]
    assert store.events(RUN, after=events[3].id) == events[4:]


def test_a_move_from_another_status_is_refused_with_everything_beside_it(store: Store) -> None:
    store.record(RUN, [created()], NOW)
    with pytest.raises(StaleWriteError):
        store.record(RUN, [BEGUN, BEGUN], NOW)
    assert store.jobs(RUN)[0].status is Status.QUEUED
    assert len(store.events(RUN)) == 1


def test_a_move_that_the_diagram_does_not_have_is_a_bug(store: Store) -> None:
    with pytest.raises(InvalidTransitionError, match="job a cannot go from nothing to in_progress"):
        store.record(RUN, [Transition(entity=Entity.JOB, old=None, new=Status.IN_PROGRESS, job_key="a")], NOW)


def test_the_database_refuses_a_second_attempt_beside_a_running_one(store: Store) -> None:
    store.record(RUN, [created(), BEGUN, ATTEMPT], NOW)
    second = Transition(entity=Entity.ATTEMPT, old=None, new=Status.IN_PROGRESS, job_key="a", attempt=2)
    with pytest.raises(StoreError, match="UNIQUE"):
        store.record(RUN, [second], NOW)


def test_runs_are_found_by_number_id_and_beginning(store: Store) -> None:
    store.create_run(new_run("20261124-000000-0000"), LATER)
    assert store.find_run("2").id == "20261124-000000-0000"
    assert store.find_run("20261123").number == 1
    assert store.find_run("latest").number == 2
    assert [run.number for run in store.latest_runs(5)] == [2, 1]
    with pytest.raises(UsageError, match="more than one run begins with '202611'"):
        store.find_run("2026112-"[:6])
    with pytest.raises(UsageError, match="there is no run '7'"):
        store.find_run("7")


def test_runs_that_have_not_completed_are_known_the_newest_first(store: Store) -> None:
    store.create_run(new_run("20261124-000000-0000"), LATER)
    begin = Transition(entity=Entity.RUN, old=Status.QUEUED, new=Status.IN_PROGRESS)
    end = Transition(entity=Entity.RUN, old=Status.IN_PROGRESS, new=Status.COMPLETED, conclusion=Conclusion.SUCCESS)
    store.record(RunId("20261124-000000-0000"), [begin, end], LATER)
    store.create_run(new_run("20261125-000000-0000"), LATER)
    assert [run.number for run in store.unfinished_runs()] == [3, 1]


def test_the_state_is_private_and_stays_out_of_commits(folder: StateFolder, store: Store) -> None:
    assert folder.root.stat().st_mode & 0o777 == 0o700
    assert folder.runs.stat().st_mode & 0o777 == 0o700
    assert folder.database.stat().st_mode & 0o777 == 0o600
    assert (folder.root / ".gitignore").read_text() == "*\n"


def test_a_store_that_must_exist_is_not_created(folder: StateFolder) -> None:
    with pytest.raises(UsageError, match="there is no run yet"):
        open_store(folder, create=False)
    assert not folder.root.exists()


def test_a_newer_schema_is_refused(folder: StateFolder, store: Store) -> None:
    connection = sqlite3.connect(folder.database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SchemaTooNewError, match="has schema 99, written by a newer skyflow"):
        open_store(folder)


@pytest.mark.parametrize("content", [b"this is no database, but a text\n" * 40, b"SQLite format 3\0" + b"\0" * 100])
def test_a_file_that_is_no_database_is_refused_and_left_alone(folder: StateFolder, content: bytes) -> None:
    folder.root.mkdir(parents=True)
    folder.database.write_bytes(content)
    with pytest.raises(StoreError, match=r"is not a usable skyflow state store|cannot be used"):
        open_store(folder)
    assert folder.database.read_bytes() == content


def test_a_database_that_stays_locked_is_reported(folder: StateFolder, store: Store) -> None:
    store.connection.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(folder.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreLockedError, match="stayed locked by another program"):
            store.record(RUN, [created()], NOW)
    finally:
        other.close()


def test_annotations_are_stored_with_the_step_that_made_them(store: Store) -> None:
    error = Annotation(level=AnnotationLevel.ERROR, message="m", title="t", file="f", line=1, end_line=2, column=3)
    notice = Annotation(level=AnnotationLevel.NOTICE, message="\u00e4", code="c")
    ended = replace(FAILED, data={**FAILED.data, "annotations": [error.to_json(), notice.to_json()]})
    store.record(RUN, [created(), BEGUN, ATTEMPT, STEP, ended], NOW)
    assert [record.annotation for record in store.annotations(RUN)] == [error, notice]
    assert {(record.job_key, record.attempt, record.position) for record in store.annotations(RUN)} == {("a", 1, 1)}
    assert store.annotations(RunId("another")) == []


def test_one_process_drives_a_run(folder: StateFolder, store: Store) -> None:
    run_folder = folder.run(RUN)
    assert not is_leased(run_folder)
    with hold_lease(run_folder):
        assert is_leased(run_folder)
        with pytest.raises(StoreLockedError, match=f"process {os.getpid()}"), hold_lease(run_folder):
            pass
    assert not is_leased(run_folder)


def _open_and_close(path: str) -> None:
    open_store(StateFolder(Path(path))).__exit__(None, None, None)


def test_many_processes_may_make_the_same_store_at_once(folder: StateFolder) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_open_and_close, args=(str(folder.database),)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4


class TestGroups:
    """Concurrency groups between runs, each driven by a process that holds its lease."""

    @pytest.fixture
    def runs(self, folder: StateFolder, store: Store) -> Iterator[list[RunId]]:
        names = [RUN, RunId("run-b"), RunId("run-c")]
        for name in names[1:]:
            store.create_run(new_run(name), NOW)
        with contextlib.ExitStack() as leases:
            for name in names:
                leases.enter_context(hold_lease(folder.run(name)))
            yield names

    def test_one_holds_a_group_and_the_next_gets_it_afterwards(self, store: Store, runs: list[RunId]) -> None:
        groups = GroupStore(store)
        a, b, _ = runs
        groups.request_group(a, "", "Deploy", cancel_in_progress=False, keep_pending=False)
        groups.request_group(b, "", "deploy", cancel_in_progress=False, keep_pending=False)
        assert groups.group_moves(b) == {}
        assert groups.group_moves(a) == {"": GroupMove.GRANTED}
        groups.release_group(a, "")
        assert groups.group_moves(b) == {"": GroupMove.GRANTED}

    def test_the_newest_pending_one_wins(self, store: Store, runs: list[RunId]) -> None:
        groups = GroupStore(store)
        for run in runs:
            groups.request_group(run, "", "g", cancel_in_progress=False, keep_pending=False)
            groups.group_moves(run)
        assert groups.group_moves(runs[0]) == {"": GroupMove.GRANTED}
        assert groups.group_moves(runs[1]) == {"": GroupMove.SUPERSEDED}
        assert groups.group_moves(runs[2]) == {}

    def test_all_pending_ones_may_be_kept(self, store: Store, runs: list[RunId]) -> None:
        groups = GroupStore(store)
        for run in runs:
            groups.request_group(run, "", "g", cancel_in_progress=False, keep_pending=True)
            groups.group_moves(run)
        groups.release_group(runs[0], None)
        assert groups.group_moves(runs[2]) == {}
        assert groups.group_moves(runs[1]) == {"": GroupMove.GRANTED}

    def test_cancel_in_progress_asks_the_holder_to_give_up(self, store: Store, runs: list[RunId]) -> None:
        groups = GroupStore(store)
        groups.request_group(runs[0], "job", "g", cancel_in_progress=False, keep_pending=False)
        groups.group_moves(runs[0])
        groups.request_group(runs[1], "", "g", cancel_in_progress=True, keep_pending=False)
        assert groups.group_moves(runs[0]) == {"job": GroupMove.CANCELLED}

    def test_what_a_dead_process_held_is_free(self, folder: StateFolder, store: Store) -> None:
        groups = GroupStore(store)
        store.create_run(new_run("run-b"), NOW)
        groups.request_group(RUN, "", "g", cancel_in_progress=False, keep_pending=False)
        with hold_lease(folder.run(RUN)):
            assert groups.group_moves(RUN) == {"": GroupMove.GRANTED}
        groups.request_group(RunId("run-b"), "", "g", cancel_in_progress=False, keep_pending=False)
        assert groups.group_moves(RunId("run-b")) == {"": GroupMove.GRANTED}

    def test_what_a_dead_process_held_stays_taken_while_a_step_lives_on(
        self, folder: StateFolder, store: Store
    ) -> None:
        groups, other = GroupStore(store), RunId("run-b")
        store.create_run(new_run("run-b"), NOW)
        with hold_lease(folder.run(RUN)):
            groups.request_group(RUN, "deploy", "g", cancel_in_progress=False, keep_pending=True)
            groups.request_group(RUN, "waits", "g", cancel_in_progress=False, keep_pending=True)
        with hold_lease(folder.run(other)):
            with folder.run(RUN).journal.open("w") as journal:
                fcntl.flock(journal, fcntl.LOCK_SH)  # as a keeper does
                groups.request_group(other, "", "g", cancel_in_progress=False, keep_pending=True)
                assert groups.group_moves(other) == {}
                assert groups.group_moves(RUN) == {"deploy": GroupMove.GRANTED}
            assert groups.group_moves(other) == {"": GroupMove.GRANTED}
            assert groups.group_moves(RUN) == {}


def test_a_lease_is_given_although_others_ask_who_has_it_all_the_time(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state.db").run(RUN)
    with hold_lease(folder):
        pass
    asking = multiprocessing.get_context("fork").Process(target=_ask_forever, args=(folder.lock,))
    asking.start()
    try:
        for _ in range(300):
            with hold_lease(folder):
                pass
    finally:
        asking.kill()
        asking.join()


def _ask_forever(lock: Path) -> None:
    while True:
        with lock.open("rb") as file, contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
