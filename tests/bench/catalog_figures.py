"""What the catalog costs inside of a process, each figure beside a plain reading of the same price tables."""

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["commands", "inside"]

Row = tuple[str, str, str, str, bool]

_PROGRAM = """
import csv, json, random, resource, sys, time

from skyflow.catalog import load_catalog, select_candidates
from skyflow.errors import NoCandidateError
from skyflow.model.resources import Accelerators, Amount, Market, Requirements

def taken(what):
    began = time.perf_counter()
    what()
    return time.perf_counter() - began

def first():
    catalog = load_catalog()
    select_candidates(catalog, Requirements(cpus=Amount(8, True), memory_gib=Amount(32, True)), job="a")

def load():
    load_catalog().index

def thousand():
    catalog = load_catalog()
    chance = random.Random(7)
    asked = set()
    while len(asked) < 1000:
        device = chance.choice([None, None, None, "T4", "L4", "V100", "A100", "H100"])
        asked.add(Requirements(
            cpus=Amount(chance.choice([1, 2, 4, 8, 16, 32, 64]), True),
            memory_gib=Amount(chance.randint(1, 400), True) if device is None else None,
            accelerators=Accelerators(device, 1) if device else None,
            market=chance.choice(list(Market)),
            providers=chance.choice([None, frozenset({"aws"}), frozenset({"aws", "gcp"})]),
        ))
    found = 0
    for one in asked:
        try:
            found += bool(select_candidates(catalog, one, job="a"))
        except NoCandidateError:
            pass
    assert found > 800, found

def plain():
    folder = load_catalog().directory
    for cloud in ("aws", "azure", "gcp"):
        with (folder / cloud / "prices.csv").open() as file:
            sum(float(row["usd_per_hour"]) for row in csv.DictReader(file))

first()
print(json.dumps({name: taken(what) for name, what in (("plain", plain), ("load", load), ("first", first), ("thousand", thousand))}))
"""

_PLAN = """
import resource, sys
sys.argv = ["skyflow", "plan", "w.yml"]
from skyflow.cli import main
try:
    main()
except SystemExit as end:
    assert end.code == 0, end
sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
"""

_WORKFLOW = "on: push\njobs:\n" + "".join(
    f"  j{number}: {{runs-on: sky, resources: {{cpus: {2 ** (number % 6)}+, market: any}}, "
    + (f"needs: j{number - 1}, data: {{j{number - 1}: 5GB}}, " if number else "")
    + "estimate: 1h, steps: [{run: x}]}\n"
    for number in range(10)
)


def commands(skyflow: list[str]) -> Mapping[str, list[str]]:
    """Return the commands that are timed as processes."""
    return {"list": [*skyflow, "catalog", "list", "--accelerators", "A100"]}


def inside(rounds: int, folder: Path) -> list[Row]:
    """Return the figures that are measured inside of a process, and the memory of one."""
    runs = [_measured(_PROGRAM, folder) for _ in range(rounds)]
    got = {name: statistics.median(float(run[name]) for run in runs) for name in runs[0]}
    beside = f"reading the price tables with `csv` {got['plain']:.2f} s"
    (folder / "w.yml").write_text(_WORKFLOW)
    done = subprocess.run([sys.executable, "-c", _PLAN], cwd=folder, check=True, capture_output=True, text=True)
    megabytes = int(done.stderr.rsplit("\n", 1)[-1]) / 1024
    return [
        (
            "loading the full catalog, warm",
            f"{got['load'] * 1000:.0f} ms = {got['load'] / got['plain']:.3f} x",
            beside,
            "30 ms",
            got["load"] <= 0.03,
        ),
        (
            "the same, and selection for one job",
            f"{got['first'] * 1000:.0f} ms = {got['first'] / got['plain']:.3f} x",
            beside,
            "60 ms",
            got["first"] <= 0.06,
        ),
        (
            "selection for 1,000 different jobs",
            f"{got['thousand']:.2f} s = {got['thousand'] / got['plain']:.1f} x",
            beside,
            "2 s",
            got["thousand"] <= 2,
        ),
        ("peak memory of `skyflow plan`", f"{megabytes:.0f} MB", "10 jobs in a chain", "250 MB", megabytes <= 250),
    ]


def _measured(program: str, folder: Path) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found
