"""Remarks that steps make about files or about themselves, and the tags that mark lines of a log."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = ["Annotation", "AnnotationLevel", "AnnotationRecord", "LineTag"]


class AnnotationLevel(StrEnum):
    """How much an annotation matters."""

    ERROR = "error"
    """Something is wrong."""
    WARNING = "warning"
    """Something may be wrong."""
    NOTICE = "notice"
    """Something worth knowing."""


class LineTag(StrEnum):
    """What begins a line of a log that is more than output. The tags are those of GitHub's logs."""

    GROUP = "##[group]"
    """The title of a group; its lines follow, up to `##[endgroup]`, another title or the end."""
    END_GROUP = "##[endgroup]"
    """The end of a group."""
    ERROR = "##[error]"
    """An annotation, or the line that a problem matcher made one of."""
    WARNING = "##[warning]"
    """The same, of another level."""
    NOTICE = "##[notice]"
    """The same, of another level."""
    DEBUG = "##[debug]"
    """A line that is only there while debugging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One remark of a step. `file` is relative to the workspace; lines and columns count from 1."""

    level: AnnotationLevel
    message: str
    title: str | None = None
    file: str | None = None
    line: int | None = None
    end_line: int | None = None
    column: int | None = None
    end_column: int | None = None
    code: str | None = None

    def __str__(self) -> str:
        """Return the one form that people see: `FILE:LINE:COL: error: TITLE: MESSAGE`."""
        place = ""
        if self.file is not None:
            numbers = (self.line, self.column) if self.line is not None else ()
            place = ":".join([self.file, *(str(number) for number in numbers if number is not None)]) + ": "
        title = f"{self.title}: " if self.title else ""
        code = f" ({self.code})" if self.code else ""
        return f"{place}{self.level.value}: {title}{self.message}{code}"

    @property
    def reading_order(self) -> tuple[int, str, int, int]:
        """Where it belongs among others: errors first, then by place."""
        level = list(AnnotationLevel).index(self.level)
        return level, self.file or "", self.line or 0, self.column or 0

    @property
    def tag(self) -> LineTag:
        """The tag of its line in the log."""
        return LineTag[self.level.name]

    def with_texts(self, *, message: str, title: str | None, file: str | None, code: str | None) -> "Annotation":
        """Return it with other texts, as when something in them is hidden."""
        return replace(self, message=message, title=title, file=file, code=code)

    def to_json(self) -> dict[str, str | int | None]:
        """Return the machine-readable form."""
        return {
            "level": self.level.value,
            "message": self.message,
            "title": self.title,
            "file": self.file,
            "line": self.line,
            "end_line": self.end_line,
            "column": self.column,
            "end_column": self.end_column,
            "code": self.code,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "Annotation":
        """Read what `to_json` returned."""
        return cls(
            level=AnnotationLevel(str(value["level"])),
            message=str(value["message"]),
            title=_text(value["title"]),
            file=_text(value["file"]),
            line=_number(value["line"]),
            end_line=_number(value["end_line"]),
            column=_number(value["column"]),
            end_column=_number(value["end_column"]),
            code=_text(value["code"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationRecord:
    """A stored annotation, and the step that made it."""

    job_key: str
    attempt: int
    position: int
    annotation: Annotation


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
