"""Output of several machines in one stream."""

from pathlib import Path

import pytest

from skyflow._util.masking import Masks
from skyflow.runners.output.lines import LONGEST_LINE_BYTES
from skyflow.runners.output.matchers import Matchers
from skyflow.runners.output.obey import AttemptMemory, StepCommands
from skyflow.runners.output.ranks import RankedWriter


class Log:
    def __init__(self) -> None:
        self.text = b""

    def write(self, data: bytes) -> None:
        self.text += data

    def close(self) -> None:
        pass


def test_neither_a_long_number_nor_a_line_without_end_breaks_it(tmp_path: Path) -> None:
    """A job on a cluster prints what it likes before `srun` has put a rank in front of it."""
    memory = AttemptMemory(Masks(()), Matchers(tmp_path), log_limit_bytes=4 * LONGEST_LINE_BYTES)
    log = Log()
    writer = RankedWriter(log, StepCommands(memory, workspace=tmp_path, env={}), lambda _: None)
    writer.feed(b"9" * 5000 + b": x\n")
    assert log.text == b"9" * 5000 + b": x\n"
    for _ in range(8):
        writer.feed(b"-" * LONGEST_LINE_BYTES)
    assert 3 * LONGEST_LINE_BYTES < len(log.text) < 5 * LONGEST_LINE_BYTES
    assert log.text.endswith(b"says how much is kept\n")


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_every_line_has_its_rank_in_front_and_commands_are_obeyed(tmp_path: Path, size: int) -> None:
    memory = AttemptMemory(Masks(()), Matchers(tmp_path))
    commands = StepCommands(memory, workspace=tmp_path, env={})
    log, shown = Log(), []
    writer = RankedWriter(log, commands, shown.append)
    printed = (
        b"0: one\n 1: ::add-mask::hidden\n10: 3: is hidden\nsrun: error: n2: task 1: Exited\n"
        b"0: ::error::broken\n1: \n1: rest"
    )
    for start in range(0, len(printed), size):
        writer.feed(printed[start : start + size])
    writer.finish()
    lines = log.text.decode().splitlines()
    assert lines[0] == "[0] one"
    assert lines[1:3] == ["[10] 3: is ***", "srun: error: n2: task 1: Exited"]
    assert lines[3].startswith("[0] ")
    assert lines[3].endswith("broken")
    assert lines[4:] == ["[1] ", "[1] rest"]
    assert "".join(shown) == log.text.decode()
    assert [each.message for each in commands.masked_annotations()] == ["broken"]
