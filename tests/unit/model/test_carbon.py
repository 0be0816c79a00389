"""Power, energy, emissions, and how they change with the hour."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from skyflow.model.carbon import CarbonProfile, profile_from_trace
from skyflow.model.footprint import Footprint

MACHINE = Footprint(idle_watts=100, max_watts=300, pue=1.2, gco2_per_kwh=400, embodied_g_per_hour=10, grid="X")
NIGHT, NOON = datetime(2026, 7, 1, 0, 30, tzinfo=UTC), datetime(2026, 7, 1, 12, 30, tzinfo=UTC)


def test_energy_counts_utilization_and_the_building():
    assert MACHINE.energy_kwh(3600) == pytest.approx(0.2 * 1.2)
    assert MACHINE.energy_kwh(7200, 1.0) == pytest.approx(2 * 0.3 * 1.2)
    assert MACHINE.energy_kwh(3600, 0.0) == pytest.approx(0.1 * 1.2)


def test_emissions_follow_the_grid():
    assert MACHINE.gco2e(3600) == pytest.approx(0.24 * 400)
    assert MACHINE.gco2e(1800, 1.0) == pytest.approx(0.18 * 400)


def test_several_machines_draw_several_times_as_much():
    assert MACHINE.times(3).gco2e(3600) == pytest.approx(3 * MACHINE.gco2e(3600))
    assert MACHINE.times(3).embodied_g_per_hour == 30
    assert MACHINE.times(3).pue == MACHINE.pue


def test_a_footprint_survives_json():
    assert Footprint.from_json(MACHINE.to_json()) == MACHINE


@pytest.fixture
def profile():
    return CarbonProfile(200.0, tuple(0.5 if hour == 12 else 1.0 for _ in range(12) for hour in range(24)))


def test_a_profile_knows_the_hour_in_utc(profile):
    assert profile.gco2_per_kwh(NOON) == 100
    assert profile.gco2_per_kwh(NIGHT) == 200
    india = timezone(timedelta(hours=5, minutes=30))
    assert profile.gco2_per_kwh(datetime(2026, 7, 1, 18, 15, tzinfo=india)) == 100


def test_a_profile_is_made_of_traces():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    hours = [start + timedelta(hours=hour) for hour in range(48)]
    found = profile_from_trace((at, 300.0 if at.hour < 12 else 100.0) for at in hours)
    assert found.mean == 200
    assert found.gco2_per_kwh(datetime(2027, 1, 5, 3, tzinfo=UTC)) == pytest.approx(300)
    assert found.gco2_per_kwh(datetime(2027, 1, 5, 15, tzinfo=UTC)) == pytest.approx(100)
    assert found.gco2_per_kwh(datetime(2027, 6, 5, 15, tzinfo=UTC)) == pytest.approx(200)


@pytest.mark.parametrize("hours", [[], [(NOON, 0.0)]])
def test_a_trace_without_anything_in_it_is_refused(hours):
    with pytest.raises(ValueError, match="at least one hour"):
        profile_from_trace(hours)
