"""Machines that are rented from a cloud: what is asked for, what there is, and what is remembered of it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from skyflow.model.catalog import Offering
from skyflow.model.resources import Market

__all__ = [
    "INTENT_MOVES",
    "NAME_PREFIX",
    "OWNER_LENGTH",
    "FailureKind",
    "Instance",
    "Intent",
    "Leftover",
    "Lifetime",
    "Machine",
    "MachineRecord",
    "MachineRequest",
    "MachineState",
    "Quota",
    "Scope",
    "machine_in_name",
    "owner_in_name",
]

NAME_PREFIX = "skyflow"
"""How every name begins that we give to something in a cloud."""
OWNER_LENGTH = 10
"""Hexadecimal digits in the name of an owner."""
_DIGEST_LENGTH = 20
_SECONDS_PER_HOUR = 3600.0


class FailureKind(StrEnum):
    """What a failure of a cloud means for what to do next."""

    CAPACITY = "capacity"
    """The cloud has no such machine there now: ask elsewhere, or later."""
    QUOTA = "quota"
    """The account may not have more of them: ask elsewhere, or for a higher quota."""
    NOT_OFFERED = "not-offered"
    """The place never has machines of this type: ask elsewhere."""
    NO_IMAGE = "no-image"
    """The place has no such image: ask elsewhere, or for another one."""
    UNUSABLE = "unusable"
    """The place lacks what machines need, such as a network, or is not open to the account: ask elsewhere."""
    AUTH = "auth"
    """The credentials are missing, wrong, or not allowed to do this."""
    TRANSIENT = "transient"
    """The same call may succeed in a moment."""
    PERMANENT = "permanent"
    """The call is wrong, and would be again."""


class Scope(StrEnum):
    """How far a failure reaches."""

    ZONE = "zone"
    REGION = "region"
    CLOUD = "cloud"


class MachineState(StrEnum):
    """Where a machine is in its life, whatever its cloud calls that."""

    PENDING = "pending"
    """It is being made, and may be paid for already."""
    RUNNING = "running"
    STOPPING = "stopping"
    """It is on its way to `stopped` or `gone`."""
    STOPPED = "stopped"
    """It does not run; its disk, and in some clouds the machine itself, are still paid for."""
    FAILED = "failed"
    """It could not be made, and what there is of it has to be removed."""
    GONE = "gone"
    """It exists no more, or only as an entry in the cloud's lists."""


class Intent(StrEnum):
    """Where a machine is in our own records; it only ever moves downwards."""

    INTENDED = "intended"
    """Written before the call that makes it: it may exist."""
    CREATED = "created"
    """The cloud has said that it exists."""
    RELEASED = "released"
    """Nobody needs it; written before the call that removes it."""
    GONE = "gone"
    """The cloud has said that it does not exist."""


INTENT_MOVES: Mapping[tuple[Intent | None, Intent], str] = {
    (None, Intent.INTENDED): "an attempt needs a machine; written before the cloud is asked for it",
    (Intent.INTENDED, Intent.CREATED): "the cloud has made it",
    (Intent.INTENDED, Intent.RELEASED): "it is not needed any more, and nobody knows whether it was made",
    (Intent.CREATED, Intent.RELEASED): "its attempt has ended; written before the cloud is asked to remove it",
    (Intent.INTENDED, Intent.GONE): "the cloud has none of that name, or has refused it",
    (Intent.CREATED, Intent.GONE): "it has ended by itself, or was taken away",
    (Intent.RELEASED, Intent.GONE): "the cloud has removed it",
}
"""Every move of a machine's record, with the sentence that explains it. One that repeats what is written already, as after a
crash, changes nothing."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a machine ends itself if nobody else ends it.

    `silence_seconds` after it was last asked to stay, and never later than `at_most_seconds` after its start.
    """

    silence_seconds: int = 900
    at_most_seconds: int = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRequest:
    """One machine to be made. Two equal requests mean the same machine: making it twice gives one.

    Attributes:
        offering: what to rent and where; without a zone, the provisioner takes the first one that will do.
        owner: the state store whose machine it is.
        run: the run that it is for; `job`, `attempt` and `node` say the rest.
        nodes: how many machines run that job together; where it is more than one, they reach one another at every port.
        serial: how often the attempt has asked for machines before.
        public_key: who may log in, as a line of an OpenSSH `authorized_keys` file.
        host_key: the private key, in OpenSSH's form, by which it will prove who it is; empty for one of its own making.
        lifetime: when it ends itself.
        image: the name that its cloud gives an image; None for Ubuntu 24.04, with drivers where there are accelerators.
        disk_gib: the size of its disk, at least that of the image.
        ports: what the world may connect to, beside SSH.
        identity: the instance profile (AWS), service account (GCP) or managed identity (Azure) that it has.
        startup_script: what root runs when it first starts, after ours.
    """

    offering: Offering
    owner: str
    run: str
    job: str
    attempt: int
    node: int = 0
    nodes: int = 1
    serial: int = 0
    public_key: str
    host_key: str = field(default="", repr=False)
    lifetime: Lifetime = field(default_factory=Lifetime)
    image: str | None = None
    disk_gib: int = 64
    ports: tuple[int, ...] = ()
    identity: str | None = None
    startup_script: str = ""

    @property
    def name(self) -> str:
        """The name that follows from what it is for, at most 63 lower-case letters, digits and hyphens."""
        again = [self.serial] if self.serial else []
        meant = json.dumps([self.run, self.job, self.attempt, self.node, self.offering.id, *again])
        return f"{NAME_PREFIX}-{self.owner}-{hashlib.sha256(meant.encode()).hexdigest()[:_DIGEST_LENGTH]}"


