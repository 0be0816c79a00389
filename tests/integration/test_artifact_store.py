"""Artifacts and caches on a real disk."""

import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skyflow.artifacts.caches import Caches
from skyflow.artifacts.documents import read_cache, read_entry, write_cache, write_entry
from skyflow.artifacts.folder import FolderStore
from skyflow.artifacts.keys import BLOBS, CACHES, RUNS, artifact_key, blob_key
from skyflow.artifacts.named import Artifacts
from skyflow.artifacts.trees import Place, restore_tree
from skyflow.artifacts.upkeep import prune
from skyflow.model.artifacts import CachedTree, Entry, EntryKind, NewArtifact, Source
from skyflow.model.execution import StepRef
from skyflow.ports.artifacts import ArtifactError

pytestmark = pytest.mark.anyio
NOW = datetime.now(UTC)
BY = StepRef("build", 1, 1)


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def monotonic(self) -> float:
        return 0.0


def make(root: Path) -> SimpleNamespace:
    objects, clock = FolderStore(root / "store"), Clock()
    return SimpleNamespace(
        objects=objects,
        clock=clock,
        artifacts=Artifacts({"": objects}, clock),
        caches=Caches(objects, clock),
        root=root,
    )


@pytest.fixture
def b(tmp_path: Path) -> SimpleNamespace:
    return make(tmp_path)


def sources(root: Path, *names: str) -> list[Source]:
    for name in names:
        file = root / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"content of {name}")
    return [Source(name, root / "in" / name) for name in names]


def go_on(_: int) -> None:
    return


def new(name: str, files: list[Source], **options: object) -> NewArtifact:
    return NewArtifact(**{"run": "r1", "name": name, "sources": files, "by": BY, "retention_days": 1, **options})


async def upload(b: SimpleNamespace, name: str = "x", *names: str, by: StepRef = BY, **options: object):
    files = sources(b.root, *(names or ("a", "s/b")))
    return await b.artifacts.upload(new(name, files, by=by, **options))


async def test_what_was_uploaded_is_downloaded(b: SimpleNamespace) -> None:
    (b.root / "in").mkdir()
    (b.root / "in" / "a").write_text("")
    (b.root / "in" / "a").chmod(0o4751)
    artifact = await upload(b)
    assert await b.artifacts.artifacts("r1") == (artifact,)
    assert await b.artifacts.artifacts("r2") == ()
    out = b.root / "out"
    await b.artifacts.download(artifact, out)
    assert (out / "a").read_text() == "content of a"
    assert (out / "s/b").read_text() == "content of s/b"
    assert stat.S_IMODE((out / "a").stat().st_mode) == 0o751
    assert sorted(path.name for path in out.rglob("*")) == ["a", "b", "s"]
    assert not any((b.root / "store" / "drafts").iterdir())


async def test_a_name_is_taken_only_once(b: SimpleNamespace) -> None:
    first = await upload(b)
    for by in (replace(BY, position=BY.position + 1), StepRef("other", 7, 1)):
        with pytest.raises(ArtifactError, match="has an artifact 'x' already, from job 'build'"):
            await upload(b, by=by)
    again = await upload(b, by=BY)
    assert again.tree == first.tree, "the very step: its driver died before it heard that it was done"
    second = await upload(b, "x", "c", overwrite=True)
    third = await upload(b, "x", "d", by=replace(BY, attempt=2))
    assert len({first.id, second.id, third.id}) == 3
    assert await b.artifacts.artifacts("r1") == (third,)


async def test_what_an_earlier_attempt_left_in_another_store_is_removed(b: SimpleNamespace) -> None:
    there = FolderStore(b.root / "there")
    artifacts = Artifacts({"": b.objects, "there": there}, b.clock)
    await artifacts.upload(new("x", sources(b.root, "a")))
    again = await artifacts.upload(new("x", sources(b.root, "b"), store="there", by=StepRef("build", 2, 1)))
    assert await artifacts.artifacts("r1") == (again,)
    assert [b.objects.read(artifact_key("r1", "x")), await b.artifacts.artifacts("r1")] == [None, ()]


