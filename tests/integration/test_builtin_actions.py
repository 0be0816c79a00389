"""The built-in actions with real files, on a real runner."""

import json
import os
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skyflow.actions.host import LocalActionHost
from skyflow.app.clock import SystemClock
from skyflow.artifacts.caches import Caches
from skyflow.artifacts.folder import FolderStore
from skyflow.artifacts.named import Artifacts
from skyflow.model.execution import ActionRequest, StepRef, StepResult
from skyflow.model.layout import RunFolder
from skyflow.runners.local import LocalRunner

pytestmark = pytest.mark.anyio
STEP = StepRef("job", 1, 1)


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return 0.0


@asynccontextmanager
async def make(root: Path) -> AsyncIterator[SimpleNamespace]:
    workspace, home = root / "workspace", root / "home"
    for folder in (workspace, home):
        folder.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(home), "RUNNER_TEMP": str(root / "temp")}
    objects = FolderStore(root / "store")
    shown: list[str] = []
    folder = RunFolder(root / "run")
    runner = LocalRunner(
        run_tag=f"test-{root.name}", folder=folder, workspace=workspace, environment=environment, clock=SystemClock()
    )
    async with runner:

        async def run(name: str, *, step: StepRef = STEP, run: str = "r1", **request: object) -> StepResult:
            host = LocalActionHost(
                runner,
                run=run,
                workspace=workspace,
                environment=environment,
                artifacts=lambda _: Artifacts(objects, Clock()),
                caches=Caches(objects, Clock()),
            )
            inputs = request.pop("with_", {})
            shown.clear()
            request = ActionRequest(name=name, inputs=tuple(inputs.items()), **request)
            result = await host.run_action(step, request, shown.append)
            return replace(result, annotations=())  # they stand in the log as well

        def write(*names: str) -> None:
            for name in names:
                file = workspace / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(name)

        yield SimpleNamespace(
            run=run, write=write, shown=shown, workspace=workspace, home=home, runner=runner, folder=folder
        )


@pytest.fixture
def bench(tmp_path: Path) -> Callable:
    return lambda: make(tmp_path)


def text(b: SimpleNamespace) -> str:
    return "".join(b.shown)


def names(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


def content(*path: str) -> str:
    return Path(*path).read_text()


def tree(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in sorted(folder.rglob("*")) if file.is_file()}


async def test_checkout_does_nothing_and_says_so(bench: Callable) -> None:
    env = (("GITHUB_REPOSITORY", "me/it"), ("GITHUB_REF", "refs/heads/main"), ("GITHUB_SHA", "abc"))
    async with bench() as b:
        result = await b.run("actions/checkout", env=env, with_={"repository": "Me/It", "fetch-depth": "0"})
        assert result == StepResult(exit_code=0, outputs=(("ref", "refs/heads/main"), ("commit", "abc")))
        assert text(b).count("\n") == 1
        assert text(b).startswith("##[notice]notice: Nothing to check out")
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


def fake_python(folder: Path, version: str, name: str = "python") -> Path:
    program = folder / name
    program.parent.mkdir(parents=True, exist_ok=True)
    answer = {"version": version, "path": str(program), "prefix": str(folder.parent), "implementation": "cpython"}
    program.write_text(f"#!/bin/sh\nif [ \"$1\" = -c ]; then echo '{json.dumps(answer)}'; else echo {version} $*; fi\n")
    program.chmod(0o755)
    return program


async def test_setup_python_finds_this_python(bench: Callable) -> None:
    async with bench() as b:
        wanted = "{}.{}".format(*sys.version_info)
        result = await b.run("actions/setup-python", with_={"python-version": wanted})
        assert result.exit_code == 0, text(b)
        assert dict(result.outputs)["python-version"].startswith(wanted)
        assert "python" in names(result.path[0])
        assert {"pythonLocation", "Python_ROOT_DIR"} <= {name for name, _ in result.env}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("3.x", "3.99.1"),
        ("3.98", "3.98.4"),
        (">=3.98 <3.99", "3.98.4"),
        ("3.97-dev", "3.97.0rc1"),
        ("3.98\n3.99", "3.99.1"),
        ("3.97", None),
        ("pypy3.10", None),
        ("3.99t", None),
        ("nonsense", None),
    ],
)
async def test_setup_python_chooses(bench: Callable, wanted: str, found: str | None) -> None:
    async with bench() as b:
        for version in ("3.98.4", "3.99.1", "3.97.0rc1"):
            fake_python(b.home / f".pyenv/versions/{version}/bin", version)
        result = await b.run("actions/setup-python", with_={"python-version": wanted, "cache": "pip"})
        if found is None:
            assert result.exit_code == 1
            assert "##[error]error: " in text(b)
            return
        assert dict(result.outputs)["python-version"] == found
        assert "##[notice]notice: 'cache: pip' is not needed here" in text(b)
        env = (("PATH", os.pathsep.join([*result.path, os.environ["PATH"]])),)
        printed = shutil.which("pip", path=dict(env)["PATH"])
        assert str(printed).startswith(result.path[0])


