"""A database that was damaged, or changed by hand, is said to be that: whatever stands in it, no command ends in a bug."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skyflow.app.project import Project
from skyflow.app.upkeep import prune
from skyflow.errors import StoreError, UsageError
from skyflow.model.layout import StateFolder
from skyflow.model.run import NewRun, RunId, Transition
from skyflow.model.status import Conclusion, Entity, Status
from skyflow.store.maintenance import check
from skyflow.store.store import Store, open_store

NOW = datetime(2026, 11, 23, 12, 0, 0, 123000, tzinfo=UTC)
RUN = RunId("20261123-120000-abcd")
JOB = {
    "spec_id": "a", "leg_index": 0, "leg_total": 1, "name": "a", "matrix": {"x": "y"},
    "max_parallel": None, "fail_fast": True, "continue_on_error": False,
}  # fmt: skip
MOVES = [
    Transition(entity=Entity.RUN, old=Status.QUEUED, new=Status.IN_PROGRESS),
    Transition(entity=Entity.JOB, old=None, new=Status.QUEUED, job_key="a", data=JOB),
    Transition(entity=Entity.JOB, old=Status.QUEUED, new=Status.IN_PROGRESS, job_key="a"),
    Transition(
        entity=Entity.JOB, old=Status.IN_PROGRESS, new=Status.COMPLETED, job_key="a", conclusion=Conclusion.SUCCESS,
        data={"outcome": "success", "outputs": {}},
    ),
    Transition(entity=Entity.RUN, old=Status.IN_PROGRESS, new=Status.COMPLETED, conclusion=Conclusion.SUCCESS),
]  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the database of one run that has completed."""
    state = StateFolder(tmp_path_factory.mktemp("sound") / "state.db")
    with open_store(state) as store:
        store.create_run(
            NewRun(
                id=RUN, workflow_name="w", workflow_path="w.yml", workflow_source="on: push\n", callee_sources={},
                contexts={"github": {"actor": "u"}}, plan={"jobs": []}, slots=2,
            ),
            NOW,
        )  # fmt: skip
        store.record(RUN, MOVES, NOW)
    return state.database.read_bytes()


def outcome(folder: Path, content: bytes) -> str:
    """Read all that there is in a database; return what was said of it, if anything."""
    state = StateFolder(folder / "state.db")
    for name in ("state.db-wal", "state.db-shm"):
        (folder / name).unlink(missing_ok=True)
    state.database.write_bytes(content)
    said: list[str] = []
    reads: tuple[Callable[[Store], object], ...] = (
        lambda store: store.latest_runs(9),
        lambda store: store.find_run("1"),
        lambda store: store.jobs(RUN),
        lambda store: store.events(RUN),
        lambda store: store.attempts(RUN),
        lambda store: said.extend(check(store)),
    )
    for read in reads:
        try:
            with open_store(state, create=False) as store:
                read(store)
        except (StoreError, UsageError) as error:
            said.append(error.message)
    return "\n".join(said)


def test_the_sound_one_is_sound(tmp_path: Path, sound: bytes) -> None:
    assert outcome(tmp_path, sound) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"completed", b"comXleted"),
        (b"success", b"suc\xffess"),
        (b"2026-11", b"20x6-11"),
        (b'{"outcome"', b'["outcome"'),
        (b'{"x"', b'{"\xff"'),
        (b"w.yml", b"w\0yml"),
        (b"job_key", b"jXb_key"),
    ],
)
def test_what_was_changed_by_hand_is_said_or_is_only_a_text(
    tmp_path: Path, sound: bytes, old: bytes, new: bytes
) -> None:
    assert old in sound
    said = outcome(tmp_path, sound.replace(old, new))
    assert said or new == b"w\0yml"


@pytest.mark.parametrize("name", ["../../../precious", "", ".", "..", "a/b", "a\0b"])
def test_no_name_of_a_run_leads_to_another_folder(tmp_path: Path, sound: bytes, name: str) -> None:
    """A project may come from somebody else, its state with it; what is forgotten is removed."""
    project, precious = (
        Project(tmp_path / "p", StateFolder(tmp_path / "p" / ".skyflow" / "state.db")),
        tmp_path / "precious",
    )
    for folder in (project.state.runs, precious):
        folder.mkdir(parents=True)
    project.state.database.write_bytes(sound)
    with closing(sqlite3.connect(project.state.database)) as connection, connection:
        connection.execute("UPDATE runs SET id = ?", (name,))
    with pytest.raises(StoreError, match="is no name of a run"):
        prune(project, older_than=timedelta(0), now=NOW + timedelta(days=1))
    assert precious.is_dir()


def test_no_damage_is_a_bug(tmp_path: Path, sound: bytes) -> None:
    chance = random.Random(11)
    for turn in range(60):
        content = bytearray(sound)
        if turn % 3 == 0:
            del content[chance.randrange(len(content)) :]
        elif turn % 3 == 1:
            for _ in range(40):
                content[chance.randrange(len(content))] = chance.randrange(256)
        else:
            at = chance.randrange(100, len(content) - 4096)
            content[at : at + 4096] = bytes(4096)
        outcome(tmp_path, bytes(content))
