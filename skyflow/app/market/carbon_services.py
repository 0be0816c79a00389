"""Which carbon services can be asked: each with its keys in variables of the environment."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from skyflow._util.text import sentence_list
from skyflow.catalog.refresh.carbon import CarbonService
from skyflow.catalog.refresh.eia import Eia
from skyflow.catalog.refresh.electricity_maps import ElectricityMaps
from skyflow.catalog.refresh.entsoe import Entsoe
from skyflow.catalog.refresh.neso import NationalEnergySystemOperator
from skyflow.catalog.refresh.watttime import WattTime
from skyflow.catalog.refresh.web import Web
from skyflow.errors import UsageError

__all__ = ["CARBON_SERVICES", "carbon_services", "keys_that_help"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A service, the variables that hold its keys, and what makes it: of the web, the keys, and its address if another one."""

    title: str
    variables: tuple[str, ...]
    make: Callable[..., CarbonService]


CARBON_SERVICES: Mapping[str, _Known] = {
    "electricitymaps": _Known(title=ElectricityMaps.title, variables=("ELECTRICITYMAPS_TOKEN",), make=ElectricityMaps),
    "watttime": _Known(title=WattTime.title, variables=("WATTTIME_USER", "WATTTIME_PASSWORD"), make=WattTime),
    "eia": _Known(title=Eia.title, variables=("EIA_API_KEY",), make=Eia),
    "entsoe": _Known(title=Entsoe.title, variables=("ENTSOE_API_KEY",), make=Entsoe),
    "neso": _Known(title=NationalEnergySystemOperator.title, variables=(), make=NationalEnergySystemOperator),
}
"""Every service by name, the one that knows most first: of several that know a grid, the first is asked."""


def carbon_services(web: Web, *, name: str | None = None, addresses: Mapping[str, str]) -> list[CarbonService]:
    """Return the service of that name, or without one all whose keys are there, in their order.

    Args:
        web: what fetches.
        name: a service that has to be there.
        addresses: other addresses than the official ones, by name.

    Raises:
        UsageError: a key of the service that was named is missing.
    """
    found = []
    for other, known in CARBON_SERVICES.items():
        if name not in {None, other}:
            continue
        keys = [os.environ.get(variable, "") for variable in known.variables]
        if all(keys):
            address = {"base": addresses[other]} if other in addresses else {}
            found.append(known.make(web, *keys, **address))
        elif name is not None:
            missing = [variable for variable, key in zip(known.variables, keys, strict=True) if not key]
            raise UsageError(
                f"{known.title} asks for a key", hint=f"set {sentence_list(missing)} to that of your account"
            )
    return found


def keys_that_help() -> str:
    """Return the variables that hold keys, as words."""
    pairs = [sentence_list(known.variables) for known in CARBON_SERVICES.values() if known.variables]
    return f"set {sentence_list(pairs, conjunction='or')}"
