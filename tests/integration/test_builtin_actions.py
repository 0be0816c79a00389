"""Checkout, artifacts and caches with real files, on a real runner."""

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integration.action_bench import STEP, make, text, tree

from skyflow.model.execution import StepResult

pytestmark = pytest.mark.anyio


@pytest.fixture
def bench(tmp_path: Path) -> Callable:
    return lambda: make(tmp_path)


async def test_checkout_does_nothing_and_says_so(bench: Callable) -> None:
    env = (("GITHUB_REPOSITORY", "me/it"), ("GITHUB_REF", "refs/heads/main"), ("GITHUB_SHA", "abc"))
    async with bench() as b:
        result = await b.run("actions/checkout", env=env, with_={"repository": "Me/It", "fetch-depth": "0"})
        assert result == StepResult(exit_code=0, outputs=(("ref", "refs/heads/main"), ("commit", "abc")))
        assert text(b).count("\n") == 1
        assert text(b).startswith("Nothing to check out")
        assert b.folder.log(STEP).read_text() == text(b)


async def test_checkout_refuses_another_repository_and_warns_of_another_ref_or_path(bench: Callable) -> None:
    async with bench() as b:
        env = (("GITHUB_REPOSITORY", "me/it"), ("GITHUB_REF_NAME", "main"))
        result = await b.run("actions/checkout", env=env, with_={"repository": "you/other"})
        assert result.exit_code == 1
        assert "##[error]error: 'you/other' is not checked out" in text(b)
        result = await b.run("actions/checkout", env=env, with_={"ref": "v1", "path": "sub"})
        assert result.exit_code == 0
        assert text(b).count("##[warning]warning: ") == 2
        await b.run("actions/checkout", env=env, with_={"ref": "main", "path": "."})
        assert "##[warning]warning: " not in text(b)


async def test_an_unknown_input_is_a_warning(bench: Callable) -> None:
    async with bench() as b:
        assert (await b.run("actions/checkout", with_={"Fetch-Depth": "1", "depth": "1"})).exit_code == 0
        assert "##[warning]warning: Unexpected input(s) 'depth', valid inputs are ['repository'" in text(b)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.txt", ["a.txt"]),
        ("d/b.txt", ["b.txt"]),
        ("d", ["b.txt", "e/c.txt"]),
        ("d/", ["b.txt", "e/c.txt"]),
        ("d/*", ["b.txt", "e/c.txt"]),
        ("./d/e", ["c.txt"]),
        ("d/**/c*", ["e/c.txt"]),
        ("*/e/c.txt", ["d/e/c.txt"]),
        ("a.txt\nd/e", ["a.txt", "d/e/c.txt"]),
        ("d/b.txt\nd/e/c.txt", ["b.txt", "e/c.txt"]),
        ("d\n!d/e", ["b.txt"]),
        ("d\n# nothing else\n!**/b.txt", ["e/c.txt"]),
    ],
)
async def test_what_an_artifact_contains(bench: Callable, path: str, expected: list[str]) -> None:
    async with bench() as b:
        b.write("a.txt", "d/b.txt", "d/e/c.txt", "d/.hidden", ".h/x.txt")
        result = await b.run("actions/upload-artifact", with_={"path": path})
        assert result.exit_code == 0, text(b)
        assert [name for name, _ in result.outputs] == ["artifact-id", "artifact-url", "artifact-digest"]
        result = await b.run("actions/download-artifact", with_={"name": "artifact", "path": "out"})
        assert dict(result.outputs)["download-path"] == str(b.workspace / "out")
        assert sorted(tree(b.workspace / "out")) == expected


@pytest.mark.parametrize(("include", "expected"), [("false", []), ("true", [".env", ".h/x"])])
async def test_hidden_files(bench: Callable, include: str, expected: list[str]) -> None:
    async with bench() as b:
        b.write(".env", ".h/x")
        await b.run("actions/upload-artifact", with_={"path": ".", "include-hidden-files": include})
        await b.run("actions/download-artifact", with_={"path": str(b.home)})
        assert sorted(tree(b.home / "artifact")) == expected


