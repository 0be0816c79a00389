"""Containers of a job: what is asked for, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from skyflow.model.execution import Pairs

__all__ = ["ContainerRequest", "ContainersRequest", "Mounts", "StartedContainer", "StartedContainers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRequest:
    """One container, with every expression already evaluated.

    `name` is the id of a service, by which other containers reach it; empty for the container of the steps. The
    credentials are held in memory only.
    """

    name: str
    image: str
    env: Pairs = ()
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    options: str = ""
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    entrypoint: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainersRequest:
    """The containers of one attempt at a job: that of its steps, if they run in one, and those beside it."""

    container: ContainerRequest | None = None
    services: tuple[ContainerRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Mounts:
    """Where folders and files of this machine are inside a container: pairs of both paths, the longest first."""

    pairs: Pairs = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Mounts":
        """Return mounts in the order in which they are looked at."""
        return cls(tuple(sorted(pairs, key=lambda pair: (-len(pair[0]), pair))))

    def to_inside(self, text: str) -> str:
        """Return a path as it is inside; any other text as it is."""
        return _translated(text, self.pairs)

    def to_outside(self, text: str) -> str:
        """Return a path of a container as it is on this machine; any other text as it is."""
        return _translated(text, ((inside, outside) for outside, inside in self.pairs))


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedContainer:
    """A container that runs. `ports` pairs its own ports with those of this machine that lead to them."""

    id: str
    ports: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedContainers:
    """The containers of an attempt that run, and the network they share; services are by name.

    `mounts` are those of the container of the steps.
    """

    network: str
    container: StartedContainer | None = None
    services: tuple[tuple[str, StartedContainer], ...] = ()
    mounts: Mounts = Mounts()


def _translated(text: str, pairs: Iterable[tuple[str, str]]) -> str:
    for before, after in pairs:
        if text == before or text.startswith(f"{before}/"):
            return after + text[len(before) :]
    return text
