"""Nothing heavy is imported before it is needed."""

import subprocess
import sys

import pytest

HEAVY = {
    "anyio", "asyncio", "boto3", "google", "azure", "highsbox", "jinja2", "jsonschema", "junitparser", "markdown_it", "mip", "nh3", "numpy", "pydantic", "rich.console",
    "ruamel.yaml", "sqlite3", "sqlite_utils", "starlette", "uvicorn", "watchfiles",
}  # fmt: skip
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


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["run", "--help"]])
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    assert imported_by(arguments) & (HEAVY - {"pydantic"}) == set()


def test_a_local_run_needs_no_solver_no_cloud_and_no_http(tmp_path: object) -> None:
    (tmp_path / "w.yml").write_text("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'true'}]}\n")
    imported_by(["run", "-q", "w.yml"], cwd=tmp_path)  # the first run makes the database
    assert (
        imported_by(["run", "-q", "w.yml"], cwd=tmp_path) & {"mip", "boto3", "google", "azure", "sqlite_utils", "numpy"}
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
