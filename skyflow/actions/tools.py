"""Finds the versions of a tool that are on this machine, and puts one of them first on PATH."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio

from skyflow._util.version_range import Range, Version, VersionError, parse_version
from skyflow.actions.call import ActionCall

__all__ = ["Tool", "candidates", "choose", "command_folder", "find_tools", "listed"]

_SECONDS = 10
"""How long a program may take to tell its version."""

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Tool:
    """An installed program: its version, its path, and what else it tells of itself."""

    version: Version
    printed: str
    path: Path
    more: Mapping[str, str]


def candidates(call: ActionCall, names: Sequence[str], patterns: Iterable[tuple[str, str]]) -> list[Path]:
    """Return the programs to ask: those on PATH first, then those that version managers keep.

    Not the stand-ins that version managers put on PATH: they are slow, and what they stand for is found anyway.

    Args:
        call: for PATH and the home folder.
        names: of the program on PATH, with wildcards.
        patterns: each a folder, which may begin with `~` or `$VARIABLE`, and a pattern below it.
    """
    folders = [folder for folder in call.search_path if folder.name != "shims"]
    found = [path for folder in folders for name in names for path in sorted(folder.glob(name))]
    for folder, pattern in patterns:
        first, _, rest = folder.partition("/")
        base = {"~": str(call.home)}.get(
            first, call.env.get(first.removeprefix("$"), "") if first[:1] == "$" else first
        )
        if base or not first:
            found += sorted((Path(base or "/") / rest).glob(pattern))
    usable = [path for path in found if path.is_file() and os.access(path, os.X_OK)]
    installations: dict[tuple[Path, Path], Path] = {}
    for path in usable:
        installations.setdefault((path.parent, path.resolve()), path)
    return list(installations.values())


async def find_tools(call: ActionCall, programs: Sequence[Path], question: Sequence[str]) -> list[Tool]:
    """Ask programs what they are, and return each installation once, in the order of the programs.

    The question makes a program print a JSON object with at least `version` and `path`. One that does not answer, or
    not in time, is left out.
    """
    answers: dict[Path, Tool] = {}
    limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def ask(program: Path) -> None:
        async with limiter:
            with anyio.move_on_after(_SECONDS):
                tool = await _ask(call, program, question)
                if tool is not None:
                    answers[program] = tool

    async with anyio.create_task_group() as tasks:
        for program in programs:
            tasks.start_soon(ask, program)
    return list({answers[program].path: answers[program] for program in programs if program in answers}.values())


def choose(tools: Sequence[Tool], wanted: Range, *, unreleased: bool) -> Tool | None:
    """Return the newest version in a range, of equal ones the first; an unreleased one only if there is no other."""
    fitting = [tool for tool in tools if tool.version in wanted and (tool.version.is_release or unreleased)]
    return max(fitting, key=lambda tool: (tool.version.is_release, tool.version.numbers), default=None)


def listed(tools: Sequence[Tool]) -> str:
    """Return what was found, for a message."""
    ordered = sorted(tools, key=lambda tool: tool.version, reverse=True)
    return ", ".join(f"{tool.printed} ({tool.path})" for tool in ordered) or "none"


def command_folder(call: ActionCall, tool: Tool, commands: Mapping[str, str]) -> Path:
    """Return a folder for PATH in which every command means this installation.

    The tool's own folder will do if each command there is that program; else a folder of small scripts is made, for
    `/usr/bin` may well hold `python3` of another version than the `python3.13` that was chosen.

    Args:
        call: for a place to write to.
        tool: what was chosen.
        commands: names, and the arguments that make the tool behave as the command of that name.
    """
    own = tool.path.parent
    if all(
        (own / name).exists() and (arguments or _same(own / name, tool.path)) for name, arguments in commands.items()
    ):
        return own
    folder = call.temp / "skyflow-tools" / f"{tool.path.name}-{tool.printed}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, arguments in commands.items():
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(str(tool.path))} {arguments} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return folder


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


async def _ask(call: ActionCall, program: Path, question: Sequence[str]) -> Tool | None:
    try:
        done = await anyio.run_process(
            (str(program), *question), check=False, stderr=subprocess.DEVNULL, cwd=call.workspace, env=call.env
        )
        answer = json.loads(done.stdout)
        return Tool(parse_version(answer["version"]), answer["version"], Path(answer["path"]), answer)
    except (OSError, ValueError, KeyError, TypeError, VersionError):  # not what its name says, or broken
        return None
