"""`skyflow gc`."""

import json
from typing import Annotated

import typer

from skyflow.cli._options import CloudOption, JsonOption, StateOption

__all__ = ["gc"]


def gc(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would go, and remove nothing.")] = False,
    grace: Annotated[
        float, typer.Option("--grace", min=0, metavar="MINUTES", help="Leave alone what is newer than this.")
    ] = 5.0,
    owner: Annotated[
        str | None,
        typer.Option("--owner", metavar="ID", help="Sweep for another state store, such as one that was deleted."),
    ] = None,
    on: CloudOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove machines, disks, addresses, keys and network cards in the clouds that skyflow made and nobody needs.

    A machine stays while a living skyflow drives its run; what another state store made is never touched.
    """
    from datetime import timedelta  # noqa: PLC0415 -- start-up

    from skyflow.app.clock import SystemClock  # noqa: PLC0415
    from skyflow.app.machines.clouds import CLOUDS  # noqa: PLC0415
    from skyflow.app.machines.sweeper import sweep_clouds  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.errors import ProvisionError  # noqa: PLC0415
    from skyflow.report.clouds import subject_text, thing_to_json  # noqa: PLC0415

    project = find_project(state=state)
    report = sweep_clouds(
        project, SystemClock(), dry_run=dry_run, grace=timedelta(minutes=grace), owner=owner, providers=on or CLOUDS
    )
    if as_json:
        answer = {
            "decisions": [
                {**thing_to_json(each.subject), "goes": each.goes, "why": each.why} for each in report.decisions
            ],
            "removed": [thing_to_json(each) for each in report.removed],
            "failed": [{**thing_to_json(each), "why": why} for each, why in report.failed],
            "closed": list(report.closed),
        }
        out(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        for each in report.decisions:
            verb = ("would go" if dry_run else "goes") if each.goes else "stays"
            out(f"{verb}: {subject_text(each.subject)}: {each.why}")
        if not dry_run:
            out(f"{len(report.removed)} removed" if report.removed else "Nothing to remove.")
        elif not any(each.goes for each in report.decisions):
            out("Nothing would be removed.")
    for subject, why in report.failed:
        err(f"not removed: {subject_text(subject)}: {why}")
    for provider, why in report.asked.silent:
        if provider in report.unreachable:
            err(f"{provider} was not asked: {why}")
    if report.failed or report.unreachable:
        where = sorted({subject.provider for subject, _ in report.failed} | set(report.unreachable))
        raise ProvisionError(f"something may be left in {', '.join(where)}", hint="run `skyflow gc` again")
