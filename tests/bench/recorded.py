"""What benchmarks found, kept as JSON from which `site/gen` makes pages: each part with its machine, its day and its load."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "Circumstances", "keep", "load_average", "of_now"]

RESULTS = Path(__file__).parents[2] / "site" / "results"
"""Where what was recorded is kept, for the pages."""


def load_average() -> float:
    """Return how many processes wanted to run in the last minute: above the number of CPUs, they took turns."""
    return round(os.getloadavg()[0], 1)


@dataclass(frozen=True)
class Circumstances:
    """Where and when a part was measured, as it began."""

    at: str
    commit: str
    cpus: int
    cpu: str
    memory_gib: int
    system: str
    python: str
    load: float
    extra: Mapping[str, Any] = field(default_factory=dict)


def of_now(**extra: Any) -> Circumstances:
    """Return the circumstances of a part that begins now."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=RESULTS.parent, capture_output=True, text=True, check=False
    )
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Circumstances(
        at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=commit.stdout.strip(),
        cpus=os.cpu_count() or 1,
        cpu=_cpu(),
        memory_gib=round(pages / 2**30),
        system=_system(),
        python=platform.python_version(),
        load=load_average(),
        extra=extra,
    )


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())


def keep(file: str, part: str, began: Circumstances, found: Mapping[str, Any]) -> None:
    """Put what a part found into a file of results, in place of what was there of it."""
    path = RESULTS / file
    path.parent.mkdir(exist_ok=True)
    parts = json.loads(path.read_text()) if path.exists() else {}
    parts[part] = {"circumstances": {**asdict(began), "load_after": load_average()}, **found}
    path.write_text(json.dumps(dict(sorted(parts.items())), indent=1, ensure_ascii=False) + "\n")
