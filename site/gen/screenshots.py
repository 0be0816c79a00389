"""Makes the pictures of the site with real runs, a real plan, the real catalog and a real browser (Debian's chromium).

    python site/gen/screenshots.py

Run it when a page has changed, and look at what it made: times differ from run to run, so no test compares pictures. It
needs what tests need, whose browser it is.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(_ROOT / "tests"))

from report.browser import Browser  # noqa: E402 -- found by the line above
from report.served import Served, serving, wait_until  # noqa: E402

__all__ = ["main"]

_IMAGES = _ROOT / "site" / "docs" / "images"
_SKYFLOW = (sys.executable, "-m", "skyflow")
_WIDTH, _HEIGHT = 1200, 1040
_LIVE = """\
name: nightly
on: workflow_dispatch
jobs:
  fetch: {runs-on: local, estimate: 2s, steps: [{name: Fetch, run: 'seq -f "part %.0f of 40" 40; sleep 2'}]}
  train:
    needs: fetch
    runs-on: local
    estimate: 4s
    strategy: {matrix: {size: [small, medium, large]}}
    steps: [{name: Train, run: 'for epoch in $(seq 1 20); do echo "epoch $epoch of 20"; sleep 0.2; done'}]
  evaluate: {needs: train, runs-on: local, estimate: 3s, steps: [{name: Evaluate, run: sleep 3}]}
  publish: {needs: evaluate, runs-on: local, estimate: 1s, steps: [{name: Publish, run: sleep 1}]}
"""


def main() -> None:
    """Write all pictures."""
    _IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="skyflow-pictures-") as name:
        folder = Path(name) / "project"
        shutil.copytree(_ROOT / "workflows", folder / "workflows")
        _run(folder, "run", "--quiet", "workflows/quickstart.yml")
        _run(folder, "report", "--output", "report.html")
        plan = ("graph", "workflows/intercloud-training.yml", "--plan", "--format", "svg", "--output")
        _run(folder, *plan, str(_IMAGES / "graph.svg"))
        browser = Browser(Path(name) / "profile")
        try:
            for scheme in ("light", "dark"):
                page = folder / "report.html"
                browser.look_at(page, width=_WIDTH, height=_HEIGHT, dark=scheme == "dark")
                browser.save_screenshot(str(_IMAGES / f"report-{scheme}.png"))
            with serving(folder) as served:
                _live_pages(browser, served)
        finally:
            browser.quit()
    for path in sorted(_IMAGES.iterdir()):
        print(f"wrote {path.relative_to(_ROOT)}")


def _live_pages(browser: Browser, served: Served) -> None:
    """Take pictures of the pages of `skyflow ui`: a run that goes on, the plan explorer, prices and carbon."""
    browser.get(f"{served.address}?token={served.token}")
    process = served.start(source=_LIVE)
    wait_until(lambda: len(served.states()) > 1)
    browser.look_at(f"{served.address}runs/2", width=_WIDTH, height=_HEIGHT)
    wait_until(lambda: "epoch 5 of" in browser.find_element("id", "jobs").get_attribute("textContent"))
    browser.save_screenshot(str(_IMAGES / "run-page.png"))
    process.wait()
    browser.look_at(f"{served.address}plan?workflow=workflows/intercloud-training.yml&cost=100&time=60&carbon=0",
                    width=_WIDTH, height=_HEIGHT)  # fmt: skip
    wait_until(lambda: browser.find_elements("css selector", "#frontier svg"))
    browser.save_screenshot(str(_IMAGES / "plan-explorer.png"))
    browser.look_at(f"{served.address}catalog?cpus=8%2B&memory=32%2B", width=_WIDTH, height=_HEIGHT)
    browser.save_screenshot(str(_IMAGES / "catalog-explorer.png"))


def _run(folder: Path, *arguments: str) -> None:
    subprocess.run([*_SKYFLOW, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
