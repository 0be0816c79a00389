"""`skyflow resume`."""

from typing import Annotated

import typer

from skyflow.cli._completion import complete_run
from skyflow.cli._junit import JunitOption, check_junit, write_junit
from skyflow.cli._options import (
    DetachOption,
    Format,
    FormatOption,
    JobsOption,
    JsonOption,
    SecretFileOption,
    SecretOption,
    StateOption,
)

__all__ = ["resume"]


def resume(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="The run; by default the newest that has not completed.",
            autocompletion=complete_run,
        ),
    ] = None,
    *,
    secrets: SecretOption = None,
    secret_files: SecretFileOption = None,
    jobs: JobsOption = None,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for the starts that the plan has chosen.")] = False,
    detach: DetachOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
    output_format: FormatOption = None,
    junit: JunitOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave out what steps print.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show all output, on a terminal too.")] = False,
) -> None:
    """Continue a run that was interrupted or killed; completed jobs are not run again."""
    from skyflow.app.project import find_project  # noqa: PLC0415 -- start-up
    from skyflow.app.run import resume_run  # noqa: PLC0415
    from skyflow.cli._detach import become_detached  # noqa: PLC0415
    from skyflow.cli._ending import announce, finish  # noqa: PLC0415
    from skyflow.cli._given import read_given_secrets  # noqa: PLC0415
    from skyflow.cli._progress import choose_reporter  # noqa: PLC0415

    shown = Format.chosen(output_format, as_json=as_json)
    reporter = choose_reporter(shown=shown, quiet=quiet, verbose=verbose)
    check_junit(junit)
    project = find_project(state=state)
    given = read_given_secrets(secrets, secret_files)
    result = resume_run(
        run,
        project=project,
        reporter=become_detached(project) if detach else announce(reporter, jobs, shown=shown),
        given=given,
        slots=jobs,
        starts_now=now,
    )
    write_junit(junit, project, result.run.id)
    finish(result, shown=shown)
