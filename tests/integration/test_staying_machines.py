"""Which machines `skyflow down` and `keep` may touch: not those of a run whose driver lives and gives them back itself."""

from datetime import UTC, datetime, timedelta

import pytest

from skyflow.app.machines.give_back import staying_machines
from skyflow.app.project import Project, find_project
from skyflow.errors import UsageError
from skyflow.model.catalog import Offering
from skyflow.model.machines import MachineRequest
from skyflow.model.resources import Market
from skyflow.model.run import NewRun, RunId
from skyflow.store.lease import hold_lease
from skyflow.store.machines import StoredJournal
from skyflow.store.store import open_store

NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
OFFERING = Offering(
    provider="aws", region="us-east-1", instance_type="m6i.large", market=Market.ON_DEMAND, vcpus=2, memory_gib=8.0,
    price_usd_per_hour=0.1, price_basis="list",
)  # fmt: skip
RUN = RunId("20261128-060000-0000")


@pytest.fixture
def project(tmp_path) -> Project:
    project = find_project(state=tmp_path / "state.db", start=tmp_path)
    with open_store(project.state) as store:
        new = NewRun(
            id=RUN, workflow_name="w", workflow_path="w.yml", workflow_source="", callee_sources={}, contexts={},
            plan=None, slots=1, secret_names=(),
        )  # fmt: skip
        store.create_run(new, NOW)
    return project


@pytest.fixture
def journal(project) -> StoredJournal:
    return StoredJournal(project.state, new_owner=lambda: "0123456789")


def rented(journal: StoredJournal, job: str) -> str:
    request = MachineRequest(offering=OFFERING, owner=journal.owner(), run=RUN, job=job, attempt=1, public_key="k")
    journal.intend(request, NOW)
    journal.created(request.name, "i-1", NOW)
    return request.name


def test_where_nothing_was_ever_run_nothing_stays_and_no_store_is_made(tmp_path) -> None:
    project = find_project(state=tmp_path / "none" / "state.db", start=tmp_path)
    assert staying_machines(project).machines == ()
    assert not project.state.database.exists()


def test_a_machine_whose_driver_is_gone_stays_until_it_is_gone(project, journal) -> None:
    name = rented(journal, "a")
    assert [each.name for each in staying_machines(project).machines] == [name]
    assert [each.name for each in staying_machines(project, "1").machines] == [name]
    journal.released(name, NOW)
    journal.gone(name, NOW)
    assert staying_machines(project).machines == ()


def test_the_machines_of_a_run_that_goes_on_are_its_own(project, journal) -> None:
    name = rented(journal, "a")
    with hold_lease(project.state.run(RUN)):
        assert staying_machines(project).machines == ()
        with pytest.raises(UsageError, match="run 1 goes on, and gives back its machines itself"):
            staying_machines(project, "1")
        journal.kept(name, NOW + timedelta(hours=1))
        assert [each.name for each in staying_machines(project, "1").machines] == [name]
