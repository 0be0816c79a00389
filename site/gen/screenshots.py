"""Makes the pictures of the site with a real run, a real plan and a real browser (Debian's chromium).

    python site/gen/screenshots.py

Run it when the report has changed, and look at what it made: times differ from run to run, so no test compares pictures.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["main"]

_ROOT = Path(__file__).parents[2]
_IMAGES = _ROOT / "site" / "docs" / "images"
_SKYFLOW = (sys.executable, "-m", "skyflow")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--window-size=1200,1040",
)  # fmt: skip
_SCHEMES = {"light": "1", "dark": "0"}
"""What chromium calls the colours that a reader prefers."""


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
        for scheme, number in _SCHEMES.items():
            command = [
                "chromium",
                *_FLAGS,
                f"--user-data-dir={name}/{scheme}",
                f"--blink-settings=preferredColorScheme={number}",
                f"--screenshot={_IMAGES / f'report-{scheme}.png'}",
                (folder / "report.html").as_uri(),
            ]
            subprocess.run(command, check=True, capture_output=True, timeout=60)
    for path in sorted(_IMAGES.iterdir()):
        print(f"wrote {path.relative_to(_ROOT)}")


def _run(folder: Path, *arguments: str) -> None:
    subprocess.run([*_SKYFLOW, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
