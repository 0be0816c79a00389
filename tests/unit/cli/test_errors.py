"""Which exit code an exception becomes."""

import errno
import os

import pytest

from skyflow.cli._errors import exit_code_of
from skyflow.errors import EXIT_INTERNAL, EXIT_STORE


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, EXIT_STORE),
        (errno.EROFS, EXIT_STORE),
        (errno.EDQUOT, EXIT_STORE),
        (errno.EIO, EXIT_INTERNAL),
    ],
)
def test_a_disk_that_cannot_be_written_is_no_bug(number, code, capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def write() -> None:
        raise OSError(number, os.strerror(number), "runs/1/lock")

    assert exit_code_of(write) == code
    said = capsys.readouterr().err
    assert ("runs/1/lock cannot be written: " in said) is (code == EXIT_STORE)
    assert ("This is a bug" in said) is (code == EXIT_INTERNAL)
    assert bool(list(tmp_path.iterdir())) is (code == EXIT_INTERNAL)
