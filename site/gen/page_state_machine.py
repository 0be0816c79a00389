"""The state diagrams, drawn from the table that the engine and the store check every move against."""

from enum import StrEnum

from markdown_text import code, fence, page, table
from source_code import class_source, docstring_under

from skyflow.model.status import TRANSITIONS, Conclusion, Entity, Reason, Status

__all__ = ["render"]


def render() -> str:
    """Return the page."""
    parts = [
        (
            "A run, its jobs, their attempts and the steps of these each have a status. Three questions are kept apart: "
            "the *status* says where something is, the *conclusion* how it ended (only what is `completed` has one), and "
            "the *reason* why it ended so. A move that is not on this page is refused, and a completed entity never moves "
            "again: another try at a job is a new attempt."
        ),
    ]
    entities = dict(_members(Entity))
    for entity, moves in TRANSITIONS.items():
        parts += [
            f"## {entity.value.capitalize()}",
            entities[entity.value],
            fence(_diagram(list(moves)), "mermaid"),
            table(
                ("from", "to", "when"),
                [(_status(old), code(new.value), sentence) for (old, new), sentence in moves.items()],
            ),
        ]
    for title, kind in (("Statuses", Status), ("Conclusions", Conclusion), ("Reasons", Reason)):
        rows = list(_members(kind))
        parts.append(f"## {title}")
        if any(doc for _, doc in rows):
            parts.append(table(("value", "meaning"), [(code(value), doc) for value, doc in rows]))
        else:
            parts.append(", ".join(code(value) for value, _ in rows) + ".")
    return page("State machine", source="`skyflow/model/status.py`", parts=parts)


def _status(status: Status | None) -> str:
    return "(new)" if status is None else code(status.value)


def _diagram(moves: list[tuple[Status | None, Status]]) -> str:
    lines = ["stateDiagram-v2"]
    lines += [f"    {'[*]' if old is None else old.value} --> {new.value}" for old, new in moves]
    return "\n".join([*lines, "    completed --> [*]"])


def _members(kind: type[StrEnum]) -> list[tuple[str, str]]:
    """Return the value and the docstring of every member."""
    docs = dict(docstring_under(class_source(kind).body))
    return [(member.value, " ".join(docs[member.name].split())) for member in kind]
