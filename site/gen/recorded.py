"""What benchmarks have recorded in `site/results`, and how pages tell under which circumstances."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["Part", "circumstances", "is_busy", "read"]

Part = Mapping[str, Any]
_RESULTS = Path(__file__).parents[1] / "results"


def read(name: str) -> Mapping[str, Part]:
    """Return the parts of a file of results, by name; none if there is no such file yet."""
    path = _RESULTS / name
    found: dict[str, Part] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def circumstances(part: Part, *, is_timed: bool = True) -> str:
    """Return where and when a part was recorded, and, of what is timed, how busy the machine was."""
    what = part["circumstances"]
    if not is_timed:
        return (
            f"*{what['at']} at commit {what['commit']}, with a load average of {what['load']}; nothing of this depends on the machine "
            "but how good a plan is that is not proven.*"
        )
    rounds = f", medians of {part['rounds']} rounds" if part.get("rounds", 1) > 1 else ""
    return (
        f"*{what['at']} at commit {what['commit']}: {what['cpus']} CPUs ({what['cpu']}), {what['memory_gib']} GiB, "
        f"{what['system']}, Python {what['python']}{rounds}; load average {what['load']} at the start, "
        f"{what['load_after']} at the end{': the machine was busy with other work, so only processor seconds tell much' if is_busy(part) else ''}.*"
    )


def is_busy(part: Part) -> bool:
    """Whether more wanted to run than there were CPUs, so that what the clock says of a part tells little."""
    what = part["circumstances"]
    return bool(max(what["load"], what["load_after"]) > what["cpus"])
