"""`skyflow retry`."""

from typing import Annotated

import typer

from skyflow.cli._completion import complete_job
from skyflow.cli._options import (
    DetachOption,
    FormatOption,
    JobsOption,
    JsonOption,
    QuietOption,
    RunArgument,
    SecretFileOption,
    SecretOption,
    StateOption,
    VerboseOption,
)
from skyflow.cli._showing import Showing

__all__ = ["retry"]


def retry(
    run: RunArgument = "latest",
    *,
    job: Annotated[
        str | None,
        typer.Option(
            "--job",
            metavar="JOB",
            help="Only this job, and those that need it.",
            autocompletion=complete_job,
        ),
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only the jobs that failed or were cancelled, and those that need them.")
    ] = False,
    secrets: SecretOption = None,
    secret_files: SecretFileOption = None,
    jobs: JobsOption = None,
    detach: DetachOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
    output_format: FormatOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Run the jobs of a run again, as a new run that takes over the results of the others."""
    from skyflow.app.project import find_project  # noqa: PLC0415 -- start-up
    from skyflow.app.running.retry import retry_run  # noqa: PLC0415
    from skyflow.cli._given import read_given_secrets  # noqa: PLC0415
    from skyflow.errors import UsageError  # noqa: PLC0415

    if job is not None and failed:
        raise UsageError("--job and --failed contradict each other", hint="leave one of them away")
    showing = Showing.chosen(output_format, as_json=as_json, quiet=quiet, verbose=verbose, detach=detach)
    project = find_project(state=state)
    given = read_given_secrets(secrets, secret_files)
    result = retry_run(
        run,
        job=job,
        failed_only=failed,
        project=project,
        reporter=showing.reporter(project, jobs),
        given=given,
        slots=jobs,
    )
    showing.finish(result, project)
