"""Where jobs run besides this machine: in a pool of known machines, on rented ones, in the queue of a cluster."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from skyflow.ports.transport import TransportError
from skyflow.runners.gang import GangRunner
from skyflow.runners.remote.runner import RemoteRunner

__all__ = ["Attempt", "MachineRunner", "MovedError", "Place"]

Attempt = tuple[str, int]
"""The key of a job, and the number of the attempt at it."""


MachineRunner = RemoteRunner | GangRunner
"""What runs the steps of an attempt elsewhere: on one machine, or on several at once."""


class MovedError(TransportError):
    """A job is to run in another place than the one that was asked for a machine; another attempt will be there."""


class Place(AbstractAsyncContextManager["Place"], Protocol):
    """Machines of one kind, as an asynchronous context that owns the links to them.

    An attempt is given a machine when one is first asked for, keeps it to its end, and gives it back then.
    """

    async def take(self, which: Attempt, tell: Callable[[str], None], *, minutes: float | None = None) -> MachineRunner:
        """Return what runs the steps of an attempt, after a machine was had for it; asked again it is the same.

        May take as long as it takes; cancelled, nothing is kept. `tell` gets lines on what happens, for the user;
        `minutes` is how long the job may take, if somebody has said so.

        Raises:
            MovedError: the job has been planned elsewhere meanwhile.
            TransportError: there is no machine for it.
        """
        ...

    def taken(self, which: Attempt) -> MachineRunner | None:
        """Return what runs the steps of an attempt, if it has a machine."""
        ...

    def neighbours(self, which: Attempt) -> Sequence[RemoteRunner] | None:
        """Return the other machines that may have data of the run and reach those of an attempt; None where none ever do."""
        ...

    def heard(self, which: Attempt, *, is_lost: bool) -> None:
        """Take in whether the machine of an attempt still answered when a step ended."""
        ...

    def is_taken_away(self, which: Attempt) -> bool:
        """Tell whether the machine of an attempt is being taken away by whoever it belongs to."""
        ...

    async def release(self, which: Attempt) -> None:
        """End everything an attempt left running, and give its machine back; called once for every attempt here."""
        ...

    async def recover(self, attempts: Collection[Attempt]) -> frozenset[Attempt]:
        """Take over from an earlier, dead driver: return the attempts that go on where they are, and end all else here."""
        ...
