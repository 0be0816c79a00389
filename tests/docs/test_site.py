"""The site, as it is published."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the site's sources: what is built lands beside them."""
    shutil.copytree(ROOT / "site", tmp_path / "site", ignore=shutil.ignore_patterns("build", ".cache"))
    return tmp_path / "site"


def build(site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=site,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_it_is_built_without_a_warning_and_loads_nothing_from_elsewhere(site: Path) -> None:
    done = build(site)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = list((site / "docs").rglob("*.md"))
    built = list((site / "build").rglob("*.html"))
    assert len(built) >= len(pages)
    for page in built:
        fetched = re.findall(
            r"""<(?:link|script|img|iframe)[^>]+(?:href|src)=["']?(?:https?:)?//[^"'> ]+""", page.read_text()
        )
        assert [tag for tag in fetched if 'rel="canonical"' not in tag] == [], page


def test_a_broken_link_is_an_error(site: Path) -> None:
    index = site / "docs" / "index.md"
    index.write_text(f"{index.read_text()}\n[nowhere](no-such-page.md)\n")
    done = build(site)
    assert done.returncode != 0
    assert "page does not exist" in done.stderr
