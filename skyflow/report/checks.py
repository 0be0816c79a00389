"""What `skyflow doctor` and `skyflow cloud check` show of what they have looked at."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from skyflow.model.checks import CheckResult, Verdict

__all__ = ["render_results", "results_to_json"]

_COLOURS = {Verdict.OK: "green", Verdict.ABSENT: "bright_black", Verdict.WARNING: "yellow", Verdict.FAILED: "red"}
_WORDS = {Verdict.ABSENT: "if needed"}
"""What comes before the advice, where it is not a fix."""


def render_results(title: str, results: Sequence[CheckResult], *, of: str = "") -> Iterator[RenderableType]:
    """Yield what was found under a title, `of` which part if any, and what to do about what is not good."""
    yield Text.assemble((title, "bold"), f"  {of}" if of else "")
    table = Table.grid(padding=(0, 1), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in results:
        table.add_row(Text(f"  {each.verdict}", _COLOURS[each.verdict]), each.subject, each.found)
        if each.fix and each.verdict is not Verdict.OK:
            table.add_row("", "", Text(f"{_WORDS.get(each.verdict, 'fix')}: {each.fix}", "bright_black"))
    yield table


def results_to_json(results: Sequence[CheckResult]) -> list[dict[str, str | None]]:
    """Return findings for programs."""
    return [
        {"subject": each.subject, "verdict": each.verdict.value, "found": each.found, "fix": each.fix}
        for each in results
    ]
