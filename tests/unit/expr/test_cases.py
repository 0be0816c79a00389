"""One line of `data/cases.jsonl` each: an expression, its contexts, and the value or error GitHub gives."""

import json
from pathlib import Path

import pytest

from skyflow.expr import answer

DATA = Path(__file__).parent / "data" / "cases.jsonl"


def read_cases():
    section, number = "", 0
    for line in DATA.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if "section" in case:
            section, number = case["section"], 0
            continue
        number += 1
        yield pytest.param(case, id=f"{section}-{number}-{case['expr'][:40]!a}")


@pytest.mark.parametrize("case", list(read_cases()))
def test_case(case):
    result = json.loads(answer(json.dumps({"expr": case["expr"], "context": case.get("context")})))
    if "error_prefix" in case:
        assert result.get("error", "").startswith(case["error_prefix"]), result
        assert len(result["error"]) > len(case["error_prefix"])
    else:
        # As text, because True == 1 == 1.0 in Python.
        expected = {key: case[key] for key in ("value", "error") if key in case}
        assert json.dumps(result) == json.dumps(expected)
