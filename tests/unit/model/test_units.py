"""Durations, sizes and money: what is read and what is shown."""

import pytest

from skyflow.model.units import (
    format_duration,
    format_gb,
    format_grams,
    format_usd,
    parse_duration_seconds,
    parse_size_gb,
    parse_size_gib,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("100ms", 0.1),
        ("1s 500ms", 1.5),
        ("2 milliseconds", 0.002),
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("2 days", 172800),
        ("1.5 h", 5400),
        (" 1H ", 3600),
    ],
)
def test_a_duration_is_read_in_seconds(text, seconds):
    assert parse_duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1h 30", "-5m", "1 fortnight", "1e3"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration_seconds(text)


def test_data_is_counted_in_decimal_and_memory_in_binary_units():
    assert parse_size_gb("500MB") == 0.5
    assert parse_size_gb("2") == 2
    assert parse_size_gib("16GiB") == 16
    assert parse_size_gib("16GB") == pytest.approx(14.901, abs=0.001)


@pytest.mark.parametrize("text", ["", "large", "5 parsecs", "1.2.3GB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="is not a size"):
        parse_size_gb(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0ms"),
        (0.44, "440ms"),
        (1.44, "1.4s"),
        (9.96, "10s"),
        (59.6, "1m 00s"),
        (185, "3m 05s"),
        (9600, "2h 40m"),
        (273600, "3d 04h"),
    ],
)
def test_a_duration_is_shown_in_two_units(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (0, "$0"),
        (0.00000001, "<$0.000001"),
        (0.0000056, "$0.0000056"),
        (0.0042, "$0.0042"),
        (0.004, "$0.004"),
        (1.274, "$1.27"),
        (1204.5, "$1,204.50"),
    ],
)
def test_money_is_never_shown_with_an_exponent(dollars, text):
    assert format_usd(dollars) == text


@pytest.mark.parametrize(
    ("gigabytes", "text"),
    [
        (0, "0"),
        (0.000000024, "<1 kB"),
        (0.0000125, "12.5 kB"),
        (0.25, "250 MB"),
        (0.9999, "1 GB"),
        (12.5, "12.5 GB"),
        (999.9, "1 TB"),
        (3000, "3 TB"),
        (2_500_000, "2,500 TB"),
    ],
)
def test_data_is_never_shown_with_an_exponent(gigabytes, text):
    assert format_gb(gigabytes) == text


@pytest.mark.parametrize(
    ("grams", "text"),
    [(0, "0 g"), (0.00002, "<0.1 g"), (0.1, "0.1 g"), (251, "251 g"), (12_500, "12.5 kg"), (2e6, "2 t")],
)
def test_emissions_are_never_shown_with_an_exponent(grams, text):
    assert format_grams(grams) == text
