"""The actions that set up Python and Node, with real and with made up programs."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from integration.action_bench import content, make, names, text

pytestmark = pytest.mark.anyio


@pytest.fixture
def bench(tmp_path: Path) -> Callable:
    return lambda: make(tmp_path)


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
        assert "'cache: pip' is not needed here" in text(b)
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
