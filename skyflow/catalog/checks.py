"""What a job asks, one requirement at a time: which offerings meet it, and what to say of those that do not.

A check is about a column of the machine types, about places, or about the market; the index is asked with it as a whole,
and the offerings beside the index one by one. Machines that nobody sells, this one and the project's own, do not come in
sizes or markets: on them an exact amount counts as a minimum, and any market will do.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from skyflow._util.text import did_you_mean, sentence_list
from skyflow.catalog.load import Catalog
from skyflow.errors import NoCandidateError
from skyflow.model.catalog import Offering, Place, Region
from skyflow.model.resources import (
    CAPABILITIES,
    DEFAULT_ARCH,
    LOCAL,
    OWN,
    Accelerators,
    Amount,
    Market,
    Requirements,
)

__all__ = ["Check", "asker", "checks_of"]

_GB_PER_GIB = 2**30 / 10**9
_ROUNDING = 1e-6
_CODES = {"UK": "GB", "EL": "GR", "USA": "US"}
"""What people write for a country beside its ISO 3166 code."""

Nearest = Callable[[Sequence[Offering]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One requirement.

    `asked` is how it reads, empty where it goes without saying; `is_default` tells that nobody asked. `key` tells the question apart
    from others. Set is one of: `column` with `fits` (a cell), `where` (a place), `market`. `nearest` says of offerings
    that meet all else what they have instead.
    """

    asked: str
    key: Hashable
    owned: Callable[[Offering], bool]
    nearest: Nearest
    column: str = ""
    fits: Callable[[Any], bool] | None = None
    where: Callable[[Place, Region], bool] | None = None
    market: Market | None = None
    hint: str | None = None
    is_default: bool = False


def asker(job: str) -> str:
    """Return who asks, for a message: a job, or where there is none the filter of a listing."""
    return f"job '{job}'" if job else "the filter"


def checks_of(catalog: Catalog, asked: Requirements, accelerators: Accelerators | None, *, job: str) -> list[Check]:
    """Return the checks of a job, with one of its alternatives of accelerators.

    Raises:
        NoCandidateError: it names something that nobody knows: an accelerator, a provider, a place, ...
    """
    checks = [_device_check(catalog, accelerators, job=job)]
    if asked.instance_types is not None:
        checks.append(_name_check(catalog, asked.instance_types, job=job))
    if asked.cpus is not None:
        checks.append(_amount_check(asked.cpus, "vcpus", lambda offering: offering.vcpus, unit="vCPUs"))
    if asked.memory_gib is not None:
        checks.append(_amount_check(asked.memory_gib, "memory_gib", lambda offering: offering.memory_gib, unit="GiB"))
    if asked.disk_gib is not None:
        checks.append(_disk_check(asked.disk_gib))
    if (arch := _arch_check(asked)) is not None:
        checks.append(arch)
    checks += _capability_checks(asked, job=job)
    if asked.nodes > 1:
        checks.append(_nodes_check(asked.nodes))
    if asked.market is not Market.ANY:
        checks.append(_market_check(asked.market))
    if asked.only_here:
        checks.append(_here_check(asked.only_here))
    if asked.providers is not None:
        checks.append(_provider_check(asked.providers))
    return [*checks, *_place_checks(catalog, asked, job=job)]


# ------------------------------------------------------------------------------------------------------ sizes


def _device_check(catalog: Catalog, asked: Accelerators | None, *, job: str) -> Check:
    if asked is None:
        return Check(
            asked="",
            key="whole devices",
            is_default=True,
            column="device",
            fits=lambda device: device[1] is None or device[1] >= 1,
            owned=lambda _: True,
            nearest=lambda _: "only machines with a slice of an accelerator would do",
            hint="name the accelerator, for example accelerators: A10:0.5",
        )
    name = catalog.accelerators.canonical(asked.name)
    if name is None and not any(one.accelerators and one.accelerators.name == asked.name for one in catalog.own):
        raise _unknown_device(catalog, asked, job=job)
    wanted = replace(asked, name=name or asked.name)

    def nearest(rest: Sequence[Offering]) -> str:
        counts = sorted(
            {one.accelerators.count for one in rest if one.accelerators and one.accelerators.name == wanted.name}
        )
        if not counts:
            return f"no machine with {wanted.name} is on sale"
        if counts[-1] < wanted.count:
            return f"the most in one machine of the catalog is {wanted.name}:{counts[-1]:g}{_nodes_hint(wanted, counts[-1])}"
        return f"it comes as {sentence_list([f'{wanted.name}:{count:g}' for count in counts], conjunction='or')}"

    return Check(
        asked=str(wanted),
        key=wanted,
        column="device",
        fits=lambda device: device == (wanted.name, wanted.count),
        owned=lambda offering: offering.accelerators == wanted,
        nearest=nearest,
    )


def _nodes_hint(wanted: Accelerators, most: float) -> str:
    nodes, left = divmod(wanted.count, most)
    return f"; try nodes: {nodes:g} with {wanted.name}:{most:g} each" if not left and nodes > 1 else ""


