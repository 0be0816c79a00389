"""What to do about a value, key or expression that is wrong."""

import re

from skyflow._util.text import did_you_mean
from skyflow.model.objective import objective_meant
from skyflow.spec.availability import CONTEXTS, Availability
from skyflow.spec.nodes import ScalarNode, ScalarStyle
from skyflow.spec.scalars import resolve_plain

__all__ = ["expression_hint", "missing_hint", "wrong_value_hint"]

_MISSING = {
    "jobs": "a workflow has at least one job",
    "runs-on": "write `runs-on: local` for this machine, or `runs-on: sky` to let skyflow choose one",
    "run": "write the script of the step: `run: ...`",
    "duration": "write how long the job takes elsewhere: `duration: 10m`",
    "group": "name the group: `group: ...`",
}
_STATUS = frozenset({"success", "failure", "always", "cancelled"})
_UNRECOGNIZED = re.compile(r"Unrecognized (named-value|function): '([^']*)'")


def missing_hint(key: str) -> str | None:
    """Return what to write for a key that is missing."""
    return _MISSING.get(key)


def wrong_value_hint(node: ScalarNode, known: tuple[str, ...], expected: str) -> str | None:
    """Return how a wrong scalar could be mended, where its usual mistake is known."""
    if not isinstance(node.value, str):
        return None
    if known:
        return did_you_mean(node.value, known, otherwise=_other_word(node.value, known))
    if node.style is not ScalarStyle.PLAIN and node.value and not isinstance(resolve_plain(node.value), str):
        return "remove the quotes"
    if expected.startswith("true") and node.value.lower() in {"yes", "no", "on", "off"}:
        return "YAML 1.2 has only true and false"
    return None


def _other_word(word: str, known: tuple[str, ...]) -> str | None:
    meant = objective_meant(word)
    return f"did you mean '{meant}'?" if meant in known else None


def expression_hint(message: str, where: Availability) -> str | None:
    """Return what could be named instead of an unknown context or function."""
    match = _UNRECOGNIZED.match(message)
    if match is None:
        return None
    kind, word = match.groups()
    if kind == "function":
        if word.lower() in _STATUS:
            return "it can be used in 'if' only"
        return did_you_mean(word, [spec.name for spec in where.functions.values()])
    available = f"available here: {', '.join(where.contexts)}" if where.contexts else "no context is available here"
    if word.lower() in CONTEXTS:
        return available
    return did_you_mean(word, where.contexts, otherwise=available)
