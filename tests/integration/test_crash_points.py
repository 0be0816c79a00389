"""Every moment at which a driver may die, in a simulated world; 15 s of processor time for all 274 of them."""

import pytest

from skyflow.store.groups import GroupStore
from skyflow.testing.crash_points import CRASH_CASES, check_crash_points


@pytest.mark.parametrize("name", CRASH_CASES)
def test_a_run_that_was_resumed_is_as_one_that_was_never_interrupted(name) -> None:
    moments, problems = check_crash_points(name)
    assert not problems, "\n".join(problems[:10])
    assert moments > 40


@pytest.mark.parametrize("name", CRASH_CASES)
def test_it_ends_alike_when_all_that_was_started_died_as_well(name) -> None:
    _, problems = check_crash_points(name, lost_keepers=True, every=5)
    assert not problems, "\n".join(problems[:10])


def test_what_is_wrong_is_found(monkeypatch) -> None:
    monkeypatch.setattr(GroupStore, "leave_lines", lambda *_: None)
    monkeypatch.setattr("skyflow.engine.machine.fail_fast", lambda *_: None)
    _, problems = check_crash_points("fail-fast", every=3)
    assert any("attempts at legs.0" in problem for problem in problems)
