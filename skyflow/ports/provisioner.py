"""Where machines come from, and where it is written down that they were asked for.

The methods block, and are called in worker threads; each is one attempt, and `skyflow.provisioners.fleet` has the policy
for trying again. `skyflow.testing.provisioners` has the contract as tests.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from skyflow.errors import ProvisionError
from skyflow.model.checks import CheckResult
from skyflow.model.machines import (
    FailureKind,
    Leftover,
    Machine,
    MachineRecord,
    MachineRequest,
    Quota,
    Scope,
)

__all__ = ["CloudAccount", "CloudError", "MachineJournal", "Provisioner", "Say"]

Say = Callable[[str], None]
"""Takes a sentence on what was done, for the user."""


class CloudError(ProvisionError):
    """A cloud refused, or did not answer.

    `code` is the cloud's own word, or the name of what was caught. `scope` says how far the failure reaches. After
    one that `is_ambiguous`, the call may have had its effect. Where a cloud is not `is_set_up`, nobody is logged in, or
    the service was never switched on: there can be no machines of these credentials.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: FailureKind,
        code: str,
        scope: Scope = Scope.REGION,
        is_ambiguous: bool = False,
        is_set_up: bool = True,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.code = code
        self.scope = scope
        self.is_ambiguous = is_ambiguous
        self.is_set_up = is_set_up


class Provisioner(Protocol):
    """The machines of one cloud. Every method raises CloudError, and may be called again after it."""

    provider: str

    def create(self, request: MachineRequest) -> Machine:
        """Make a machine, and return once the cloud has accepted it; it need not run yet.

        Idempotent: the same request again, from this process or another, returns the machine that is there. What a
        refused request left behind is removed before the error is raised.
        """
        ...

    def zones(self, region: str) -> Sequence[str]:
        """Return the zones of a region that machines can be put into, by name; none where its cloud chooses them itself."""
        ...

    def find(self, name: str, *, region: str, zone: str = "") -> Machine | None:
        """Return the machine that has a name of ours, and None if there is none (any more)."""
        ...

    def describe(self, machine: Machine) -> Machine | None:
        """Return how a machine is now; None once its cloud knows nothing of it."""
        ...

    def terminate(self, machine: Machine) -> None:
        """Remove a machine with its disk and address, without waiting for the end; one that is gone is no error."""
        ...

    def machines(self, owner: str | None = None) -> Sequence[Machine]:
        """Return all machines that carry our tags, in every region: those of one owner, or of all.

        Machines that are gone may be among them, while their cloud lists them.
        """
        ...

    def leftovers(self, owner: str) -> Sequence[Leftover]:
        """Return what carries the owner's tags or names and belongs to no machine."""
        ...

    def remove(self, leftover: Leftover) -> None:
        """Remove one; that it is gone already is no error."""
        ...

    def quotas(self, region: str) -> Sequence[Quota]:
        """Return the quotas of a region that limit machines."""
        ...


class CloudAccount(Protocol):
    """An account of one cloud: is it fit for use, and what has to be prepared in it."""

    def check(self, region: str) -> Iterator[CheckResult]:
        """Look, without changing anything, whether machines could be made, and yield each finding as it is there."""
        ...

    def prepare(self, region: str, say: Say) -> None:
        """Make the network pieces that machines of a region need; what is there is left as it is."""
        ...

    def unprepare(self, region: str, say: Say) -> None:
        """Remove what `prepare` made."""
        ...


class MachineJournal(Protocol):
    """What is written down of machines, each line before the call that it announces."""

    def owner(self) -> str:
        """Return the name of this store in the clouds: ten hexadecimal digits, the same for ever."""
        ...

    def intend(self, request: MachineRequest, at: datetime) -> None:
        """Write that a machine is about to be made; one that is written already stays as it is."""
        ...

    def created(self, name: str, cloud_id: str, at: datetime) -> None:
        """Write that it exists; nothing happens to one that was released meanwhile."""
        ...

    def handed_on(self, name: str, job: str, attempt: int) -> None:
        """Write that another attempt than the one it was made for has it now."""
        ...

    def kept(self, name: str, until: datetime) -> None:
        """Write that it stays until then, although its job has ended."""
        ...

    def released(self, name: str, at: datetime) -> None:
        """Write that it is about to be removed."""
        ...

    def gone(self, name: str, at: datetime, detail: str = "") -> None:
        """Write that it does not exist."""
        ...

    def records(self, *, unfinished_only: bool = False) -> Sequence[MachineRecord]:
        """Return what is written, oldest first; on demand only of machines that are not known to be gone."""
        ...
