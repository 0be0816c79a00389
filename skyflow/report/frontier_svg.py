"""The frontier of cost against makespan as an SVG picture that needs nothing else."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from skyflow.model.placement import Plan
from skyflow.model.units import format_duration, format_usd

__all__ = ["frontier_svg"]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 640, 400, 90, 60, 20, 40


def frontier_svg(plans: Sequence[Plan]) -> str:
    """Return a picture of plans that none beats: dollars upwards, time to the right."""
    times = [plan.makespan_seconds for plan in plans]
    costs = [plan.cost.total_usd for plan in plans]
    points = [(_across(time, times), _down(cost, costs)) for time, cost in zip(times, costs, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in sorted(points))
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
            'font-size="12" role="img" aria-label="Cost against makespan">'
        ),
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<path d="M{_LEFT} {_TOP} V{_HEIGHT - _BOTTOM} H{_WIDTH - _RIGHT}" fill="none" stroke="#666"/>',
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 12}" text-anchor="middle">makespan</text>',
        f'<text x="16" y="{_HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 16 {_HEIGHT / 2})">cost</text>',
        f'<polyline points="{path}" fill="none" stroke="#2266bb"/>',
    ]
    for plan, (x, y) in zip(plans, points, strict=True):
        title = f"{format_usd(plan.cost.total_usd)}, {format_duration(plan.makespan_seconds)}"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#2266bb"><title>{escape(title)}</title></circle>')
    for time in {min(times), max(times)}:
        x = _across(time, times)
        parts.append(
            f'<text x="{x:.1f}" y="{_HEIGHT - 40}" text-anchor="middle">{escape(format_duration(time))}</text>'
        )
    for cost in {min(costs), max(costs)}:
        y = _down(cost, costs)
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(format_usd(cost))}</text>')
    return "\n".join([*parts[:6], *sorted(parts[6:]), "</svg>", ""])


def _across(time: float, times: Sequence[float]) -> float:
    return _LEFT + 20 + _share(time, times) * (_WIDTH - _LEFT - _RIGHT - 40)


def _down(cost: float, costs: Sequence[float]) -> float:
    return _HEIGHT - _BOTTOM - 20 - _share(cost, costs) * (_HEIGHT - _BOTTOM - _TOP - 40)


def _share(value: float, values: Sequence[float]) -> float:
    low, high = min(values), max(values)
    return (value - low) / (high - low) if high > low else 0.5
