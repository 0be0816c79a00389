"""`skyflow cancel`."""

import typer

from skyflow.cli._options import Format, RunArgument, SecretFileOption, SecretOption, StateOption

__all__ = ["cancel"]


def cancel(
    run: RunArgument = "latest",
    *,
    secrets: SecretOption = None,
    secret_files: SecretFileOption = None,
    state: StateOption = None,
) -> None:
    """Cancel a run, and wait until it has ended: what is to run `always()` still does."""
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.running.cancel import cancel_run  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.cli._given import read_given_secrets  # noqa: PLC0415
    from skyflow.cli._progress import choose_reporter  # noqa: PLC0415
    from skyflow.errors import EXIT_SUCCESS  # noqa: PLC0415
    from skyflow.model.status import Conclusion  # noqa: PLC0415

    project = find_project(state=state)
    reporter = choose_reporter(shown=Format.TEXT, quiet=False, verbose=False, project=project)
    result = cancel_run(run, project=project, reporter=reporter, given=read_given_secrets(secrets, secret_files))
    out(f"Run {result.run.number}: {result.run.conclusion or result.run.status}")
    raise typer.Exit(EXIT_SUCCESS if result.run.conclusion is Conclusion.CANCELLED else result.exit_code)
