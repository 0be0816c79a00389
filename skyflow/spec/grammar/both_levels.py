"""The shapes of what a workflow says for all its jobs, and a job for itself."""

from skyflow.spec.availability import NOTHING, Availability
from skyflow.spec.grammar.shapes import Key, Shape, one_of, table, text
from skyflow.spec.grammar.texts import NON_EMPTY, SHELL, WORKING_DIRECTORY

__all__ = ["PERMISSIONS", "concurrency", "defaults"]


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
