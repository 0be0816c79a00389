"""What a long transfer says, on a clock of its own."""

from skyflow.model.transfers import Leg, Way
from skyflow.runners.transfer_progress import TransferProgress


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def monotonic(self) -> float:
        return self.time


def test_a_short_transfer_says_nothing() -> None:
    clock, lines = Clock(), []
    progress = TransferProgress(1000, lines.append, clock)
    for _ in range(10):
        clock.time += 0.4
        progress.add(100)
    assert lines == []
    assert (progress.moved, round(progress.seconds, 6)) == (1000, 4.0)


def test_a_long_transfer_says_now_and_then_how_far_it_is() -> None:
    clock, lines = Clock(), []
    progress = TransferProgress(400_000_000, lines.append, clock)
    for _ in range(40):
        clock.time += 1
        progress.add(10_000_000)
    assert lines == [
        "50.0 of 400.0 MB (12%), 10.0 MB/s, about 35s left\n",
        "150.0 of 400.0 MB (38%), 10.0 MB/s, about 25s left\n",
        "250.0 of 400.0 MB (62%), 10.0 MB/s, about 15s left\n",
        "350.0 of 400.0 MB (88%), 10.0 MB/s, about 5.0s left\n",
    ]


def test_a_transfer_of_unknown_size_or_with_more_than_was_expected_says_no_nonsense() -> None:
    clock, lines = Clock(), []
    unknown, more = TransferProgress(None, lines.append, clock), TransferProgress(5, lines.append, clock)
    clock.time += 20
    unknown.add(0)
    unknown.add(30_000_000)
    more.add(7)
    assert lines == ["30.0 MB so far, 1.5 MB/s\n"]


def test_the_end_of_a_transfer_is_said_unless_nothing_was_moved() -> None:
    clock, lines = Clock(), []
    progress = TransferProgress(2_000_000, lines.append, clock)
    clock.time += 4
    assert progress.leg(Way.DOWNLOAD, "From the store to m") is None
    assert lines == []
    progress.add(2_000_000)
    assert progress.leg(Way.DOWNLOAD, "From the store to m") == Leg(way=Way.DOWNLOAD, size=2_000_000, seconds=4.0)
    assert lines == ["From the store to m: 2.0 MB in 4.0 s\n"]
