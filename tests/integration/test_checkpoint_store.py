"""What jobs go on from, in a folder and in a bucket."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from skyflow.artifacts.checkpoints import CheckpointStore, sources_in
from skyflow.artifacts.places import open_place
from skyflow.artifacts.upkeep import CHECKPOINT_DAYS, prune
from skyflow.testing.time import VirtualClock

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path: Path):
    if request.param == "bucket":
        pytest.importorskip("obstore")
        return open_place(request.getfixturevalue("bucket"))
    return open_place(str(tmp_path / "store"))


async def test_the_last_one_counts(place, tmp_path: Path) -> None:
    clock = VirtualClock()
    store = CheckpointStore({"": place}, clock)
    work = tmp_path / "work"
    (work / "kept" / "deep").mkdir(parents=True)
    (work / "kept" / "deep" / "a.bin").write_bytes(b"one")
    (work / "kept" / "link").symlink_to("deep/a.bin")
    (work / "other").write_text("not kept")
    save = partial(store.save, "run", "train", partial(sources_in, work, "kept"))
    assert await store.find("run", "train") is None
    await save(attempt=1)
    (work / "kept" / "deep" / "a.bin").write_bytes(b"three")
    await save(attempt=2)
    kept = await store.find("run", "train")
    assert (kept.attempt, kept.size) == (2, 5)
    assert await store.find("run", "other") is None
    back = tmp_path / "back"
    await store.restore(kept, back)
    assert (back / "kept" / "deep" / "a.bin").read_bytes() == b"three"
    assert (back / "kept" / "link").readlink() == Path("deep/a.bin")
    assert not (back / "other").exists()


async def test_upkeep_keeps_it_for_a_while(place, tmp_path: Path) -> None:
    clock = VirtualClock()
    store = CheckpointStore({"": place}, clock)
    (tmp_path / "kept").write_text("x")
    kept = await store.save("run", "a", partial(sources_in, tmp_path, "kept"), attempt=1)
    await prune(place, kept.created + timedelta(days=CHECKPOINT_DAYS - 1))
    await store.restore(await store.find("run", "a"), tmp_path / "back")
    later = max(kept.created, datetime.now(UTC)) + timedelta(days=CHECKPOINT_DAYS + 1)
    assert await prune(place, later) > 0
    assert await store.find("run", "a") is None
