"""Shapes that several parts of the language share."""

from skyflow.spec.availability import CONTAINER_CREDENTIALS, JOB, JOB_OUTPUTS, NOTHING, Availability
from skyflow.spec.grammar.shapes import Key, Shape, items, one_of, table, text

__all__ = [
    "LABEL_LIST",
    "NON_EMPTY",
    "PERMISSIONS",
    "SHELL",
    "TEXT",
    "WORKING_DIRECTORY",
    "concurrency",
    "container",
    "defaults",
    "service",
    "texts",
]

TEXT = text()
NON_EMPTY = text("text that is not empty", non_empty=True)
LABEL_LIST = items("a list of texts that are not empty", NON_EMPTY)
SHELL = NON_EMPTY.about(
    "The program that runs the script: `bash`, `sh`, `python`, `pwsh`, `powershell`, `cmd`, or a command line with "
    "`{0}` where the name of the script goes."
)
WORKING_DIRECTORY = NON_EMPTY.about("Where the script runs; relative to the workspace.")


def texts(description: str, where: Availability = NOTHING, values: Shape = TEXT) -> Shape:
    """Return the shape of a map from names to texts, such as `env`."""
    return table("a map from names to text", other=values, where=where).about(description)


def defaults(description: str, where: Availability = NOTHING) -> Shape:
    """Return the shape of `defaults`."""
    run = table(
        "a map with 'shell' and 'working-directory'",
        {"shell": SHELL, "working-directory": WORKING_DIRECTORY},
        where=where,
    )
    return table("a map with 'run'", {"run": run.about("Settings of run steps.")}).about(description)


def concurrency(description: str, name: Shape, where: Availability) -> Shape:
    """Return the shape of `concurrency`; `name` is the shape of the short form."""
    queue = text("'single' or 'max'", "single", "max")
    mapping = table(
        "a map with 'group'",
        {
            "group": Key(NON_EMPTY.about("The name of the group; case does not matter."), required=True),
            "cancel-in-progress": Shape(
                "true, false or an expression",
                "Whether what runs is cancelled, instead of waited for.",
                flag=True,
            ),
            "queue": queue.about("`single`: one may wait, and a newer one takes its place. `max`: all wait."),
        },
        plain_keys=True,
    )
    return one_of("the name of a group, or a map with 'group'", name, mapping, where=where).about(description)


def _level(*levels: str) -> Shape:
    return text(" or ".join(f"'{level}'" for level in levels), *levels)


_ANY_LEVEL = _level("read", "write", "none")
_SCOPES: dict[str, tuple[str, Shape]] = {
    "actions": ("Workflows, their runs, and artifacts.", _ANY_LEVEL),
    "artifact-metadata": ("Records about artifacts.", _ANY_LEVEL),
    "attestations": ("Attestations of artifacts.", _ANY_LEVEL),
    "checks": ("Check runs and check suites.", _ANY_LEVEL),
    "contents": ("The content of the repository, and releases.", _ANY_LEVEL),
    "copilot-requests": ("Requests to Copilot.", _level("write", "none")),
    "deployments": ("Deployments and their statuses.", _ANY_LEVEL),
    "discussions": ("Discussions.", _ANY_LEVEL),
    "id-token": ("A token that proves who runs the job to others (OpenID Connect).", _level("write", "none")),
    "issues": ("Issues, their comments, labels and milestones.", _ANY_LEVEL),
    "models": ("AI models.", _level("read", "none")),
    "packages": ("Packages.", _ANY_LEVEL),
    "pages": ("Pages.", _ANY_LEVEL),
    "pull-requests": ("Pull requests, their comments and labels.", _ANY_LEVEL),
    "repository-projects": ("Classic projects of the repository.", _ANY_LEVEL),
    "security-events": ("Alerts of code scanning.", _ANY_LEVEL),
    "statuses": ("Statuses of commits.", _ANY_LEVEL),
    "vulnerability-alerts": ("Alerts about dependencies.", _level("read", "none")),
}

PERMISSIONS = one_of(
    "'read-all', 'write-all', or a map from scopes to levels",
    text("", "read-all", "write-all"),
    table("", {scope: level.about(what) for scope, (what, level) in _SCOPES.items()}, name="permissions"),
).about("What GitHub's token may do. Accepted, has no effect: there is no such token.")


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
        "image": NON_EMPTY.about("The image, as for `docker run`."),
        "env": texts("Environment variables in the container.", values=TEXT.at(JOB_OUTPUTS)),
        "ports": LABEL_LIST.about("Ports to publish."),
        "volumes": LABEL_LIST.about("Volumes to mount: `name:/path` or `/host:/path`."),
        "options": TEXT.about("More options, as for `docker create`."),
        "credentials": credentials.about("How to log in to the registry."),
    }


def container() -> Shape:
    """Return the shape of `container`."""
    mapping = table("", _container_keys(), name="container")
    return one_of("an image, or a map with 'image'", TEXT, mapping, where=JOB).about(
        "The container that the steps run in: an image, or a map."
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