@pytest.mark.parametrize(
    ("mode", "code", "line"),
    [("warn", 0, "##[warning]warning: No files"), ("error", 1, "##[error]error: No files"), ("ignore", 0, "No files")],
)
async def test_nothing_to_upload(bench: Callable, mode: str, code: int, line: str) -> None:
    async with bench() as b:
        (b.workspace / "empty").mkdir()
        result = await b.run("actions/upload-artifact", with_={"path": "empty\nno*", "if-no-files-found": mode})
        assert (result.exit_code, result.outputs) == (code, ())
        assert text(b).startswith(line)


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({}, "Input required and not supplied: path"),
        ({"path": "a", "name": "x/y"}, "cannot contain '/'"),
        ({"path": "a", "overwrite": "yes"}, "'overwrite' must be true or false, not 'yes'"),
        ({"path": "a", "if-no-files-found": "shout"}, "warn, error or ignore"),
        ({"path": "a", "compression-level": "10"}, "from 0 to 9"),
        ({"path": "a", "retention-days": "soon"}, "'retention-days' must be"),
        ({"path": "a/../b"}, "Invalid pattern"),
    ],
)
async def test_inputs_that_cannot_be_used(bench: Callable, inputs: dict[str, str], says: str) -> None:
    async with bench() as b:
        b.write("a")
        assert (await b.run("actions/upload-artifact", with_=inputs)).exit_code == 1
        assert "##[error]error: " in text(b)
        assert says in text(b)


async def test_a_file_that_is_not_packed_names_its_artifact(bench: Callable) -> None:
    async with bench() as b:
        b.write("d/one.txt", "d/two.txt")
        inputs = {"name": "ignored", "archive": "false"}
        assert (await b.run("actions/upload-artifact", with_={**inputs, "path": "d/one.txt"})).exit_code == 0
        assert (await b.run("actions/download-artifact", with_={"name": "one.txt"})).exit_code == 0
        assert (await b.run("actions/upload-artifact", with_={**inputs, "path": "d"})).exit_code == 1


async def test_a_name_with_an_end_of_line_in_it_is_no_second_line(bench: Callable) -> None:
    """Files come from strangers: what a line of such a name said could pass for a command to skyflow."""
    async with bench() as b:
        b.write("one\n::warning::forged")
        inputs = {"archive": "false", "path": "one*"}
        await b.run("actions/upload-artifact", with_=inputs)
        assert "artifact 'one ::warning::forged'" in text(b)
        assert "##[warning]" not in text(b)


async def test_links_are_followed_and_broken_ones_left_out(bench: Callable) -> None:
    async with bench() as b:
        b.write("real/f")
        (b.workspace / "d").mkdir()
        (b.workspace / "d/file").symlink_to("../real/f")
        (b.workspace / "d/folder").symlink_to("../real")
        (b.workspace / "d/broken").symlink_to("nowhere")
        (b.workspace / "d/loop").symlink_to(".")
        await b.run("actions/upload-artifact", with_={"path": "d"})
        await b.run("actions/download-artifact", with_={"name": "artifact", "path": "out"})
        assert tree(b.workspace / "out") == {"file": "real/f", "folder/f": "real/f"}
        assert not (b.workspace / "out/file").is_symlink()


