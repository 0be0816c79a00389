"""The contract of a provisioner, as tests: inherit from `ProvisionerContract` and give it a `bench`.

    class TestMyCloud(ProvisionerContract):
        @pytest.fixture
        def bench(self): return Bench(provisioner=..., offering=..., leave_disk=...)

Nothing here knows a cloud. The account has to be empty at the beginning of each test, and has to have an image for the
offering and a network.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from skyflow.model.catalog import Offering
from skyflow.model.machines import Machine, MachineRequest, MachineState, machine_in_name
from skyflow.model.resources import Market
from skyflow.ports.provisioner import Provisioner

__all__ = ["Bench", "ProvisionerContract", "until"]

_OWNER = "0123456789"
_STRANGER = "fedcba9876"
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDYSeMqkRMcMcDPKtWbLCsdUvDUcbPnpuVXoLZJMAhRW contract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a test of a provisioner works with; `leave_disk` makes a disk of a machine by name, which none uses."""

    provisioner: Provisioner
    offering: Offering
    leave_disk: Callable[[str], None]
    within_seconds: float = 60.0

    def request(
        self, *, owner: str = _OWNER, run: str = "run-1", job: str = "train", attempt: int = 1
    ) -> MachineRequest:
        """Return a request for a machine."""
        return MachineRequest(
            offering=self.offering, owner=owner, run=run, job=job, attempt=attempt, public_key=_KEY, disk_gib=40
        )

    def running(self, machine: Machine) -> Machine:
        """Return a machine once it runs and has an address."""
        found = until(
            lambda: self.provisioner.describe(machine),
            lambda now: now is not None and now.state is MachineState.RUNNING and now.address is not None,
            self.within_seconds,
        )
        assert found is not None
        return found

    def gone(self, machine: Machine) -> bool:
        """Wait until a machine is gone."""
        until(
            lambda: self.provisioner.describe(machine),
            lambda now: now is None or now.state is MachineState.GONE,
            self.within_seconds,
        )
        return True


def until(look: Callable[[], Machine | None], good: Callable[[Machine | None], bool], seconds: float) -> Machine | None:
    """Look again and again until what is seen is good."""
    deadline = time.monotonic() + seconds
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"still {seen} after {seconds} s"
        time.sleep(0.02)  # noqa: TID251 -- a cloud is waited for, there is no clock to inject into it
    return seen


class ProvisionerContract:
    """What every provisioner has to do."""

    def test_a_machine_is_made_runs_and_goes(self, bench: Bench) -> None:
        made = bench.provisioner.create(bench.request())
        running = bench.running(made)
        assert running.instance_type == bench.offering.instance_type
        assert running.region == bench.offering.region
        assert (running.owner, running.run, running.job, running.attempt) == (_OWNER, "run-1", "train", 1)
        assert running.created_at is not None
        bench.provisioner.terminate(running)
        assert bench.gone(running)

    def test_the_same_request_gives_the_same_machine(self, bench: Bench) -> None:
        first = bench.provisioner.create(bench.request())
        second = bench.provisioner.create(bench.request())
        assert second.id == first.id
        assert len(_living(bench, _OWNER)) == 1

    def test_another_attempt_gives_another_machine(self, bench: Bench) -> None:
        first = bench.provisioner.create(bench.request())
        second = bench.provisioner.create(bench.request(attempt=2))
        assert second.id != first.id

    def test_a_machine_is_found_by_its_name_alone(self, bench: Bench) -> None:
        request = bench.request()
        place = bench.offering.place
        assert bench.provisioner.find(request.name, region=place.region, zone=place.zone) is None
        made = bench.provisioner.create(request)
        found = bench.provisioner.find(request.name, region=place.region, zone=place.zone)
        assert found is not None
        assert found.id == made.id
        assert found.name == request.name == machine_in_name(request.name)

    def test_spot_is_told_from_on_demand(self, bench: Bench) -> None:
        spot = replace(bench.request(), offering=replace(bench.offering, market=Market.SPOT))
        assert bench.running(bench.provisioner.create(spot)).market is Market.SPOT
        assert bench.running(bench.provisioner.create(bench.request())).market is Market.ON_DEMAND

    def test_machines_of_one_job_share_a_zone_and_reach_one_another(self, bench: Bench) -> None:
        zones = bench.provisioner.zones(bench.offering.region)
        offering = replace(bench.offering, zone=zones[-1] if zones else "")
        request = replace(bench.request(), offering=offering, nodes=2)
        first, second = (bench.provisioner.create(replace(request, node=node)) for node in (0, 1))
        assert first.id != second.id
        running = bench.running(first), bench.running(second)
        assert {each.zone for each in running} == {offering.zone}
        assert all(each.private_address for each in running)

    def test_owners_are_told_apart(self, bench: Bench) -> None:
        mine = bench.provisioner.create(bench.request())
        theirs = bench.provisioner.create(bench.request(owner=_STRANGER))
        assert _living(bench, _OWNER) == {mine.id}
        assert _living(bench, _STRANGER) == {theirs.id}
        assert _living(bench, None) == {mine.id, theirs.id}

    def test_terminating_twice_is_no_error(self, bench: Bench) -> None:
        machine = bench.running(bench.provisioner.create(bench.request()))
        bench.provisioner.terminate(machine)
        bench.provisioner.terminate(machine)
        assert bench.gone(machine)
        bench.provisioner.terminate(machine)

    def test_nothing_is_left_over_after_a_machine(self, bench: Bench) -> None:
        machine = bench.running(bench.provisioner.create(bench.request()))
        bench.provisioner.terminate(machine)
        bench.gone(machine)
        for leftover in bench.provisioner.leftovers(_OWNER):
            bench.provisioner.remove(leftover)
            bench.provisioner.remove(leftover)
        assert not bench.provisioner.leftovers(_OWNER)
        assert not _living(bench, _OWNER)

    def test_a_disk_that_outlived_its_machine_is_found_and_removed(self, bench: Bench) -> None:
        name = bench.request().name
        bench.leave_disk(name)
        assert [each.kind for each in bench.provisioner.leftovers(_STRANGER)] == []
        [disk] = bench.provisioner.leftovers(_OWNER)
        assert (disk.kind, disk.owner, machine_in_name(disk.name)) == ("disk", _OWNER, name)
        bench.provisioner.remove(disk)
        assert not bench.provisioner.leftovers(_OWNER)

    def test_quotas_are_numbers_with_names(self, bench: Bench) -> None:
        quotas = bench.provisioner.quotas(bench.offering.region)
        assert quotas
        assert all(quota.name and quota.limit >= 0 for quota in quotas)


def _living(bench: Bench, owner: str | None) -> set[str]:
    return {each.id for each in bench.provisioner.machines(owner) if each.state is not MachineState.GONE}
