"""`skyflow doctor`."""

import json

import typer

from skyflow.cli._options import JsonOption, StateOption

__all__ = ["doctor"]


def doctor(*, as_json: JsonOption = False, state: StateOption = None) -> None:
    """Look for what a run would stumble over: programs, the state store, prices, space, credentials.

    Nothing is changed, and no cloud is asked. Ends with 1 if something is broken; what is absent is needed by some
    workflows only.
    """
    from skyflow import __version__  # noqa: PLC0415 -- start-up
    from skyflow.app.clock import SystemClock  # noqa: PLC0415
    from skyflow.app.doctor import examine_all  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import draw, out  # noqa: PLC0415
    from skyflow.errors import EXIT_NOT_SUCCESS  # noqa: PLC0415
    from skyflow.model.checks import Verdict  # noqa: PLC0415
    from skyflow.report.checks import render_results, results_to_json  # noqa: PLC0415

    sections = list(examine_all(find_project(state=state), today=SystemClock().now().date()))
    verdicts = [each.verdict for section in sections for each in section.results]
    failed, doubtful = verdicts.count(Verdict.FAILED), verdicts.count(Verdict.WARNING)
    if as_json:
        found = [{"title": each.title, "results": results_to_json(each.results)} for each in sections]
        out(json.dumps({"version": __version__, "sections": found}, indent=2, ensure_ascii=False))
    else:
        out(f"skyflow {__version__}")
        for section in sections:
            out()
            draw(render_results(section.title, section.results))
        out(f"\n{_summary(failed, doubtful)}")
    if failed:
        raise typer.Exit(EXIT_NOT_SUCCESS)


def _summary(failed: int, doubtful: int) -> str:
    if failed:
        return f"{failed} of this {'is' if failed == 1 else 'are'} broken: runs will fail until that is fixed"
    if doubtful:
        return f"nothing is broken; {doubtful} {'thing deserves' if doubtful == 1 else 'things deserve'} a look"
    return "nothing is broken"
