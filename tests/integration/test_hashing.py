"""hashFiles over real files."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from skyflow.ports.runner import HashFilesError
from skyflow.runners.hashing import hash_files

pytestmark = pytest.mark.anyio


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    for name in ("b.txt", "a.txt", "B.txt", "sub/c.txt", "sub/.hidden/d.txt", "sub-2/e.txt", "f.md"):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (tmp_path / "outside.txt").write_text("outside")
    (root / "empty").mkdir()
    return root


def expected(*texts: str) -> str:
    """Hash the digests of texts: what hashFiles is defined to give for files that contain them."""
    return hashlib.sha256(b"".join(hashlib.sha256(text.encode()).digest() for text in texts)).hexdigest()


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["f.md"], ["f.md"]),
        (["*.txt"], ["B.txt", "a.txt", "b.txt"]),
        (["**/*.txt"], ["B.txt", "a.txt", "b.txt", "sub/.hidden/d.txt", "sub/c.txt", "sub-2/e.txt"]),
        (["sub", "a.txt"], ["sub/.hidden/d.txt", "sub/c.txt", "a.txt"]),
        (["**", "!sub*", "!**/*.txt"], ["f.md"]),
        (["**/*.txt", "!**/[aB].txt", "!sub/"], ["b.txt", "sub-2/e.txt"]),
        (["# a comment\nf.md\n\n"], ["f.md"]),
        (["f.md", "*.md", "f.md"], ["f.md"]),
    ],
)
async def test_digests_are_joined_in_the_order_of_the_search(tree: Path, patterns: list[str], found: list[str]) -> None:
    assert await hash_files(tree, tuple(patterns)) == expected(*found)


@pytest.mark.parametrize("patterns", [["nothing"], ["empty"], [], ["/etc/hostname"], ["f.md/x"]])
async def test_nothing_found_is_nothing(tree: Path, patterns: list[str]) -> None:
    assert await hash_files(tree, tuple(patterns)) == ""


async def test_absolute_patterns_below_the_workspace_count(tree: Path) -> None:
    assert await hash_files(tree, (f"{tree}/f.md", f"{tree.parent}/*.txt")) == expected("f.md")


async def test_what_skyflow_keeps_for_itself_does_not_count(tree: Path) -> None:
    before = await hash_files(tree, ("**",))
    (tree / ".skyflow").mkdir()
    (tree / ".skyflow" / "state.db").write_text("changes with every run")
    assert await hash_files(tree, ("**",)) == before
    assert await hash_files(tree, (".skyflow/state.db",)) == expected("changes with every run")


async def test_links_to_folders_are_followed_only_when_asked(tree: Path) -> None:
    (tree / "z-link").symlink_to(tree / "sub")
    (tree / "sub" / "loop").symlink_to(tree)
    (tree / "z-broken").symlink_to("nowhere")
    (tree / "z-file").symlink_to(tree / "f.md")
    assert await hash_files(tree, ("z-link/**", "z-file")) == expected("f.md")
    followed = await hash_files(tree, ("--Follow-Symbolic-Links", "z-*", "!**/loop"))
    assert followed == expected("f.md", "sub/.hidden/d.txt", "sub/c.txt")
    assert await hash_files(tree, ("--follow-symbolic-links", "z-broken")) == ""
    with pytest.raises(HashFilesError, match="z-broken"):
        await hash_files(tree, ("z-broken",))


@pytest.mark.parametrize("arguments", [["--other", "x"], ["a/../b"], ["!"]])
async def test_arguments_that_cannot_be_used(tree: Path, arguments: list[str]) -> None:
    with pytest.raises(HashFilesError, match="hashFiles"):
        await hash_files(tree, tuple(arguments))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
async def test_a_file_that_cannot_be_read_is_named(tree: Path) -> None:
    (tree / "f.md").chmod(0)
    with pytest.raises(HashFilesError, match=r"f\.md"):
        await hash_files(tree, ("*.md",))


async def test_it_gives_up_in_time_and_can_be_cancelled(tree: Path) -> None:
    with (tree / "big").open("wb") as file:
        file.truncate(20 * 1024**3)
    with pytest.raises(HashFilesError, match=r"did not finish within 0\.1 seconds"):
        await hash_files(tree, ("big",), limit_seconds=0.1)
    with anyio.move_on_after(0.1) as scope:
        await hash_files(tree, ("big",))
    assert scope.cancelled_caught


def test_the_loop_goes_on_meanwhile(tree: Path) -> None:
    async def main() -> int:
        ticks = 0
        with (tree / "big").open("wb") as file:
            file.truncate(256 * 1024**2)

        async def tick(done: Callable[[], bool]) -> None:
            nonlocal ticks
            while not done():
                await anyio.sleep(0.001)
                ticks += 1

        finished = False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick, lambda: finished)
            await hash_files(tree, ("big",))
            finished = True
        return ticks

    assert anyio.run(main) > 5
