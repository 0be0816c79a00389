"""`skyflow timeline`."""

import json

from skyflow.cli._options import JsonOption, RunArgument, StateOption

__all__ = ["timeline"]


def timeline(run: RunArgument = "latest", *, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Show what happened in a run on one clock: jobs, steps, machines of all clouds, new plans."""
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.showing.history import read_run  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.model.timeline import timeline_of  # noqa: PLC0415

    history = read_run(find_project(state=state), run)
    moments = timeline_of(history)
    if as_json:
        out(json.dumps([moment.to_json() for moment in moments], indent=2, ensure_ascii=False))
        return
    begun = moments[0].at
    for moment in moments:
        seconds = (moment.at - begun).total_seconds()
        out(f"{seconds:+10.3f}  {f'[{moment.job}] ' if moment.job else ''}{' '.join(moment.text.split())}")
