"""What was seen of offerings, in a real store."""

from datetime import UTC, datetime, timedelta

import pytest

from skyflow.errors import StoreError
from skyflow.model.availability import Observation, Outcome
from skyflow.model.layout import StateFolder
from skyflow.store.observations import ObservationStore
from skyflow.store.store import open_store

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def log(tmp_path):
    with open_store(StateFolder(tmp_path / "state" / "state.db")) as store:
        yield ObservationStore(store)


def seen(offering, outcome=Outcome.PROVISIONED, *, hours=0, seconds=None):
    return Observation(offering=offering, at=NOW - timedelta(hours=hours), outcome=outcome, seconds=seconds)


def test_what_was_recorded_is_read_back_oldest_first(log):
    newer, older = seen("a", seconds=61.5), seen("a", Outcome.PREEMPTED, hours=5, seconds=3600)
    log.record_observations([newer, seen("b"), older])
    assert log.observations_of({"a"}, since=NOW - timedelta(days=1)) == {"a": [older, newer]}


def test_what_is_too_old_and_what_nobody_asks_for_is_left_out(log):
    log.record_observations([seen("a", hours=30), seen("b", hours=1)])
    assert log.observations_of({"a", "c"}, since=NOW - timedelta(days=1)) == {}


def test_observations_outlive_the_process(tmp_path):
    folder = StateFolder(tmp_path / "state" / "state.db")
    with open_store(folder) as store:
        ObservationStore(store).record_observations([seen("a")])
    with open_store(folder) as store:
        assert list(ObservationStore(store).observations_of({"a"}, since=NOW)) == ["a"]


def test_all_or_none_is_stored(log):
    with pytest.raises(StoreError):
        log.record_observations([seen("a"), seen("b", seconds=-1.0)])
    assert log.observations_of({"a"}, since=NOW) == {}
