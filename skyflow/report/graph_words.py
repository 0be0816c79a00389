"""What the boxes of a graph say, the same words in a terminal, a picture and a diagram language."""

from collections import Counter
from collections.abc import Sequence

from skyflow.model.catalog import Offering
from skyflow.model.graph import GraphEdge, GraphNode, Standing
from skyflow.model.placement import Placement
from skyflow.model.resources import LOCAL
from skyflow.model.units import format_duration, format_gb, format_usd
from skyflow.report.words import Signs, elapsed

__all__ = [
    "STANDING_COLOURS",
    "edge_text",
    "node_lines",
    "node_title",
    "offering_text",
    "place_text",
    "shortened",
    "standing_sign",
]

STANDING_COLOURS = {
    None: "default",
    Standing.FAILURE: "red",
    Standing.CANCELLED: "yellow",
    Standing.RUNNING: "cyan",
    Standing.INTERRUPTED: "yellow",
    Standing.QUEUED: "cyan",
    Standing.ALLOWED: "yellow",
    Standing.WAITING: "bright_black",
    Standing.SUCCESS: "green",
    Standing.SKIPPED: "bright_black",
}
"""What colour of a terminal each has."""


def standing_sign(standing: Standing | None, signs: Signs) -> str:
    """Return one character for how something stands; a blank where nothing has run."""
    if standing is None:
        return ""
    if standing is Standing.ALLOWED:
        return signs.success
    if standing in {Standing.CANCELLED, Standing.INTERRUPTED}:
        return signs.cancelled
    if standing in {Standing.QUEUED, Standing.WAITING}:
        return signs.waiting
    return {
        Standing.SUCCESS: signs.success,
        Standing.FAILURE: signs.failure,
        Standing.SKIPPED: signs.skipped,
        Standing.RUNNING: signs.running,
    }[standing]


def node_title(node: GraphNode) -> str:
    """Return the name of a node, with the number of its jobs where there are several."""
    return node.name if len(node.jobs) == 1 else f"{node.name} x{len(node.jobs)}"


def node_lines(node: GraphNode, *, with_places: bool) -> tuple[str, ...]:
    """Return what else is known: how its jobs ended and how long they took, where they run, for how long and how much."""
    lines = []
    if node.standing is not None:
        lines.append(_progress(node))
    placements = [job.placement for job in node.jobs if job.placement is not None]
    if with_places and placements:
        places = list(dict.fromkeys(place_text(placement) for placement in placements))
        lines.append(places[0] if len(places) == 1 else f"{len(places)} kinds of machines")
        lines.append(_planned(placements))
    return tuple(lines)


def place_text(placement: Placement) -> str:
    """Return the machine of a job and where it stands."""
    return offering_text(placement.offering)


def offering_text(offering: Offering) -> str:
    """Return a machine and where it stands."""
    if offering.provider == LOCAL:
        return "this machine"
    spot = f" {offering.market_note}" if offering.market_note else ""
    return f"{offering.provider} {offering.instance_type} {offering.place.name}{spot}"


def edge_text(edge: GraphEdge) -> str:
    """Return the data that an edge carries, or nothing."""
    return format_gb(edge.gigabytes) if edge.gigabytes else ""


def shortened(text: str, length: int) -> str:
    """Return at most so many characters, the middle left out: names tend to differ at their ends."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"


def _progress(node: GraphNode) -> str:
    starts = [job.started_at for job in node.jobs if job.started_at is not None]
    ends = [job.completed_at for job in node.jobs if job.completed_at is not None]
    took = elapsed(min(starts), max(ends)) if starts and len(ends) == len(node.jobs) else ""
    counts = Counter(job.standing for job in node.jobs)
    said = [f"{counts[standing]} {standing}" for standing in Standing if counts[standing]]
    if len(said) == 1:
        said = [str(node.standing)]
    words = ", ".join(said)
    return f"{words} {took}".rstrip() if took else words


def _planned(placements: Sequence[Placement]) -> str:
    assumed = "~" if any(placement.is_duration_assumed for placement in placements) else ""
    took = format_duration(max(placement.duration_seconds for placement in placements))
    usd = sum(placement.compute_usd + placement.transfer_usd for placement in placements)
    return f"{assumed}{took} {format_usd(usd)}"
