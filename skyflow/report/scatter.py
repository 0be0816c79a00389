"""Points on two axes as SVG: a picture of its own with light and dark colours, or a part of a page, whose colours it takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

__all__ = ["Axis", "Mark", "scatter_svg"]

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 24, 18, 54
_ROOM = 0.06
"""What is left free on each side of the points, as a share of their range."""
_MOST_TICKS = 6
_LETTER = 6.4
_STYLE = """
.sf-scatter{--card:#fff;--line:#8c959f;--text:#1f2328;--soft:#59636e;--busy:#0969da;--warn:#9a6700;--success:#1a7f37;--failure:#cf222e;font-family:system-ui,sans-serif}
@media (prefers-color-scheme:dark){.sf-scatter{--card:#161b22;--line:#656d76;--text:#f0f6fc;--soft:#9198a1;--busy:#4493f8;--warn:#d29922;--success:#3fb950;--failure:#f85149}}
.sf-scatter>rect.page{fill:var(--card)}
"""
_SHAPES = """
.sf-scatter{max-width:100%;height:auto}.sf-scatter text{fill:var(--soft);font-size:12px}.sf-scatter .grid{stroke:var(--line);stroke-width:.5;opacity:.6}
.sf-scatter .path{fill:none;stroke:var(--busy);stroke-width:1.5;stroke-dasharray:5 4}.sf-scatter .point{fill:var(--busy);stroke:var(--card);stroke-width:1}
.sf-scatter .gcp{fill:var(--success)}.sf-scatter .azure{fill:var(--failure)}.sf-scatter .own{fill:var(--soft)}.sf-scatter .aws{fill:var(--warn)}
.sf-scatter .chosen{fill:var(--warn);stroke:var(--text);stroke-width:2}.sf-scatter text.label{fill:var(--text);paint-order:stroke;stroke:var(--card);stroke-width:3px}
.sf-scatter a:is(:hover,:focus-visible) .point{stroke:var(--text);stroke-width:2.5}
""".replace("\n", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A point. `kind` is its class, which decides on colour and shape; `label` stands beside it, `title` appears over it."""

    x: float
    y: float
    title: str
    kind: str = ""
    label: str = ""
    href: str = ""
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What an axis counts, and how a number on it is written.

    One that `is_log` can show what is positive only; on others, lines stand at round numbers of the `unit`.
    """

    name: str
    show: Callable[[float], str]
    is_log: bool = False
    unit: float = 1.0


@dataclass(frozen=True, slots=True)
class _Scale:
    axis: Axis
    low: float
    high: float

    @classmethod
    def over(cls, axis: Axis, values: Sequence[float]) -> "_Scale":
        measured = [log10(value) if axis.is_log else value for value in values]
        low, high = min(measured), max(measured)
        spare = (high - low) * _ROOM or (0.1 if axis.is_log else abs(low) * _ROOM or 1.0)
        return cls(axis, low - spare if axis.is_log else max(0.0, low - spare), high + spare)

    def share(self, value: float) -> float:
        at = log10(value) if self.axis.is_log else value
        return (at - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        if not self.axis.is_log:
            return [
                tick * self.axis.unit for tick in _even_ticks(self.low / self.axis.unit, self.high / self.axis.unit)
            ]
        tens = range(floor(self.low), ceil(self.high) + 1)
        every = [digit * 10.0**ten for ten in tens for digit in (1, 2, 5)]
        found = [value for value in every if self.low <= log10(value) <= self.high]
        if len(found) > _MOST_TICKS:
            found = [value for value in found if log10(value).is_integer()]
        return found[:: ceil(len(found) / _MOST_TICKS) or 1]


def _even_ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / (_MOST_TICKS - 1)
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [number * step for number in range(ceil(low / step), floor(high / step) + 1)]


def scatter_svg(
    marks: Sequence[Mark],
    *,
    across: Axis,
    up: Axis,
    title: str,
    path: Sequence[tuple[float, float]] = (),
    is_part: bool = False,
) -> str:
    """Return the picture.

    Args:
        marks: the points, at least one.
        across: the axis of `x`, to the right.
        up: the axis of `y`.
        title: what is seen, for those who cannot see it.
        path: points that a line joins, from left to right.
        is_part: makes it a part of an HTML page.
    """
    to_right = _Scale.over(across, [mark.x for mark in marks])
    to_top = _Scale.over(up, [mark.y for mark in marks])

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + to_right.share(x) * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - to_top.share(y) * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = [*_grid(to_right, to_top), *_names(across, up)]
    if len(path) > 1:
        points = " ".join(f"{left:.1f},{top:.1f}" for left, top in (place(x, y) for x, y in path))
        parts.append(f'<polyline class="path" points="{points}"/>')
    in_front = sorted(marks, key=lambda mark: mark.is_chosen)  # the chosen one on top of the others
    parts += [_mark(mark, *place(mark.x, mark.y)) for mark in in_front]
    parts += _labels([(mark, *place(mark.x, mark.y)) for mark in marks if mark.label])
    role = "group" if any(mark.href for mark in marks) else "img"
    style = _SHAPES if is_part else _STYLE + _SHAPES
    page = "" if is_part else f'<rect class="page" width="{_WIDTH}" height="{_HEIGHT}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sf-scatter" role="{role}" aria-label="{escape(title)}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"><style>{style}</style>{page}{"".join(parts)}</svg>\n'
    )


def _grid(to_right: _Scale, to_top: _Scale) -> list[str]:
    parts = []
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for tick in to_right.ticks():
        x = _LEFT + to_right.share(tick) * (right - _LEFT)
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{escape(to_right.axis.show(tick))}</text>'
        )
    for tick in to_top.ticks():
        y = bottom - to_top.share(tick) * (bottom - _TOP)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(to_top.axis.show(tick))}</text>')
    return parts


def _names(across: Axis, up: Axis) -> list[str]:
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    return [
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(across.name)}</text>',
        f'<text x="16" y="{middle:.0f}" text-anchor="middle" transform="rotate(-90 16 {middle:.0f})">{escape(up.name)}</text>',
    ]


def _mark(mark: Mark, x: float, y: float) -> str:
    look = f'class="point {escape(mark.kind)}{" chosen" if mark.is_chosen else ""}"'
    title = f"<title>{escape(mark.title)}</title>"
    size = 7.0 if mark.is_chosen else 5.0
    if mark.kind == "gcp":
        shape = f'<rect {look} x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size:.0f}" height="{2 * size:.0f}">{title}</rect>'
    elif mark.kind == "azure":
        shape = f'<path {look} d="M{x:.1f} {y - size - 1:.1f}l{size + 1:.0f} {2 * size:.0f}h{-2 * size - 2:.0f}z">{title}</path>'
    else:
        shape = f'<circle {look} cx="{x:.1f}" cy="{y:.1f}" r="{size:.0f}">{title}</circle>'
    return f'<a href="{escape(mark.href)}" aria-label="{escape(mark.title)}">{shape}</a>' if mark.href else shape


def _labels(placed: Sequence[tuple[Mark, float, float]]) -> list[str]:
    """Return the labels that can be read: one that would cover another is left out, its mark has it as a title."""
    taken: list[tuple[float, float, float]] = []
    parts = []
    for mark, x, y in placed:
        width = len(mark.label) * _LETTER
        is_left = x + 10 + width > _WIDTH
        begin = x - 10 - width if is_left else x + 10
        if any(abs(y - other) < 14 and begin < end and begin + width > start for start, end, other in taken):  # noqa: PLR2004 -- a line
            continue
        taken.append((begin, begin + width, y))
        anchor = ' text-anchor="end"' if is_left else ""
        at = x - 10 if is_left else x + 10
        parts.append(f'<text class="label" x="{at:.1f}" y="{y + 4:.1f}"{anchor}>{escape(mark.label)}</text>')
    return parts
