"""What each constraint family writes: one golden `.lp` file per family, by its name.

`SKYFLOW_UPDATE_GOLDEN=1 pytest tests/unit/planner/test_formulation.py` writes the files anew; read the difference.
"""

import os
from pathlib import Path

import pytest

from skyflow.model.objective import Objective
from skyflow.planner.formulation import FAMILIES, Units, formulate

GOLDEN = Path(__file__).parent / "lp"


def lp_text(formulation, tmp_path):
    path = tmp_path / "model.lp"
    formulation.model.write(str(path))
    return "".join(f"{line.rstrip()}\n" for line in path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_family_writes_what_it_wrote(family, tiny, tmp_path):
    formulation = formulate(tiny, Objective.COST, ceilings={Objective.MAKESPAN: 1200.0}, families=(family,))
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
    text = lp_text(formulate(tiny, Objective.MAKESPAN, ceilings={Objective.COST: 5.0}), tmp_path)
    for name in (
        "x(test_all,gcp_us_west1_n2_standard_8_on_demand)",
        "finishes_after_needs(build,test_all)",
        "shares_slots(local.local)",
        "pays_for_transfer(build,test_all,aws.us_east_1,0)",
    ):
        assert name in text


def test_only_what_an_objective_needs_is_modelled(tiny):
    assert not formulate(tiny, Objective.COST).f
    assert not formulate(tiny, Objective.MAKESPAN).q


def test_units_scale_the_objective(tiny):
    for objective, unit in ((Objective.COST, 10.0), (Objective.MAKESPAN, 100.0)):
        values = []
        for units in (Units(), Units(usd=10.0, seconds=100.0)):
            model = formulate(tiny, objective, units=units).model
            model.optimize()
            values.append(model.objective_value)
        assert values[0] == pytest.approx(values[1] * unit)
