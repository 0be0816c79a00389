"""Looks at cloud accounts, and prepares them: `skyflow cloud check` and `skyflow cloud init`."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from skyflow._util.text import did_you_mean
from skyflow.app.machines.clouds import CLOUDS, open_cloud
from skyflow.catalog import load_catalog
from skyflow.errors import UsageError
from skyflow.model.checks import CheckResult
from skyflow.ports.clock import Waiter
from skyflow.ports.provisioner import CloudError, Say

__all__ = ["check_clouds", "prepare_cloud"]


def check_clouds(
    providers: Sequence[str], clock: Waiter, *, region: str | None = None
) -> Iterator[tuple[str, str, tuple[CheckResult, ...]]]:
    """Yield, for each cloud, its name, the region that was looked at and the findings; all are asked at once.

    Raises:
        UsageError: there is no such cloud, or it has no such region.
    """
    for provider in providers:
        if provider not in CLOUDS:
            open_cloud(provider, clock)  # which says so
        _refuse_unknown(provider, region)
    with ThreadPoolExecutor(len(CLOUDS), thread_name_prefix="cloud") as pool:
        chosen = list(providers) or list(CLOUDS)
        running = [(provider, pool.submit(_check, provider, clock, region)) for provider in chosen]
        for provider, each in running:
            where, results = each.result()
            yield provider, where, results


def prepare_cloud(provider: str, clock: Waiter, say: Say, *, region: str | None = None, remove: bool = False) -> None:
    """Make the network pieces for machines of a region, or remove them; what is done already is not done again.

    Raises:
        UsageError: there is no such cloud, it has no such region, or its SDK is not installed.
        CloudError: the cloud refused.
    """
    if not remove:  # a region that is closed may have something left
        _refuse_unknown(provider, region)
    cloud = open_cloud(provider, clock)
    where = region or cloud.home_region
    if region is None and not remove:
        _refuse_unknown(provider, where, of=", which your configuration names")
    if remove:
        cloud.account.unprepare(where, say)
    else:
        cloud.account.prepare(where, say)


def _refuse_unknown(provider: str, region: str | None, *, of: str = "") -> None:
    known = {each.region for each in load_catalog().index.regions if each.provider == provider} if region else ()
    if region and known and region not in known:
        raise UsageError(
            f"the catalog has no region '{region}' of {provider}{of}",
            hint=did_you_mean(region, sorted(known), otherwise=f"for example {min(known)}"),
        )


def _check(provider: str, clock: Waiter, region: str | None) -> tuple[str, tuple[CheckResult, ...]]:
    try:
        cloud = open_cloud(provider, clock)
    except UsageError as error:
        return "", (CheckResult.failed("package", error),)
    except CloudError as error:
        return "", (CheckResult.failed("configuration", error),)
    where = region or cloud.home_region
    try:
        _refuse_unknown(provider, where, of=", which your configuration names")
        return where, tuple(cloud.account.check(where))
    except UsageError as error:
        return where, (CheckResult.failed("region", error),)
    except CloudError as error:
        return where, (CheckResult.failed("cloud", error),)
