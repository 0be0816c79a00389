"""The state diagrams, drawn from the table that the engine and the store check every move against."""

from enum import StrEnum

from markdown_text import code, fence, page, table
from source_code import class_source, docstring_under

from skyflow.model.machines import INTENT_MOVES, Intent
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
    parts += [
        "## Machine",
        (
            "A machine of a cloud has a record of its own, which says what skyflow intends rather than what the cloud shows: "
            "each line is written before the call that it announces, so that a machine can always be found and removed, "
            "whenever skyflow dies. It only ever moves downwards. `skyflow instances` shows the records."
        ),
        fence(_diagram(list(INTENT_MOVES), last="gone"), "mermaid"),
        table(
            ("from", "to", "when"),
            [(_status(old), code(new.value), sentence) for (old, new), sentence in INTENT_MOVES.items()],
        ),
        table(("value", "meaning"), [(code(value), doc) for value, doc in _members(Intent)]),
        "## Transfers",
        (
            "What is copied (a workspace to another machine, an artifact, a cache) has no status, since it needs none: "
            "contents are named by their digests and a list of them is written last. A transfer that was cut off leaves nothing "
            "that could be taken for the whole; doing it again sends what is missing. Its step tells how it went."
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


def _status(status: Status | Intent | None) -> str:
    return "(new)" if status is None else code(status.value)


def _diagram(
    moves: list[tuple[Status | None, Status]] | list[tuple[Intent | None, Intent]], *, last: str = "completed"
) -> str:
    lines = ["stateDiagram-v2"]
    lines += [f"    {'[*]' if old is None else old.value} --> {new.value}" for old, new in moves]
    return "\n".join([*lines, f"    {last} --> [*]"])


def _members(kind: type[StrEnum]) -> list[tuple[str, str]]:
    """Return the value and the docstring of every member."""
    docs = dict(docstring_under(class_source(kind).body))
    return [(member.value, " ".join(docs[member.name].split())) for member in kind]
