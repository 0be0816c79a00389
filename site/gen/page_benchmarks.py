"""The page on benchmarks, from what `python tests/bench` has recorded."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markdown_text import fence, page, table
from recorded import Part, circumstances, is_busy, read

__all__ = ["render"]

_ORDER = (
    *("start_up", "one_job", "hundred_jobs", "thousand_jobs", "chain", "no_op"),
    *("kill_and_resume", "log_throughput", "memory"),
)


def render() -> str:
    """Return the page."""
    parts = read("benchmarks.json")
    return page(
        "Benchmarks",
        source="`site/results/benchmarks.json` and `targets.json`",
        parts=[
            (
                "skyflow beside the tools that one would take instead, doing the same on the same machine, in turn: in each "
                "round every tool runs once, and the median of the rounds counts. Each part says when and how busy the "
                "machine was. This measures them anew, installs the peers into environments of their own, and writes this page:"
            ),
            fence("python tests/bench\npython site/gen/build.py --only pages", "sh"),
            (
                "`python tests/bench PART` measures one part (`--help` lists them). What is compared is what the tools have in "
                "common. For every step, skyflow writes down what it is about to do before it does it, and keeps a log of its own: "
                "that is what it is slower for than make and doit. [Comparison](comparison.md) says when to take which."
            ),
            *_tools(list(parts.values())),
            *(text for name in _ORDER if name in parts for text in _measured(parts[name])),
            *(_validation(parts["validation"]) if "validation" in parts else ()),
            *(_problems(parts["problems"]) if "problems" in parts else ()),
            *(_on_the_catalog(parts["on_the_catalog"]) if "on_the_catalog" in parts else ()),
            *_targets(read("targets.json")),
        ],
    )


_SUITES = {
    "costs": "Start-up, runs, validation, reports",
    "engine": "Many jobs, resuming, watching, output",
    "planner": "Plans",
    "machines": "SSH, Slurm and buckets",
    "clouds": "Machines of clouds",
    "live_page": "The live page",
    "limits": "Limits",
}


def _targets(parts: Mapping[str, Part]) -> Iterator[str]:
    if not parts:
        return
    held = [figure for part in parts.values() for figure in part["figures"] if figure["target"]]
    yield "## Against its own targets"
    yield (
        "What skyflow is held to, by suites that can be run one by one; what clocks say depends on the machine, so each figure "
        "stands beside something that was run in turn with it, where there is such a thing. "
        f"{sum(figure['met'] for figure in held)} of {len(held)} targets are met in what is recorded here."
    )
    for name, title in _SUITES.items():
        if name in parts:
            yield f"### {title}"
            yield f"`python {parts[name]['script']}`"
            yield table(("what", "measured", "run in turn with", "target", ""), map(_held, parts[name]["figures"]))
            yield circumstances(parts[name])


def _held(figure: Part) -> tuple[str, ...]:
    verdict = ("met" if figure["met"] else "**missed**") if figure["target"] else ""
    return (figure["name"], figure["measured"], figure["beside"], figure["target"], verdict)


def _tools(parts: Sequence[Part]) -> Iterator[str]:
    tools: dict[str, Any] = {}
    absent: dict[str, str] = {}
    for part in parts:
        tools |= part.get("tools", {})
        absent |= part.get("absent", {})
    yield "## Who takes part"
    yield table(("tool", "version", "from"), [(name, one["version"], one["source"]) for name, one in tools.items()])
    missing = [f"- **{name}** is not here: {why}." for name, why in absent.items() if name not in tools]
    if missing:
        yield "\n".join(missing)


def _measured(part: Part) -> Iterator[str]:
    figures = part["figures"]
    key = "cpu" if "cpu" in figures["skyflow"] and is_busy(part) else "value"
    ordered = sorted(figures, key=lambda name: figures[name][key])
    better = [name for name in ordered[: ordered.index("skyflow")] if name in part["tools"]]
    worse = [name for name in ordered[ordered.index("skyflow") + 1 :] if name in part["tools"]]
    yield f"## {part['title']}"
    yield part["about"]
    if "done" in figures["skyflow"]:
        yield _resumed(figures, ordered)
    else:
        yield _compared(part, ordered)
    yield _verdict(better, worse, "processor s" if key == "cpu" else part["unit"])
    yield circumstances(part)


def _compared(part: Part, ordered: Sequence[str]) -> str:
    figures, ours = part["figures"], part["figures"]["skyflow"]
    columns = ["value", *(("cpu",) if "cpu" in ours else ())]
    header = [part["unit"], *(("processor s",) if "cpu" in ours else ())]
    rows = []
    for name in ordered:
        cells = [f"**{name}**" if name == "skyflow" else name]
        for column in columns:
            cells += [_number(figures[name][column]), f"{figures[name][column] / ours[column]:.2f}"]
        rows.append(cells)
    return table(["", *(cell for each in header for cell in (each, "of skyflow's"))], rows)


def _verdict(better: Sequence[str], worse: Sequence[str], unit: str) -> str:
    words = {
        "s": ("slower", "faster"),
        "processor s": ("more work for the processor", "less work"),
        "MB": ("larger", "smaller"),
    }[unit]
    said = [f"{word} than {_and(names)}" for word, names in zip(words, (better, worse), strict=True) if names]
    return f"skyflow is {', and '.join(said)}."


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _number(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:,.0f}"  # noqa: PLR2004 -- digits


def _resumed(figures: Part, ordered: Sequence[str]) -> str:
    header = (
        *("", "s until the end", "done before", "cut off", "done run again", "halves taken as done"),
        *("all done in the end", "commands"),
    )
    rows = []
    for name in ordered:
        one = figures[name]
        done = "yes" if one["complete"] else "**no**"
        numbers = (one["done"], one["cut_off"], one["again"], one["torn"])
        shown = f"**{name}**" if name == "skyflow" else name
        rows.append((shown, f"{one['value']:.1f}", *map(str, numbers), done, str(one["commands"])))
    return table(header, rows)


def _validation(part: Part) -> Iterator[str]:
    found = part["found"]
    yield "## Validation"
    yield (
        "`skyflow validate` beside `check-jsonschema` with our schema, and with the schema of GitHub's workflows that it brings. "
        "skyflow parses every expression, checks every reference, and says line and column."
    )
    yield table(
        ("lines", "", "s", "processor s"),
        [
            (f"{row['lines']:,}", _validator(row["program"]), _number(row["value"]), _number(row["cpu"]))
            for row in part["rows"]
        ],
    )
    key = "cpu" if is_busy(part) else "value"
    best = {row["lines"]: row for row in sorted(part["rows"], key=lambda row: row[key], reverse=True)}
    beaten = [f"{lines:,}" for lines, row in sorted(best.items()) if row["program"] != "skyflow"]
    if beaten:
        yield f"skyflow is not the fastest for {_and(beaten)} lines."
    yield (
        f"Of the {found['examples']} wrong workflows on our pages of [diagnostics](../reference/diagnostics.md), skyflow says "
        f"something of {found['skyflow']}; check-jsonschema with our schema of {found['with our schema']}, for a schema cannot see "
        "the rest. The pages are ours, so this only shows what a schema misses."
    )
    yield circumstances(part)


def _validator(program: str) -> str:
    return "**skyflow**" if program == "skyflow" else f"check-jsonschema {program}"


def _problems(part: Part) -> Iterator[str]:
    yield f"## {part['title']}"
    theirs = (
        "what was recorded with the problems, of SkyPilot 0.14.1 on another machine of two CPUs"
        if part["is_recorded"]
        else "its functions that decide (dynamic programming for chains, else an integer program for CBC), run here in an "
        "environment of their own"
    )
    whose = (
        "a folder given with `--instances`" if part["given"] else "`tests/bench/planner/instances.py`, by their seeds"
    )
    yield (
        "Bare placement problems, in which both get the same candidates and the same tables of transfers, so that only deciding is "
        f"compared. Processor seconds, reading and start-up not counted. The problems are of {whose}; SkyPilot's figures are "
        f"{theirs}. It got {part['patience']:.0f} processor seconds; a larger problem of a kind that it had no answer for is not "
        "tried. skyflow proves each optimum."
    )
    rows = []
    for row in part["rows"]:
        peer = row["peer"]
        if peer is None:
            rows.append((row["problem"], row["goal"], _number(row["seconds"]), _no_answer(row), "", ""))
            continue
        same = _agreement(row["objective"], peer.get("objective"))
        ratio = f"{peer['seconds'] / row['seconds']:,.1f}"
        rows.append((row["problem"], row["goal"], _number(row["seconds"]), _number(peer["seconds"]), ratio, same))
    yield table(("problem", "goal", "skyflow, s", "SkyPilot, s", "times", "same objective"), rows)
    slower = sum(row["peer"] is not None and row["peer"]["seconds"] < row["seconds"] for row in part["rows"])
    if slower:
        yield f"SkyPilot's is faster for {slower} of these {len(part['rows'])}."
    yield circumstances(part)


def _no_answer(row: Part) -> str:
    return "not tried" if row.get("not_run") else "no answer"


def _agreement(ours: float, theirs: float | None) -> str:
    if theirs is None:
        return ""
    difference = (theirs - ours) / max(abs(ours), 1e-12)
    return "yes" if abs(difference) <= 1e-6 else f"theirs is {difference:+.2%}"  # noqa: PLR2004 -- rounding


def _on_the_catalog(part: Part) -> Iterator[str]:
    yield f"## {part['title']}"
    yield (
        "`skyflow plan` as a process, with start-up, reading and selection from the three clouds' whole price lists. SkyPilot fetches "
        "its catalogs from the network, so it is not run here; its figures were taken of SkyPilot 0.14.1 on another machine of two "
        "CPUs, with catalogs of the real size and 148 candidates a task."
    )
    shown = {None: "no answer in 75 s", "none": "not tried"}
    yield table(
        ("workflow", "skyflow, s", "processor s", "status", "SkyPilot, recorded"),
        [
            (
                row["workflow"],
                _number(row["seconds"]),
                _number(row["cpu"]),
                row["status"],
                shown[row["peer"]] if row["peer"] in shown else f"{row['peer']} s",
            )
            for row in part["rows"]
        ],
    )
    yield circumstances(part)
