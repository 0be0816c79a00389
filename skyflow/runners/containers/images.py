"""Images: used as they are where they are on the machine, else fetched, with credentials if there are any."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from skyflow.model.containers import ContainerRequest
from skyflow.runners.containers.engine import ContainerEngine, ContainerError
from skyflow.runners.containers.log import ContainerLog
from skyflow.runners.containers.options import full_image_name, login_file

__all__ = ["Patience", "image_of"]

_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 -- a private folder is made in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait between two looks; `sleep` waits."""

    pull_seconds: tuple[float, ...] = (1.0, 5.0)
    """Before an image is asked for again; then it is given up. GitHub asks three times as well."""
    first_seconds: float = 0.5
    """Before a service is looked at again; twice as long each time."""
    most_seconds: float = 16.0
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


async def image_of(engine: ContainerEngine, request: ContainerRequest, log: ContainerLog, patience: Patience) -> str:
    """Return the name of the image of a container, which is on this machine then.

    Raises:
        ContainerError: it cannot be fetched.
    """
    if request.image.startswith("-"):
        raise ContainerError(f"'{request.image}' is not the name of an image")
    code, _, _ = await engine.ask("image", "inspect", request.image)
    if code == 0:
        log.say(f"{request.image} is on this machine")
        return request.image
    name = full_image_name(request.image)
    for wait in (*patience.pull_seconds, None):
        try:
            async with _login(engine, request) as (options, env):
                await engine.run(*options, "pull", name, env=env, show=log.raw)
        except ContainerError as error:
            if wait is None:
                raise ContainerError(f"the image {request.image} cannot be fetched: {error}") from error
            log.say(f"once more in {wait:g} seconds")
            await patience.sleep(wait)
        else:
            break
    return name


@asynccontextmanager
async def _login(engine: ContainerEngine, request: ContainerRequest) -> AsyncIterator[tuple[list[str], dict[str, str]]]:
    """Give the options and variables that let the client fetch an image with its credentials.

    They are in a file that nobody else may read, in memory where there is such a folder, for as long as this lasts.
    """
    if not request.username or not request.password:
        yield [], {}
        return
    base = str(_MEMORY_FOLDER) if os.access(_MEMORY_FOLDER, os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="skyflow-", dir=base)
    try:
        file = Path(folder) / "config.json"
        file.touch(mode=0o600)
        file.write_text(login_file(request), encoding="utf-8")
        if engine.is_podman:
            yield [], {"REGISTRY_AUTH_FILE": str(file)}
        else:  # another configuration forgets which context is in use, hence where the engine is
            host = await engine.run("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
            yield ["--config", folder], {"DOCKER_HOST": host.strip()}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
