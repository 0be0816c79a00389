"""`skyflow resume`."""

from typing import Annotated

import typer

from skyflow.cli._completion import complete_run
from skyflow.cli._junit import JunitOption
from skyflow.cli._options import (
    DetachOption,
    FormatOption,
    JobsOption,
    JsonOption,
    QuietOption,
    SecretFileOption,
    SecretOption,
    StateOption,
    VerboseOption,
)
from skyflow.cli._showing import Showing

__all__ = ["resume"]


def resume(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
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
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Continue a run that was interrupted or killed; completed jobs are not run again."""
    from skyflow.app.project import find_project  # noqa: PLC0415 -- start-up
    from skyflow.app.running.run import resume_run  # noqa: PLC0415
    from skyflow.cli._given import read_given_secrets  # noqa: PLC0415

    showing = Showing.chosen(output_format, as_json=as_json, quiet=quiet, verbose=verbose, detach=detach, junit=junit)
    project = find_project(state=state)
    given = read_given_secrets(secrets, secret_files)
    result = resume_run(
        run,
        project=project,
        reporter=showing.reporter(project, jobs),
        given=given,
        slots=jobs,
        starts_now=now,
    )
    showing.finish(result, project)
