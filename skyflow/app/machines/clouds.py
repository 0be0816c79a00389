"""The three clouds: which can be used here, what exists of ours in them, and what it has cost."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from skyflow._util.text import did_you_mean
from skyflow.app.machines.sdks import is_sdk_installed
from skyflow.app.project import Project
from skyflow.catalog import load_catalog
from skyflow.errors import UsageError
from skyflow.model.machines import Instance, Machine, MachineRecord, MachineState
from skyflow.ports.clock import Waiter
from skyflow.ports.provisioner import CloudAccount, CloudError, Provisioner
from skyflow.store.machines import StoredJournal

__all__ = [
    "CLOUDS",
    "Asked",
    "Cloud",
    "Instances",
    "ask_clouds",
    "list_instances",
    "open_cloud",
    "open_journal",
]

CLOUDS = ("aws", "gcp", "azure")
_SECONDS_PER_HOUR = 3600.0
_OWNER_BYTES = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud, ready to be asked. `home_region` is where to look if nobody names a region."""

    provisioner: Provisioner
    account: CloudAccount
    home_region: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which clouds answered, and why the others did not; those that `failed` are set up, and should have."""

    answered: tuple[str, ...]
    silent: tuple[tuple[str, str], ...]
    failed: frozenset[str] = frozenset()

    def missed(self, records: Iterable[MachineRecord]) -> list[str]:
        """Return the clouds that did not answer although machines of ours may exist there."""
        wanted = {record.offering.provider for record in records} | self.failed
        return [provider for provider, _ in self.silent if provider in wanted]


@dataclass(frozen=True, slots=True)
class Instances:
    """What exists of ours."""

    instances: tuple[Instance, ...]
    asked: Asked
    unfinished: tuple[MachineRecord, ...]


def open_cloud(provider: str, clock: Waiter) -> Cloud:
    """Return a cloud, importing its SDK.

    Raises:
        UsageError: there is no such cloud, or its SDK is not installed.
        CloudError: its configuration cannot be used.
    """
    _check_name(provider)
    if not is_sdk_installed(provider):
        raise UsageError(f"{provider} needs a package that is not installed", hint=f"pip install 'skyflow[{provider}]'")
    # The SDKs take from 0.4 s to 3 s to import; only what uses a cloud pays for it.
    if provider == "aws":
        from skyflow.provisioners.aws.account import AwsAccount  # noqa: PLC0415
        from skyflow.provisioners.aws.machines import AwsProvisioner  # noqa: PLC0415
        from skyflow.provisioners.aws.session import AwsSession  # noqa: PLC0415

        aws = AwsSession()
        return Cloud(AwsProvisioner(aws), AwsAccount(aws), aws.home_region)
    if provider == "gcp":
        from skyflow.provisioners.gcp.account import GcpAccount  # noqa: PLC0415
        from skyflow.provisioners.gcp.machines import GcpProvisioner  # noqa: PLC0415
        from skyflow.provisioners.gcp.session import GcpSession  # noqa: PLC0415

        gcp = GcpSession(clock)
        return Cloud(GcpProvisioner(gcp), GcpAccount(gcp), os.environ.get("CLOUDSDK_COMPUTE_REGION") or "us-central1")
    from skyflow.provisioners.azure.account import AzureAccount  # noqa: PLC0415
    from skyflow.provisioners.azure.machines import AzureProvisioner  # noqa: PLC0415
    from skyflow.provisioners.azure.session import AzureSession  # noqa: PLC0415

    azure = AzureSession(clock)
    return Cloud(AzureProvisioner(azure), AzureAccount(azure), os.environ.get("AZURE_DEFAULTS_LOCATION") or "eastus")


def ask_clouds(providers: Sequence[str], ask: Callable[[str], T]) -> tuple[dict[str, T], Asked]:
    """Ask several clouds at once; what fails in one keeps nobody from the others, and the answer says so.

    Raises:
        UsageError: there is no such cloud.
    """
    for provider in providers:
        _check_name(provider)
    answers: dict[str, T] = {}
    silent: list[tuple[str, str]] = []
    failed: set[str] = set()
    with ThreadPoolExecutor(max(1, len(providers)), thread_name_prefix="cloud") as pool:
        running = {provider: pool.submit(ask, provider) for provider in providers}
    for provider, each in running.items():
        try:
            answers[provider] = each.result()
        except UsageError as error:
            silent.append((provider, error.message))
        except CloudError as error:
            silent.append((provider, error.message.removeprefix(f"{provider}: ")))
            failed |= {provider} if error.is_set_up else set()
    return answers, Asked(tuple(answers), tuple(silent), frozenset(failed))


def open_journal(project: Project) -> StoredJournal:
    """Return the machine journal of a project's store, which gets a name in the clouds when it first needs one."""
    return StoredJournal(project.state, new_owner=lambda: os.urandom(_OWNER_BYTES).hex())


def list_instances(
    project: Project, clock: Waiter, *, of_all: bool = False, providers: Sequence[str] = CLOUDS
) -> Instances:
    """Return the machines that exist, of this store or of all; nothing is changed.

    Raises:
        UsageError: there is no such cloud.
    """
    if not of_all and not project.state.database.exists():
        return Instances((), Asked((), ()), ())
    owner, records = _known(project)
    if owner is None and not of_all:
        return Instances((), Asked((), ()), ())
    answers, asked = ask_clouds(
        providers, lambda provider: open_cloud(provider, clock).provisioner.machines(None if of_all else owner)
    )
    by_name = {record.name: record for record in records}
    there = [each for machines in answers.values() for each in machines if each.state is not MachineState.GONE]
    prices = _prices() if any(each.name not in by_name for each in there) else {}  # that takes a second or two
    found: list[Instance] = []
    for machine in there:
        record = by_name.get(machine.name)
        price = record.offering.price_usd_per_hour if record else prices.get(_line_of(machine))
        hours = (clock.now() - machine.created_at).total_seconds() / _SECONDS_PER_HOUR if machine.created_at else None
        cost = None if price is None or hours is None else price * max(0.0, hours)
        found.append(Instance(machine, record, price, cost))
    return Instances(tuple(found), asked, tuple(each for each in records if each.gone_at is None))


def _check_name(provider: str) -> None:
    if provider not in CLOUDS:
        hint = did_you_mean(provider, CLOUDS, otherwise=f"there are {', '.join(CLOUDS)}")
        raise UsageError(f"there is no cloud '{provider}'", hint=hint)


def _known(project: Project) -> tuple[str | None, list[MachineRecord]]:
    if not project.state.database.exists():
        return None, []
    journal = open_journal(project)
    return journal.known_owner(), journal.records()


def _prices() -> dict[tuple[str, str, str, str], float]:
    return {
        (each.provider, each.region, each.instance_type, each.market.value): each.price_usd_per_hour
        for each in load_catalog().offerings
    }


def _line_of(machine: Machine) -> tuple[str, str, str, str]:
    return (machine.provider, machine.region, machine.instance_type, machine.market.value)