@pytest.mark.parametrize("run", ["../../etc", "r1/..", "", "."])
async def test_a_run_that_does_not_exist_has_no_artifacts(b: SimpleNamespace, run: str) -> None:
    await upload(b)
    assert await b.artifacts.artifacts(run) == ()


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "a/./b", ""])
async def test_paths_that_lead_elsewhere_are_not_stored(b: SimpleNamespace, path: str) -> None:
    [source] = sources(b.root, "a")
    with pytest.raises(ArtifactError, match="cannot be stored"):
        await b.artifacts.upload(new("x", [Source(path, source.file)]))


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "way/x"])
async def test_nothing_is_restored_outside_of_the_folder(b: SimpleNamespace, path: str) -> None:
    [source] = sources(b.root, "a")
    blob = b.objects.put_blob(source.file, go_on)
    out = b.root / "out"
    out.mkdir()
    (out / "way").symlink_to(b.root)
    for kind in EntryKind:
        entry = Entry(path=path, kind=kind, size=blob.size, content=blob.digest)
        with pytest.raises(ArtifactError, match="is not restored"):
            restore_tree(b.objects, [Place(entry, out, path)], go_on)
    assert not (b.root / "x").exists()


async def test_a_stored_link_is_no_way_out(b: SimpleNamespace) -> None:
    [source] = sources(b.root, "a")
    blob = b.objects.put_blob(source.file, go_on)
    out = b.root / "out"
    entries = [
        Entry(path="d", kind=EntryKind.LINK, content=str(b.root)),
        Entry(path="d/x", kind=EntryKind.FILE, size=blob.size, content=blob.digest),
    ]
    with pytest.raises((ArtifactError, OSError)):
        restore_tree(b.objects, [Place(entry, out, entry.path) for entry in entries], go_on)
    assert not (b.root / "x").exists()


async def test_a_link_in_place_of_a_file_is_replaced_and_its_target_left_alone(b: SimpleNamespace) -> None:
    artifact = await upload(b, "x", "a")
    out = b.root / "out"
    out.mkdir()
    (b.root / "precious").write_text("precious")
    (out / "a").symlink_to(b.root / "precious")
    await b.artifacts.download(artifact, out)
    assert (b.root / "precious").read_text() == "precious"
    assert not (out / "a").is_symlink()


async def test_damage_is_noticed_and_mended_by_the_next_upload(b: SimpleNamespace) -> None:
    artifact = await upload(b, "x", "a")
    digest = b.objects.put_blob(b.root / "in" / "a", go_on).digest
    place = b.root / "store" / blob_key(digest)
    place.chmod(0o600)
    place.write_text("something else")
    with pytest.raises(ArtifactError, match="is damaged"):
        await b.artifacts.download(artifact, b.root / "out")
    assert list((b.root / "out").iterdir()) == []
    with pytest.raises(ArtifactError, match="is gone"):
        await b.artifacts.download(artifact, b.root / "out")
    await upload(b, "y", "a")
    await b.artifacts.download(artifact, b.root / "out")


@pytest.mark.parametrize("digest", ["../../precious", "", "x", "A" * 64, "a" * 64 + "\n", "/etc/passwd"])
async def test_what_is_no_digest_leads_nowhere(b: SimpleNamespace, digest: str) -> None:
    (b.root / "store" / "blobs").mkdir(parents=True)
    (b.root / "precious").write_text("precious")
    entry = Entry(path="x", kind=EntryKind.FILE, content=digest)
    with pytest.raises(ArtifactError, match="names no stored content"):
        restore_tree(b.objects, [Place(entry, b.root / "out", "x")], go_on)
    with pytest.raises(ArtifactError, match="'content' is missing or wrong"):
        read_entry(write_entry(entry))
    with pytest.raises(ArtifactError, match="'tree' is missing or wrong"):
        read_cache(write_cache(CachedTree(key="k", version="v", scope="s", created=NOW, size=0, tree=digest)))
    assert (b.root / "precious").read_text() == "precious"  # contents that are damaged are deleted


