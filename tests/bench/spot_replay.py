"""Recorded traces of spot machines, replayed through `skyflow simulate`: `python tests/bench/spot_replay.py TRACES INDEX`.

TRACES is a CSV file (it may be gzipped) with the columns `trace_id`, `start_tick`, `length` and `available_nodes`, INDEX one with
`trace_id`, `nodes`, `instance_type`, `zone`, `gap_seconds` and `days`: the traces that skypilot-org/spot-traces publishes, run-length
coded. They come without a licence, so they are read from where the user has them, and only what came out is kept, in
`site/results/evaluation.json`.
"""

import argparse
import csv
import gzip
import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from measuring import SKYFLOW
from recorded import RESULTS, keep, of_now

WORKFLOW = Path(__file__).parents[2] / "workflows" / "evaluation" / "spot-training.yml"
MACHINE, LONGEST_DAYS = "p3.2xlarge", 40.0
SPOT, RETRY, GOAL = "market: spot", "    retry:", "  objective: cost"
DEADLINE_HOURS = (22, 26, 30, 40)
POLICIES: Mapping[str, Mapping[str, str]] = {
    "on demand": {SPOT: "market: on-demand"},
    "eager": {RETRY: f"    recovery: eager\n{RETRY}"},
    "wait": {RETRY: f"    recovery: wait\n{RETRY}"},
    "stay": {RETRY: f"    recovery: {{strategy: wait, for: 1000h}}\n{RETRY}"},
    **{
        f"deadline {hours} h": {
            SPOT: "market: any",
            RETRY: f"    recovery: deadline\n{RETRY}",
            GOAL: f"{GOAL}\n  deadline: {hours}h",
        }
        for hours in DEADLINE_HOURS
    },
}
"""What of the workflow is put in place of what."""


def read_traces(traces: Path, index: Path, folder: Path) -> list[dict[str, Any]]:
    """Write a file for each of the long traces of single machines of the workflow's type, and return what is known of them."""
    with index.open(encoding="utf-8", newline="") as file:
        known = [
            row
            for row in csv.DictReader(file)
            if row["instance_type"] == MACHINE and row["nodes"] == "1" and float(row["days"]) >= LONGEST_DAYS
        ]
    with gzip.open(traces, "rt") if traces.suffix == ".gz" else traces.open() as file:
        rows = list(csv.DictReader(file))
    for one in known:
        path = folder / f"{one['trace_id']}.csv"
        lines = [
            f"{one['gap_seconds']},{row['start_tick']},{row['length']},{row['available_nodes']}\n"
            for row in rows
            if row["trace_id"] == one["trace_id"]
        ]
        path.write_text(f"gap_seconds,start_tick,length,available_nodes\n{''.join(lines)}")
        one["path"] = path
    return known


def simulated(policy: str, traces: Sequence[Path], *, runs: int, folder: Path) -> dict[str, Any]:
    """Return the means of so many runs under a policy, and what share of them was later than each deadline."""
    text = WORKFLOW.read_text(encoding="utf-8")
    for old, new in POLICIES[policy].items():
        if old not in text:
            raise SystemExit(f"{WORKFLOW} has no '{old}' any more")
        text = text.replace(old, new, 1)
    path = folder / f"{policy.replace(' ', '-')}.yml"
    path.write_text(text, encoding="utf-8")
    replayed = [word for trace in traces for word in ("--spot-trace", str(trace))]
    command = [*SKYFLOW, "simulate", path.name, "--json", "--spread", "0", "--runs", str(runs), *replayed]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    outcomes = json.loads(done.stdout)
    hours = [one["makespan_seconds"] / 3600 for one in outcomes]
    return {
        "succeeded": sum(one["conclusion"] == "success" for one in outcomes) / len(outcomes),
        "usd": statistics.mean(one["cost_usd"] for one in outcomes),
        "hours": statistics.mean(hours),
        "slowest_tenth_hours": statistics.quantiles(hours, n=10)[-1],
        "slowest_hours": max(hours),
        "late": {f"{limit} h": sum(one > limit for one in hours) / len(hours) for limit in DEADLINE_HOURS},
        "preemptions": statistics.mean(one["preemptions"] for one in outcomes),
    }


def main() -> None:
    """Replay, and keep what was found."""
    parser = argparse.ArgumentParser(
        description="Recorded traces of spot machines, replayed through `skyflow simulate`."
    )
    parser.add_argument("traces", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    began, found = of_now(), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = read_traces(options.traces, options.index, folder)
        worlds = [(one["zone"], float(one["frac_any_available"]), [one["path"]]) for one in known]
        everywhere = statistics.mean(share for _, share, _ in worlds)
        worlds.append(("all of these", everywhere, [one["path"] for one in known]))
        for zone, share, paths in worlds:
            replay = partial(simulated, traces=paths, runs=options.runs, folder=folder)
            with ThreadPoolExecutor(max_workers=os.cpu_count()) as side_by_side:  # nothing here is timed
                policies = dict(zip(POLICIES, side_by_side.map(replay, POLICIES), strict=True))
            found.append({"zone": zone, "available": share, "policies": policies})
            print(json.dumps(found[-1]), flush=True)
    kept = {"runs": options.runs, "machine": MACHINE, "deadline_hours": DEADLINE_HOURS, "worlds": found}
    keep("evaluation.json", "spot", began, kept)
    print(f"kept in {RESULTS / 'evaluation.json'}")


if __name__ == "__main__":
    main()
