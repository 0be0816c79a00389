"""`python -m skyflow.testing [SEED | --scenarios N [--from SEED] | --crash-points]`: run scenarios, and say which fail."""

import argparse
import sys
import tempfile
from pathlib import Path

from skyflow.testing.crash_points import CRASH_CASES, check_crash_points
from skyflow.testing.scenarios import ScenarioError, check_scenario
from skyflow.testing.world_drive import scenario_store

__all__ = ["main"]


def main() -> int:
    """Run the scenarios that were asked for; the exit code is 1 if one fails."""
    parser = argparse.ArgumentParser(description="Run seeded scenarios of the engine in a simulated world.")
    parser.add_argument("seed", nargs="?", type=int, help="one scenario")
    parser.add_argument("--scenarios", type=int, default=1000, metavar="N", help="how many, without a seed")
    parser.add_argument("--from", dest="first", type=int, default=0, metavar="SEED", help="the first of them")
    parser.add_argument("--crash-points", action="store_true", help="kill the driver at every moment there is, instead")
    options = parser.parse_args()
    return _crash_points() if options.crash_points else _scenarios(options)


def _crash_points() -> int:
    failed = 0
    for name in CRASH_CASES:
        for lost_keepers in (False, True):
            moments, problems = check_crash_points(name, lost_keepers=lost_keepers)
            failed += bool(problems)
            sys.stderr.write("".join(f"{problem}\n" for problem in problems))
            sys.stdout.write(f"{name}{', with all it had started' if lost_keepers else ''}: killed {moments} times\n")
    return 1 if failed else 0


def _scenarios(options: argparse.Namespace) -> int:
    seeds = [options.seed] if options.seed is not None else range(options.first, options.first + options.scenarios)
    failed = crashes = preemptions = 0
    with tempfile.TemporaryDirectory() as folder, scenario_store(Path(folder)) as store:
        for seed in seeds:
            try:
                drive = check_scenario(seed, store)
            except ScenarioError as error:
                failed += 1
                sys.stderr.write(f"{error}\n")
                continue
            crashes += drive.crashes
            preemptions += drive.world.preemptions
    sys.stdout.write(f"{len(seeds)} scenarios, {crashes} crashes, {preemptions} preemptions: {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
