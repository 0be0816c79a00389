"""What others on the machine can see and change of a store: nothing, whatever the umask; and where they can, it is said."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from skyflow.app.exposure import exposures
from skyflow.artifacts.folder import FolderStore
from skyflow.model.layout import StateFolder
from skyflow.store.lease import hold_lease
from skyflow.store.store import open_store


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """Return what others can reach and open: what is in a closed folder they cannot."""
    found = []
    for path in sorted(folder.iterdir()):
        mode = path.stat().st_mode & 0o077
        if mode and path.name != ".gitignore":
            found.append(f"{path.relative_to(folder)} {mode:o}")
        if mode and path.is_dir():
            found += open_to_others(path)
    return found


@pytest.mark.parametrize("was_there", [False, True])
def test_nothing_of_a_store_is_open_to_others(tmp_path: Path, umask: int, was_there: bool) -> None:
    state = StateFolder(tmp_path / "state" / "state.db")
    if was_there:
        state.root.mkdir(mode=0o777)
        state.root.chmod(0o777)
    source = tmp_path / "file"
    source.write_text("x")
    with open_store(state) as store, hold_lease(state.run("20261124-000000-0000")):
        assert not store.latest_runs(1)
        assert state.database.with_name("state.db-wal").exists()
        FolderStore(state.artifacts).put_blob(source, lambda _size: None)
        assert open_to_others(state.root) == []
    assert (state.root.stat().st_mode & 0o777) == (0o777 if was_there else 0o700)
    told = [problem for problem, _ in exposures(state)]
    assert told == ([f"{state.root} can be written by other users, who could run commands as you"] if was_there else [])


def test_logs_that_others_can_read_are_told_of(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state.db")
    assert list(exposures(state)) == []
    tmp_path.chmod(0o755)
    state.runs.mkdir(mode=0o755)
    state.runs.chmod(0o755)
    assert [cure for _, cure in exposures(state)] == [f"chmod go-rwx {state.runs}"]
    state.database.touch()
    state.database.chmod(0o640)
    state.results.mkdir()
    state.results.chmod(0o750)
    cures = [f"chmod go-rwx {path}" for path in (state.runs, state.results, state.database)]
    assert [cure for _, cure in exposures(state)] == cures
    tmp_path.chmod(0o700)
    assert list(exposures(state)) == [], "nobody gets there"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_store_of_another_user_is_told_of(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state.db")
    tmp_path.chmod(0o700)
    state.runs.mkdir(mode=0o700)
    os.chown(state.runs, 54321, 54321)
    problem = f"{state.runs} belongs to another user, who could run commands as you"
    assert list(exposures(state)) == [(problem, f"sudo chown -R 0 {tmp_path}")]


def test_in_a_folder_with_the_sticky_bit_nobody_touches_what_is_another_s(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert list(exposures(StateFolder(tmp_path / "state.db"))) == []
