"""How a run that is driven here is shown, and how its command ends."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skyflow.cli._junit import check_junit, write_junit
from skyflow.cli._options import Format

if TYPE_CHECKING:
    from skyflow.app.project import Project
    from skyflow.app.running.drive import ReporterFactory, RunResult

__all__ = ["Showing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What the options say: the format, how much of the output, whether in the background, where results are written."""

    shown: Format
    quiet: bool = False
    verbose: bool = False
    detach: bool = False
    junit: Path | None = None

    @classmethod
    def chosen(
        cls,
        output_format: Format | None,
        *,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        detach: bool,
        junit: Path | None = None,
    ) -> "Showing":
        """Return what was asked for.

        Raises:
            UsageError: that contradicts itself, or the results cannot be written there.
        """
        shown = Format.chosen(output_format, as_json=as_json)
        check_junit(junit)
        return cls(shown=shown, quiet=quiet, verbose=verbose, detach=detach, junit=junit)

    def reporter(self, project: "Project", slots: int | None) -> "ReporterFactory":
        """Return what makes the reporter of a run; in the background, only the new process comes back from here.

        Raises:
            typer.Exit: in the process that has gone to the background; see `become_detached`.
        """
        from skyflow.app.exposure import exposures  # noqa: PLC0415 -- start-up
        from skyflow.cli._console import err  # noqa: PLC0415
        from skyflow.cli._detach import become_detached  # noqa: PLC0415
        from skyflow.cli._ending import announce  # noqa: PLC0415
        from skyflow.cli._progress import choose_reporter  # noqa: PLC0415

        for problem, cure in exposures(project.state):
            err(f"warning: {problem}: `{cure}`", style="yellow")
        if self.detach:
            return become_detached(project)
        reporter = choose_reporter(shown=self.shown, quiet=self.quiet, verbose=self.verbose, project=project)
        return announce(reporter, slots, shown=self.shown)

    def finish(self, result: "RunResult", project: "Project") -> None:
        """Show how a run ended, and exit with its code.

        Raises:
            typer.Exit: always.
        """
        from skyflow.cli._ending import finish  # noqa: PLC0415 -- start-up

        write_junit(self.junit, project, result.run.id)
        finish(result, shown=self.shown)
