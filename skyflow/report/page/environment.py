"""Where pages are put together: templates with the filters that they use, styles and scripts of ours, and what these may do."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from skyflow.model.run import RunRecord
from skyflow.model.units import format_duration, format_grams, format_usd
from skyflow.report.words import elapsed

__all__ = ["environment", "policy", "source", "took"]

_TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment() -> Environment:
    """Return the environment of all templates; what they show is escaped, and what they do not know is an error."""
    found = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters.update(
        {"duration": format_duration, "usd": format_usd, "grams": format_grams, "moment": _moment, "took": took}
    )
    return found


@cache
def source(name: str) -> Markup:
    """Return a style or a script of ours."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 -- not foreign


def policy(scripts: Sequence[Markup], *, live: bool) -> str:
    """Return the content security policy that allows nothing but these scripts, and to a live page its own server."""
    digests = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    own = "; connect-src 'self'; form-action 'self'" if live else "; form-action 'none'"
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; img-src data:; base-uri 'none'{own}"


def took(run: RunRecord) -> str:
    """Return how long a run took."""
    return elapsed(run.started_at, run.completed_at)


def _moment(at: datetime | None) -> Markup:
    """Return a time as HTML, in the time zone of whoever makes the page."""
    if at is None:
        return Markup("")
    local = at.astimezone()
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), f"{local:%Y-%m-%d %H:%M:%S %Z}")