async def test_which_artifacts_are_downloaded_and_where(bench: Callable) -> None:
    async with bench() as b:
        ids = {}
        for name in ("bin-a", "bin-b", "doc"):
            b.write(f"{name}.txt")
            result = await b.run("actions/upload-artifact", with_={"name": name, "path": f"{name}.txt"})
            ids[name] = dict(result.outputs)["artifact-id"]

        async def download(**inputs: str) -> list[str]:
            shutil.rmtree(b.workspace / "out", ignore_errors=True)
            inputs = {name.replace("_", "-"): value for name, value in inputs.items()}
            result = await b.run("actions/download-artifact", with_={"path": "out", **inputs})
            assert result.exit_code == 0, text(b)
            return sorted(tree(b.workspace / "out"))

        assert await download() == ["bin-a/bin-a.txt", "bin-b/bin-b.txt", "doc/doc.txt"]
        assert await download(pattern="bin-*") == ["bin-a/bin-a.txt", "bin-b/bin-b.txt"]
        assert await download(pattern="{doc,bin-a}") == ["bin-a/bin-a.txt", "doc/doc.txt"]
        assert await download(pattern="doc") == ["doc/doc.txt"]
        assert await download(pattern="bin-*", merge_multiple="true") == ["bin-a.txt", "bin-b.txt"]
        assert await download(pattern="none-*") == []
        assert await download(name="doc", pattern="bin-*") == ["doc.txt"]
        assert await download(artifact_ids=ids["doc"]) == ["doc.txt"]
        assert await download(artifact_ids=f"{ids['doc']}, {ids['bin-a']}") == ["bin-a/bin-a.txt", "doc/doc.txt"]
        assert await download(run_id="r2") == []
        listed = await b.run("actions/download-artifact", run="r2", with_={"run-id": "r1", "name": "doc"})
        assert [each["name"] for each in json.loads(dict(listed.outputs)["artifacts"])] == ["doc"]
        for inputs, says in (
            ({"name": "nothing"}, "there are: 'bin-a', 'bin-b' and 'doc'"),
            ({"name": "doc", "artifact-ids": "1"}, "cannot be used together"),
            ({"artifact-ids": "17"}, "no artifact with the id 17"),
            ({"repository": "you/other"}, "cannot be had here"),
        ):
            assert (await b.run("actions/download-artifact", with_=inputs)).exit_code == 1
            assert says in text(b)


async def test_an_artifact_is_not_unpacked_above_the_folder(bench: Callable) -> None:
    async with bench() as b:
        b.write("f")
        assert (await b.run("actions/upload-artifact", with_={"name": "..", "path": "f"})).exit_code == 0
        (b.workspace / "f").unlink()
        assert (await b.run("actions/download-artifact", with_={"path": "out"})).exit_code == 1
        assert "there cannot be a folder '..'" in text(b)
        assert tree(b.workspace) == {}


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cc"]), min_size=1, max_size=6
)
FILES = st.dictionaries(
    st.lists(NAMES.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=3).map("/".join),
    st.tuples(st.binary(max_size=20), st.sampled_from([0o644, 0o755, 0o600])),
    min_size=1,
    max_size=6,
).filter(lambda files: not any(other.startswith(f"{name}/") for name in files for other in files))


@given(FILES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_uploaded_is_what_is_downloaded(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[bytes, int]]
) -> None:
    import anyio

    async def there_and_back() -> None:
        async with make(tmp_path_factory.mktemp("tree")) as b:
            for name, (content, mode) in files.items():
                file = b.workspace / "in" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                file.chmod(mode)
            inputs = {"path": "in", "include-hidden-files": "true"}
            assert (await b.run("actions/upload-artifact", with_=inputs)).exit_code == 0
            await b.run("actions/download-artifact", with_={"name": "artifact", "path": "out"})
            out = b.workspace / "out"
            found = {
                str(file.relative_to(out)): (file.read_bytes(), stat.S_IMODE(file.stat().st_mode))
                for file in out.rglob("*")
                if file.is_file()
            }
            assert found == files

    anyio.run(there_and_back)


