"""From what a job asks to the offerings that give it; and where there is none, what came nearest."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import compress, count
from operator import attrgetter

from skyflow._util.text import did_you_mean, sentence_list
from skyflow.catalog.bundles import bundled, is_mixed, mixed_bundles, unbeaten_bundles
from skyflow.catalog.checks import Check, asker, checks_of
from skyflow.catalog.index import Index, Types
from skyflow.catalog.load import Catalog
from skyflow.errors import NoCandidateError
from skyflow.model.blocks import Block
from skyflow.model.catalog import Offering, Place, Region
from skyflow.model.resources import LOCAL, OWN, PROVIDERS, Accelerators, Alternatives, Requirements

__all__ = ["Selected", "matching_offerings", "select_candidates"]

_FEW_TIMES = 8
"""Up to so many different times, the machines of each are looked through for themselves, which is quick."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The checks of a job, put to the index: its types, its shelves; and the offerings beside the index that pass."""

    catalog: Catalog
    checks: Sequence[Check]

    @property
    def owned(self) -> list[Offering]:
        return [one for one in self.catalog.own if all(check.owned(one) for check in self.checks)]

    @property
    def types(self) -> Types:
        index = self.catalog.index
        questions = [(c.column, c.key, c.fits, c.is_default) for c in self.checks if c.column and c.fits is not None]
        sets = [index.types_where(*question[:3]) for question in questions if not question[3]]
        if usual := [question[:3] for question in questions if question[3]]:  # the same for nearly every job
            sets.append(index.types_of(usual))
        return frozenset.intersection(*sorted(sets, key=len)) if sets else frozenset(range(len(index.watts)))

    @property
    def shelves(self) -> tuple[int, ...]:
        wheres = [check.where for check in self.checks if check.where is not None]
        markets = [check.market for check in self.checks if check.market is not None]
        key = tuple(check.key for check in self.checks if check.where is not None)

        def fits(place: Place, region: Region) -> bool:
            return all(where(place, region) for where in wheres)

        return self.catalog.index.shelves_where(key, fits, markets[0] if markets else None)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the index: some types, on some shelves."""

    index: Index
    types: Types
    shelves: tuple[int, ...]


def select_candidates(
    catalog: Catalog,
    requirements: Requirements,
    *,
    job: str,
    seconds: Callable[[Offering], float] | None = None,
    by_power: bool = False,
    every: bool = False,
    blocks: Collection[Block] = (),
) -> tuple[Offering, ...]:
    """Return the offerings that a best plan can use, cheapest per hour first.

    Of machines that satisfy the requirements, at one place, in one market and at one risk of interruption, only those are
    kept that no other one beats in both dollars and time: what else a plan counts depends on these alone. So nothing is
    lost to any plan that counts dollars, time or both. Where the job takes the same time everywhere, that is one machine.

    Args:
        catalog: what there is.
        requirements: what the job asks.
        job: its name, for messages.
        seconds: how long the job takes on an offering, as far as that depends on the type of machine: it is asked about
            one offering of each type, wherever that stands. None for the same time everywhere.
        by_power: keep also those that need less energy: for plans that count carbon.
        blocks: what is not to be had at the moment, for this job.
        every: keep all that satisfy the requirements: for plans that count something else, such as a quota of CPUs.

    Raises:
        NoCandidateError: there is none; the message names the job and what came nearest, per requirement.
    """
    _refuse_unknown_providers(requirements, job=job)
    last: Sequence[Check] = ()
    is_every = every or is_mixed(requirements)  # those on demand have a say in which spot machine is best
    for wanted in _in_turn(requirements):
        owned: dict[str, Offering] = {}
        entries: set[int] = set()
        for accelerators in wanted:
            last = checks_of(catalog, requirements, accelerators, job=job)
            asked = _Asked(catalog, last)
            owned |= {offering.id: offering for offering in asked.owned}
            if not _only_owned(requirements):
                for part in _parts(asked, blocks):
                    entries.update(_all(part) if is_every else _rented(part, seconds, by_power=by_power))
        bundles = [bundled(one, catalog, requirements) for one in owned.values()]
        if is_mixed(requirements):
            mixed = mixed_bundles(sorted(entries), catalog, requirements, blocks)
            bundles += mixed if every else unbeaten_bundles(mixed, seconds, by_power=by_power)
        else:
            bundles += (bundled(catalog.index.offering(entry), catalog, requirements) for entry in sorted(entries))
        if bundles:
            return tuple(sorted(bundles, key=attrgetter("price_usd_per_hour")))
    if blocks and _has_any(catalog, requirements, job=job):
        raise NoCandidateError(f"{asker(job)} could have machines, but all that fit were refused a short while ago")
    raise _no_candidate(catalog, requirements, last, job=job)


def _has_any(catalog: Catalog, requirements: Requirements, *, job: str) -> bool:
    """Tell whether there are candidates where nothing was refused."""
    with suppress(NoCandidateError):
        return bool(select_candidates(catalog, requirements, job=job))
    return False


def matching_offerings(
    catalog: Catalog, requirements: Requirements, *, job: str, with_defaults: bool = True
) -> list[Offering]:
    """Return every offering that satisfies the requirements, cheapest per hour first; none is no error here.

    Without defaults, what nobody gets unasked is there too: burstable machines, slices of devices, closed partitions.
    """
    _refuse_unknown_providers(requirements, job=job)
    found: dict[str, Offering] = {}
    for wanted in _in_turn(requirements):
        for accelerators in wanted:
            checks = checks_of(catalog, requirements, accelerators, job=job)
            asked = _Asked(catalog, [check for check in checks if with_defaults or not check.is_default])
            found |= {offering.id: offering for offering in asked.owned}
            if not _only_owned(requirements):
                entries = catalog.index.every(asked.types, frozenset(asked.shelves))
                found |= {offering.id: offering for offering in map(catalog.index.offering, sorted(entries))}
    return sorted(found.values(), key=lambda offering: (offering.price_usd_per_hour, offering.id))


class Selected:
    """The machines that were selected for some jobs, any of which may fit others too."""

    def __init__(self, catalog: Catalog, offerings: Iterable[Offering]) -> None:
        offerings = {id(one): one for one in offerings}.values()
        self._catalog = catalog
        made = sorted(catalog.index.made(offerings).items(), key=lambda item: item[1].id) if offerings else []
        self._entries = [entry for entry, _ in made]
        self._offerings = [one for _, one in made]
        known = {one.id: position for position, one in enumerate(self._offerings)}
        self._position = {id(one): known[one.id] for one in offerings if one.id in known}

    def also_fitting(
        self, requirements: Requirements, *, besides: Iterable[Offering], job: str
    ) -> tuple[Offering, ...]:
        """Return those of rented machines that satisfy the requirements of a job, `besides` what it has, by their ids.

        Of several machines together, or of accelerators in an order, nothing is said.
        """
        asked_for = requirements.accelerators
        is_in_order = isinstance(asked_for, Alternatives) and asked_for.in_order
        if requirements.nodes > 1 or _only_owned(requirements) or is_in_order or not self._entries:
            return ()
        positions: set[int] = set()
        for wanted in _in_turn(requirements):
            for accelerators in wanted:
                asked = _Asked(self._catalog, checks_of(self._catalog, requirements, accelerators, job=job))
                fits = self._catalog.index.by_column.among(self._entries, asked.types, asked.shelves)
                positions.update(compress(count(), fits))
        positions.difference_update(self._position.get(id(one), -1) for one in besides)
        return tuple(self._offerings[position] for position in sorted(positions))


def _in_turn(requirements: Requirements) -> Iterable[tuple[Accelerators | None, ...]]:
    """Yield groups of equally good alternatives, the most wanted first."""
    asked = requirements.accelerators
    if not isinstance(asked, Alternatives):
        return ((asked,),)
    return ((option,) for option in asked.options) if asked.in_order else (asked.options,)


def _only_owned(requirements: Requirements) -> bool:
    return bool(requirements.only_here) or (
        requirements.providers is not None and requirements.providers <= {LOCAL, OWN}
    )


def _all(part: _Part) -> Iterable[int]:
    return part.index.every(part.types, frozenset(part.shelves))


def _rented(part: _Part, seconds: Callable[[Offering], float] | None, *, by_power: bool) -> Iterable[int]:
    index, types, shelves = part.index, part.types, part.shelves
    if seconds is None:
        if not by_power:
            return index.cheapest(types, shelves)
        entries = index.by_column.every(types, shelves)
        return index.by_column.unbeaten(entries, dict.fromkeys(types, 1.0), by_power=True)
    entries = index.by_column.every(types, shelves)
    # one offering of each type stands for all of it
    examples = index.by_column.one_of_each_type(entries)
    times = {number: seconds(index.offering(entry)) for number, entry in examples.items()}
    alike: dict[float, set[int]] = {}
    for number, time in times.items():
        alike.setdefault(time, set()).add(number)
    if by_power or len(alike) > _FEW_TIMES:
        return index.by_column.unbeaten(entries, times, by_power=by_power)
    return [entry for group in alike.values() for entry in index.cheapest(frozenset(group), shelves)]


def _parts(asked: _Asked, blocks: Collection[Block]) -> Iterator[_Part]:
    """Yield what passes the checks; with blocks in several parts: at each place the types that are to be had there."""
    index, all_types = asked.catalog.index, asked.types
    if not blocks:
        yield _Part(index, all_types, asked.shelves)
        return
    groups: dict[Types, list[int]] = {}
    for shelf in asked.shelves:
        place, market = index.shelf(shelf)
        near = [block for block in blocks if block.reaches(place, market)]
        groups.setdefault(_unblocked(index, all_types, near) if near else all_types, []).append(shelf)
    for types, shelves in groups.items():
        yield _Part(index, types, tuple(shelves))


def _unblocked(index: Index, types: Types, blocks: Collection[Block]) -> Types:
    columns = index.columns
    return frozenset(
        number
        for number in types
        if not any(
            block.is_about(
                columns["instance_type"][number],
                is_accelerated=bool(columns["accelerator"][number]),
                arch=columns["arch"][number],
            )
            for block in blocks
        )
    )


# --------------------------------------------------------------------------------------------------- near misses


def _refuse_unknown_providers(requirements: Requirements, *, job: str) -> None:
    for unknown in sorted((requirements.providers or frozenset()) - set(PROVIDERS)):
        raise NoCandidateError(
            f"{asker(job)} names '{unknown}', but offerings are known only of {sentence_list(PROVIDERS)}",
            hint=did_you_mean(unknown, PROVIDERS),
        )


def _no_candidate(
    catalog: Catalog, requirements: Requirements, checks: Sequence[Check], *, job: str
) -> NoCandidateError:
    """Say of each requirement that stands alone in the way what the others leave; else where they run dry."""
    in_the_way = []
    for check in checks:
        rest = _specimens(catalog, [one for one in checks if one is not check], of_each_type=bool(check.column))
        if rest:
            in_the_way.append((check, check.nearest(rest)))
    if not in_the_way:
        so_far: list[Check] = []
        for check in checks:
            if not _specimens(catalog, [*so_far, check], of_each_type=False):
                in_the_way.append((check, check.nearest(_specimens(catalog, so_far, of_each_type=True))))
                break
            so_far.append(check)
    asked = [check.asked for check in checks if check.asked]
    if isinstance(requirements.accelerators, Alternatives):
        asked[0] = str(requirements.accelerators)
    with_the_rest = "with all else as asked, " if len(asked) > 1 else ""
    return NoCandidateError(
        f"{asker(job)} asks for {sentence_list(asked or ['a machine'])}; {with_the_rest}"
        + "; or ".join(text for _, text in in_the_way),
        hint=next((check.hint for check, _ in in_the_way if check.hint), None),
    )


def _specimens(catalog: Catalog, checks: Sequence[Check], *, of_each_type: bool) -> list[Offering]:
    """Return offerings that pass: one of every place and market, and if need be one of every machine type."""
    asked = _Asked(catalog, checks)
    index, types, shelves = catalog.index, asked.types, asked.shelves
    entries = set(index.cheapest(types, shelves))
    if entries and of_each_type:
        entries.update(index.any_of_each(types, frozenset(shelves)))
    return [*asked.owned, *map(index.offering, sorted(entries))]
