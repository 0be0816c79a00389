"""Findings as SARIF 2.1.0, which code hosts and editors read."""

from collections.abc import Iterable, Mapping

from skyflow.diagnostics import Diagnostic, Severity

__all__ = ["to_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}


def to_sarif(findings: Iterable[Diagnostic], *, version: str, meanings: Mapping[str, str]) -> dict[str, object]:
    """Return a log with one run of this version of skyflow; its rules are the codes that occur, with their meanings."""
    found = list(findings)
    codes = sorted({finding.code for finding in found})
    rules = [_rule(code, meanings.get(code)) for code in codes]
    driver = {"name": "skyflow", "semanticVersion": version, "rules": rules}
    results = [_result(finding, codes.index(finding.code)) for finding in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, meaning: str | None) -> dict[str, object]:
    rule: dict[str, object] = {"id": code}
    if meaning is not None:
        rule["shortDescription"] = {"text": meaning}
    return rule


def _result(finding: Diagnostic, rule: int) -> dict[str, object]:
    text = finding.message if finding.hint is None else f"{finding.message} ({finding.hint})"
    span = finding.span
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    location = {"artifactLocation": {"uri": finding.path.replace("\\", "/")}, "region": region}
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
    }
