"""What is said of a value with a unit that nobody understands: which option it was given to, and how to write it."""

import pytest

from skyflow.cli._run_options import read_keep_time
from skyflow.cli.plan import plan
from skyflow.cli.wait import wait
from skyflow.errors import UsageError

CASES = {
    "--deadline": (lambda: plan("w.yml", deadline="soon"), "'soon' is not a duration", "10m"),
    "--wait": (lambda: plan("w.yml", wait="-5m"), "'-5m' is not a duration", "10m"),
    "--time-limit": (lambda: plan("w.yml", time_limit="x"), "'x' is not a duration", "10m"),
    "--budget": (lambda: plan("w.yml", budget="much"), "'much' is not an amount of money", "$12.50"),
    "--carbon-cap": (lambda: plan("w.yml", carbon_cap="2 lb"), "'2 lb' is not an amount of CO2", "2kg"),
    "--start": (lambda: plan("w.yml", start="noon"), "'noon' is not a moment", "08:00Z"),
    "--timeout": (lambda: wait(timeout="x"), "'x' is not a duration", "10m"),
    "--keep-for": (lambda: read_keep_time("--keep-for", "x"), "'x' is not a duration", "10m"),
}


@pytest.mark.parametrize("option", CASES)
def test_a_value_that_cannot_be_read_names_its_option(option: str) -> None:
    command, message, example = CASES[option]
    with pytest.raises(UsageError) as raised:
        command()
    assert raised.value.message == f"{option}: {message}"
    assert example in (raised.value.hint or "")
