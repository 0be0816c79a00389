"""What becomes of `::error ...::` and its like: annotations, as many as are kept."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from skyflow.model.annotation import Annotation, AnnotationLevel
from skyflow.runners.output.commands import Command

__all__ = ["MOST_ANNOTATIONS", "Issues", "annotation_of", "relative_file", "valid_text"]

MOST_ANNOTATIONS = 10
"""How many of each level a step keeps, as on GitHub."""

_LONGEST_TEXT = 4096
_LONGEST_NUMBER = 9


class Issues:
    """The annotations of one step."""

    def __init__(self) -> None:
        self._kept: list[Annotation] = []
        self._count: Counter[AnnotationLevel] = Counter()

    def add(self, annotation: Annotation) -> None:
        """Keep an annotation, if there is room for another one of its level."""
        self._count[annotation.level] += 1
        if self._count[annotation.level] <= MOST_ANNOTATIONS:
            self._kept.append(annotation)

    def masked(self, hide: Callable[[str], str]) -> tuple[Annotation, ...]:
        """Return what was kept with hidden texts taken out, and a notice about what was not."""
        shown = tuple(_masked(annotation, hide) for annotation in self._kept)
        dropped = [
            f"{count - MOST_ANNOTATIONS} {level.value}{'' if count - MOST_ANNOTATIONS == 1 else 's'}"
            for level in AnnotationLevel
            if (count := self._count[level]) > MOST_ANNOTATIONS
        ]
        if not dropped:
            return shown
        message = f"not kept: {', '.join(dropped)} more; a step keeps {MOST_ANNOTATIONS} annotations of each level"
        return (*shown, Annotation(level=AnnotationLevel.NOTICE, message=message))


def annotation_of(command: Command, workspace: Path, to_outside: Callable[[str], str] = str) -> Annotation:
    """Read the annotation that an `error`, `warning` or `notice` command makes.

    Numbers that contradict each other are mended or left out as GitHub does: an end without a beginning is the
    beginning, columns need one line, and an end before its beginning is dropped together with it.
    """
    values = command.properties
    line, end_line = _number(values.get("line")), _number(values.get("endline"))
    column, end_column = _number(values.get("col")), _number(values.get("endcolumn"))
    line = end_line if line is None else line
    column = end_column if column is None else column
    if line is None or (end_line is not None and end_line != line):
        column = end_column = None
    if line is not None and end_line is not None and end_line < line:
        line = end_line = None
    if column is not None and end_column is not None and end_column < column:
        column = end_column = None
    file, title = values.get("file"), values.get("title")
    return Annotation(
        level=AnnotationLevel(command.name),
        message=command.data[:_LONGEST_TEXT],
        title=title and title[:_LONGEST_TEXT],
        file=None if file is None else relative_file(to_outside(file[:_LONGEST_TEXT]), workspace),
        line=line,
        end_line=end_line,
        column=column,
        end_column=end_column,
    )


def relative_file(file: str, workspace: Path) -> str:
    """Return a file as seen from the workspace, if it is in there; else as it was named."""
    path = Path(file)
    if path.is_absolute() and path.is_relative_to(workspace):
        return path.relative_to(workspace).as_posix()
    return file


def valid_text(text: str) -> str:
    """Return a text that can be stored and printed: bytes that were not UTF-8 are replaced."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _number(text: str | None) -> int | None:
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        return None
    return int(text)


def _masked(annotation: Annotation, hide: Callable[[str], str]) -> Annotation:
    return annotation.with_texts(
        message=valid_text(hide(annotation.message)),
        title=annotation.title and valid_text(hide(annotation.title)),
        file=annotation.file and valid_text(hide(annotation.file)),
        code=annotation.code and valid_text(hide(annotation.code)),
    )
