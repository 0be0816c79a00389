"""The two commands that a stranger types, and who else relies on them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
QUICKSTART = "python3 -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/skyflow run workflows/quickstart.yml"
TESTS = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m pytest -n auto --dist loadfile"


def test_both_commands_are_in_the_readme_on_a_line_of_their_own() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert lines.count(QUICKSTART) == 1
    assert lines.count(TESTS) == 1


def test_the_ci_runs_the_second_one() -> None:
    pattern = re.search(
        r"^command=\$\(grep -E '([^']+)' README\.md\)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE
    )
    assert pattern, ".ci/run takes the command from README.md"
    matching = [line for line in (ROOT / "README.md").read_text().splitlines() if re.search(pattern[1], line)]
    assert matching == [TESTS]


def test_the_changelog_has_room_for_what_comes() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text()


def test_no_page_names_a_place_that_exists_only_here() -> None:
    home = str(ROOT)
    for path in [*ROOT.glob("*.md"), *(ROOT / "site").rglob("*.md"), *(ROOT / "workflows").glob("*.yml")]:
        text = path.read_text()
        assert home not in text, path
        assert not re.search(r"/(home|root|Users)/\w", text), path
