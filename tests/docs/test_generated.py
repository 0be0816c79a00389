"""Generated pages, and the output on pages written by hand, are what today's code gives."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "site" / "docs"


@pytest.mark.timeout(330)
@pytest.mark.parametrize("part", ["pages", "run"])
def test_what_is_committed_is_what_would_be_written(part: str) -> None:
    done = subprocess.run(
        [sys.executable, "site/gen/build.py", "--check", "--only", part],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,  # every command on the pages is run
        check=False,
    )
    assert done.returncode == 0, f"run `python site/gen/build.py`\n{done.stdout}{done.stderr}"


def test_every_command_is_documented() -> None:
    from skyflow.cli._commands import COMMANDS

    page = (DOCS / "reference" / "cli.md").read_text()
    names = [name for section in COMMANDS.values() for name in section]
    assert list(dict.fromkeys(re.findall(r"^## skyflow (\w+)", page, re.MULTILINE))) == names


def test_every_exit_code_is_in_the_readme() -> None:
    from skyflow import errors

    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    table = re.findall(r"^\| (\d+) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {int(code) for code in table} == codes


def test_every_page_is_in_the_navigation() -> None:
    import tomllib

    nav = tomllib.loads((ROOT / "site" / "zensical.toml").read_text())["project"]["nav"]

    def paths(items: list) -> list[str]:
        return [
            path
            for item in items
            for value in item.values()
            for path in (paths(value) if isinstance(value, list) else [value])
        ]

    assert sorted(paths(nav)) == sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
