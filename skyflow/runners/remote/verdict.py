"""What the end of a step elsewhere means beyond its exit code."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from skyflow.model.execution import StepRef
from skyflow.runners.remote.session import StepEnd

__all__ = ["Judge", "Verdict", "at_face_value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known besides: the machine was taken away or lost, or it failed for a reason."""

    is_preempted: bool = False
    lost: str = ""
    failure: str = ""


Judge = Callable[[StepRef, StepEnd], Awaitable[Verdict]]
"""Finds out what is known of the end of a step."""


async def at_face_value(step: StepRef, end: StepEnd) -> Verdict:
    """Know nothing besides."""
    del step, end
    return Verdict()