async def test_a_cancelled_upload_leaves_nothing(b: SimpleNamespace) -> None:
    (b.root / "big").touch()
    os.truncate(b.root / "big", 20 * 1024**3)
    with anyio.move_on_after(0.05) as scope:
        await b.artifacts.upload(new("x", [Source("big", b.root / "big")]))
    assert scope.cancelled_caught
    assert await b.artifacts.artifacts("r1") == ()
    assert not any((b.root / "store" / "drafts").iterdir())


async def test_a_file_that_is_gone_is_named(b: SimpleNamespace) -> None:
    with pytest.raises(ArtifactError, match=r"'.*/nowhere': No such file"):
        await b.artifacts.upload(new("x", [Source("a", b.root / "nowhere")]))


async def test_two_uploads_at_once_leave_one(b: SimpleNamespace) -> None:
    files = sources(b.root, *(f"f{number}" for number in range(30)))
    outcomes: list[str] = []

    async def one(job: str) -> None:
        try:
            await b.artifacts.upload(new("x", files, by=StepRef(job, 1, 1)))
            outcomes.append("stored")
        except ArtifactError:
            outcomes.append("refused")

    async with anyio.create_task_group() as tasks:
        for job in ("one", "two", "three"):
            tasks.start_soon(one, job)
    assert sorted(outcomes) == ["refused", "refused", "stored"]


def every(folder: Path, prefix: str) -> list[Source]:
    paths = [folder, *folder.rglob("*")]
    return [Source(str(Path(prefix) / path.relative_to(folder)), path) for path in paths]


async def save(b: SimpleNamespace, key: str, folder: Path, prefix: str = "workspace/tree"):
    return await b.caches.save(key, every(folder, prefix), version="v", scope="s")


async def test_a_cache_keeps_times_links_and_empty_folders(b: SimpleNamespace) -> None:
    tree = b.root / "tree"
    (tree / "empty").mkdir(parents=True)
    (tree / "file").write_text("x")
    os.utime(tree / "file", ns=(1_500_000_000_123_456_789,) * 2)
    (tree / "link").symlink_to("file")
    (tree / "dangling").symlink_to("/nowhere/at/all")
    (tree / "closed").mkdir()
    (tree / "closed" / "inner").write_text("y")
    (tree / "closed").chmod(0o555)
    saved = await save(b, "k", tree)
    assert saved is not None
    assert await save(b, "k", tree) is None
    found = await b.caches.find(["k"], version="v", scopes=["s"])
    assert found == saved
    out = b.root / "elsewhere"
    await b.caches.restore(found, {"workspace": out}, [out / "tree"])
    assert (out / "tree/empty").is_dir()
    assert (out / "tree/link").readlink() == Path("file")
    assert (out / "tree/dangling").readlink() == Path("/nowhere/at/all")
    assert (out / "tree/file").stat().st_mtime_ns == 1_500_000_000_123_456_789
    assert stat.S_IMODE((out / "tree/closed").stat().st_mode) == 0o555
    assert (out / "tree/closed/inner").read_text() == "y"


@pytest.mark.parametrize("allowed", ["other", "tree/file"])
async def test_a_cache_is_restored_to_its_own_paths_only(b: SimpleNamespace, allowed: str) -> None:
    tree = b.root / "tree"
    tree.mkdir()
    (tree / "file").write_text("x")
    saved = await save(b, "k", tree)
    out = b.root / "out"
    with pytest.raises(ArtifactError, match="not below any of the paths"):
        await b.caches.restore(saved, {"workspace": out}, [out / allowed])
    with pytest.raises(ArtifactError, match="outside of the paths"):
        await b.caches.restore(saved, {"home": out}, [out])
    assert not out.exists()


def held(b: SimpleNamespace) -> tuple[int, int, int]:
    """Count artifacts, caches, and the bytes of all contents."""
    objects = b.objects.objects
    return len(list(objects(RUNS))), len(list(objects(CACHES))), sum(each.size for each in objects(BLOBS))


