"""A local action, as its `action.yml` describes it."""

from dataclasses import dataclass

from skyflow.diagnostics import Span
from skyflow.model.workflow import Authored, EnvSpec, Step

__all__ = ["Action", "ActionInput", "ActionOutput", "ActionRuns", "CompositeRuns", "DockerRuns", "NodeRuns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInput:
    """One of `inputs`. GitHub warns where a required one is missing, and runs the action all the same."""

    name: str
    span: Span
    description: str = ""
    required: bool = False
    default: Authored | None = None
    deprecation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOutput:
    """One of `outputs`; only composite actions say where the `value` comes from."""

    name: str
    span: Span
    description: str = ""
    value: Authored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeRuns:
    """`runs.using: composite`: steps of its own."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRuns:
    """`runs.using: node20` and the like: a JavaScript file, and perhaps one for the end of the job.

    `has_pre` tells of one for the beginning of the job, which is not run: GitHub does not run it for local actions either.
    """

    using: str
    main: str
    has_pre: bool = False
    post: str | None = None
    post_if: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerRuns:
    """`runs.using: docker`: an image or a Dockerfile."""

    image: str
    args: tuple[Authored, ...] = ()
    env: EnvSpec = ()
    entrypoint: str | None = None


ActionRuns = CompositeRuns | NodeRuns | DockerRuns


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One `action.yml`; `path` is the file as it was named."""

    path: str
    runs: ActionRuns
    name: str = ""
    description: str = ""
    inputs: tuple[ActionInput, ...] = ()
    outputs: tuple[ActionOutput, ...] = ()
