"""The words for a place in a workflow file."""

from skyflow.spec.nodes import Path

__all__ = ["place"]


def place(path: Path) -> str:
    """Return where a path leads, to end a sentence: `in job 'build'`, `in step 2 of job 'build'`."""
    if not path:
        return "at the top level"
    owners: list[str] = []
    match path:
        case ("jobs", job, "steps", int(index), *inner):
            owners = [f"step {index + 1}", f"job '{job}'"]
        case ("jobs", job, *inner):
            owners = [f"job '{job}'"]
        case _:
            inner = list(path)
    if inner:
        owners.insert(0, f"'{'.'.join(str(step) for step in inner)}'")
    return f"in {' of '.join(owners)}"
