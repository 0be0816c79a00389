"""What an attempt rents: what is known of its machines from when they are wanted until they are gone, and what is asked for."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import anyio

from skyflow.app.machines.machine_keys import MachineKeys
from skyflow.app.machines.renting import open_ports
from skyflow.errors import SkyflowError
from skyflow.model.catalog import Offering
from skyflow.model.hosts import KeepAlive, Link, SshHost
from skyflow.model.machines import Lifetime, Machine, MachineRecord, MachineRequest
from skyflow.model.placement import Placement
from skyflow.model.resources import LOCAL, Requirements
from skyflow.ports.transport import Transport, TransportError
from skyflow.provisioners.boot import LOGIN_USER
from skyflow.provisioners.fleet import Fleet
from skyflow.provisioners.notices import NOTICE_SECONDS
from skyflow.runners.gang import GangRunner
from skyflow.runners.places import Attempt, MachineRunner
from skyflow.runners.remote.runner import RemoteRunner

__all__ = [
    "MOST_SECONDS",
    "Inquiry",
    "Makes",
    "Node",
    "Rental",
    "Times",
    "described",
    "host_of",
    "problem_with",
    "request_for",
]

Inquiry = Callable[[], Awaitable[str | None]]
"""Says why a machine is gone for good, or None while it may come back."""

MOST_SECONDS = 7 * 86_400
"""No machine lives longer than a week."""
_DISK_GIB = 64
"""Unless a job says otherwise: room for the image, drivers and some packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long to wait for what, in seconds."""

    boot_within: float = 600.0
    """From when a machine runs until it lets us in."""
    first_knock: float = 0.1
    longest_knock: float = 2.0
    silence: float = 900.0
    """After so long without its driver a machine ends itself."""
    notice_every: float = NOTICE_SECONDS
    idle: float = 600.0
    """So long a machine is kept, without a job, for one that is still to come."""
    clean_up_within: float = 30.0
    """From when a job has ended until its machine is fit for the next one."""
    keep: float = 0.0
    """So long a machine stays after its job for somebody to look at it; 0 has it given back at once."""
    most_tries: int = 8
    """In so many places a machine is asked for, for one attempt."""
    most_silent: int = 3
    """So many machines may not let us in, for one attempt: after that it is hardly theirs, and each of them costs money."""

    @property
    def lifetime(self) -> Lifetime:
        """When a machine ends itself."""
        return Lifetime(silence_seconds=math.ceil(self.silence), at_most_seconds=MOST_SECONDS)

    @property
    def renew_every(self) -> float:
        """How often it is told to stay: three times may fail."""
        return self.silence / 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Makes:
    """What rented machines are used by: `fleet` of a cloud by its name, `transport` to a machine, `runner` on one.

    `gang` runs jobs on several at once, given what runs steps on each and their addresses, by rank. `sweep` removes what earlier runs have left, given the unfinished records of these.
    """

    fleet: Callable[[str], Fleet]
    transport: Callable[[SshHost], Transport]
    runner: Callable[[Transport, Inquiry], RemoteRunner]
    gang: Callable[[Sequence[RemoteRunner], Sequence[str]], GangRunner]
    sweep: Callable[[Sequence[MachineRecord]], object]


@dataclass(slots=True)
class Node:
    """A machine of a rental, from when there is one; `offering` is what was asked for."""

    offering: Offering
    machine: Machine
    since: float
    """When it was had, on the monotonic clock."""
    asked_at: float | None = None
    """When this driver asked for it, on the monotonic clock; None for one that was found."""
    transport: Transport | None = None
    """How it is reached, from when it is knocked at."""
    runner: RemoteRunner | None = None

    @property
    def address(self) -> str:
        """Where machines beside it reach it."""
        return self.machine.private_address or self.machine.address or ""


@dataclass(slots=True)
class Rental:
    """The machine of an attempt, or several that it runs on at once, from when they are wanted until they are gone.

    `user` is the attempt that has it, or had it last. `offering` is what was asked for, `asked` how often, `refused` which
    of its machines was not to be had, `nodes` what there is of it, by rank. While nobody has it, `heirs` are the keys of the jobs that it is kept for, and `wait` ends when
    it is needed, or given up.
    """

    user: Attempt
    tell: Callable[[str], None]
    is_wanted: bool = True
    booting: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    settled: anyio.Event = field(default_factory=anyio.Event)
    """It can be used, or `problem` says why it cannot."""
    released: anyio.Event = field(default_factory=anyio.Event)
    over: anyio.Event = field(default_factory=anyio.Event)
    offering: Offering | None = None
    asked: int = 0
    refused: Offering | None = None
    nodes: dict[int, Node] = field(default_factory=dict)
    runner: MachineRunner | None = None
    problem: TransportError | None = None
    taken_away: str = ""
    """What its cloud said when it took a machine away."""
    is_lost: bool = False
    is_kept: bool = False
    """It stays after its job."""
    heirs: frozenset[str] = frozenset()
    wait: anyio.CancelScope | None = None
    handed_back: anyio.Event = field(default_factory=anyio.Event)
    """Its user has left it: it is kept for another, or given up."""

    @property
    def by_rank(self) -> list[Node]:
        """The machines, the first one first."""
        return [self.nodes[rank] for rank in sorted(self.nodes)]

    def let_go(self) -> None:
        """Give it up, wherever it is in its life."""
        self.is_wanted = False
        self.booting.cancel()
        self.released.set()
        self.handed_back.set()
        if self.wait is not None:
            self.wait.cancel()


def request_for(
    rental: Rental, rank: int, offering: Offering, asked: Requirements, *, run: str, owner: str, keys: MachineKeys,
    times: Times,
) -> MachineRequest:  # fmt: skip
    """Return what is asked of a cloud for one machine of an attempt, after the keys for it were made.

    Raises:
        ProvisionError: they cannot be made.
    """
    request = MachineRequest(
        offering=offering,
        owner=owner,
        run=run,
        job=rental.user[0],
        attempt=rental.user[1],
        node=rank,
        nodes=rental.offering.nodes if rental.offering is not None else 1,
        serial=rental.asked,
        public_key=keys.ours().public,
        lifetime=times.lifetime,
        image=asked.image,
        ports=tuple(open_ports(asked.ports)),
        disk_gib=_DISK_GIB if asked.disk_gib is None else math.ceil(asked.disk_gib.minimum),
    )
    return replace(request, host_key=keys.of_host(request.name).path.read_text(encoding="utf-8"))


def host_of(machine: Machine, keys: MachineKeys) -> SshHost:
    """Return how a machine is reached, and by which key it proves who it is.

    Raises:
        ProvisionError: there is no key.
    """
    return SshHost(
        name=f"{machine.instance_type}-{machine.name[-6:]}",
        address=machine.address or "",
        user=LOGIN_USER,
        host_keys=(keys.of_host(machine.name).public,),
        identity=str(keys.ours().path),
        link=Link.ASYNCSSH,
        keep_alive=KeepAlive(seconds=5.0, most_missed=3),
        connect_seconds=10.0,
    )


def described(placement: Placement) -> str:
    """Return what a placement rents, for people."""
    offering = placement.offering
    if offering.provider == LOCAL:
        return "this machine"
    market = f" ({offering.market_note})" if offering.market_note else ""
    several = f"{offering.nodes} x " if offering.nodes > 1 else ""
    return f"{several}{offering.instance_type}{market} in {offering.provider}/{offering.place.name}"


def problem_with(placement: Placement, error: SkyflowError) -> str:
    """Return why what a placement rents is not to be had, for people."""
    notes = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
    hint = f"; {error.hint}" if error.hint else ""
    return f"{described(placement)} is not to be had: {error}{hint}{notes}"
