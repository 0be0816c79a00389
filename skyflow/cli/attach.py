"""`skyflow attach`."""

import typer

from skyflow.cli._options import (
    Format,
    FormatOption,
    JsonOption,
    QuietOption,
    RunArgument,
    StateOption,
    VerboseOption,
)

__all__ = ["attach"]


def attach(
    run: RunArgument = "latest",
    *,
    state: StateOption = None,
    as_json: JsonOption = False,
    output_format: FormatOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show a run that goes on elsewhere until it ends; Ctrl-C leaves it alone. The exit code is that of the run."""
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.running.follow import follow_run  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import err  # noqa: PLC0415
    from skyflow.cli._ending import finish  # noqa: PLC0415
    from skyflow.cli._progress import choose_reporter  # noqa: PLC0415
    from skyflow.errors import EXIT_INTERRUPTED  # noqa: PLC0415

    shown = Format.chosen(output_format, as_json=as_json)
    reporter = choose_reporter(shown=shown, quiet=quiet, verbose=verbose)
    try:
        result = follow_run(run, project=find_project(state=state), reporter=reporter)
    except KeyboardInterrupt:
        err("detached; the run goes on. `skyflow cancel` ends it")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    finish(result, shown=shown)
