"""A simulated world for the real engine, planner and store: virtual time, machines that can be lost, drivers that die.

Beside it, contracts of ports as tests, for whoever writes another implementation of one.
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