async def test_what_has_expired_is_removed_and_what_is_shared_stays(b: SimpleNamespace) -> None:
    kept, _ = await upload(b, "kept", "a", retention_days=30), await upload(b, "gone", "a", "bb")
    (b.root / "tree").mkdir()
    (b.root / "tree" / "c").write_text("12345")
    await save(b, "k", b.root / "tree")
    before = held(b)
    assert before[:2] == (2, 1)
    assert await prune(b.objects, NOW) == 0
    assert held(b) == before
    removed = await prune(b.objects, NOW + timedelta(days=5))
    assert removed > 0
    assert held(b) == (1, 1, before[2] - removed)
    await b.artifacts.download(kept, b.root / "out")
    await prune(b.objects, NOW + timedelta(days=8))
    assert held(b)[1] == 0
    await prune(b.objects, NOW + timedelta(days=60))
    assert held(b) == (0, 0, 0)


async def test_what_is_stored_again_while_old_contents_are_removed_stays(b: SimpleNamespace, monkeypatch) -> None:
    gone = await upload(b, "gone", "a")
    later = NOW + timedelta(days=60)
    is_listed = False
    listed = b.objects.objects

    def list_and_store(prefix: str):
        """Be somebody who stores the same contents when all have been listed."""
        nonlocal is_listed
        yield from list(listed(prefix))
        if prefix == BLOBS and not is_listed:
            is_listed = True
            for blob in list(listed(BLOBS)):
                os.utime(b.root / "store" / blob.key, (later.timestamp(), later.timestamp()))

    monkeypatch.setattr(b.objects, "objects", list_and_store)
    assert await prune(b.objects, later) == 0
    assert is_listed
    await b.artifacts.download(gone, b.root / "out")


async def test_too_many_caches_make_room_for_the_latest_used(b: SimpleNamespace) -> None:
    for key in ("one", "two", "three"):
        (b.root / key).mkdir()
        (b.root / key / "file").write_text(key * 10)
        await save(b, key, b.root / key)
    await anyio.sleep(0.02)
    await b.caches.find(["one"], version="v", scopes=["s"])
    await prune(b.objects, NOW, cache_limit_bytes=40)
    assert [await b.caches.find([key], version="v", scopes=["s"]) is not None for key in ("one", "two", "three")] == [
        True,
        False,
        False,
    ]


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
TREES = st.recursive(
    st.binary(max_size=30) | st.builds(Path, NAMES),
    lambda inner: st.dictionaries(NAMES.filter(lambda name: name not in {".", ".."}), inner, max_size=4),
    max_leaves=12,
).filter(lambda tree: isinstance(tree, dict))


def build(place: Path, tree: object) -> None:
    match tree:
        case bytes():
            place.write_bytes(tree)
        case Path():
            place.symlink_to(tree)
        case dict():
            place.mkdir()
            for name, inner in tree.items():
                build(place / name, inner)


def looks(place: Path) -> object:
    if place.is_symlink():
        return place.readlink()
    if place.is_dir():
        return {child.name: looks(child) for child in place.iterdir()}
    return place.read_bytes()


@given(TREES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tree_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, object]) -> None:
    root = tmp_path_factory.mktemp("tree")
    b = make(root)
    build(root / "in", tree)

    async def there_and_back() -> None:
        saved = await save(b, "k", root / "in", "workspace/out")
        await b.caches.restore(saved, {"workspace": root}, [root / "out"])

    anyio.run(there_and_back)
    assert looks(root / "out") == looks(root / "in")


async def test_whoever_asks_is_told_what_has_moved(b: SimpleNamespace) -> None:
    (b.root / "big").write_bytes(b"x" * 5_000_000)
    told: list[int] = []
    sources = [Source(name, b.root / "big") for name in ("one", "two")]
    made = await b.artifacts.upload(new("n", sources), moved=told.append)
    listing = sum(told) - 10_000_000
    assert 0 < listing < 1000  # the list of what is in it moves, too
    told.clear()
    await b.artifacts.download(made, b.root / "out", moved=told.append)
    assert sum(told) - 10_000_000 == listing
    assert len(told) > 1
