"""`skyflow instances`."""

import json
from typing import Annotated

import typer

from skyflow.cli._options import CloudOption, JsonOption, StateOption

__all__ = ["instances"]


def instances(
    *,
    of_all: Annotated[
        bool, typer.Option("--all", help="Also the machines of other state stores, and of other people.")
    ] = False,
    on: CloudOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the machines in the clouds that skyflow has made and that exist, with what they cost."""
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.machines.clouds import CLOUDS, list_instances  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import draw, err, out  # noqa: PLC0415
    from skyflow.errors import ProvisionError  # noqa: PLC0415
    from skyflow.report.clouds import instance_to_json, render_instances  # noqa: PLC0415

    clock = SystemClock()
    found = list_instances(find_project(state=state), clock, of_all=of_all, providers=on or CLOUDS)
    if as_json:
        out(json.dumps([instance_to_json(each) for each in found.instances], indent=2, ensure_ascii=False))
    else:
        draw(render_instances(found.instances, clock.now()))
    missed = found.asked.missed(found.unfinished)
    for provider, why in found.asked.silent:
        if provider in missed or (of_all and not as_json):
            err(f"{provider} was not asked: {why}")
    if missed:
        raise ProvisionError(f"machines may exist in {', '.join(missed)}, which could not be asked")