async def test_setup_python_without_a_wish_takes_the_first_on_path(bench: Callable, tmp_path: Path) -> None:
    program = fake_python(tmp_path / "bin", "3.98.4", "python3")
    async with bench() as b:
        result = await b.run("actions/setup-python", path=(str(program.parent),))
        assert dict(result.outputs) == {"python-version": "3.98.4", "python-path": str(program)}
        assert "##[warning]warning: Neither" in text(b)
        nothing = await b.run("actions/setup-python", env=(("PATH", str(tmp_path)),))
        assert nothing.exit_code == 1


async def test_setup_python_says_what_there_is(bench: Callable) -> None:
    async with bench() as b:
        fake_python(b.home / ".pyenv/versions/3.98.4/bin", "3.98.4")
        assert (await b.run("actions/setup-python", with_={"python-version": "3.96"})).exit_code == 1
        assert "there is no Python 3.96 on this machine" in text(b)
        assert "3.98.4 (" in text(b)
        assert "uv python install 3.96" in text(b)


async def test_a_command_of_another_version_in_the_same_folder_is_not_used(bench: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "usr/bin"
    fake_python(folder, "3.97.1", "python3")
    fake_python(folder, "3.98.1", "python3.98")
    async with bench() as b:
        result = await b.run("actions/setup-python", with_={"python-version": "3.98"}, path=(str(folder),))
        assert dict(result.outputs)["python-version"] == "3.98.1"
        assert result.path != (str(folder),)
        script = content(result.path[0], "python3")
        assert f"exec {folder}/python3.98" in script
        assert "-m pip" in content(result.path[0], "pip")


@pytest.mark.parametrize(
    ("name", "text_of_it", "inputs"),
    [
        (".python-version", "# mine\n3.98\n", {}),
        ("py/.tool-versions", "nodejs 20\npython 3.98.4\n", {"python-version-file": "py/.tool-versions"}),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.98,<3.99"\n', {"python-version-file": "pyproject.toml"}),
    ],
)
async def test_setup_python_reads_files(bench: Callable, name: str, text_of_it: str, inputs: dict[str, str]) -> None:
    async with bench() as b:
        fake_python(b.home / ".pyenv/versions/3.98.4/bin", "3.98.4")
        fake_python(b.home / ".pyenv/versions/3.99.4/bin", "3.99.4")
        b.write(name)
        (b.workspace / name).write_text(text_of_it)
        result = await b.run("actions/setup-python", with_={**inputs, "update-environment": "false"})
        assert dict(result.outputs)["python-version"] == "3.98.4"
        assert (result.env, result.path) == ((), ())


def fake_node(folder: Path, version: str, lts: str = "") -> None:
    folder.mkdir(parents=True)
    answer = json.dumps({"version": version, "path": str(folder / "node"), "lts": lts})
    (folder / "node").write_text(f"#!/bin/sh\necho '{answer}'\n")
    (folder / "node").chmod(0o755)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("98", "v98.4.0"),
        (">=98", "v99.1.0"),
        ("lts/*", "v98.4.0"),
        ("lts/Zirconium", "v98.4.0"),
        ("latest", "v99.1.0"),
        ("lts/-1", None),
        ("97", None),
        ("nonsense", None),
    ],
)
async def test_setup_node_chooses(bench: Callable, wanted: str, found: str | None) -> None:
    async with bench() as b:
        fake_node(b.home / ".nvm/versions/node/v98.4.0/bin", "v98.4.0", "Zirconium")
        fake_node(b.home / ".nvm/versions/node/v99.1.0/bin", "v99.1.0")
        result = await b.run("actions/setup-node", with_={"node-version": wanted}, env=(("PATH", "/usr/bin:/bin"),))
        assert dict(result.outputs).get("node-version") == found
        assert result.path == ((str(b.home / f".nvm/versions/node/{found}/bin"),) if found else ())
        assert ("##[error]error: " in text(b)) == (found is None)


@pytest.mark.parametrize(
    ("name", "text_of_it"),
    [(".nvmrc", "v98\n"), ("package.json", '{"engines": {"node": "^98.1"}}'), (".tool-versions", "nodejs 98.4.0\n")],
)
async def test_setup_node_reads_files_and_writes_the_registry(bench: Callable, name: str, text_of_it: str) -> None:
    async with bench() as b:
        fake_node(b.home / ".nvm/versions/node/v98.4.0/bin", "v98.4.0")
        (b.workspace / name).write_text(text_of_it)
        inputs = {"node-version-file": name, "registry-url": "https://npm.example.org/x", "scope": "@me"}
        result = await b.run("actions/setup-node", with_=inputs)
        assert dict(result.outputs) == {"node-version": "v98.4.0"}, text(b)
        assert content(dict(result.env)["NPM_CONFIG_USERCONFIG"]) == (
            "//npm.example.org/x/:_authToken=${NODE_AUTH_TOKEN}\n@me:registry=https://npm.example.org/x/\n"
        )


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on this machine")
async def test_setup_node_finds_this_node(bench: Callable) -> None:
    async with bench() as b:
        result = await b.run("actions/setup-node")
        assert dict(result.outputs)["node-version"].startswith("v")
        assert "node" in names(result.path[0])
