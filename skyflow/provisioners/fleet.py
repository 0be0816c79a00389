"""How machines are had and given back, on any cloud: written down first, tried again by one policy, verified at the end.

The SDKs' own retries are switched off. What is known to be temporary is tried again with growing pauses; a machine whose
creation was not answered is made again under the same name, which gives the same machine; and whatever happens, the
journal has a line from before the call, so that the sweeper finds what this process could not finish.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from skyflow.model.machines import FailureKind, Machine, MachineRecord, MachineRequest, MachineState, Scope
from skyflow.ports.clock import Waiter
from skyflow.ports.provisioner import CloudError, MachineJournal, Provisioner

__all__ = ["Fleet", "Patience", "UnwantedError", "persist"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long to try; all times in seconds."""

    tries: int = 5
    first_pause: float = 1.0
    longest_pause: float = 20.0
    first_poll: float = 0.2
    poll: float = 2.0
    """How often to look how a machine is, at most; at first more often."""
    start_within: float = 600.0
    """From the answer to `create` until the machine runs and has an address."""
    visible_within: float = 30.0
    """So long a new machine may be missing from the cloud's own lists."""
    end_within: float = 120.0
    """How long to watch a machine go; after that the sweeper does."""


def persist(call: Callable[[], T], *, clock: Waiter, patience: Patience) -> T:
    """Call, and call again after failures that are known to pass.

    Raises:
        CloudError: it will not pass, or did not.
    """
    pause = patience.first_pause
    for _ in range(patience.tries - 1):
        try:
            return call()
        except CloudError as error:
            if error.kind is not FailureKind.TRANSIENT:
                raise
        clock.sleep(pause)
        pause = min(2 * pause, patience.longest_pause)
    return call()