_OUR_NAME = re.compile(rf"({NAME_PREFIX}-([0-9a-f]{{{OWNER_LENGTH}}})-[0-9a-f]{{{_DIGEST_LENGTH}}})(?![0-9a-f])")


def machine_in_name(name: str) -> str | None:
    """Return the machine that a name is of, or that a thing with such a name was made for; None if it is not ours."""
    found = _OUR_NAME.match(name)
    return found[1] if found else None


def owner_in_name(name: str) -> str | None:
    """Return whose machine it is that has a name, or that a thing with such a name was made for."""
    found = _OUR_NAME.match(name)
    return found[2] if found else None


def _console_id(provider: str, cloud_id: str, name: str) -> str:
    """Return what the cloud's own console shows: Azure's ids are long paths, Google's are mere numbers."""
    return name if provider == "gcp" else cloud_id.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine as its cloud describes it.

    `id` is what the cloud calls it, `name` what we do. `detail` is the cloud's own word on why it is in its state.
    """

    provider: str
    region: str
    zone: str
    id: str
    name: str
    owner: str
    run: str = ""
    job: str = ""
    attempt: int = 0
    state: MachineState
    instance_type: str
    market: Market = Market.ON_DEMAND
    created_at: datetime | None = None
    address: str | None = None
    private_address: str | None = None
    detail: str = ""

    @property
    def console_id(self) -> str:
        """What the cloud's own console calls it."""
        return _console_id(self.provider, self.id, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Something that was made along with a machine and outlived it: a disk, an address, a key, a network card."""

    provider: str
    region: str
    kind: str
    id: str
    name: str
    owner: str
    zone: str = ""
    created_at: datetime | None = None

    @property
    def console_id(self) -> str:
        """What the cloud's own console calls it."""
        return _console_id(self.provider, self.id, self.name)


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of something an account may have in a region, and has; None where the cloud does not say."""

    name: str
    limit: float
    used: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRecord:
    """What the state store remembers of a machine.

    `job` and `attempt` are what it was made for; `user` is the attempt that has it, or had it last. `kept_until` is the end
    of the time for which it stays after its run, for somebody to look at it; None for one that its run gives back.
    """

    name: str
    run: str
    job: str
    attempt: int
    node: int
    offering: Offering
    intent: Intent
    cloud_id: str | None
    detail: str
    intended_at: datetime
    created_at: datetime | None
    gone_at: datetime | None
    user: tuple[str, int]
    kept_until: datetime | None = None

    @property
    def console_id(self) -> str:
        """What the cloud's own console calls it; what we do while that is not known."""
        return _console_id(self.offering.provider, self.cloud_id or self.name, self.name)

    def is_kept(self, now: datetime) -> bool:
        """Tell whether it stays for somebody to look at, and its time is not over."""
        return self.intent is Intent.CREATED and self.kept_until is not None and now < self.kept_until

    def paid_until(self, now: datetime) -> datetime:
        """Return until when it is paid for: until it was gone, or now; one that was kept ends itself when its time is over."""
        return self.gone_at or min(now, self.kept_until or now)

    def cost_usd(self, now: datetime) -> float:
        """Return what it has cost until it was gone, or until now: the price of its offering times its time."""
        return self.offering.price_usd_per_hour * self.seconds(now) / _SECONDS_PER_HOUR

    def seconds(self, now: datetime) -> float:
        """Return how long there was such a machine, until it was gone, or until now."""
        if self.created_at is None:
            return 0.0
        return max(0.0, (self.paid_until(now) - self.created_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Instance:
    """A machine that exists, with what our records say of it; None where another store has made it."""

    machine: Machine
    record: MachineRecord | None
    usd_per_hour: float | None
    cost_usd: float | None

    @property
    def kept_until(self) -> datetime | None:
        """The end of the time for which it stays after its run, if it does."""
        return None if self.record is None else self.record.kept_until
