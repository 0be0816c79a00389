"""`skyflow ui`."""

import sys
from typing import Annotated

import typer

from skyflow.cli._options import StateOption

__all__ = ["ui"]


def ui(
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, metavar="N", help="0 takes any that is free.")] = 0,
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    state: StateOption = None,
) -> None:
    """Show runs in a browser, live: their list, and each as its report that keeps up. Ctrl-C ends it."""
    from secrets import token_urlsafe  # noqa: PLC0415 -- start-up

    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.errors import UsageError  # noqa: PLC0415

    try:
        from skyflow.web.server import serve  # noqa: PLC0415 -- an extra
    except ModuleNotFoundError as error:
        raise UsageError(f"`skyflow ui` needs {error.name}", hint="pip install 'skyflow[ui]'") from error

    def ready(address: str) -> None:
        out(f"Runs are shown at {address}")
        out("Only who has this address can look; Ctrl-C ends it.")
        sys.stdout.flush()
        if open_browser:
            import webbrowser  # noqa: PLC0415 -- start-up

            webbrowser.open(address)

    serve(find_project(state=state), port=port, token=token_urlsafe(24), clock=SystemClock(), ready=ready)