class UnwantedError(CloudError):
    """A machine was given up before it ran, because nobody wants it any more."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(
            f"machine {machine.console_id} is not wanted any more", kind=FailureKind.PERMANENT, code="Unwanted"
        )


class Fleet:
    """The machines of one cloud for one state store."""

    def __init__(
        self, provisioner: Provisioner, journal: MachineJournal, clock: Waiter, patience: Patience | None = None
    ) -> None:
        self._cloud = provisioner
        self._journal = journal
        self._clock = clock
        self._patience = patience or Patience()

    def acquire(self, request: MachineRequest, *, is_wanted: Callable[[], bool] = lambda: True) -> Machine:
        """Return a machine that runs and has an address.

        `is_wanted` is asked now and then: once it says no, the machine is given up.

        Raises:
            UnwantedError: nobody wants it any more.
            CloudError: there is none to be had; what had been made is removed, or left to the sweeper if the cloud
                does not answer.
        """
        self._journal.intend(request, self._clock.now())
        try:
            machine = self._create(request)
        except CloudError as error:
            if error.kind is FailureKind.AUTH and not error.is_ambiguous:  # whoever is not let in has made nothing
                self._journal.gone(request.name, self._clock.now(), f"{error.kind}: {error.message}")
            else:
                self._give_up(request, error)
            raise
        try:
            self._journal.created(request.name, machine.id, self._clock.now())
            return self._started(machine, is_wanted)
        except CloudError as error:
            self._give_up(request, error)
            raise

    def resume(self, record: MachineRecord, *, is_wanted: Callable[[], bool] = lambda: True) -> Machine | None:
        """Return a machine that was asked for by a process that is gone, once it runs; None if it does not exist.

        Raises:
            UnwantedError, CloudError: as `acquire`.
        """
        machine = self._find(record)
        if machine is None or machine.state is MachineState.GONE:
            self._journal.gone(record.name, self._clock.now(), "it was gone when its run was resumed")
            return None
        self._journal.created(record.name, machine.id, self._clock.now())
        try:
            return self._started(machine, is_wanted)
        except CloudError as error:
            self._abandon(record.name, machine, error)
            raise

    def discard(self, record: MachineRecord) -> bool:
        """Remove a machine that a process left behind, and tell whether it was seen to be gone.

        Raises:
            CloudError: as `release`.
        """
        self._journal.released(record.name, self._clock.now())
        machine = self._find(record)
        if machine is None or machine.state is MachineState.GONE:
            self._journal.gone(record.name, self._clock.now(), record.detail)
            return True
        return self.release(machine)

    def zones(self, region: str) -> Sequence[str]:
        """Return the zones of a region that machines can be put into; none where its cloud chooses them itself.

        Raises:
            CloudError: its cloud does not answer, or has none for us.
        """
        return self._persist(lambda: self._cloud.zones(region))

    def find(self, record: MachineRecord) -> Machine | None:
        """Return how a machine is now that is written down; None if it does not exist.

        Raises:
            CloudError: its cloud does not answer.
        """
        found = self._find(record)
        return None if found is None else self.look(found)  # not every cloud lists addresses

    def look(self, machine: Machine) -> Machine | None:
        """Return how a machine is now; None once its cloud knows nothing of it.

        Raises:
            CloudError: its cloud does not answer.
        """
        return self._persist(lambda: self._cloud.describe(machine))

    def release(self, machine: Machine) -> bool:
        """Remove a machine, and tell whether it was seen to be gone.

        Raises:
            CloudError: the cloud refuses, or does not answer; the journal says that it has to go, and the sweeper
                tries again.
        """
        self._journal.released(machine.name, self._clock.now())
        self._persist(lambda: self._cloud.terminate(machine))
        deadline = self._clock.monotonic() + self._patience.end_within
        while self._clock.monotonic() < deadline:
            now = self._persist(lambda: self._cloud.describe(machine))
            if now is None or now.state is MachineState.GONE:
                self._journal.gone(machine.name, self._clock.now())
                return True
            self._clock.sleep(self._patience.poll)
        return False

    def _create(self, request: MachineRequest) -> Machine:
        try:
            return self._persist(lambda: self._cloud.create(request))
        except CloudError as error:
            if not error.is_ambiguous:
                raise
            found = self._find(request)  # the last word belongs to what is there, not to what was answered
            if found is None or found.state is MachineState.GONE:
                raise
            return found

    def _started(self, machine: Machine, is_wanted: Callable[[], bool]) -> Machine:
        created, pause = self._clock.monotonic(), min(self._patience.first_poll, self._patience.poll)
        while (waited := self._clock.monotonic() - created) < self._patience.start_within:
            if not is_wanted():
                raise UnwantedError(machine)
            now = self._persist(lambda: self._cloud.describe(machine))
            if now is None and waited >= self._patience.visible_within:
                raise _start_failed(machine, "has vanished")
            if now is not None and now.state is MachineState.RUNNING and now.address:
                return now
            if now is not None and now.state not in {MachineState.PENDING, MachineState.RUNNING}:
                raise _start_failed(machine, f"is {now.state}: {now.detail or 'its cloud does not say why'}")
            self._clock.sleep(pause)
            pause = min(1.5 * pause, self._patience.poll)
        raise _start_failed(machine, f"did not start within {self._patience.start_within:.0f} seconds")

    def _give_up(self, request: MachineRequest, error: CloudError) -> None:
        """Remove what there is of a machine that could not be had; the original error stays the one to report."""
        self._journal.released(request.name, self._clock.now())
        try:
            found = self._find(request)
        except CloudError as another:
            error.add_note(f"and cleaning up failed: {another.message}; `skyflow gc` will try again")
            return
        if found is not None and found.state is not MachineState.GONE:
            self._abandon(request.name, found, error)
        elif not error.is_ambiguous:
            self._journal.gone(request.name, self._clock.now(), f"{error.kind}: {error.message}")

    def _abandon(self, name: str, machine: Machine, error: CloudError) -> None:
        self._journal.released(name, self._clock.now())
        try:
            self.release(machine)
        except CloudError as another:
            error.add_note(f"and cleaning up failed: {another.message}; `skyflow gc` will try again")

    def _find(self, wanted: MachineRequest | MachineRecord) -> Machine | None:
        place = wanted.offering.place
        return self._persist(lambda: self._cloud.find(wanted.name, region=place.region, zone=place.zone))

    def _persist(self, call: Callable[[], T]) -> T:
        return persist(call, clock=self._clock, patience=self._patience)


def _start_failed(machine: Machine, what: str) -> CloudError:
    return CloudError(
        f"machine {machine.console_id} of {machine.provider} {what}",
        kind=FailureKind.CAPACITY,
        code="StartFailed",
        scope=Scope.ZONE,
    )
