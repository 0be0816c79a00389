"""`skyflow ui`."""

import sys
from typing import Annotated

import typer

from skyflow.cli._options import StateOption

__all__ = ["ui"]


def ui(
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, metavar="N", help="0 takes any that is free.")] = 0,
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS", help="Listen here; others can reach any but this.")
    ] = "127.0.0.1",
    names: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="HOST", help="What browsers call this machine; may be repeated."),
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    state: StateOption = None,
) -> None:
    """Show runs in a browser, live, and cancel, resume and retry them there. Ctrl-C ends it."""
    from contextlib import ExitStack  # noqa: PLC0415 -- start-up
    from ipaddress import ip_address  # noqa: PLC0415 -- start-up
    from secrets import token_hex, token_urlsafe  # noqa: PLC0415 -- start-up

    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.errors import UsageError  # noqa: PLC0415

    try:
        from skyflow.web.opening import way_in  # noqa: PLC0415 -- an extra
        from skyflow.web.server import serve  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(f"`skyflow ui` needs {error.name}", hint="pip install 'skyflow[ui]'") from error

    try:
        is_loopback = ip_address(listen).is_loopback
    except ValueError:
        raise UsageError(f"'{listen}' is no address", hint="for example 127.0.0.1, or 192.0.2.7 with --name") from None

    def ready(address: str) -> None:
        out(f"Runs are shown at {address}")
        out("Only who has this address can look and press buttons; Ctrl-C ends it.")
        if not is_loopback:
            out("It is not encrypted: whoever can read the network can read the address too.")
        sys.stdout.flush()
        if open_browser:
            import webbrowser  # noqa: PLC0415 -- start-up

            webbrowser.open(stack.enter_context(way_in(address)))

    with ExitStack() as stack:
        serve(
            find_project(state=state),
            address=listen,
            port=port,
            names=names or (),
            hidden_name=f"skyflow-{token_hex(8)}.localhost",
            token=token_urlsafe(24),
            write_token=token_urlsafe(24),
            clock=SystemClock(),
            ready=ready,
        )
