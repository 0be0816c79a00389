"""What a plan rents from clouds, and whether this skyflow is fit for it."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from skyflow.app.machines.sdks import is_sdk_installed
from skyflow.errors import ProvisionError, UsageError
from skyflow.model.machines import NAME_PREFIX, FailureKind
from skyflow.model.placement import Placement, Plan
from skyflow.model.resources import LOCAL, OWN
from skyflow.ports.clock import Waiter
from skyflow.ports.provisioner import CloudError

__all__ = ["open_ports", "refuse_strangers", "refuse_unfit", "rented_placements"]

_MOST_PORT = 65_535
_NOBODY = f"{NAME_PREFIX}-nobody"


def rented_placements(plan: Plan | None) -> list[Placement]:
    """Return the decisions for all jobs on machines of clouds."""
    placements = () if plan is None else plan.placements
    return [placement for placement in placements if placement.offering.provider not in {LOCAL, OWN}]


def refuse_unfit(plan: Plan) -> None:
    """Refuse a plan that rents what this skyflow cannot.

    Raises:
        ProvisionError: the SDK of a cloud is not installed.
    """
    for placement in rented_placements(plan):
        offering = placement.offering
        if not is_sdk_installed(offering.provider):
            raise ProvisionError(
                f"job '{placement.job}' is planned on {offering.provider}, which needs a package that is not installed",
                hint=f"pip install 'skyflow[{offering.provider}]'; `--on local` keeps jobs here that may run anywhere",
            )


def refuse_strangers(plan: Plan, clock: Waiter) -> None:
    """Make sure that every cloud of a plan knows us, before the first machine is paid for; all are asked at once.

    A cloud that does not answer is no reason to stop: it may when its turn comes.

    Raises:
        CloudError: nobody is logged in, or the credentials are not allowed to look.
    """
    firsts = {placement.offering.provider: placement.offering.place for placement in rented_placements(plan)}
    if not firsts:
        return
    from skyflow.app.machines.clouds import open_cloud  # noqa: PLC0415 -- start-up

    def ask(provider: str) -> CloudError | None:
        place = firsts[provider]
        try:
            open_cloud(provider, clock).provisioner.find(_NOBODY, region=place.region, zone=place.zone)
        except CloudError as error:
            return error
        return None

    with ThreadPoolExecutor(len(firsts), thread_name_prefix="cloud") as pool:
        for error in pool.map(ask, firsts):
            if error is not None and error.kind is FailureKind.AUTH:
                raise error


def open_ports(asked: Iterable[str]) -> Iterator[int]:
    """Yield the ports of entries such as `8080` and `8000-8010`.

    Raises:
        UsageError: an entry is neither.
    """
    for entry in asked:
        first, dash, last = entry.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"'{entry}' is no port", hint="write for example 8080, or 8000-8010")
        ports = range(int(first), int(last or first) + 1)
        if not ports or ports[0] < 1 or ports[-1] > _MOST_PORT:
            raise UsageError(f"'{entry}' is no port", hint=f"ports are numbers from 1 to {_MOST_PORT}")
        yield from ports
