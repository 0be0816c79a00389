"""Nothing heavy is imported before it is needed."""

import subprocess
import sys

import pytest

from skyflow.cli._commands import COMMANDS

HEAVY = {
    "anyio", "asyncio", "boto3", "google", "azure", "highsbox", "jinja2", "jsonschema", "junitparser", "markdown_it", "mip", "nh3", "numpy", "pydantic", "rich.console",
    "ruamel.yaml", "sqlite3", "sqlite_utils", "starlette", "uvicorn", "watchfiles",
}  # fmt: skip
START_UP = {
    "skyflow", "skyflow.cli", "skyflow.cli._commands", "skyflow.cli._console", "skyflow.cli._errors",
    "skyflow.cli._examples",
    "skyflow.cli._redact", "skyflow.cli._zsh", "skyflow.diagnostics", "skyflow.errors",
}  # fmt: skip
"""All that skyflow imports, besides Typer, before it knows which command is called."""
PROGRAM = """
import sys
sys.argv = ["skyflow", *{arguments!r}]
from skyflow.cli import main
try:
    main()
except SystemExit as done:
    assert done.code == 0, done.code
print("IMPORTED", *sorted(sys.modules), file=sys.stderr)
"""


def imported_by(arguments: list[str], cwd: object = None) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(arguments=arguments)], capture_output=True, text=True, check=True, cwd=cwd
    )
    return set(done.stderr.rpartition("IMPORTED")[2].split())


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_help_and_version_import_typer_and_next_to_nothing_else(arguments: list[str]) -> None:
    program = "import sys, collections.abc, gc, typer; print(*sys.modules)"
    base = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    more = imported_by(arguments) - set(base.stdout.split())
    assert {name for name in more if not name.startswith("typer.")} - {"skyflow._version"} == START_UP


def test_a_command_imports_no_other_command() -> None:
    commands = {entry.module or name for section in COMMANDS.values() for name, entry in section.items()}
    imported = imported_by(["run", "--help"])
    assert {name for name in commands if f"skyflow.cli.{name}" in imported} == {"run"}
    assert imported & (HEAVY - {"pydantic"}) == set()


def test_a_local_run_needs_no_solver_no_cloud_and_no_http(tmp_path: object) -> None:
    (tmp_path / "w.yml").write_text("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'true'}]}\n")
    imported_by(["run", "-q", "w.yml"], cwd=tmp_path)  # the first run makes the database
    assert (
        imported_by(["run", "-q", "w.yml"], cwd=tmp_path)
        & {"mip", "boto3", "google", "azure", "sqlite_utils", "numpy", "http.client", "urllib.request"}
        == set()
    )


def test_importing_the_library_imports_next_to_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; before = set(sys.modules); import skyflow; print(*(set(sys.modules) - before))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not set(done.stdout.split()) & (HEAVY | {"typer", "rich", "skyflow.spec", "skyflow.model"})


def test_the_library_stays_small_and_every_name_is_there() -> None:
    import skyflow

    assert len(skyflow.__all__) <= 25
    assert all(getattr(skyflow, name) is not None for name in skyflow.__all__)
