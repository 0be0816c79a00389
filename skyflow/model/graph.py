"""A workflow, or a run of one, as a picture has it: nodes that stand for one job or several, and what they wait for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from skyflow.model.placement import Placement
from skyflow.model.status import Conclusion, Status

__all__ = ["Graph", "GraphEdge", "GraphJob", "GraphNode", "Standing", "needed_edges"]


class Standing(StrEnum):
    """How a job stands in one word: its conclusion, or where it is. The first of several that apply tells most."""

    FAILURE = "failure"
    CANCELLED = "cancelled"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    QUEUED = "queued"
    ALLOWED = "failure (allowed)"
    WAITING = "waiting"
    SUCCESS = "success"
    SKIPPED = "skipped"

    @classmethod
    def of(cls, status: Status, outcome: Conclusion | None, conclusion: Conclusion | None) -> "Standing":
        """Return how an entity of a run stands."""
        if outcome is Conclusion.FAILURE and conclusion is Conclusion.SUCCESS:
            return cls.ALLOWED
        if conclusion is not None:
            return cls(conclusion.value)
        return {Status.IN_PROGRESS: cls.RUNNING, Status.INTERRUPTED: cls.INTERRUPTED}.get(status, cls.QUEUED)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphJob:
    """One job. `standing` is None in a workflow that has not run, `placement` where nothing was planned."""

    key: str
    name: str
    standing: Standing | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    placement: Placement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """A box of the picture: one job, or several that are folded."""

    id: str
    name: str
    jobs: tuple[GraphJob, ...]

    @property
    def standing(self) -> Standing | None:
        """How the node stands: as that one of its jobs which tells most."""
        if len(self.jobs) == 1:
            return self.jobs[0].standing
        found = {job.standing for job in self.jobs}
        return next((standing for standing in Standing if standing in found), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphEdge:
    """`target` waits for `source`, which hands `gigabytes` of data over as far as the workflow declares any."""

    source: str
    target: str
    gigabytes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes in the order of the workflow, and edges without those that follow from others and carry no data."""

    title: str
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]


def needed_edges(order: Sequence[str], edges: Sequence[GraphEdge]) -> tuple[GraphEdge, ...]:
    """Return the edges without those that say nothing new: no data flows, and another path leads to the same node.

    Args:
        order: every node, in any order.
        edges: what they wait for; without cycles.
    """
    index = {node: bit for bit, node in enumerate(order)}
    sources: dict[str, list[str]] = {node: [] for node in order}
    for edge in edges:
        sources[edge.target].append(edge.source)
    before: dict[str, int] = {}  # for each node, a bit for every node that comes before it
    for node in _depth_first(order, sources):
        before[node] = 0
        for source in sources[node]:
            before[node] |= before[source] | 1 << index[source]
    implied: dict[str, int] = {}
    for node in order:
        implied[node] = 0
        for source in sources[node]:
            implied[node] |= before[source]
    return tuple(edge for edge in edges if edge.gigabytes or not implied[edge.target] >> index[edge.source] & 1)


def _depth_first(order: Sequence[str], sources: dict[str, list[str]]) -> list[str]:
    """Return the nodes such that each comes after its sources, without recursion: chains can be long."""
    done: dict[str, None] = {}
    for root in order:
        waiting = [root]
        while waiting:
            node = waiting[-1]
            missing = [] if node in done else [source for source in sources[node] if source not in done]
            if missing:
                waiting += missing
            else:
                done[waiting.pop()] = None
    return list(done)
