"""The axis of the time line."""

from datetime import UTC, datetime, timedelta

from skyflow.report.page.timeline import Axis

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _span(begin: float, end: float) -> tuple[datetime, datetime]:
    return BEGAN + timedelta(seconds=begin), BEGAN + timedelta(seconds=end)


def test_the_axis_is_as_wide_as_the_work_took_and_a_short_pause() -> None:
    axis = Axis.over([_span(0, 10), _span(5, 20), _span(22, 40)])
    assert axis.pauses == ()
    assert round(axis.seconds_wide(), 6) == 40
    assert [round(axis.share(moment), 6) for moment, _ in (_span(0, 0), _span(10, 0), _span(40, 0))] == [0, 0.25, 1]


def test_a_job_that_ended_at_once_does_not_hide_how_long_the_others_took() -> None:
    assert round(Axis.over([_span(0, 0), _span(1, 60)]).seconds_wide(), 6) == 60


def test_a_long_pause_is_cut_out() -> None:
    axis = Axis.over([_span(0, 10), _span(3600, 3610)])
    assert len(axis.pauses) == 1
    assert axis.share(_span(3600, 0)[0]) < 0.6


def test_an_axis_of_nothing_has_no_width() -> None:
    assert Axis.over([]).seconds_wide() == 0
