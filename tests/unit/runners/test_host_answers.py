"""Hosts that answer are found beside those that do not."""

from collections.abc import Sequence

import anyio
import pytest

from skyflow.ports.transport import TransportError
from skyflow.runners.remote.answers import first_that_answer

pytestmark = pytest.mark.anyio


async def found(
    hosts: Sequence[str], count: int, *, patience: float = 0.01
) -> tuple[list[str], list[str], dict[int, str]]:
    """Return who was found, who was asked, and what is known of the others: hosts are `ok`, `dead` or `mute`."""
    asked: list[str] = []

    async def check(host: str) -> None:
        asked.append(host)
        if host.startswith("mute"):
            await anyio.sleep_forever()
        if host.startswith("dead"):
            raise TransportError(f"{host} is dead")

    with anyio.fail_after(60):
        answered, others = await first_that_answer(hosts, count, check, patience_seconds=patience)
    return answered, sorted(asked), {number: str(error or "") for number, error in others.items()}


async def test_no_more_are_asked_than_are_needed() -> None:
    assert await found(["ok1", "ok2", "ok3"], 2, patience=60) == (["ok1", "ok2"], ["ok1", "ok2"], {})


async def test_the_next_one_is_asked_when_one_fails() -> None:
    assert await found(["dead1", "ok2", "ok3"], 1, patience=60) == (["ok2"], ["dead1", "ok2"], {0: "dead1 is dead"})


async def test_nobody_waits_for_a_silent_one() -> None:
    assert await found(["mute1", "mute2", "ok3"], 1) == (["ok3"], ["mute1", "mute2", "ok3"], {0: "", 1: ""})


async def test_all_that_are_left_are_asked_where_too_few_answer() -> None:
    answered, asked, others = await found(["dead1", "ok2", "dead3"], 2)
    assert (answered, asked, others) == (["ok2"], ["dead1", "dead3", "ok2"], {0: "dead1 is dead", 2: "dead3 is dead"})


async def test_without_hosts_there_is_nobody() -> None:
    assert await found([], 2) == ([], [], {})
