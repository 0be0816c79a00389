"""What kind of action the `uses` of a step names."""

__all__ = ["BUILT_IN_ACTIONS", "is_built_in", "is_docker", "is_remote"]

BUILT_IN_ACTIONS = (
    "actions/cache",
    "actions/cache/restore",
    "actions/cache/save",
    "actions/checkout",
    "actions/download-artifact",
    "actions/setup-node",
    "actions/setup-python",
    "actions/upload-artifact",
)
"""The actions that skyflow has versions of its own of."""


def is_built_in(uses: str) -> bool:
    """Tell whether a step uses an action that skyflow has a version of its own of."""
    return uses.partition("@")[0].lower() in BUILT_IN_ACTIONS


def is_docker(uses: str) -> bool:
    """Tell whether a step uses a container image as an action."""
    return uses.startswith("docker://")


def is_remote(uses: str) -> bool:
    """Tell whether a step uses an action of another repository that is not built in."""
    is_local = uses.startswith(("./", ".\\", "$/"))
    return not (is_local or is_docker(uses) or is_built_in(uses))