async def test_a_cache_is_saved_on_a_miss_and_found_by_the_next_run(bench: Callable) -> None:
    inputs = {"path": "deps\n~/.tool/*", "key": "k-1", "restore-keys": "k-\nother-"}
    async with bench() as b:
        missed = await b.run("actions/cache", with_=inputs)
        assert (missed.exit_code, missed.outputs) == (0, ())
        assert "No cache found for k-1, k-, other-" in text(b)
        b.write("deps/a")
        (b.home / ".tool/empty").mkdir(parents=True)
        saved = await b.run("actions/cache", phase="post", with_=inputs, state=missed.state)
        assert saved.exit_code == 0
        assert "Saved cache 'k-1'" in text(b)

        for folder in (b.workspace / "deps", b.home / ".tool"):
            shutil.rmtree(folder)
        hit = await b.run("actions/cache", run="r2", with_=inputs)
        assert hit.outputs == (("cache-hit", "true"),)
        assert tree(b.workspace) == {"deps/a": "deps/a"}
        assert (b.home / ".tool/empty").is_dir()
        await b.run("actions/cache", phase="post", with_=inputs, state=hit.state)
        assert "was restored, so it is not saved again" in text(b)

        near = await b.run("actions/cache", with_={**inputs, "key": "k-2"})
        assert near.outputs == (("cache-hit", "false"),)
        await b.run("actions/cache", phase="post", with_={**inputs, "key": "k-2"}, state=near.state)
        assert "Saved cache 'k-2'" in text(b)
        await b.run("actions/cache/save", with_={"key": "k-2", "path": inputs["path"]})
        assert "There is a cache 'k-2' already" in text(b)
        other_paths = await b.run("actions/cache/restore", with_={"key": "k-1", "path": "deps"})
        assert other_paths.outputs == (("cache-primary-key", "k-1"),)


async def test_restore_and_save_alone(bench: Callable) -> None:
    async with bench() as b:
        b.write("d/x")
        await b.run("actions/cache/save", with_={"path": "d", "key": "k-1"})
        shutil.rmtree(b.workspace / "d")
        looked = await b.run(
            "actions/cache/restore", with_={"path": "d", "key": "k", "restore-keys": "k", "lookup-only": "true"}
        )
        assert dict(looked.outputs) == {"cache-hit": "false", "cache-primary-key": "k", "cache-matched-key": "k-1"}
        assert not (b.workspace / "d").exists()
        await b.run("actions/cache/restore", with_={"path": "d", "key": "k-1"})
        assert tree(b.workspace) == {"d/x": "d/x"}
        failed = await b.run("actions/cache/restore", with_={"path": "d", "key": "q", "fail-on-cache-miss": "true"})
        assert failed.exit_code == 1


async def test_the_whole_workspace_does_not_contain_the_store(bench: Callable) -> None:
    async with bench() as b:
        b.write("a", ".b", ".skyflow/artifacts/x")
        inputs = {"path": ".", "include-hidden-files": "true"}
        await b.run("actions/upload-artifact", with_=inputs)
        await b.run("actions/download-artifact", with_={"path": str(b.home), "name": "artifact"})
        assert sorted(tree(b.home)) == [".b", "a"]
        await b.run("actions/cache/save", with_={"path": ".", "key": "k"})
        shutil.rmtree(b.workspace)
        b.workspace.mkdir()
        await b.run("actions/cache/restore", with_={"path": ".", "key": "k"})
        assert sorted(tree(b.workspace)) == [".b", "a"]


async def test_that_a_cache_cannot_be_saved_is_a_warning(bench: Callable) -> None:
    async with bench() as b:
        assert (await b.run("actions/cache/save", with_={"path": "no", "key": "k"})).exit_code == 0
        assert "##[warning]warning: Nothing is cached" in text(b)
        assert (await b.run("actions/cache/save", with_={"path": "a/../b", "key": "k"})).exit_code == 0
        assert "##[warning]warning: The cache 'k' cannot be saved" in text(b)
        assert (await b.run("actions/cache", with_={"path": "a", "key": "a,b"})).exit_code == 1
        assert "cannot contain a comma" in text(b)
