"""A simulated world for the real engine, planner and store: virtual time, machines that can be lost, drivers that die.

Beside it, what every implementation of a port has to do, as test classes: subclass one, and give it a fixture. Some need
pytest's plugin anyio; mark the subclass with `pytest.mark.anyio`.
"""

from skyflow.testing.distribution import Outcome, simulate
from skyflow.testing.scenarios import Scenario, ScenarioError, check_scenario
from skyflow.testing.spot import SpotTrace, read_spot_trace

__all__ = [
    "Outcome",
    "Scenario",
    "ScenarioError",
    "SpotTrace",
    "check_scenario",
    "read_spot_trace",
    "simulate",
]
