"""What a step has answered, once it has ended: by its exit code, in its command files, and by commands it printed."""

from collections.abc import Callable
from pathlib import Path

from skyflow.model.annotation import AnnotationLevel
from skyflow.model.execution import StepResult
from skyflow.runners.output.files import FileAnswers, FileCommandError, Written, keep_summary, read_answers
from skyflow.runners.output.obey import StepCommands

__all__ = ["result_of"]


def result_of(
    exit_code: int,
    *,
    is_stopped: bool,
    written: Written,
    commands: StepCommands,
    summary: Path,
    say: Callable[[str], None],
) -> StepResult:
    """Return the result of a step whose process has ended.

    Args:
        exit_code: that of the process.
        is_stopped: whether we have ended it.
        written: what it wrote to its command files.
        commands: the commands it has printed.
        summary: where its step summary is kept.
        say: adds a line to its log.
    """
    said, answers, error = commands.written, FileAnswers(), commands.error
    masks = commands.memory.masks
    try:
        answers = read_answers(written)
    except FileCommandError as refused:
        error = error or str(refused)
    try:
        keep_summary(written, summary, masks.hide)
    except FileCommandError as dropped:
        say(commands.issue(AnnotationLevel.ERROR, str(dropped)))
    return StepResult(
        exit_code=exit_code,
        stopped=is_stopped,
        masks=masks.values,
        file_error=error,
        outputs=(*said.outputs.items(), *answers.outputs),
        state=(*said.state.items(), *answers.state),
        env=(*said.env.items(), *answers.env),
        path=(*answers.path, *said.path),
        annotations=commands.masked_annotations(),
    )
