"""`skyflow top`."""

import sys

from skyflow.cli._options import StateOption

__all__ = ["top"]


def top(*, state: StateOption = None) -> None:
    """Show the newest runs and their jobs on the whole screen, live; q leaves, and runs go on."""
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import is_terminal  # noqa: PLC0415
    from skyflow.errors import UsageError  # noqa: PLC0415
    from skyflow.report.words import signs_for  # noqa: PLC0415

    try:
        from skyflow.top.app import Top  # noqa: PLC0415 -- an extra
    except ModuleNotFoundError as error:
        raise UsageError(f"`skyflow top` needs {error.name}", hint="pip install 'skyflow[top]'") from error
    if not (is_terminal(sys.stdout) and sys.stdin.isatty()):
        raise UsageError("`skyflow top` needs a terminal", hint="`skyflow runs` and `skyflow show` print the same")
    Top(find_project(state=state), clock=SystemClock(), signs=signs_for(sys.stdout.encoding)).run()
