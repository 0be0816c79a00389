"""Names below `estimate.on` that no machine has, most likely misspelt: an estimate that would silently not count."""

from collections.abc import Iterable, Iterator

from skyflow._util.text import did_you_mean
from skyflow.app.planning.expansion import ExpectedJobs
from skyflow.catalog import Catalog
from skyflow.model.catalog import family_of
from skyflow.model.resources import LOCAL, PROVIDERS

__all__ = ["unmatched_names"]


def unmatched_names(expected: Iterable[ExpectedJobs], catalog: Catalog) -> Iterator[str]:
    """Yield a sentence for each name that is no instance type, family, accelerator or provider of the catalog."""
    named = {
        (name, each.spec.id): None
        for each in expected
        if each.spec.estimate is not None
        for name, _ in each.spec.estimate.on
    }
    if not named:
        return
    types = [*catalog.index.columns["instance_type"], *(one.instance_type for one in catalog.own)]
    every = {*types, *map(family_of, types), *catalog.accelerators.known, *PROVIDERS, LOCAL} - {""}
    known = {name.lower() for name in every}
    for name, job in named:
        if name.lower() not in known:
            hint = did_you_mean(name, sorted(every))
            what = f"'estimate.on' of '{job}' names '{name}', which no machine of the catalog is or has"
            yield f"{what}; {hint}" if hint else f"{what}; it counts for nothing"
