"""The garbage collector may free a solver's model at any moment; that must not hang the process."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc, importlib, sys
import mip
from skyflow.planner.solver.solve import SOLVERS, _declare_destructor

solver = sys.argv[1]
ffi = importlib.import_module(f"mip.{solver}").ffi
if sys.argv[2] == "declared":
    _declare_destructor(solver)
gc.disable()
ring = [mip.Model(solver_name=SOLVERS[solver])]
ring.append(ring)  # only the collector can free it
del ring
gc.set_threshold(100)
gc.enable()
ffi.typeof("void(*)(int, double, char *)")  # parses, under a lock, while the collector frees the model
print("done")
"""


def outcome(solver: str, how: str, patience: float) -> str:
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, solver, how], capture_output=True, text=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        return "hangs"
    return done.stdout.strip() or done.stderr


@pytest.mark.parametrize("solver", ["cbc", "highs"])
def test_models_are_freed_without_a_deadlock(solver: str) -> None:
    assert outcome(solver, "declared", 60) == "done"
