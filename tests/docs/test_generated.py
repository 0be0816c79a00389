"""Generated pages, and the output on pages written by hand, are what today's code gives."""

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "site" / "docs"


def generator(name: str) -> ModuleType:
    """Return a module of those that write the pages."""
    spec = spec_from_file_location(name, ROOT / "site" / "gen" / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[name] = module  # where its dataclasses look for it
    spec.loader.exec_module(module)
    return module


consoles = generator("consoles")


def test_generated_pages_are_what_would_be_written() -> None:
    command = [sys.executable, "site/gen/build.py", "--check", "--only", "pages"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, f"run `python site/gen/build.py`\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", consoles.CONSOLE_PAGES, ids=lambda page: page.stem)
def test_commands_print_what_pages_show(page: Path) -> None:
    assert consoles.refreshed(page) == page.read_text(), "run `python site/gen/build.py`"


def test_the_benchmarks_on_the_pages_can_be_measured_anew() -> None:
    """Nothing else loads them, so nothing else would say that what they use has been moved."""
    for script in ("tests/bench", "tests/bench/applications.py", "tests/bench/spot_replay.py"):
        done = subprocess.run([sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


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


def test_the_home_page_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w/-]+\.md)", (DOCS / "index.md").read_text()))
    folders = ("tutorial", "how-to", "reference", "explanation")
    pages = {str(path.relative_to(DOCS)) for folder in folders for path in (DOCS / folder).glob("*.md")}
    assert pages - linked == set()


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