def _unknown_device(catalog: Catalog, asked: Accelerators, *, job: str) -> NoCandidateError:
    columns = catalog.index.columns
    on_sale = sorted({name for name in columns["accelerator"] if name})
    every = (*catalog.accelerators.known, *catalog.accelerators.by_name)
    return NoCandidateError(
        f"{asker(job)} asks for {asked}, an accelerator that no table knows",
        hint=did_you_mean(asked.name, every, otherwise=f"known are {sentence_list(on_sale)}"),
    )


def _name_check(catalog: Catalog, names: frozenset[str], *, job: str) -> Check:
    lowered = frozenset(name.lower() for name in names)
    known = {name.lower(): name for name in catalog.index.columns["instance_type"]}
    known |= {offering.instance_type.lower(): offering.instance_type for offering in catalog.own}
    for unknown in sorted(name for name in names if name.lower() not in known):
        raise NoCandidateError(
            f"{asker(job)} asks for the instance type '{unknown}', which no table knows",
            hint=did_you_mean(unknown, known.values(), otherwise="`skyflow catalog list` has all of them"),
        )
    return Check(
        asked=sentence_list(sorted(names), conjunction="or"),
        key=lowered,
        column="instance_type",
        fits=lambda name: name.lower() in lowered,
        owned=lambda offering: offering.instance_type.lower() in lowered,
        nearest=lambda rest: f"only other machines would do, such as {_some(one.instance_type for one in rest)}",
    )


def _amount_check(amount: Amount, column: str, offered: Callable[[Offering], float], *, unit: str) -> Check:
    at_least = replace(amount, or_more=True)

    def nearest(rest: Sequence[Offering]) -> str:
        sizes = sorted({offered(offering) for offering in rest})
        below = [size for size in sizes if size < amount.minimum][-1:]
        above = [size for size in sizes if size > amount.minimum][:1]
        if not above:
            return f"the most is {below[0]:g} {unit}"
        return (
            f"the nearest {'is' if not below else 'are'} {sentence_list(f'{size:g}' for size in below + above)} {unit}"
        )

    return Check(
        asked=f"{amount} {unit}",
        key=amount,
        column=column,
        fits=amount.accepts,
        owned=lambda offering: at_least.accepts(offered(offering)),
        nearest=nearest,
        hint=None if amount.or_more else f"write {amount.minimum:g}+ for at least that much",
    )


def _disk_check(amount: Amount) -> Check:
    """Return a check of machines that have their disk already; a rented one gets the disk that is asked for."""
    gigabytes = round(amount.minimum * _GB_PER_GIB, 1)
    return Check(
        asked=f"a disk of {gigabytes:g} GB",
        key="disk",
        column="vcpus",
        fits=lambda _: True,
        owned=lambda offering: offering.disk_gib is None or offering.disk_gib >= amount.minimum * (1 - _ROUNDING),
        nearest=lambda rest: (
            f"the largest disk is one of {max(one.disk_gib or 0.0 for one in rest) * _GB_PER_GIB:.0f} GB"
        ),
    )


def _arch_check(asked: Requirements) -> Check | None:
    if asked.arch == "any" or (asked.arch is None and asked.instance_types is not None):
        return None
    arch = asked.arch or DEFAULT_ARCH
    return Check(
        asked=f"a processor of {arch}" if asked.arch else "",
        key=arch,
        is_default=asked.arch is None,
        column="arch",
        fits=lambda other: other == arch,
        owned=lambda offering: asked.arch is None or offering.arch in {"", arch},
        nearest=lambda rest: f"only {sentence_list(sorted({one.arch for one in rest if one.arch}))} would have one",
        hint=None if asked.arch else "write arch: any if the job runs on other processors too",
    )


def _capability_checks(asked: Requirements, *, job: str) -> Iterable[Check]:
    for unknown in sorted(asked.capabilities - set(CAPABILITIES)):
        raise NoCandidateError(
            f"{asker(job)} asks for the capability '{unknown}', which no machine is described by",
            hint=did_you_mean(unknown, CAPABILITIES, otherwise=f"known are {sentence_list(CAPABILITIES)}"),
        )
    if "burstable" not in asked.capabilities and asked.instance_types is None:
        yield Check(
            asked="",
            key="steady",
            is_default=True,
            column="capabilities",
            fits=lambda able: "burstable" not in able,
            owned=lambda _: True,
            nearest=lambda _: "only burstable machines would do, whose CPUs are not there all the time",
            hint="write capabilities: [burstable] to take one",
        )
    for capability in sorted(asked.capabilities):
        yield _capability_check(capability)


def _capability_check(wanted: str) -> Check:
    return Check(
        asked=wanted,
        key=("able", wanted),
        column="capabilities",
        fits=lambda able: wanted in able,
        owned=lambda offering: wanted in offering.capabilities,
        nearest=lambda _: f"no machine like that is described as '{wanted}'",
    )


def _nodes_check(nodes: int) -> Check:
    return Check(
        asked=f"{nodes} nodes",
        key="nodes",
        column="vcpus",
        fits=lambda _: True,
        owned=lambda offering: offering.provider != LOCAL and nodes <= (offering.capacity or nodes),
        nearest=lambda rest: f"the most machines of a kind are {max(one.capacity or 1 for one in rest)}",
    )


