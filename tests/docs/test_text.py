"""Links lead somewhere, and workflows on pages are workflows."""

import re
from pathlib import Path
from textwrap import dedent, indent

import pytest

from skyflow.diagnostics import Severity
from skyflow.errors import WorkflowInvalidError
from skyflow.spec import load_action, load_config, load_workflow

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")]
PAGES += sorted((ROOT / "site" / "docs").rglob("*.md"))
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

named = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def prose(page: Path) -> str:
    return re.sub(r"`[^`\n]+`", lambda code: "`" + "x" * len(code[0]) + "`", FENCE.sub("", page.read_text()))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@named
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text())
    for target in LINK.findall(text):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), f"{page.name} links to {target}, which does not exist"
        if anchor:
            assert anchor in anchors(file), f"{page.name} links to {target}, which has no such heading"
        if page.is_relative_to(ROOT / "site"):
            assert file.resolve().is_relative_to(ROOT / "site" / "docs"), f"{page.name}: {target} is not on the site"


@named
def test_every_whole_workflow_is_valid(page: Path) -> None:
    text = page.read_text()
    for match in FENCE.finditer(text):
        if match[1] != "yaml" or not re.search(r"^jobs:", match[2], re.MULTILINE):
            continue
        if text[: match.start()].rstrip().endswith("Wrong:"):
            shown = next_block(text, match)
            is_error = ": warning: " not in shown and ": hint: " not in shown
            with pytest.raises(WorkflowInvalidError) if is_error else no_error():
                load_workflow("workflow.yml", text=match[2], platform="linux", read=lambda _: None)
        else:
            findings = load_workflow("workflow.yml", text=match[2], platform="linux").findings
            assert [finding for finding in findings if finding.severity is not Severity.HINT] == []


JOB = "on: push\njobs:\n  a:\n    runs-on: local\n    steps: [{run: 'true'}]\n"
OF_OTHERS = {"build", "repos"}
"""What blocks for GitLab and pre-commit begin with; `tests/e2e/test_ci_files.py` knows what these want."""


@named
def test_every_part_of_a_workflow_or_a_configuration_is_valid_unless_it_is_wrong(page: Path) -> None:
    text = page.read_text()
    for match in FENCE.finditer(text):
        if match[1] != "yaml" or re.search(r"^jobs:", match[2], re.MULTILINE):
            continue
        first = re.search(r"^ *([\w-]+):|$", match[2], re.MULTILINE)[1] or ""
        if first in OF_OTHERS:
            continue
        if text[: match.start()].rstrip().endswith("Wrong:"):
            with pytest.raises((WorkflowInvalidError, AssertionError)):
                check(first, match[2])
        else:
            check(first, match[2])


def check(first: str, part: str) -> None:
    """Fail if there is something wrong with a part of a file, by the key that it begins with."""
    if first in {"actions", "machines", "peering", "prices", "stores"}:
        assert load_config("skyflow.yml", part)[1] == ()
    elif re.search(r"^runs:", part, re.MULTILINE):
        load_action("action.yml", part)
    else:
        load_workflow("workflow.yml", text=whole(first, part), platform="linux", read=lambda _: None)


def whole(first: str, part: str) -> str:
    """Return a workflow with a part of one: keys of its own, of a job, or a map of jobs."""
    if first in {"plan", "run-name", "env", "defaults"}:
        return part + JOB
    if first in {"estimate", "container", "resources", "retry"}:
        return JOB + indent(dedent(part), "    ")
    jobs = re.sub(r"^([\w-]+:)$", r"\1\n  runs-on: local\n  steps: [{run: 'true'}]", part, flags=re.MULTILINE)
    return "on: push\njobs:\n" + indent(jobs, "  ")


def next_block(text: str, match: re.Match[str]) -> str:
    following = FENCE.search(text, match.end())
    return following[2] if following else ""


def no_error():
    from contextlib import nullcontext

    return nullcontext()


@named
def test_shell_blocks_that_show_output_are_run(page: Path) -> None:
    text = page.read_text()
    for match in FENCE.finditer(text):
        if match[1] == "console":
            assert text[: match.start()].rstrip().endswith("<!-- run -->"), f"a console block of {page.name} is not run"


@named
def test_pages_have_one_title_and_closed_blocks(page: Path) -> None:
    text = page.read_text()
    assert text.count("\n```") % 2 == 0
    assert len(re.findall(r"^# .+$", FENCE.sub("", text), re.MULTILINE)) == 1
    assert not re.search(r"[^ \n][ \t]+$", prose(page), re.MULTILINE), "white space at the end of a line"


def test_the_architecture_fits_on_a_few_screens() -> None:
    text = (ROOT / "site" / "docs" / "explanation" / "architecture.md").read_text()
    assert len(text.splitlines()) <= 180
    for name in re.findall(
        r"`((?:app|cli|spec|engine|store|planner|runners|provisioners|catalog|model|expr)/[\w/]+\.py)`", text
    ):
        assert (ROOT / "skyflow" / name).exists(), name
