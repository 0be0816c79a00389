"""What stands on the command line of an engine for one container."""

import base64
import json
import re
import shlex
from collections.abc import Mapping, Sequence

from skyflow.model.containers import ContainerRequest
from skyflow.runners.containers.engine import ContainerError

__all__ = [
    "command_words",
    "full_image_name",
    "label_options",
    "login_file",
    "registry_of",
    "safe_name",
    "user_options",
]

_DOCKER_HUB = "https://index.docker.io/v1/"
"""The key of Docker Hub in configuration files, by whichever of its hosts an image names it (docker/cli, `IndexServer`)."""
_DOCKER_HUB_HOSTS = frozenset({"docker.io", "index.docker.io"})
_REFUSED = ("--network", "--net", "--entrypoint")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


def user_options(request: ContainerRequest) -> list[str]:
    """Return the options that a workflow gives: ports, volumes, and `options` as written.

    Raises:
        ContainerError: `options` cannot be split into words, or has one that is skyflow's own business.
    """
    words = _split(request.options, "options")
    for word in words:
        if word.partition("=")[0] in _REFUSED:
            raise ContainerError(f"`options` may not have {word.partition('=')[0]}, as on GitHub")
    published = [part for port in request.ports for part in ("--publish", port)]
    mounted = [part for volume in request.volumes for part in ("--volume", volume)]
    return [*published, *mounted, *words]


def command_words(request: ContainerRequest) -> tuple[list[str], list[str]]:
    """Return the option for the entry point of a service, and the words that follow the image.

    Raises:
        ContainerError: they cannot be split into words.
    """
    program, *more = _split(request.entrypoint, "entrypoint") or [""]
    return ["--entrypoint", program] if program else [], [*more, *_split(request.command, "command")]


def registry_of(image: str) -> str:
    """Return the registry that an image comes from, as configuration files name it."""
    host = _host(image)
    return _DOCKER_HUB if host is None or host in _DOCKER_HUB_HOSTS else host


def full_image_name(image: str) -> str:
    """Return an image with its registry: one that names none is of Docker Hub, as GitHub has it."""
    if _host(image) is not None:
        return image
    return f"docker.io/{image}" if "/" in image else f"docker.io/library/{image}"


def login_file(request: ContainerRequest) -> str:
    """Return the content of a configuration file that logs in to the registry of an image."""
    token = base64.b64encode(f"{request.username}:{request.password}".encode()).decode()
    return json.dumps({"auths": {registry_of(request.image): {"auth": token}}})


def safe_name(*parts: str) -> str:
    """Return a name that containers and networks may have; jobs of called workflows have a slash in theirs."""
    return "-".join(_NOT_IN_A_NAME.sub("-", part.replace("/", "..")) for part in parts if part)


def label_options(labels: Mapping[str, str]) -> list[str]:
    """Return the options that mark a container or network as ours."""
    return [part for name, value in labels.items() for part in ("--label", f"{name}={value}")]


def _host(image: str) -> str | None:
    """Return the host that an image names as its registry."""
    host, slash, _ = image.partition("/")
    return host if slash and (host == "localhost" or "." in host or ":" in host) else None


def _split(line: str, key: str) -> Sequence[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise ContainerError(f"`{key}` cannot be split into words: {error}: {line}") from error
