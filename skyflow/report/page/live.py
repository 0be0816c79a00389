"""The pages of `skyflow ui` beside that of a run: they are served, and share a frame that leads from one to the other."""

from collections.abc import Sequence

from skyflow.model.run import RunFilter, RunOverview
from skyflow.report.page.environment import environment, policy, source

__all__ = ["render_message_page", "render_runs_page"]


def render_runs_page(runs: Sequence[RunOverview], wanted: RunFilter, *, root: str, more: bool) -> str:
    """Return the page that lists runs, and keeps itself up to date.

    Args:
        runs: the newest ones that were wanted.
        wanted: which were.
        root: the folder of the project.
        more: whether there are older ones.
    """
    return _page("runs.html", scripts=["live.js"], runs=runs, wanted=wanted, root=root, more=more)


def render_message_page(title: str, message: str, *, hint: str | None, back: str) -> str:
    """Return a page that says why something was not done, and leads back."""
    return _page("message.html", scripts=[], title=title, message=message, hint=hint, back=back)


def _page(template: str, *, scripts: Sequence[str], **values: object) -> str:
    sources = [source(name) for name in scripts]
    page = environment().get_template(template)
    return page.render(style=source("report.css"), scripts=sources, policy=policy(sources, live=True), **values)
