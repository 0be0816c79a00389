"""The workflow that a new project starts from."""

from pathlib import Path

from skyflow.errors import UsageError

__all__ = ["STARTER", "write_starter"]

STARTER = """\
# A workflow in GitHub Actions' syntax. Try it with `skyflow validate`, `skyflow plan` and `skyflow run`.
#
# For completion in an editor, write the schema beside this file with `skyflow schema > workflow.schema.json`, and put
# this on the first line:
#   yaml-language-server: $schema=workflow.schema.json

name: Main

# On GitHub, this says when the workflow runs. `skyflow run` starts it at any time.
on: [push, workflow_dispatch]

# Environment variables of every step. Do not put secrets here.
env:
  GREETING: Hello

jobs:
  build:
    # `local` is this machine; `sky` lets skyflow choose one. GitHub's labels, such as ubuntu-latest, mean this machine.
    runs-on: local
    # What other jobs may read, as `needs.build.outputs.version`.
    outputs:
      version: ${{ steps.version.outputs.value }}
    steps:
      - name: Find the version
        id: version
        run: echo "value=1.0" >> "$GITHUB_OUTPUT"
      - name: Build
        run: echo "$GREETING from the build"

  test:
    # Jobs run at the same time, but for those they need.
    needs: build
    runs-on: local
    # One job for each value; `matrix.suite` is `unit` in one and `integration` in the other.
    strategy:
      matrix:
        suite: [unit, integration]
    # Minutes until the job is stopped.
    timeout-minutes: 10
    steps:
      - name: Test
        # Values go into scripts through the environment, so that nothing in them can be run as a command.
        env:
          SUITE: ${{ matrix.suite }}
          VERSION: ${{ needs.build.outputs.version }}
        run: echo "testing $VERSION with the $SUITE tests"
      - name: Clean up
        # Runs even if a step before it has failed.
        if: always()
        run: echo "done"
"""
"""A small workflow that runs as it is and shows the most common keys."""


def write_starter(path: Path) -> None:
    """Write the starter into a new file, with the folders above it.

    Raises:
        UsageError: there is such a file, or it cannot be written.
    """
    try:
        if path.exists():
            raise UsageError(f"{path} exists, and is left as it is", hint="name another file")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:  # "x": another process may have been quicker
            file.write(STARTER)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
