"""A schedule is a cron expression: minute, hour, day of the month, month, day of the week."""

import re

from skyflow.spec.checks.subject import Check, Subject
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import MappingNode, ScalarNode, SequenceNode, find

__all__ = ["CHECK"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]+))?")


def _run(subject: Subject, findings: Findings) -> None:
    schedule = find(subject.root, ("on", "schedule"))
    for item in schedule.items if isinstance(schedule, SequenceNode) else ():
        cron = item.get("cron") if isinstance(item, MappingNode) else None
        reason = _why_invalid(cron.key) if isinstance(cron, ScalarNode) else "there is no 'cron'"
        if reason is not None:
            hint = "minute, hour, day, month, day of the week: '30 5 * * 1-5' is half past five on working days"
            span = cron.span if cron is not None else item.span
            findings.warning(CHECK.code, span, f"this is not a schedule: {reason}", hint=hint)


def _why_invalid(cron: str) -> str | None:
    fields = cron.split()
    if len(fields) != len(_FIELDS):
        return f"it has {len(fields)} fields, not {len(_FIELDS)}"
    for text, (name, least, most, words) in zip(fields, _FIELDS, strict=True):
        if not all(_is_part(part, least, most, words) for part in text.split(",")):
            return f"'{text}' is no {name}"
    return None


def _is_part(text: str, least: int, most: int, words: tuple[str, ...]) -> bool:
    match = _PART.fullmatch(text)
    if match is None or (match["step"] is not None and int(match["step"]) == 0):
        return False
    ends = [_number(match[end], words, least) for end in ("first", "last") if match[end] is not None]
    return all(number is not None and least <= number <= most for number in ends) and ends == sorted(
        ends, key=lambda number: -1 if number is None else number
    )


def _number(text: str, words: tuple[str, ...], least: int) -> int | None:
    if text.lower() in words:
        return words.index(text.lower()) + least
    return int(text) if text.isdecimal() else None


CHECK = Check(
    code="cron-invalid",
    summary="Schedules are cron expressions of five fields.",
    wrong="on: {schedule: [{cron: '5 25 * * *'}]}\njobs:\n  a:\n    runs-on: local\n    steps: [{run: make}]\n",
    right="on: {schedule: [{cron: '5 23 * * *'}]}\njobs:\n  a:\n    runs-on: local\n    steps: [{run: make}]\n",
    run=_run,
)
