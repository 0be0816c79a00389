"""The pages of `skyflow ui` beside that of a run: they are served, and share a frame that leads from one to the other."""

from collections.abc import Sequence

from skyflow.model.run import RunFilter, RunOverview
from skyflow.report.page.environment import environment, policy, source

__all__ = ["render_message_page", "render_runs_page", "rendered"]


def render_runs_page(runs: Sequence[RunOverview], wanted: RunFilter, *, root: str, more: bool) -> str:
    """Return the page that lists runs, and keeps itself up to date.

    Args:
        runs: the newest ones that were wanted.
        wanted: which were.
        root: the folder of the project.
        more: whether there are older ones.
    """
    return rendered(
        "runs.html", place="/", scripts=["morph.js", "live_list.js"], runs=runs, wanted=wanted, root=root, more=more
    )


def render_message_page(title: str, message: str, *, hint: str | None, back: str) -> str:
    """Return a page that says why something was not done, and leads back."""
    return rendered("message.html", title=title, message=message, hint=hint, back=back)


def rendered(template: str, *, place: str = "", scripts: Sequence[str] = (), **values: object) -> str:
    """Return a page in the common frame; `place` is the address of the part it belongs to. For modules of this package."""
    sources = [source(name) for name in scripts]
    page = environment().get_template(template)
    return page.render(
        style=source("report.css"), scripts=sources, policy=policy(sources, live=True), place=place, **values
    )
