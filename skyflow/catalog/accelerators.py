"""Accelerators: one canonical name per device, what else people and drivers call it, and what it does at most."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from skyflow.catalog.tables import Table
from skyflow.model.catalog import Offering

__all__ = ["AcceleratorNames", "accelerator_names"]


@dataclass(frozen=True, slots=True)
class AcceleratorNames:
    """Every known name, lower-case, with the canonical name it stands for; and the kind of each device.

    `peaks` are trillions of floating-point operations per second, dense and of 16 bits, of those devices that have one.
    """

    by_name: Mapping[str, str]
    kinds: Mapping[str, str]
    peaks: Mapping[str, float]

    def canonical(self, name: str) -> str | None:
        """Return the canonical name, ignoring case, or None for a name nobody has told us."""
        return self.by_name.get(name.strip().lower())

    @property
    def known(self) -> tuple[str, ...]:
        """The canonical names, in the order of the table."""
        return tuple(self.kinds)

    def canonically_named(self, offering: Offering) -> Offering:
        """Return the offering with its accelerator under the canonical name, or as it is if that is not known."""
        if offering.accelerators is None:
            return offering
        name = self.canonical(offering.accelerators.name)
        if name is None:
            return offering
        able = offering.capabilities | self.capabilities(name)
        return replace(offering, accelerators=replace(offering.accelerators, name=name), capabilities=able)

    def capabilities(self, name: str) -> frozenset[str]:
        """Return what a machine with this device can be asked for as: `gpu`, `tpu`, `trainium`, ..."""
        kind = self.kinds.get(name, "")
        if kind in {"gpu", "tpu", "fpga"}:
            return frozenset({kind})
        return frozenset(word for word in ("trainium", "inferentia") if name.lower().startswith(word))


def accelerator_names(table: Table) -> AcceleratorNames:
    """Read the names out of `accelerators.csv`; a name that stands for two devices is a fault of the second one."""
    by_name: dict[str, str] = {}
    kinds: dict[str, str] = {}
    peaks: dict[str, float] = {}
    for line, canonical, kind, peak, aliases in table.rows("name", "kind", "fp16_tflops", "aliases"):
        for column, name in (("name", canonical), *(("aliases", alias) for alias in aliases)):
            if by_name.setdefault(name.lower(), canonical) != canonical:
                table.fault(line, column, f"'{name}' already stands for {by_name[name.lower()]}")
                break
        else:
            kinds[canonical] = kind
            if peak:
                peaks[canonical] = peak
    return AcceleratorNames(by_name, kinds, peaks)
