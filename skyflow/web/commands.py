"""Starts what a button asks for as a person would on the command line: a run has a process of its own, and outlives us."""

import subprocess
import sys

from skyflow.app.project import Project
from skyflow.errors import UsageError

__all__ = ["start_in_background"]

_SECONDS = 60
"""A command that begins something and returns takes a moment; on a busy machine a long one."""


def start_in_background(project: Project, command: str, *arguments: str) -> str:
    """Run `skyflow COMMAND --detach ARGUMENTS` in the folder of a project, and return what it says.

    Raises:
        UsageError: it has not begun anything; the message is its own.
    """
    words = [sys.executable, "-m", "skyflow", command, "--detach", "--state", str(project.state.database), *arguments]
    try:
        done = subprocess.run(
            words,
            cwd=project.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"`skyflow {command}` has not begun within {_SECONDS} seconds") from error
    if done.returncode != 0:
        message, _, hint = done.stderr.strip().partition("\nhint: ")
        raise UsageError(
            message.removeprefix("error: ") or f"`skyflow {command}` ended with exit code {done.returncode}",
            hint=hint or None,
        )
    return done.stdout
