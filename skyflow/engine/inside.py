"""What the steps of a job see of its containers."""

from skyflow.expr import Object, Value
from skyflow.model.containers import Mounts, StartedContainer, StartedContainers

__all__ = ["container_entries", "seen_inside"]


def container_entries(started: StartedContainers | None) -> list[tuple[str, Value]]:
    """Return what the `job` context has of the containers of a job: nothing where there are none."""
    if started is None:
        return []
    shared: tuple[str, Value] = ("network", started.network)
    own = [] if started.container is None else _entries(started.container)[:1]
    services = Object((name, Object([*_entries(each), shared])) for name, each in started.services)
    return [("container", Object([*own, shared])), ("services", services)]


def seen_inside(context: Value, mounts: Mounts) -> Value:
    """Return a context with the paths in it as they are in the container of the steps."""
    if not isinstance(context, Object) or not mounts.pairs:
        return context
    return Object(
        (name, mounts.to_inside(value) if isinstance(value, str) else value) for name, value in context.items()
    )


def _entries(container: StartedContainer) -> list[tuple[str, Value]]:
    return [("id", container.id), ("ports", Object(container.ports))]
