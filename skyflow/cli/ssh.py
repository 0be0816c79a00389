"""`skyflow ssh`."""

from typing import Annotated

import typer

from skyflow.cli._completion import complete_job, complete_run
from skyflow.cli._options import StateOption

__all__ = ["ssh"]


def ssh(
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job: its id, key or name.", autocompletion=complete_job)],
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COMMAND",
            help="What to run there, after `--`: one word is a line for the shell, several are a program and its arguments.  "
            "[default: a shell]",
        ),
    ] = None,
    *,
    run: Annotated[
        str, typer.Option("--run", metavar="RUN", help="Its run: number, id, or `latest`.", autocompletion=complete_run)
    ] = "latest",
    node: Annotated[
        int, typer.Option("--node", min=0, metavar="N", help="Of several machines the one of this number.")
    ] = 0,
    state: StateOption = None,
) -> None:
    """Open a shell on the machine of a job's last attempt, in its working folder, while it runs or is kept.

    The exit code is that of the command there, and 255 where ssh could not connect.
    """
    import subprocess  # noqa: PLC0415 -- start-up
    import sys  # noqa: PLC0415
    import tempfile  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from skyflow.app.clock import SystemClock  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.running.job_machine import find_job_machine, shell_line  # noqa: PLC0415
    from skyflow.cli._console import err  # noqa: PLC0415
    from skyflow.report.kept import kept_text, machine_text  # noqa: PLC0415
    from skyflow.transports.openssh import shell_command  # noqa: PLC0415

    clock = SystemClock()
    machine = find_job_machine(job, run, project=find_project(state=state), clock=clock, node=node)
    if machine.record is not None and not command:
        is_kept = machine.record.kept_until is not None
        err(
            kept_text(machine.record, clock.now()) if is_kept else f"{machine_text(machine.record)}, while its job runs"
        )
    with tempfile.TemporaryDirectory(prefix="skyflow-ssh-") as folder:
        words = shell_command(
            machine.host,
            shell_line(machine, command or ()),
            folder=Path(folder),
            config=machine.config,
            has_terminal=not command and sys.stdin.isatty(),
        )
        try:
            ended = subprocess.run(words, check=False)
        except FileNotFoundError:
            from skyflow.errors import ProvisionError  # noqa: PLC0415

            raise ProvisionError("the program ssh is not on PATH", hint="install the OpenSSH client") from None
    raise typer.Exit(ended.returncode)
