"""The machine journal in a real database."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skyflow.errors import InternalError
from skyflow.model.catalog import Offering
from skyflow.model.layout import StateFolder
from skyflow.model.machines import INTENT_MOVES, Intent, MachineRequest
from skyflow.model.resources import Accelerators, Market
from skyflow.store.machines import StoredJournal

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
REQUEST = MachineRequest(
    offering=Offering(
        provider="gcp", region="us-central1", zone="us-central1-a", instance_type="a2-highgpu-1g", market=Market.SPOT,
        vcpus=12, memory_gib=85.0, accelerators=Accelerators("A100", 1), price_usd_per_hour=1.5, price_basis="list",
    ),
    owner="0123456789", run="run", job="train", attempt=2, node=1, public_key="ssh-ed25519 AAAA",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state.db")


def test_a_store_keeps_the_first_name_that_it_got(folder: StateFolder) -> None:
    assert StoredJournal(folder, new_owner=lambda: "0123456789").known_owner() is None
    assert StoredJournal(folder, new_owner=lambda: "0123456789").owner() == "0123456789"
    assert StoredJournal(folder, new_owner=lambda: "ffffffffff").owner() == "0123456789"


def test_what_was_written_is_read_back_by_another_process(folder: StateFolder) -> None:
    journal = StoredJournal(folder, new_owner=lambda: "0123456789")
    journal.intend(REQUEST, NOW)
    journal.intend(REQUEST, LATER)
    [record] = StoredJournal(folder, new_owner=lambda: "x").records(unfinished_only=True)
    assert (record.name, record.offering, record.intent) == (REQUEST.name, REQUEST.offering, Intent.INTENDED)
    assert (record.run, record.job, record.attempt, record.node) == ("run", "train", 2, 1)
    assert record.intended_at == NOW


def test_a_record_only_moves_downwards(folder: StateFolder) -> None:
    journal = StoredJournal(folder, new_owner=lambda: "0123456789")
    journal.intend(REQUEST, NOW)
    journal.released(REQUEST.name, NOW)
    journal.created(REQUEST.name, "i-1", LATER)  # the answer came after somebody gave up
    assert [each.intent for each in journal.records()] == [Intent.RELEASED]
    with pytest.raises(InternalError, match="given back already"):
        journal.intend(REQUEST, LATER)
    journal.gone(REQUEST.name, LATER, "capacity")
    journal.released(REQUEST.name, LATER)
    journal.gone(REQUEST.name, LATER, "another reason")
    [record] = journal.records()
    assert (record.intent, record.gone_at, record.detail) == (Intent.GONE, LATER, "capacity")
    assert journal.records(unfinished_only=True) == []


@pytest.mark.parametrize("old", Intent)
@pytest.mark.parametrize("new", [Intent.CREATED, Intent.RELEASED, Intent.GONE])
def test_the_journal_makes_the_moves_of_the_table_and_no_others(folder: StateFolder, old: Intent, new: Intent) -> None:
    journal = StoredJournal(folder, new_owner=lambda: "0123456789")
    write = {
        Intent.CREATED: lambda: journal.created(REQUEST.name, "i-1", LATER),
        Intent.RELEASED: lambda: journal.released(REQUEST.name, LATER),
        Intent.GONE: lambda: journal.gone(REQUEST.name, LATER),
    }
    journal.intend(REQUEST, NOW)
    if old is not Intent.INTENDED:
        write[old]()
    assert journal.records()[0].intent is old
    write[new]()
    assert journal.records()[0].intent is (new if (old, new) in INTENT_MOVES else old)


def test_threads_write_at_the_same_time(folder: StateFolder) -> None:
    journal = StoredJournal(folder, new_owner=lambda: "0123456789")

    def live(node: int) -> None:
        request = replace(REQUEST, node=node)
        journal.intend(request, NOW)
        journal.created(request.name, f"i-{node}", NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(live, range(40)))
    assert {(each.node, each.cloud_id) for each in journal.records()} == {(node, f"i-{node}") for node in range(40)}
