"""Commands that pages name, but that cannot be run there, at least exist, with the options that are shown."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from typer.core import TyperGroup

from skyflow.cli._commands import COMMANDS, load
from skyflow.cli._examples import EXAMPLES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")]
PAGES += sorted(path for path in (ROOT / "site" / "docs").rglob("*.md") if path.name != "cli.md")  # which --help wrote
NAMES = {name for section in COMMANDS.values() for name in section}
GIVEN = re.compile(r"^(?:\$ |sudo )?(?:\w+=\S+ )*(?:\.venv/bin/)?skyflow (.*)$", re.MULTILINE)
QUOTED = re.compile(r"`skyflow ([a-z][^`\n]*)`")
OF_ALL = {"--help", "-h"}


def commands_of(text: str) -> list[str]:
    """Return what follows `skyflow` in blocks of shell commands and in code among words, each up to a pipe or a comment."""
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    found = [command for block in blocks for command in GIVEN.findall(block.replace("\\\n", " "))]
    return [re.split(r"\s+(?:[|#>]|&&|;|2>)", command)[0] for command in (*found, *QUOTED.findall(prose))]


@cache
def options_of(name: str, inner: str) -> set[str]:
    """Return the options of a command, or of one within a group."""
    command = load(name)
    if isinstance(command, TyperGroup):
        if inner not in command.commands:
            return {option for each in command.commands.values() for option in names_of(each)}
        command = command.commands[inner]
    return names_of(command)


def names_of(command) -> set[str]:
    return {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | OF_ALL


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_exist(page: Path) -> None:
    for command in commands_of(page.read_text()):
        name, *words = command.partition(" -- ")[0].split()
        if name.startswith("-"):
            continue
        assert name in NAMES, f"skyflow {command}"
        known = options_of(name, words[0] if words else "")
        unknown = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} - known
        assert not unknown, f"skyflow {command}: {sorted(unknown)}"


def test_what_is_wrong_would_be_noticed() -> None:
    assert commands_of("```sh\nA=b skyflow run --jbos 2 w.yml | tail   # much\n```\nand `skyflow gone`") == [
        "run --jbos 2 w.yml",
        "gone",
    ]
    assert "--jbos" not in options_of("run", "")
    assert "--jobs" in options_of("run", "w.yml")
    assert "--accelerators" in options_of("catalog", "list")


def test_every_example_of_a_help_text_is_understood() -> None:
    for name, examples in EXAMPLES.items():
        for example in examples:
            command, words = load(name.split()[0]), shlex.split(example.partition(" > ")[0])
            if isinstance(command, TyperGroup):
                command = command.commands[name.split()[1]]
            assert words[: len(name.split())] == name.split()
            command.make_context(name, words[len(name.split()) :])  # fails as the command would
