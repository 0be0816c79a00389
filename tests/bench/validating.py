"""Validation beside `check-jsonschema`, in time and in what is found."""

import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measuring import SKYFLOW, taken_by
from peers import Tool
from run import workflow_of

__all__ = ["validation"]

_ROOT = Path(__file__).parents[2]
_SCHEMA = _ROOT / "schemas" / "workflow.schema.json"
_DIAGNOSTICS = _ROOT / "site" / "docs" / "reference" / "diagnostics"
_WRONG = re.compile(r"^Wrong:\n\n```yaml\n(.*?)```", re.DOTALL | re.MULTILINE)


def validation(checker: Tool, rounds: int, folder: Path) -> dict[str, Any]:
    """Return the seconds for workflows of 300 and 10,000 lines, and who finds the mistakes of our pages on diagnostics."""
    programs = {
        "skyflow": [*SKYFLOW, "validate"],
        "with our schema": [checker.program, "--schemafile", str(_SCHEMA)],
        "with GitHub's schema": [checker.program, "--builtin-schema", "vendor.github-workflows"],
    }
    rows = []
    for lines in (300, 10_000):
        (folder / "w.yml").write_text(workflow_of(lines))
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
        for _ in range(rounds):
            for name, command in programs.items():
                taken[name].append(taken_by([*command, "w.yml"], folder))
        for name, pairs in taken.items():
            wall, cpu = (statistics.median(values) for values in zip(*pairs, strict=True))
            rows.append({"lines": lines, "program": name, "value": wall, "cpu": cpu})
    return {"title": "Validation", "rounds": rounds, "rows": rows, "found": _found(programs, folder)}


def _found(programs: dict[str, list[str]], folder: Path) -> dict[str, int]:
    """Return how many of the wrong examples each program says something of, and how many there are.

    GitHub's schema refuses all of skyflow's own keys, so what it finds here says nothing.
    """
    examples = list(_wrong_examples())
    programs = {name: command for name, command in programs.items() if name != "with GitHub's schema"}
    found = dict.fromkeys(programs, 0)
    for text in examples:
        (folder / "w.yml").write_text(text)
        for name, command in programs.items():
            said = subprocess.run([*command, "w.yml"], cwd=folder, capture_output=True, text=True, check=False)
            found[name] += said.returncode != 0 or "w.yml:" in said.stdout + said.stderr
    return {"examples": len(examples), **found}


def _wrong_examples() -> Iterator[str]:
    for page in sorted(_DIAGNOSTICS.glob("*.md")):
        for match in _WRONG.finditer(page.read_text(encoding="utf-8")):
            if re.search(r"^jobs:", match[1], re.MULTILINE):
                yield match[1] if re.search(r"^on:", match[1], re.MULTILINE) else f"on: push\n{match[1]}"
