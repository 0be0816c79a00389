"""The page on the evaluation, from what `tests/bench/applications.py` and `tests/bench/spot_replay.py` have recorded."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markdown_text import fence, page, table
from recorded import Part, circumstances, read

from skyflow.model.units import format_duration, format_usd

__all__ = ["render"]

_REPOSITORY = "https://github.com/skypilot-org/spot-traces"
_KINDS = {
    "machine-learning": "Machine learning",
    "bioinformatics": "Bioinformatics",
    "analytics": "Analytics",
}
_PROVEN = 1e-6
_POLICIES = {
    "eager": "**eager** goes on at once where the plan finds it best elsewhere",
    "wait": "**wait**, the default here, waits 15 minutes for another one there first",
    "stay": "**stay** (`recovery: {strategy: wait, for: 1000h}`) waits there however long it takes",
}
_IN_TIME = "../how-to/run-on-a-cloud.md#end-in-time-on-spot-machines"
_PAPER_SAVES = "27 to 84 %"


def render() -> str:
    """Return the page."""
    parts = read("evaluation.json")
    return page(
        "Evaluation",
        source="`site/results/evaluation.json`",
        parts=[
            (
                "What is a broker between clouds worth? The paper that skyflow follows (Yang et al., *SkyPilot: An Intercloud Broker "
                "for Sky Computing*, NSDI 2023) judges it by three kinds of application, and its authors by spot machines. These "
                "are workflows of those kinds, planned on the catalog as it is shipped, with its prices and its dates. **They are not "
                "the paper's programs, data or prices**: sizes and durations are ours, written in the workflows, so what stands here "
                "can be compared with each other and not with the paper's tables."
            ),
            fence(
                "python tests/bench/applications.py\npython tests/bench/spot_replay.py TRACES INDEX\n"
                "python site/gen/build.py --only pages",
                "sh",
            ),
            *(_applications(parts["applications"]) if "applications" in parts else ()),
            *(_spot(parts["spot"]) if "spot" in parts else ()),
        ],
    )


def _applications(part: Part) -> Iterator[str]:
    yield "## Three kinds of application"
    yield (
        "*The broker* may use every machine of three clouds, on demand and spot. The others may use less: machines of one cloud, or "
        "machines on demand. *Each job by itself* takes for each job what is best for it alone and lets the data follow, which is how "
        "tasks are placed one at a time. The plans of all others are proven optimal under their rule, unless a row says how far they "
        f"are proven when {part['patience_seconds']:g} seconds are over. Costs "
        "include what moving data costs."
    )
    for name, title in _KINDS.items():
        found = part["applications"].get(name)
        if found is not None:
            yield f"### {title}"
            yield f"`workflows/evaluation/{name}.yml`"
            yield from _planned(found["cost"], "usd", "For the least cost:")
            budget = format_usd(found["makespan"]["budget_usd"])
            yield from _planned(
                found["makespan"], "seconds", f"For the least time within {budget}, the least cost of all on demand:"
            )
    yield (
        "The paper's own figures for these kinds could not be had from the paper itself. A text of its authors that introduces SkyPilot "
        "says that training on GPUs and TPUs became 3 times cheaper and bioinformatics on hundreds of spot machines 6.5 times; it "
        "does not say what was compared under which prices, so they stand here for the reader and not beside a column."
    )
    yield circumstances(part, is_timed=False)


def _planned(found: Part, key: str, title: str) -> Iterator[str]:
    yield title
    of = "cost" if key == "usd" else "time"
    rows = [("**the broker**", *_amounts(found), "1.00")]
    rivals = [*found["rivals"], *({"name": "each job by itself", **found[one]} for one in ("alone",) if one in found)]
    for rival in rivals:
        name = rival["name"].replace("everything", "all")
        if key in rival:
            rows.append((name, *_amounts(rival), f"{rival[key] / found[key]:.2f}{_gap(rival)}"))
        else:
            rows.append((name, "not possible", "", ""))
    yield table(("", "cost", "time", f"of the broker's {of}"), rows)
    beaten_by = [
        rival["name"].replace("everything", "all") for rival in rivals if rival.get(key, found[key]) < found[key]
    ]
    if beaten_by:
        yield (
            f"**The broker's plan is not the best here**: it might have taken that of {' or '.join(beaten_by)}. It was proven to "
            f"{found['gap']:.1%} when its time was over."
        )
    yield f"The broker runs {'; '.join(map(_choice, found['choices']))}{_gap(found)}."


def _gap(found: Mapping[str, Any]) -> str:
    gap = found.get("gap", 0.0)
    return f" (proven to {gap:.1%})" if gap > _PROVEN else ""


def _amounts(found: Part) -> tuple[str, str]:
    return format_usd(found["usd"]), format_duration(found["seconds"])


def _choice(one: Mapping[str, Any]) -> str:
    times = f" ({one['count']} times)" if one["count"] > 1 else ""
    return f"`{one['job']}`{times} on {one['type']} of {one['provider']}/{one['region']}, {one['market']}"


def _spot(part: Part) -> Iterator[str]:
    yield "## Spot machines, as they really came and went"
    yield (
        "`workflows/evaluation/spot-training.yml`: "
        f"20 hours of training on one {part['machine']}, with a checkpoint every 15 minutes. Each policy was simulated {part['runs']} "
        f"times by `skyflow simulate` with the engine that runs workflows, in worlds in which such machines are there and are taken away "
        f"as they were in [published traces]({_REPOSITORY}) of February to April 2023 (Wu et al., *Can't Be Late*, NSDI 2024), each run "
        "from a moment by chance. The traces have no licence, so they are not shipped: the script reads them from where you have them. "
        "Prices are today's of the catalog, the same all the time."
    )
    yield (
        f"When a machine is taken away, {'; '.join(_POLICIES.values())}. A job has two places in a simulation, the planned one and the "
        "best elsewhere; in a row of one zone both have the trace of that zone, each from another moment on, in the last row "
        "places have those of other zones."
    )
    dear = part["worlds"][0]["policies"]["on demand"]
    yield f"On demand it costs {format_usd(dear['usd'])} and takes {format_duration(dear['hours'] * 3600)}. On spot machines, in the mean:"
    columns = [f"{name}: {what}" for name in _POLICIES for what in ("cost", "saved", "time", "taken away")]
    yield table(("zone", "available", *columns), map(_world, part["worlds"]))
    yield _range(part["worlds"])
    yield (
        "SkyPilot's authors report for one training of BERT on V100 machines 18.4 $ and 21 hours on managed spot machines, against 61.2 $ "
        "and 20 hours on demand (3.3 times cheaper). Ours on demand agrees with theirs, as the price has not changed; spot prices have."
    )
    yield from _in_time(part)
    yield circumstances(part, is_timed=False)


def _in_time(part: Part) -> Iterator[str]:
    yield "### With a deadline"
    yield (
        "Those three know no deadline while they wait in a simulation (in a run, it is a limit of every new plan). "
        f"[**deadline**]({_IN_TIME}) goes by it: it uses spot machines while there is time, goes over to the same machine on demand "
        "when it is behind, and back when it is ahead, by the rules of *Uniform Progress*. Run and simulation ask the same function, and the "
        "simulated job decides when one in a run does: when it has no machine, and when it is ahead on demand. That is less than in "
        "the paper, whose jobs on demand see a spot machine come. *Late* are the runs that end after the deadline."
    )
    worlds = part["worlds"]
    dear = worlds[0]["policies"]["on demand"]
    for hours in part["deadline_hours"]:
        name = f"deadline {hours} h"
        saved = [_saved(one, name) for one in worlds]
        late = sum(one["policies"][name]["late"][f"{hours} h"] for one in worlds)
        yield (
            f"**To end within {hours} hours**, where it takes {format_duration(dear['hours'] * 3600)} on demand, *deadline* saves "
            f"{min(saved):.0%} to {max(saved):.0%}{', and is never late' if not late else ''}:"
        )
        columns = ("cost", "saved", "time", "slowest", "late", *(f"{one}: late" for one in _POLICIES))
        yield table(("zone", "available", *columns), [_in_time_row(one, name, f"{hours} h") for one in worlds])
    yield (
        f"The authors report savings of {_PAPER_SAVES} for *Uniform Progress*, for other jobs, deadlines and prices, so this is no "
        "comparison. Where a deadline is near and machines are rare, most of the work is done on demand, and each change of machine costs; "
        "a zone whose machines are hardly ever there saves little under any policy that is in time."
    )


def _in_time_row(world: Part, name: str, limit: str) -> Sequence[str]:
    one = world["policies"][name]
    return [
        world["zone"],
        f"{world['available']:.0%}",
        format_usd(one["usd"]),
        f"{_saved(world, name):.0%}",
        format_duration(one["hours"] * 3600),
        format_duration(one["slowest_hours"] * 3600),
        *(f"{world['policies'][each]['late'][limit]:.0%}" for each in (name, *_POLICIES)),
    ]


def _world(world: Part) -> Sequence[str]:
    policies = world["policies"]
    cells = [world["zone"], f"{world['available']:.0%}"]
    for name in _POLICIES:
        one = policies[name]
        taken = f"{one['preemptions']:.1f} times" + (
            "" if one["succeeded"] == 1 else f"; {one['succeeded']:.0%} end well"
        )
        cells += [format_usd(one["usd"]), f"{_saved(world, name):.0%}", format_duration(one["hours"] * 3600), taken]
    return cells


def _saved(world: Part, name: str) -> float:
    return 1 - float(world["policies"][name]["usd"]) / float(world["policies"]["on demand"]["usd"])


def _range(worlds: Sequence[Part]) -> str:
    sentences = []
    for name in _POLICIES:
        saved = [_saved(one, name) for one in worlds]
        longer = [one["policies"][name]["hours"] / one["policies"]["on demand"]["hours"] for one in worlds]
        sentences.append(
            f"{name} saves {min(saved):.0%} to {max(saved):.0%} and takes {min(longer):.2f} to {max(longer):.2f} times as long"
        )
    return f"Against machines on demand, {'; '.join(sentences)}."
