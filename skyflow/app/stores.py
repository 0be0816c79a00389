"""The stores in which a project keeps its artifacts, caches and checkpoints."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from skyflow.app.market.catalog_folder import catalog_folder
from skyflow.app.market.config import project_config
from skyflow.app.market.residency import is_resident
from skyflow.app.project import Project
from skyflow.model.catalog import LOCAL_PLACE, Place, Region, TransferRates
from skyflow.model.config import ProjectConfig
from skyflow.model.stores import HERE, DeclaredStore, store_for
from skyflow.ports.artifacts import ObjectStore

if TYPE_CHECKING:
    from skyflow.catalog import Catalog

__all__ = ["PLACE_VARIABLE", "ProjectStores", "declared_stores", "resident_stores"]

PLACE_VARIABLE = "SKYFLOW_ARTIFACTS"
"""The one store of a project, in place of those that it declares: a folder, or the URL of a bucket."""


def declared_stores(project: Project, config: ProjectConfig) -> tuple[DeclaredStore, ...]:
    """Return the stores of a project: the one that the environment names, else those of its `skyflow.yml` and its own folder."""
    text = os.environ.get(PLACE_VARIABLE, "")
    if text:
        return (DeclaredStore(name=HERE, url=text, place=_place(text)),)
    own = DeclaredStore(name=HERE, url=str(project.state.artifacts))
    is_declared = any(each.place == LOCAL_PLACE and _same_folder(each.url, own.url) for each in config.stores)
    return config.stores if is_declared else (*config.stores, own)


def resident_stores(
    stores: Sequence[DeclaredStore], residency: Collection[str], regions: Callable[[], Mapping[tuple[str, str], Region]]
) -> list[DeclaredStore]:
    """Return the stores that data of jobs may go to that `plan.residency` keeps somewhere; this machine has it in any case."""
    return [
        store
        for store in stores
        if not residency or store.place in {LOCAL_PLACE, None} or is_resident(store.place, residency, regions())
    ]


class ProjectStores(Mapping[str, ObjectStore]):
    """The stores of a project by name; each is opened when it is first used.

    Reading one raises UsageError where its URL is wrong, or what it needs is not installed.
    """

    def __init__(self, project: Project, *, residency: Collection[str] = ()) -> None:
        """Prepare; nothing happens yet.

        Args:
            project: whose they are.
            residency: where data of jobs may go, as `plan.residency` of a workflow says it.
        """
        self._project = project
        self._residency = residency
        self._opened: dict[str, ObjectStore] = {}

    def __getitem__(self, name: str) -> ObjectStore:
        """Return a store, opened."""
        if name not in self._opened:
            from skyflow.artifacts.places import open_place  # noqa: PLC0415 -- start-up

            store = self._by_name[name]
            region = store.place.region if store.place is not None else ""
            self._opened[name] = open_place(store.url, region=region, endpoint=store.endpoint)
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names, in the order of the file."""
        return iter(self._by_name)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_name)

    def all_open(self) -> Self:
        """Open every store, so that what is wrong with one is said before anything is done."""
        for name in self:
            self[name]
        return self

    def place(self, name: str) -> Place | None:
        """Return where a store is, None where nobody says."""
        return self._by_name[name].place

    def near(self, place: Place) -> DeclaredStore:
        """Return the store that jobs of a place leave their artifacts in."""
        return store_for(place, self._allowed, lambda: self._rates(place))

    @cached_property
    def declared(self) -> Sequence[DeclaredStore]:
        """All of them, in the order of the file."""
        return declared_stores(self._project, self._config)

    def rates_between(self, source: Place, target: Place) -> TransferRates:
        """Return what data costs and takes between two places.

        Raises:
            CatalogError: no table knows.
        """
        return self._catalog.rates_between({source, target})

    @cached_property
    def _allowed(self) -> Sequence[DeclaredStore]:
        return resident_stores(self.declared, self._residency, lambda: self._catalog.regions)

    @cached_property
    def _by_name(self) -> Mapping[str, DeclaredStore]:
        return {store.name: store for store in self.declared}

    @cached_property
    def _config(self) -> ProjectConfig:
        return project_config(self._project.root)

    @cached_property
    def _catalog(self) -> "Catalog":
        from skyflow.catalog import load_catalog  # noqa: PLC0415 -- start-up

        return load_catalog(catalog_folder(self._config), self._config)

    def _rates(self, place: Place) -> TransferRates:
        return self._catalog.rates_between(
            {place, *(store.place for store in self.declared if store.place is not None)}
        )


def _same_folder(one: str, other: str) -> bool:
    return Path(urlsplit(one).path).resolve() == Path(other).resolve()


def _place(text: str) -> Place | None:
    """Return where a store is, as far as the price of moving data is concerned; None for a bucket that may be anywhere.

    Of a bucket, S3 alone is known by what says how to reach it, if that is Amazon's own.
    """
    if urlsplit(text).scheme in {"", "file"}:
        return LOCAL_PLACE
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    has_endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL_S3")
    if urlsplit(text).scheme != "s3" or has_endpoint or not region:
        return None
    return Place("aws", region)
