"""The artifacts of a run, for people and for programs."""

from collections.abc import Iterator, Sequence

from skyflow.model.artifacts import Artifact
from skyflow.model.run import Json
from skyflow.model.stores import HERE
from skyflow.model.units import format_gb

__all__ = ["artifact_lines", "artifacts_to_json"]


def artifact_lines(artifacts: Sequence[Artifact]) -> Iterator[str]:
    """Yield a line for each artifact: its name, its size, who stored it, until when it is kept, and where if not here."""
    if not artifacts:
        yield "No artifacts"
        return
    names = max(len(artifact.name) for artifact in artifacts)
    sizes = max(len(format_gb(artifact.size / 1e9)) for artifact in artifacts)
    for artifact in artifacts:
        size = format_gb(artifact.size / 1e9)
        where = "" if artifact.store == HERE else f" in '{artifact.store}'"
        yield (
            f"{artifact.name:<{names}}  {size:>{sizes}}  from job '{artifact.by.job_key}', "
            f"kept{where} until {artifact.expires:%Y-%m-%d}"
        )


def artifacts_to_json(artifacts: Sequence[Artifact]) -> list[Json]:
    """Return the machine-readable form: sizes in bytes, times in ISO 8601."""
    return [
        {
            "id": artifact.id,
            "name": artifact.name,
            "run": artifact.run,
            "job": artifact.by.job_key,
            "attempt": artifact.by.attempt,
            "created": artifact.created.isoformat(),
            "expires": artifact.expires.isoformat(),
            "size": artifact.size,
            "tree": artifact.tree,
            "store": artifact.store,
        }
        for artifact in artifacts
    ]
