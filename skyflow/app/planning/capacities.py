"""What plans may use at one time: quotas, a number of machines, and the machines that a project has."""

from skyflow._util.text import did_you_mean
from skyflow.catalog import Catalog
from skyflow.errors import UsageError
from skyflow.model.catalog import Offering
from skyflow.model.config import OwnPool
from skyflow.model.planning import PlanSpec, Quota
from skyflow.model.resources import OWN, PROVIDERS
from skyflow.planner import Pool

__all__ = ["limited_pools"]

_UNITS = ("vcpus", "machines")


def limited_pools(plan: PlanSpec, catalog: Catalog) -> list[Pool]:
    """Return everything of which there is only so much, besides the slots of this machine.

    Raises:
        UsageError: a quota names something that no table knows.
    """
    pools = [_machines(pool) for pool in catalog.config.pools]
    pools += [_quota(quota, catalog) for quota in plan.quotas]
    if plan.max_machines is not None:
        pools.append(
            Pool(name="limit on machines", units=plan.max_machines, takes=lambda offering: float(offering.nodes))
        )
    return pools


def _machines(pool: OwnPool) -> Pool:
    """Return a pool of `skyflow.yml`: a job takes a slot on as many of its machines as it has nodes."""

    def takes(offering: Offering) -> float:
        return float(offering.nodes) if (offering.provider, offering.region) == (OWN, pool.name) else 0.0

    name = f"{'machines' if pool.slots == 1 else 'slots'} of {pool.name}"
    return Pool(name=name, units=pool.count * pool.slots, takes=takes)


def _quota(quota: Quota, catalog: Catalog) -> Pool:
    provider, _, rest = quota.scope.partition("/")
    region, _, kind = rest.partition("/")
    accelerator = catalog.accelerators.canonical(quota.unit)
    _refuse_unknown_scope(quota.scope, catalog, said_at=quota.scope_said_at)
    if quota.unit not in _UNITS and accelerator is None:
        raise UsageError(
            f"{quota.unit_said_at}: 'plan.quotas' counts '{quota.unit}', which is no accelerator, vcpus or machines",
            hint=did_you_mean(quota.unit, [*_UNITS, *catalog.accelerators.known]),
        )

    def takes(offering: Offering) -> float:
        is_meant = offering.provider == provider and region in {"", offering.region}
        if not is_meant or kind not in {"", offering.instance_type}:
            return 0.0
        if quota.unit == "machines":
            return float(offering.nodes)
        if quota.unit == "vcpus":
            return float(offering.vcpus * offering.nodes)
        has_it = offering.accelerators is not None and offering.accelerators.name == accelerator
        return float(offering.accelerators.count * offering.nodes) if has_it and offering.accelerators else 0.0

    return Pool(name=f"quota of {quota.unit} in {quota.scope}", units=quota.amount, takes=takes)


def _refuse_unknown_scope(scope: str, catalog: Catalog, *, said_at: str) -> None:
    provider, _, rest = scope.partition("/")
    region, _, kind = rest.partition("/")
    if provider not in PROVIDERS or (region and (provider, region) not in catalog.regions):
        raise UsageError(
            f"{said_at}: 'plan.quotas' names '{scope}', which no table knows",
            hint=did_you_mean(scope, [*PROVIDERS, *(f"{a}/{b}" for a, b in catalog.regions)]),
        )
    types = {*catalog.index.columns["instance_type"], *(one.instance_type for one in catalog.own)} if kind else {""}
    if kind not in types:
        raise UsageError(
            f"{said_at}: 'plan.quotas' names the instance type '{kind}', which no table knows",
            hint=did_you_mean(kind, sorted(types), otherwise="`skyflow catalog list` has all of them"),
        )
