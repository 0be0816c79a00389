"""Writes every generated page of the site and the schema of workflow files, or checks the committed ones.

    python site/gen/build.py              write all pages, and the output on pages written by hand
    python site/gen/build.py --check      change nothing; fail if a page differs
    python site/gen/build.py --only run   only the pages that show what commands print; `--only pages` the others

The pages are plain Markdown made from code and schemas by the modules beside this one, so that any site generator can
show them. Pages written by hand may show what a command prints; `consoles` runs these.
"""

import argparse
import difflib
import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import consoles
import page_benchmarks
import page_builtin_actions
import page_cli
import page_diagnostics
import page_evaluation
import page_exit_codes
import page_expressions
import page_man
import page_navigation
import page_placement_model
import page_python_api
import page_schemas
import page_state_folder
import page_state_machine

__all__ = ["PAGES", "main"]

_ROOT = Path(__file__).parents[2]
_DOCS = _ROOT / "site" / "docs"

PAGES: Mapping[str, Callable[[], str]] = {
    "explanation/benchmarks.md": page_benchmarks.render,
    "explanation/evaluation.md": page_evaluation.render,
    "explanation/placement-model.md": page_placement_model.render,
    "reference/built-in-actions.md": page_builtin_actions.render,
    "reference/catalog-format.md": page_schemas.render_catalog_format,
    "reference/cli.md": page_cli.render,
    "reference/configuration.md": page_schemas.render_configuration,
    "reference/diagnostics.md": page_diagnostics.render,
    **page_diagnostics.PAGES,
    "reference/events.md": page_schemas.render_events,
    "reference/exit-codes.md": page_exit_codes.render,
    "reference/expressions.md": page_expressions.render,
    "reference/plan-json.md": page_schemas.render_plan_json,
    "reference/python-api.md": page_python_api.render,
    "reference/run-json.md": page_schemas.render_run_json,
    "reference/state-machine.md": page_state_machine.render,
    "reference/state.md": page_state_folder.render,
    "reference/workflow-syntax.md": page_schemas.render_workflow_syntax,
}
"""Every generated page, by its path below `site/docs`."""


def main() -> int:
    """Write or check all pages, and return the exit code."""
    parser = argparse.ArgumentParser(description="Write the generated pages of the site.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a page differs")
    parser.add_argument("--only", choices=("pages", "run"), help="only generated pages, or only the output on others")
    options = parser.parse_args()
    renders: dict[Path, Callable[[], str]] = {}
    if options.only != "run":
        renders |= {
            _ROOT / "schemas" / "catalog.schema.json": page_schemas.render_catalog_schema,
            _ROOT / "schemas" / "config.schema.json": page_schemas.render_config_schema,
            _ROOT / "schemas" / "workflow.schema.json": page_schemas.render_workflow_schema,
            _ROOT / "site" / "man" / "skyflow.1": page_man.render,
        }
        renders |= {_DOCS / path: render for path, render in PAGES.items()}
        renders[_ROOT / "site" / "zensical.toml"] = page_navigation.render  # last: it lists the pages above
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each page is a session of its own, and waits for its commands
        if options.only != "pages":
            renders |= {path: pool.submit(consoles.refreshed, path).result for path in consoles.CONSOLE_PAGES}
        stale = [path.name for path, render in renders.items() if not _settle(path, render(), check=options.check)]
    if stale:
        print(f"stale: {', '.join(stale)}; run `python site/gen/build.py`", file=sys.stderr)
    return 1 if stale else 0


def _settle(path: Path, text: str, *, check: bool) -> bool:
    """Write a page if it may be written; tell whether it is now what it should be."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if old == text:
        return True
    if check:
        lines = difflib.unified_diff(old.splitlines(), text.splitlines(), f"committed {path.name}", "now", lineterm="")
        print("\n".join(lines))
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path.relative_to(_ROOT)}")
    return True


if __name__ == "__main__":
    sys.exit(main())