# ---------------------------------------------------------------------------------------------- market and places


def _market_check(market: Market) -> Check:
    return Check(
        asked="a spot price" if market is Market.SPOT else "",
        key=market,
        market=market,
        owned=lambda _: True,
        nearest=lambda rest: f"it is sold only in the {sentence_list({one.market.value: None for one in rest})} market",
    )


def _here_check(reason: str) -> Check:
    """Return a check of jobs that other machines cannot run yet."""
    return Check(
        asked="this machine",
        key="here",
        where=lambda place, _: place.provider == LOCAL,
        owned=lambda offering: offering.provider == LOCAL,
        nearest=lambda rest: (
            f"only {sentence_list(sorted({one.provider for one in rest}))} would have one, "
            f"but the job {reason}, which works on this machine only so far"
        ),
        hint="write `runs-on: local` for this job, or give what works here only a job of its own",
    )


def _provider_check(providers: frozenset[str]) -> Check:
    is_own = providers == {OWN}
    hints = {
        frozenset({OWN}): "declare it in skyflow.yml, under `machines`; `skyflow config check` shows what is there",
        frozenset({LOCAL}): "`runs-on: sky` lets a job run on any cloud and on machines of your own",
    }
    return Check(
        asked="a machine of your own"
        if is_own
        else f"a machine of {sentence_list(sorted(providers), conjunction='or')}",
        key=providers,
        where=lambda place, _: place.provider in providers,
        owned=lambda offering: offering.provider in providers,
        nearest=lambda rest: f"only {sentence_list(sorted({one.provider for one in rest}))} would have one",
        hint=hints.get(providers),
    )


def _place_checks(catalog: Catalog, asked: Requirements, *, job: str) -> Iterable[Check]:
    limits = asked.limits
    names = {
        "region": (limits.regions, {place.region for place in catalog.index.places} if limits.regions else ()),
        "zone": (limits.zones, {place.zone for place in catalog.index.places if place.zone} if limits.zones else ()),
    }
    for what, (wanted, known) in names.items():
        if wanted is not None:
            yield _named_place_check(catalog, what, wanted, known, job=job)
    for what, wanted, of in (
        ("jurisdiction", limits.jurisdictions, lambda region: region.jurisdictions),
        ("country", limits.countries, lambda region: (region.country,)),
        ("partition", limits.partitions, lambda region: (region.partition,)),
    ):
        if wanted is not None:
            yield _residency_check(catalog, what, wanted, of, job=job)
    if limits.partitions is None and limits.regions is None and limits.zones is None:
        yield Check(
            asked="",
            key="public",
            is_default=True,
            where=lambda place, region: region.partition in {"", place.provider},
            owned=lambda _: True,
            nearest=lambda _: "only a closed part of a cloud would have one",
            hint="write partitions: [aws-us-gov] if your account is there",
        )


def _named_place_check(catalog: Catalog, what: str, wanted: frozenset[str], known: Iterable[str], *, job: str) -> Check:
    every = {*known, *(getattr(offering, what) for offering in catalog.own)} - {""}
    for unknown in sorted(wanted - every):
        raise NoCandidateError(
            f"{asker(job)} names the {what} '{unknown}', which no price list has",
            hint=did_you_mean(unknown, sorted(every), otherwise="`skyflow catalog list` has all of them"),
        )
    return Check(
        asked=f"{what} {sentence_list(sorted(wanted), conjunction='or')}",
        key=(what, wanted),
        where=lambda place, _: getattr(place, what) in wanted,
        owned=lambda offering: getattr(offering, what) in wanted,
        nearest=lambda rest: f"other {what}s would have one, such as {_some(one.place.name for one in rest)}",
    )


def _residency_check(
    catalog: Catalog, what: str, wanted: frozenset[str], of: Callable[[Region], Sequence[str]], *, job: str
) -> Check:
    regions = catalog.regions
    known = sorted({word for region in regions.values() for word in of(region) if word})
    for unknown in sorted(wanted - set(known)):
        raise NoCandidateError(
            f"{asker(job)} names the {what} '{unknown}', where no known region lies",
            hint=did_you_mean(
                _CODES.get(unknown.upper(), unknown), known, otherwise=f"known are {sentence_list(known)}"
            ),
        )

    def lies(region: Region | None) -> bool:
        return region is not None and not wanted.isdisjoint(of(region))

    return Check(
        asked=f"a place in {sentence_list(sorted(wanted), conjunction='or')}",
        key=(what, wanted),
        where=lambda _, region: lies(region),
        # Nobody has said where this machine stands, so it is in none of them; a pool of one's own says it in skyflow.yml.
        owned=lambda offering: lies(regions.get((offering.provider, offering.region))),
        nearest=lambda rest: f"elsewhere there are some, such as in {_some(one.place.name for one in rest)}",
    )


def _some(names: Iterable[str]) -> str:
    distinct = list(dict.fromkeys(names))
    return sentence_list(distinct[:3], conjunction="or")
