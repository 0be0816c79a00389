"""The names of accelerators: one canonical name per device, and what else people and drivers call it."""

from dataclasses import dataclass, replace
from pathlib import Path

from skyflow.catalog.tables import read_table
from skyflow.model.catalog import Offering

__all__ = ["AcceleratorNames", "read_accelerators"]


@dataclass(frozen=True, slots=True)
class AcceleratorNames:
    """Every known name, lower-case, with the canonical name it stands for."""

    by_name: dict[str, str]

    def canonical(self, name: str) -> str | None:
        """Return the canonical name, ignoring case, or None for a name nobody has told us."""
        return self.by_name.get(name.strip().lower())

    @property
    def known(self) -> tuple[str, ...]:
        """The canonical names, in the order of the table."""
        return tuple(dict.fromkeys(self.by_name.values()))

    def canonically_named(self, offering: Offering) -> Offering:
        """Return the offering with its accelerator under the canonical name, or as it is if that is not known."""
        if offering.accelerators is None:
            return offering
        name = self.canonical(offering.accelerators.name)
        return replace(offering, accelerators=replace(offering.accelerators, name=name)) if name else offering


def read_accelerators(path: Path) -> AcceleratorNames:
    """Read `accelerators.csv`.

    Raises:
        CatalogError: the table is faulty, or one name stands for two devices.
    """
    by_name: dict[str, str] = {}
    for row in read_table(path, ("name", "vendor", "kind", "aliases")):
        canonical = row.text("name")
        for column, name in (("name", canonical), *(("aliases", alias) for alias in _aliases(row.optional("aliases")))):
            if by_name.setdefault(name.lower(), canonical) != canonical:
                raise row.fault(column, f"'{name}' already stands for {by_name[name.lower()]}")
    return AcceleratorNames(by_name)


def _aliases(cell: str) -> list[str]:
    return [alias for alias in cell.split("|") if alias]
