"""`actions/setup-python`: finds the wanted Python on this machine."""

import re
import shutil
import tomllib
from pathlib import Path

from skyflow._util.version_range import Range, VersionError, parse_range
from skyflow.actions.call import ActionCall, ActionFailure, BuiltinAction, Input
from skyflow.actions.tools import Tool, candidates, choose, command_folder, find_tools, listed
from skyflow.model.execution import Pairs, StepResult

__all__ = ["SETUP_PYTHON"]

_SCRIPT = """
import json, sys
version, implementation = sys.version.split()[0], sys.implementation.name
print(json.dumps(dict(version=version, path=sys.executable, prefix=sys.prefix, implementation=implementation)))
"""
_QUESTION = ("-c", _SCRIPT)
_KEPT_BY_MANAGERS = (
    ("$PYENV_ROOT", "versions/*/bin/python"),
    ("~/.pyenv", "versions/*/bin/python"),
    ("$ASDF_DATA_DIR", "installs/python/*/bin/python"),
    ("~/.asdf", "installs/python/*/bin/python"),
    ("~/.local/share/mise", "installs/python/*/bin/python"),
    ("~/.local/share/uv/python", "cpython-*/bin/python3"),
    ("$RUNNER_TOOL_CACHE", "Python/*/*/bin/python"),
    ("$AGENT_TOOLSDIRECTORY", "Python/*/*/bin/python"),
    ("/opt/hostedtoolcache", "Python/*/*/bin/python"),
)
_DEVELOPMENT = "-dev"


async def _perform(call: ActionCall) -> StepResult:
    wanted = _wanted(call)
    if wanted:
        programs = candidates(call, ["python3", "python", "python3.[0-9]*[0-9]"], _KEPT_BY_MANAGERS)
        tools = await find_tools(call, programs, _QUESTION)
        chosen = [
            _choose(call, text, [tool for tool in tools if tool.more["implementation"] == "cpython"]) for text in wanted
        ]
    else:
        call.annotate(
            "warning",
            "Neither 'python-version' nor 'python-version-file' is given, and there is no .python-version: the first Python on PATH is used",
        )
        chosen = await find_tools(call, _first_on_path(call), _QUESTION)
        if not chosen:
            raise ActionFailure("there is no Python on PATH of this machine")
    if call.text("cache"):
        call.print(
            f"'cache: {call.text('cache')}' is not needed here: "
            "what a package manager has downloaded stays on this machine"
        )
    if call.text("pip-install") or call.text("pip-version"):
        raise ActionFailure(
            "'pip-install' and 'pip-version' are not supported here: use a step with 'run: pip install ...'"
        )
    return _result(call, chosen)


def _result(call: ActionCall, chosen: list[Tool]) -> StepResult:
    last = chosen[-1]
    outputs = (("python-version", last.printed), ("python-path", str(last.path)))
    if not call.flag("update-environment"):
        return StepResult(exit_code=0, outputs=outputs)
    path: list[str] = []
    for tool in chosen:
        major, minor, _ = tool.version.numbers
        own = {"python": "", f"python{major}": "", f"python{major}.{minor}": ""}
        folder = command_folder(call, tool, {**own, "pip": "-m pip", f"pip{major}": "-m pip"})
        call.print(f"Python {tool.printed} is at {tool.path}; {folder} comes first on PATH")
        path.insert(0, str(folder))
    prefix = last.more["prefix"]
    env: Pairs = (
        ("pythonLocation", prefix),
        ("PKG_CONFIG_PATH", f"{prefix}/lib/pkgconfig"),
        *((name, prefix) for name in ("Python_ROOT_DIR", "Python2_ROOT_DIR", "Python3_ROOT_DIR")),
    )
    return StepResult(exit_code=0, outputs=outputs, env=env, path=tuple(path))


def _first_on_path(call: ActionCall) -> list[Path]:
    found = [shutil.which(name, path=call.env["PATH"]) for name in ("python3", "python")]
    return [Path(path) for path in found if path][:1]


def _choose(call: ActionCall, text: str, tools: list[Tool]) -> Tool:
    if not re.match(r"[\d<>=~^*xX]", text) or text.endswith("t") or call.flag("freethreaded"):
        raise ActionFailure(f"'{text}' cannot be had here: only CPython in its usual form is looked for")
    try:
        wanted: Range = parse_range(text.removesuffix(_DEVELOPMENT))
    except VersionError as error:
        raise ActionFailure(f"'python-version': {error}") from error
    unreleased = text.endswith(_DEVELOPMENT) or call.flag("allow-prereleases")
    found = choose(tools, wanted, unreleased=unreleased)
    if found is None:
        raise ActionFailure(
            f"there is no Python {text} on this machine, and skyflow does not install one. Found: {listed(tools)}. "
            f"Install it, for example with 'uv python install {text}' or 'pyenv install {text}', "
            "or put its folder on PATH, or ask for a version that is there"
        )
    return found


def _wanted(call: ActionCall) -> list[str]:
    """Return the wanted versions, of which the last counts for the outputs; none if nothing says."""
    if call.lines("python-version"):
        if call.text("python-version-file"):
            call.annotate("warning", "Both 'python-version' and 'python-version-file' are given; the first counts")
        return call.lines("python-version")
    named = call.text("python-version-file")
    file = call.workspace / (named or ".python-version")
    if not file.is_file():
        if named:
            raise ActionFailure(f"there is no file '{file}', which 'python-version-file' names")
        return []
    try:
        return _read_versions(file)
    except (OSError, ValueError) as error:
        raise ActionFailure(f"'{file}' cannot be read: {error}") from error


def _read_versions(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    if file.suffix == ".toml":
        requires = tomllib.loads(text).get("project", {}).get("requires-python", "")
        return [str(requires)] if requires else []
    if file.name == ".tool-versions":
        return [line.split()[1] for line in lines if line.split()[:1] == ["python"] and len(line.split()) > 1]
    return [line for line in lines if line]


def _ignored(description: str) -> Input:
    return Input(description, is_ignored=True)


SETUP_PYTHON = BuiltinAction(
    name="actions/setup-python",
    summary="Finds the wanted Python on this machine and puts it first on PATH; fails if it is not there.",
    majors=(3, 4, 5, 6),
    perform=_perform,
    is_of_machine=True,
    inputs={
        "python-version": Input("Version or range, such as `3.12`, `3.x`, `>=3.11 <3.14`, `3.15-dev`; one per line."),
        "python-version-file": Input(
            "File that names the version: `.python-version`, `.tool-versions`, `pyproject.toml`."
        ),
        "cache": Input("Package manager; a notice says that nothing needs to be done."),
        "cache-dependency-path": _ignored("Which files the key of that cache is made of."),
        "architecture": _ignored("Architecture; it is always that of this machine."),
        "check-latest": _ignored("Whether to look for a newer version; nothing is ever installed."),
        "token": _ignored("Access token."),
        "update-environment": Input("Whether PATH and variables are set.", default="true"),
        "allow-prereleases": Input("Whether a version that is not released will do.", default="false"),
        "freethreaded": Input("Whether the free-threaded form is wanted; the step fails if so.", default="false"),
        "pip-version": Input("Version of pip; the step fails if it is given."),
        "pip-install": Input("What to install; the step fails if it is given."),
    },
    outputs={
        "python-version": "The version that was found.",
        "python-path": "The path of the program.",
        "cache-hit": "Empty.",
    },
)
