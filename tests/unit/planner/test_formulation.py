"""What each constraint family writes: one golden `.lp` file per family, by its name.

`SKYFLOW_UPDATE_GOLDEN=1 pytest tests/unit/planner/test_formulation.py` writes the files anew; read the difference.
"""

import os
from pathlib import Path

import pytest

from skyflow.model.objective import Goal, Objective
from skyflow.planner.problem import Limits
from skyflow.planner.solver.formulation import FAMILIES, Units, formulate

COST, MAKESPAN = Goal.of(Objective.COST), Goal.of(Objective.MAKESPAN)
GOLDEN = Path(__file__).parent / "lp"


def lp_text(formulation, tmp_path):
    path = tmp_path / "model.lp"
    formulation.model.write(str(path))
    return "".join(f"{line.rstrip()}\n" for line in path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_family_writes_what_it_wrote(family, tiny, tmp_path):
    formulation = formulate(tiny, COST, ceilings=((MAKESPAN, 1200.0),), families=(family,))
    text = lp_text(formulation, tmp_path)
    golden = GOLDEN / f"{family}.lp"
    if os.environ.get("SKYFLOW_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_there_is_a_golden_file_for_each_family_and_no_other():
    assert {path.stem for path in GOLDEN.glob("*.lp")} == set(FAMILIES)


def test_every_family_carries_its_mathematics_and_a_sentence():
    for latex, family in FAMILIES.values():
        assert latex.count("{") == latex.count("}")
        assert family.__doc__.endswith(".")


def test_no_name_is_lost(tiny, tmp_path):
    text = lp_text(formulate(tiny, MAKESPAN, ceilings=((COST, 5.0),)), tmp_path)
    for name in (
        "x(test_all,gcp_us_west1_n2_standard_8_on_demand)",
        "finishes_after_needs(build,test_all)",
        "shares_capacity(slots_of_this_machine)",
        "pays_for_transfer(build,test_all,aws.us_east_1,0)",
        "emits_for_transfer(build,test_all,local.local,0)",
        "within_budget",
        "within_carbon_cap",
        "meets_deadline",
        "keeps_what_was_decided(cost)",
    ):
        assert name in text


def test_only_what_the_goal_and_the_limits_need_is_modelled(tiny):
    free = tiny.limited_by(Limits())
    assert not formulate(free, COST).f
    assert set(formulate(free, MAKESPAN).steps) == {"seconds"}
    assert set(formulate(tiny, COST).steps) == {"usd", "grams", "seconds"}


def test_units_scale_the_objective(tiny):
    for goal, unit in ((COST, 10.0), (MAKESPAN, 100.0)):
        values = []
        for units in (Units(), Units(goal=unit, usd=10.0, seconds=100.0)):
            model = formulate(tiny, goal, units=units).model
            model.optimize()
            values.append(model.objective_value)
        assert values[0] == pytest.approx(values[1] * unit)
