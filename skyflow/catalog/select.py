"""From what a job asks to the offerings that give it; and where there is none, what came nearest.

The local machine is not sold in sizes or markets: on it an exact amount counts as a minimum, and any market will do.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from skyflow._util.text import did_you_mean, sentence_list
from skyflow.catalog.load import Catalog
from skyflow.errors import NoCandidateError
from skyflow.model.catalog import Offering
from skyflow.model.resources import LOCAL, Accelerators, Amount, Market, Requirements

__all__ = ["select_candidates"]


@dataclass(frozen=True, slots=True)
class _Check:
    """One requirement: how it reads, whether an offering meets it, and what to say of those that do not.

    `asked` is empty where nobody asked: on-demand is what everybody gets.
    """

    asked: str
    accepts: Callable[[Offering], bool]
    nearest: Callable[[Sequence[Offering]], str]
    hint: str | None = None


def select_candidates(catalog: Catalog, requirements: Requirements, *, job: str) -> tuple[Offering, ...]:
    """Return every offering that satisfies the requirements, cheapest per hour first, then by id.

    Raises:
        NoCandidateError: there is none; the message names the job and what came nearest, per requirement.
    """
    checks = _checks(catalog, requirements, job=job)
    found = _meeting(catalog.offerings, checks)
    if not found:
        raise _no_candidate(catalog, checks, job=job)
    return tuple(sorted(found, key=lambda offering: (offering.price_usd_per_hour, offering.id)))


def _checks(catalog: Catalog, requirements: Requirements, *, job: str) -> list[_Check]:
    checks = []
    if requirements.accelerators is not None:
        checks.append(_accelerator_check(catalog, requirements.accelerators, job=job))
    if requirements.cpus is not None:
        checks.append(_amount_check(requirements.cpus, lambda offering: offering.vcpus, unit="vCPUs"))
    if requirements.memory_gib is not None:
        checks.append(_amount_check(requirements.memory_gib, lambda offering: offering.memory_gib, unit="GiB"))
    if requirements.market is not Market.ANY:
        checks.append(_market_check(requirements.market))
    if requirements.providers is not None:
        checks.append(_provider_check(catalog, requirements.providers, job=job))
    return checks


def _meeting(offerings: Iterable[Offering], checks: Sequence[_Check]) -> list[Offering]:
    return [offering for offering in offerings if all(check.accepts(offering) for check in checks)]


def _no_candidate(catalog: Catalog, checks: Sequence[_Check], *, job: str) -> NoCandidateError:
    """Say of each requirement that stands alone in the way what the others leave; else where they run dry."""
    in_the_way = []
    for check in checks:
        rest = _meeting(catalog.offerings, [one for one in checks if one is not check])
        if rest:
            in_the_way.append((check, check.nearest(rest)))
    if not in_the_way:
        left = list(catalog.offerings)
        for check in checks:
            fewer = _meeting(left, [check])
            if not fewer:
                in_the_way.append((check, check.nearest(left)))
                break
            left = fewer
    asked = [check.asked for check in checks if check.asked]
    with_the_rest = "with all else as asked, " if len(asked) > 1 else ""
    return NoCandidateError(
        f"job '{job}' asks for {sentence_list(asked or ['a machine'])}; {with_the_rest}"
        + "; or ".join(text for _, text in in_the_way),
        hint=next((check.hint for check, _ in in_the_way if check.hint), None),
    )


def _provider_check(catalog: Catalog, providers: frozenset[str], *, job: str) -> _Check:
    known = sorted({offering.provider for offering in catalog.offerings})
    for unknown in sorted(providers - set(known)):
        raise NoCandidateError(
            f"job '{job}' may run on '{unknown}', but offerings are known only of {sentence_list(known)}",
            hint=did_you_mean(unknown, known),
        )
    return _Check(
        asked=f"a machine of {sentence_list(sorted(providers), conjunction='or')}",
        accepts=lambda offering: offering.provider in providers,
        nearest=lambda rest: f"only {sentence_list(sorted({one.provider for one in rest}))} would have one",
    )


def _accelerator_check(catalog: Catalog, asked: Accelerators, *, job: str) -> _Check:
    name = catalog.accelerators.canonical(asked.name)
    on_sale = sorted({offering.accelerators.name for offering in catalog.offerings if offering.accelerators})
    if name is None and asked.name not in on_sale:
        raise NoCandidateError(
            f"job '{job}' asks for {asked.name}:{asked.count}, an accelerator that no table knows",
            hint=did_you_mean(asked.name, catalog.accelerators.known, otherwise=f"known are {sentence_list(on_sale)}"),
        )
    wanted = replace(asked, name=name or asked.name)

    def nearest(rest: Sequence[Offering]) -> str:
        counts = {one.accelerators.count for one in rest if one.accelerators and one.accelerators.name == wanted.name}
        if not counts:
            return f"no machine with {wanted.name} is on sale"
        if max(counts) < wanted.count:
            return f"the most in one machine of the catalog is {wanted.name}:{max(counts)}"
        return f"it comes as {sentence_list([f'{wanted.name}:{count}' for count in sorted(counts)], conjunction='or')}"

    return _Check(
        asked=f"{wanted.name}:{wanted.count}", accepts=lambda offering: offering.accelerators == wanted, nearest=nearest
    )


def _market_check(market: Market) -> _Check:
    return _Check(
        asked="a spot price" if market is Market.SPOT else "",
        accepts=lambda offering: offering.provider == LOCAL or offering.market is market,
        nearest=lambda rest: f"it is sold only in the {sentence_list({one.market.value: None for one in rest})} market",
    )


def _amount_check(amount: Amount, offered: Callable[[Offering], float], *, unit: str) -> _Check:
    at_least = replace(amount, or_more=True)

    def accepts(offering: Offering) -> bool:
        return (at_least if offering.provider == LOCAL else amount).accepts(offered(offering))

    def nearest(rest: Sequence[Offering]) -> str:
        sizes = sorted({offered(offering) for offering in rest})
        below = [size for size in sizes if size < amount.minimum][-1:]
        above = [size for size in sizes if size > amount.minimum][:1]
        if not above:
            return f"the most is {below[0]:g} {unit}"
        return (
            f"the nearest {'is' if not below else 'are'} {sentence_list(f'{size:g}' for size in below + above)} {unit}"
        )

    return _Check(
        asked=f"{amount.minimum:g}{'+' if amount.or_more else ''} {unit}",
        accepts=accepts,
        nearest=nearest,
        hint=None if amount.or_more else f"write {amount.minimum:g}+ for at least that much",
    )
