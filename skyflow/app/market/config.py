"""The project's `skyflow.yml`: read, and held against the catalog."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from skyflow._util.text import did_you_mean
from skyflow.app.market.catalog_folder import catalog_folder
from skyflow.app.project import CONFIG_NAME
from skyflow.catalog import Catalog, load_catalog
from skyflow.diagnostics import Diagnostic
from skyflow.errors import UsageError
from skyflow.model.catalog import LOCAL_PLACE
from skyflow.model.config import ProjectConfig
from skyflow.model.resources import Market
from skyflow.spec import load_config
from skyflow.spec.source import read_bytes

__all__ = ["CheckedConfig", "check_config", "project_config", "refuse_unknown_regions"]


@dataclass(frozen=True, slots=True)
class CheckedConfig:
    """A valid `skyflow.yml`: what it says, findings about its text, and sentences about what fits nothing."""

    path: Path
    config: ProjectConfig
    findings: tuple[Diagnostic, ...]
    doubts: tuple[str, ...]


def project_config(root: Path) -> ProjectConfig:
    """Return what the project's `skyflow.yml` says; nothing where there is none.

    Raises:
        UsageError: the file cannot be read.
        WorkflowInvalidError: the file has errors.
    """
    path = root / CONFIG_NAME
    if not path.exists():
        return ProjectConfig()
    config, _ = load_config(_shown(path), read_bytes(str(path)))
    return _from(path, config)


def check_config(path: Path) -> CheckedConfig:
    """Read a `skyflow.yml`, and look whether what it names is in the catalog.

    Raises:
        UsageError: there is no such file, or no table knows where a store is.
        WorkflowInvalidError: the file has errors.
        CatalogError: the catalog it names cannot be used.
    """
    if not path.exists():
        raise UsageError(f"there is no {path}", hint="`skyflow config check FILE` checks another one")
    config, findings = load_config(_shown(path), read_bytes(str(path)))
    config = _from(path, config)
    refuse_unknown_regions(config, load_catalog(catalog_folder(config), config))
    return CheckedConfig(path, config, findings, tuple(_doubts(config)))


def refuse_unknown_regions(config: ProjectConfig, catalog: Catalog) -> None:
    """Make sure that the tables know where every store is.

    Raises:
        UsageError: they do not.
    """
    for store in config.stores:
        where = store.place
        if where is not None and where != LOCAL_PLACE and (where.provider, where.region) not in catalog.regions:
            known = [f"{provider}/{region}" for provider, region in catalog.regions]
            name = f"{where.provider}/{where.region}"
            raise UsageError(
                f"the store '{store.name}' is in '{name}', which no table knows", hint=did_you_mean(name, known)
            )


def _from(path: Path, config: ProjectConfig) -> ProjectConfig:
    """Take folders from where the file is."""
    stores = tuple(
        store if urlsplit(store.url).scheme else replace(store, url=str(path.parent / Path(store.url).expanduser()))
        for store in config.stores
    )
    actions = tuple(
        replace(each, folder=str((path.parent / Path(each.folder).expanduser()).resolve())) for each in config.actions
    )
    catalog = str(path.parent / config.catalog) if config.catalog else None
    return replace(config, stores=stores, actions=actions, catalog=catalog)


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _doubts(config: ProjectConfig) -> Iterator[str]:
    catalog = load_catalog(catalog_folder(config), replace(config, prices=(), peerings=()))
    names = catalog.accelerators
    for pool in config.pools:
        if pool.accelerators and names.canonical(pool.accelerators.name) is None:
            near = did_you_mean(pool.accelerators.name, names.known, otherwise="jobs have to name it like that")
            yield f"machines '{pool.name}': no table knows the accelerator '{pool.accelerators.name}'; {near}"
        if pool.idle_watts is not None and pool.gco2_per_kwh is None and not pool.country:
            yield f"machines '{pool.name}': say 'country' or 'carbon' in 'place', else their carbon is not reckoned"
    for action in config.actions:
        if not Path(action.folder).is_dir():
            yield f"action '{action.name}': there is no folder {action.folder}"
    index = catalog.index
    sold = {(index.places[place].provider, index.places[place].region) for place, _, _ in index.header["shelves"]}
    types = set(zip(index.columns["provider"], index.columns["instance_type"], strict=True))
    for number, rule in enumerate(config.prices, start=1):
        places = [where for where in sold if rule.fits(*where, rule.instance_type, rule.market or Market.ON_DEMAND)]
        kinds = [kind for kind in types if rule.fits(kind[0], rule.region, kind[1], rule.market or Market.ON_DEMAND)]
        if not places or not kinds:
            what = "region" if not places else "instance type"
            yield f"price rule {number} fits no {what} of the catalog, so it changes nothing"
