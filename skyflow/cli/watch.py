"""`skyflow watch`."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skyflow.cli._completion import complete_job_of_file
from skyflow.cli._options import InputOption, JobsOption, SecretFileOption, SecretOption, StateOption, WorkflowArgument

if TYPE_CHECKING:
    from skyflow.app.running.watch import Busy, Kind

__all__ = ["watch"]


def watch(
    workflow: WorkflowArgument = None,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH", help="What to watch.  [default: the project]")
    ] = None,
    *,
    job: Annotated[
        str | None,
        typer.Option(
            "--job", metavar="JOB", help="Only this job, and what it needs.", autocompletion=complete_job_of_file
        ),
    ] = None,
    on_busy: Annotated[
        str, typer.Option("--on-busy", metavar="HOW", help="A change during a run: restart it, or queue another one.")
    ] = "restart",
    inputs: InputOption = None,
    secrets: SecretOption = None,
    secret_files: SecretFileOption = None,
    jobs: JobsOption = None,
    state: StateOption = None,
) -> None:
    """Run a workflow again whenever a file changes that git does not ignore; jobs for which nothing has changed are taken over.

    Keys: r runs again, a runs everything, f what failed, q quits.
    """
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.running.watch import watch as keep_watching  # noqa: PLC0415
    from skyflow.app.workflow_files import only_workflow  # noqa: PLC0415
    from skyflow.cli._console import err  # noqa: PLC0415
    from skyflow.cli._errors import exit_code_of  # noqa: PLC0415
    from skyflow.cli._given import read_given  # noqa: PLC0415
    from skyflow.cli._watched_run import watched_run  # noqa: PLC0415

    busy = _busy(on_busy)
    file = workflow or only_workflow()
    _refuse_missing((Path(file), *(paths or ())))
    project = find_project(state=state)
    given = read_given(inputs=inputs, secrets=secrets, secret_files=secret_files)

    def once(kind: "Kind") -> int:
        run = partial(watched_run, file, kind, job=job, given=given, jobs=jobs, project=project)
        return exit_code_of(partial(_run_to_its_end, run))

    watched = [path.resolve() for path in (*(paths or [project.root]), Path(file))]
    with _single_keys() as keys:
        if keys is not None:
            err("keys: r again, a all, f failed, q quit")
        keep_watching(
            watched,
            project=project,
            work=once,
            say=lambda text: err(f"skyflow: {text}", style="cyan"),
            failed=_ring,
            busy=busy,
            keys=keys,
        )


def _busy(name: str) -> "Busy":
    """Return what a change during a run does."""
    from skyflow.app.running.watch import Busy  # noqa: PLC0415 -- start-up
    from skyflow.errors import UsageError  # noqa: PLC0415

    if name not in set(Busy):
        raise UsageError(f"--on-busy is restart or queue, not '{name}'")
    return Busy(name)


def _refuse_missing(paths: Iterable[Path]) -> None:
    from skyflow.errors import UsageError  # noqa: PLC0415 -- start-up

    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no {path}")


def _run_to_its_end(run: Callable[[], None]) -> None:
    try:
        run()
    except typer.Exit as done:  # there is no Typer around this process that would know what it means
        raise SystemExit(done.exit_code) from None


def _ring() -> None:
    from skyflow.cli._console import is_terminal  # noqa: PLC0415 -- start-up

    if is_terminal(sys.stderr):
        sys.stderr.write("\a")


@contextmanager
def _single_keys() -> Iterator[int | None]:
    """Let keys be read one by one while this lasts; None without a keyboard."""
    if not sys.stdin.isatty():
        yield None
        return
    import termios  # noqa: PLC0415 -- only for a person
    import tty  # noqa: PLC0415

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    tty.setcbreak(keyboard)
    try:
        yield keyboard
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
