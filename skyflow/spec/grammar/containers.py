"""The shapes of the containers of a job."""

from skyflow.spec.availability import CONTAINER_CREDENTIALS, JOB, JOB_OUTPUTS
from skyflow.spec.grammar.shapes import Key, Shape, one_of, table
from skyflow.spec.grammar.texts import LABEL_LIST, NON_EMPTY, TEXT, texts

__all__ = ["container", "service"]


def _container_keys() -> dict[str, Key | Shape]:
    credentials = table(
        "a map with 'username' and 'password'",
        {
            "username": NON_EMPTY.about("The name to log in with."),
            "password": NON_EMPTY.about("The password, or a token."),
        },
        where=CONTAINER_CREDENTIALS,
    )
    return {
        "image": NON_EMPTY.about(
            "The image, as for `docker run`: `postgres:17`, `ghcr.io/owner/name:tag`. It is fetched if it is not on the machine. "
            "If an expression comes out empty, there is no such container."
        ),
        "env": texts("Environment variables in the container.", values=TEXT.at(JOB_OUTPUTS)),
        "ports": LABEL_LIST.about(
            "Ports to publish on this machine: `5432` on any free one, `15432:5432` on that one. "
            "`job.services.<id>.ports['5432']` tells which."
        ),
        "volumes": LABEL_LIST.about("Volumes to mount: `name:/path`, `/host:/path`, `/host:/path:ro`."),
        "options": TEXT.about(
            "More options, as for `docker create`, such as `--health-cmd`, which steps wait for. Not `--network`, not "
            "`--entrypoint`."
        ),
        "credentials": credentials.about("How to log in to the registry of the image; never stored."),
    }


def container() -> Shape:
    """Return the shape of `container`."""
    mapping = table("", _container_keys(), name="container")
    return one_of("an image, or a map with 'image'", TEXT, mapping, where=JOB).about(
        "The container that the steps run in, an image or a map; it needs Docker or Podman on the machine."
    )


def service() -> Shape:
    """Return the shape of one of `services`."""
    own: dict[str, Key | Shape] = {
        "entrypoint": TEXT.about("What runs in place of the image's own entry point."),
        "command": TEXT.about("What runs in place of the image's own command."),
    }
    return one_of(
        "an image, or a map with 'image'", NON_EMPTY, table("", _container_keys() | own, name="service"), where=JOB
    )
