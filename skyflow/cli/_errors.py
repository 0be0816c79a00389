"""From an exception to a message for a person and an exit code for a script."""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from skyflow.cli._console import err
from skyflow.cli._redact import redacted, redacted_arguments
from skyflow.errors import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_STORE, SkyflowError, WorkflowInvalidError

__all__ = ["end_in_part", "exit_code_of"]

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""A disk that is full or may not be written to is no bug, wherever it is noticed."""


def exit_code_of(command_line: Callable[[], object]) -> int:  # noqa: PLR0911 -- one way out per kind of error
    """Run the command line; whatever it raises becomes a message on standard error and an exit code."""
    try:
        command_line()
    except SystemExit as done:  # Typer's own way out: --help, usage errors, typer.Exit
        return done.code if isinstance(done.code, int) else 0
    except WorkflowInvalidError as error:
        from skyflow.cli._findings import print_findings  # noqa: PLC0415 -- only bad workflows need it

        print_findings(error.diagnostics)
        return error.exit_code
    except SkyflowError as error:
        err(f"error: {redacted(error.message)}", style="red")
        if error.hint:
            err(f"hint: {error.hint}")
        if error.exit_code == EXIT_INTERNAL:
            _report_bug(error)
        return error.exit_code
    except KeyboardInterrupt:
        err("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as in `skyflow logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 -- the last resort, which hides nothing
        return _unexpected(error)
    return 0


def _unexpected(error: Exception) -> int:
    """Tell a disk that cannot be written from a bug."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        err(f"error: {redacted(error.filename or 'a file')} cannot be written: {error.strerror}", style="red")
        err("hint: `skyflow doctor` says what is wrong with the disk and the folder of the state")
        return EXIT_STORE
    err(f"error: {type(error).__name__}: {redacted(str(error))}", style="red")
    _report_bug(error)
    return EXIT_INTERNAL


def end_in_part(problems: Sequence[str]) -> None:
    """End a command that has done what it could, if stores kept it from doing all: say which, and exit with their code.

    Raises:
        SystemExit: there are problems.
    """
    for problem in problems:
        err(f"error: {redacted(problem)}", style="red")
    if problems:
        raise SystemExit(EXIT_STORE)


def _report_bug(error: BaseException) -> None:
    import tempfile  # noqa: PLC0415 -- brings the compression libraries along

    with tempfile.NamedTemporaryFile("w", prefix="skyflow-crash-", suffix=".log", delete=False) as log:
        log.write(f"skyflow {' '.join(redacted_arguments(sys.argv[1:]))}\n\n")
        log.write(redacted("".join(traceback.format_exception(error))))
    err(f"This is a bug in skyflow. Please report it with {Path(log.name)}")
