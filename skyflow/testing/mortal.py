"""Drivers that die: what a driver stands in is wrapped, so that it can end before or after any of its effects."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, NoReturn

__all__ = ["Crash", "Fate", "Mortal"]

_EFFECTS = {
    "store": frozenset({"record"}),
    "runner": frozenset({
        "recover",
        "release",
        "run_step",
        "set_up",
        "start_containers",
        "stop_containers",
        "stop_step",
    }),
    "host": frozenset({"run_action"}),
    "groups": frozenset({"release_group", "request_group"}),
    "cache": frozenset({"look_up", "remember"}),
}  # fmt: skip
"""What has an effect that outlives a driver, by the parameter of `Driver` that has it as a method."""


class Crash(BaseException):
    """The driver is killed: nothing that it would do next is done."""


def _crash() -> NoReturn:
    raise Crash


class Fate:
    """Counts the moments before and after effects; from the one numbered `dies_at`, there is nothing but dying.

    0 is never reached. `die` does not return.
    """

    def __init__(self, dies_at: int = 0, die: Callable[[], NoReturn] = _crash) -> None:
        self.count = 0
        self._dies_at = dies_at
        self._die = die

    def tick(self) -> None:
        """Let a moment pass."""
        self.count += 1
        if 0 < self._dies_at <= self.count:
            self._die()

    def wrap(self, **parts: object) -> dict[str, Any]:
        """Return parts of a driver's surroundings, by the parameter of `Driver`, that let it die."""
        return {name: Mortal(part, self, _EFFECTS[name]) for name, part in parts.items()}


class Mortal:
    """Stands before a part of the driver's surroundings: a moment passes before and after each of some methods.

    After an effect it is the answer that is lost.
    """

    def __init__(self, part: object, fate: Fate, methods: frozenset[str]) -> None:
        self._part = part
        self._fate = fate
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if name not in self._methods:
            return found

        def call(*arguments: object, **options: object) -> object:
            self._fate.tick()
            answer = found(*arguments, **options)
            if isawaitable(answer):
                return self._awaited(answer)
            self._fate.tick()
            return answer

        return call

    async def _awaited(self, answer: Awaitable[object]) -> object:
        got = await answer
        self._fate.tick()
        return got
