"""The containers that a job asks for, evaluated when an attempt at it begins."""

from collections.abc import Iterable, Iterator

from skyflow.engine.contexts import EvaluationError, Scope
from skyflow.expr import Array, Object, Value, to_string
from skyflow.model.containers import ContainerRequest, ContainersRequest
from skyflow.model.workflow import INSERT, Authored, Container, JobSpec

__all__ = ["asked_containers"]

_DOCKER = "docker://"
_JOB_KEYS = frozenset({"image", "env", "ports", "volumes", "options", "credentials"})
_SERVICE_KEYS = _JOB_KEYS | {"entrypoint", "command"}


def asked_containers(scope: Scope, spec: JobSpec) -> ContainersRequest | None:
    """Return the containers of a job, or None where there are none: an empty image asks for no container.

    Raises:
        EvaluationError: an expression fails, or does not give a container.
    """
    container = None
    if spec.container is not None:
        container = _request("", _value(scope, spec.container), _JOB_KEYS)
    found = (_request(name, value, _SERVICE_KEYS) for name, value in _services(scope, spec.services))
    services = tuple(service for service in found if service is not None)
    if container is None and not services:
        return None
    return ContainersRequest(container=container, services=services)


def _services(scope: Scope, services: Iterable[tuple[str, Container]]) -> Iterator[tuple[str, Value]]:
    for name, spec in services:
        value = _value(scope, spec)
        if name != INSERT:
            yield name, value
        elif isinstance(value, Object):
            yield from value.items()
        elif value is not None:
            raise EvaluationError(f"services: expected a map from names to containers, found '{to_string(value)}'")


def _value(scope: Scope, spec: Container) -> Value:
    """Return a container as one value: that of the expression in its place, or the map that was written out."""
    image = None if spec.image is None else scope.value(spec.image)
    if isinstance(image, Object):
        return image
    keys: list[tuple[str, Authored | None]] = [
        ("options", spec.options),
        ("entrypoint", spec.entrypoint),
        ("command", spec.command),
    ]
    credentials = [("username", spec.username), ("password", spec.password)]
    entries: list[tuple[str, Value]] = [
        ("image", image),
        ("env", Object(scope.variables(spec.env), case_sensitive=True)),
        ("ports", Array(_flat(scope.value(item) for item in spec.ports))),
        ("volumes", Array(_flat(scope.value(item) for item in spec.volumes))),
        ("credentials", Object((key, scope.value(value)) for key, value in credentials if value is not None)),
        *((key, scope.value(value)) for key, value in keys if value is not None),
    ]
    return Object(entries)


def _flat(values: Iterable[Value]) -> Iterator[Value]:
    """Yield the items of lists that an expression gave in place of one item."""
    for value in values:
        if isinstance(value, Array):
            yield from value
        else:
            yield value


def _request(name: str, value: Value, known: frozenset[str]) -> ContainerRequest | None:
    entries = value if isinstance(value, Object) else Object([("image", value)])
    where = f"the service '{name}'" if name else "the container"
    for key in entries:
        if key.lower() not in known and to_string(entries.get(key)):
            raise EvaluationError(f"{where} has the key '{key}', which containers do not have")
    image = to_string(entries.get("image")).removeprefix(_DOCKER).strip()
    if not image:
        return None
    credentials = entries.get("credentials")
    login = credentials if isinstance(credentials, Object) else Object()
    variables = entries.get("env")
    return ContainerRequest(
        name=name,
        image=image,
        env=tuple((key, to_string(each)) for key, each in variables.items()) if isinstance(variables, Object) else (),
        ports=_texts(entries.get("ports")),
        volumes=_texts(entries.get("volumes")),
        options=to_string(entries.get("options")),
        username=to_string(login.get("username")),
        password=to_string(login.get("password")),
        entrypoint=to_string(entries.get("entrypoint")),
        command=to_string(entries.get("command")),
    )


def _texts(value: Value) -> tuple[str, ...]:
    items = value if isinstance(value, Array) else (value,)
    return tuple(text for item in items if (text := to_string(item)))
