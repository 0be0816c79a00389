"""`actions/setup-node`: finds the wanted Node.js on this machine."""

from pathlib import Path

from skyflow._util.foreign_json import read_json
from skyflow._util.version_range import VersionError, parse_range
from skyflow.actions.call import ActionCall, ActionFailure, BuiltinAction, Input
from skyflow.actions.tools import Tool, candidates, choose, command_folder, find_tools, listed
from skyflow.model.execution import Pairs, StepResult

__all__ = ["SETUP_NODE"]

_QUESTION = (
    "-p",
    "JSON.stringify({version: process.version, path: process.execPath, lts: String(process.release.lts || '')})",
)
_KEPT_BY_MANAGERS = (
    ("$NVM_DIR", "versions/node/*/bin/node"),
    ("~/.nvm", "versions/node/*/bin/node"),
    ("$ASDF_DATA_DIR", "installs/nodejs/*/bin/node"),
    ("~/.asdf", "installs/nodejs/*/bin/node"),
    ("~/.local/share/mise", "installs/node/*/bin/node"),
    ("~/.local/share/fnm", "node-versions/*/installation/bin/node"),
    ("~/.volta", "tools/image/node/*/bin/node"),
    ("$RUNNER_TOOL_CACHE", "node/*/*/bin/node"),
    ("$AGENT_TOOLSDIRECTORY", "node/*/*/bin/node"),
    ("/opt/hostedtoolcache", "node/*/*/bin/node"),
)
_NEWEST = frozenset({"latest", "node", "current", "*"})
# npm refuses a file that names an unset variable; like GitHub's action, export this text when there is no token.
_UNSET_STAND_IN = "XXXXX-XXXXX"


async def _perform(call: ActionCall) -> StepResult:
    wanted = _wanted(call)
    tools = await find_tools(call, candidates(call, ["node", "nodejs"], _KEPT_BY_MANAGERS), _QUESTION)
    chosen = _choose(wanted, tools)
    if chosen is None:
        raise ActionFailure(
            f"there is no Node.js {wanted or 'at all'} on this machine, and skyflow does not install one. "
            f"Found: {listed(tools)}. Install it, for example with 'nvm install {wanted}', or put its folder on PATH, "
            "or ask for a version that is there"
        )
    if call.text("cache"):
        call.print(
            f"'cache: {call.text('cache')}' is not needed here: "
            "what a package manager has downloaded stays on this machine"
        )
    folder = command_folder(call, chosen, {"node": ""})
    call.print(f"Node.js {chosen.printed} is at {chosen.path}; {folder} comes first on PATH")
    return StepResult(
        exit_code=0,
        outputs=(("node-version", chosen.printed),),
        env=_registry(call),
        path=(str(folder),),
    )


def _choose(wanted: str, tools: list[Tool]) -> Tool | None:
    """Return the newest that fits; without a wish the first on PATH.

    Node.js tells itself whether it belongs to a line with long-term support, and to which.
    """
    text = wanted.lower()
    if not text:
        return tools[0] if tools else None
    if text in _NEWEST:
        return choose(tools, parse_range("*"), unreleased=False)
    if text.startswith("lts/"):
        line = text.removeprefix("lts/")
        if line.startswith("-"):
            raise ActionFailure(f"'{wanted}' depends on the day; write the number of the version")
        supported = [tool for tool in tools if tool.more["lts"] and line in {"*", tool.more["lts"].lower()}]
        return choose(supported, parse_range("*"), unreleased=False)
    try:
        return choose(tools, parse_range(text), unreleased=False)
    except VersionError as error:
        # as it was given: in another case, a secret would be seen
        raise ActionFailure(f"'node-version': '{wanted}' is not a range of versions") from error


def _wanted(call: ActionCall) -> str:
    if call.text("node-version"):
        if call.text("node-version-file"):
            call.annotate("warning", "Both 'node-version' and 'node-version-file' are given; the first counts")
        return call.text("node-version")
    named = call.text("node-version-file")
    if not named:
        return ""
    file = call.workspace / named
    try:
        return _read_version(file)
    except (OSError, ValueError) as error:
        raise ActionFailure(f"'{file}', which 'node-version-file' names, cannot be read: {error}") from error


def _read_version(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    if file.name == "package.json":
        package = read_json(text)
        return _named_in(package, "volta") or _named_in(package, "engines")
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    if file.name == ".tool-versions":
        return next((words[1] for words in lines if words[:1] in (["nodejs"], ["node"]) and len(words) > 1), "")
    return next((words[0] for words in lines if words), "")


def _named_in(package: object, part: str) -> str:
    entries = package.get(part) if isinstance(package, dict) else None
    return str(entries.get("node") or "") if isinstance(entries, dict) else ""


def _registry(call: ActionCall) -> Pairs:
    """Write the file that tells npm of a registry; the token is read from the environment, never written."""
    url = call.text("registry-url")
    if not url:
        return ()
    address = url.rstrip("/") + "/"
    scope = call.text("scope")
    prefix = f"@{scope.removeprefix('@')}:".lower() if scope else ""
    file = call.temp / ".npmrc"
    file.parent.mkdir(parents=True, exist_ok=True)
    host = address.partition(":")[2]
    file.write_text(f"{host}:_authToken=${{NODE_AUTH_TOKEN}}\n{prefix}registry={address}\n", encoding="utf-8")
    return (("NPM_CONFIG_USERCONFIG", str(file)), ("NODE_AUTH_TOKEN", call.env.get("NODE_AUTH_TOKEN", _UNSET_STAND_IN)))


def _ignored(description: str) -> Input:
    return Input(description, is_ignored=True)


SETUP_NODE = BuiltinAction(
    name="actions/setup-node",
    summary="Finds the wanted Node.js on this machine and puts it first on PATH; fails if it is not there.",
    majors=(3, 4, 5, 6, 7),
    perform=_perform,
    is_of_machine=True,
    inputs={
        "node-version": Input("Version or range, such as `22`, `20.x`, `>=18`, `lts/*`, `lts/jod`, `latest`."),
        "node-version-file": Input("File that names it: `.nvmrc`, `.node-version`, `.tool-versions`, `package.json`."),
        "cache": Input("Package manager; a notice says that nothing needs to be done."),
        "cache-dependency-path": _ignored("Which files the key of that cache is made of."),
        "package-manager-cache": _ignored("Whether a cache is used by itself."),
        "architecture": _ignored("Architecture; it is always that of this machine."),
        "check-latest": _ignored("Whether to look for a newer version; nothing is ever installed."),
        "token": _ignored("Access token."),
        "mirror": _ignored("Where to install from."),
        "mirror-token": _ignored("Access token for that."),
        "registry-url": Input("Registry for npm; its token is read from `NODE_AUTH_TOKEN`."),
        "scope": Input("Scope of the packages that this registry is for."),
        "always-auth": _ignored("Withdrawn by npm."),
    },
    outputs={"node-version": "The version that was found.", "cache-hit": "Empty."},
)
