"""The mathematics of the planner, from the registry of its constraint families."""

import inspect
from types import ModuleType

from markdown_text import fence, page, sentence

from skyflow.planner import decide, estimates, hours, problem, schedule, spill, verify, waiting
from skyflow.planner.bounds import (
    clocked,
    closing,
    crossing,
    dominance,
    gathered,
    network,
    pairwise,
    parts,
    paths,
    press,
    tradeoff,
    woods,
)
from skyflow.planner.sharing import refine, relay, relay_labels, savings
from skyflow.planner.solver import formulation, solve
from skyflow.planner.solver.formulation import FAMILIES
from skyflow.planner.verify import PROOF_GAP

__all__ = ["render"]


def render() -> str:
    """Return the page."""
    parts = [
        *_model(),
        *_solution(),
        *_sharing(),
        *_moments(),
        "## How a plan is checked",
        _body(verify.__doc__, whole=True),
    ]
    return page("Placement model", source="`skyflow/planner`", parts=parts)


def _model() -> list[str]:
    parts = [
        (
            "The planner decides for every job on which offering of the catalog it runs. A plan is judged by its dollars "
            "(machines and data transfer), its makespan, its grams of CO2 equivalents, or a weighting of them; among plans "
            "that are equal in that, by the others. It may be limited in all three."
        ),
        "## Sets and parameters",
        _body(problem.__doc__),
        "## Variables",
        _body(formulation.__doc__),
        "## Constraint families",
        (
            "Each family below is one function of `skyflow/planner/solver/formulation.py`; its name is also the beginning of the "
            "names of its rows in the model. $x_{jk}$ is 1 when job $j$ runs on candidate $k$, and $y_{ja}$ is the sum of "
            "$x_{jk}$ over its candidates at place $a$."
        ),
    ]
    for name, (latex, family) in FAMILIES.items():
        parts += [f"### `{name}`", sentence(inspect.getdoc(family)), f"$$\n{latex}\n$$"]
    return parts


def _solution() -> list[str]:
    return [
        "## How it is solved",
        _body(decide.__doc__, whole=True),
        f"A plan within a share of {PROOF_GAP:g} of its bound is called optimal.",
        *_chapters(
            {
                "### Reduce": network,
                "### What is always beaten": dominance,
                "### Costs that add up": pairwise,
                "### The makespan": paths,
                "### Cost against time, and limits": tradeoff,
                "### Deadlines, on a clock": clocked,
                "### What an edge says": crossing,
                "### Sweeps, and parts": parts,
                "### The last of the gap": closing,
                "### Many jobs at a time": woods,
                "### Sooner within a budget": press,
                "### All jobs together": gathered,
                "### What is left": solve,
                "## How long a job takes": estimates,
                "## What the model leaves out": schedule,
            }
        ),
        (
            "The model knows of capacities only that their work must fit (`shares_capacity`); the times in a plan come from the "
            "schedule above, so they hold, and where the schedule is longer than the bound the plan is called feasible and "
            "says by how much."
        ),
        (
            "Money is the hourly price times the estimated duration, the start of the machine included, billed by the second. "
            "Discounts and disks count as far as `skyflow.yml` knows them; free allowances do not."
        ),
    ]


def _sharing() -> list[str]:
    return [
        "## Machines that are shared",
        _body(savings.__doc__, whole=True),
        (
            "A machine can be shared where both jobs look at it: what is best for one of the jobs of a workflow is looked at "
            "for every other one whose requirements it satisfies, too."
        ),
        "### Decided exactly",
        _body(refine.__doc__, whole=True),
        "### Searched",
        _body(relay.__doc__, whole=True),
        _body(relay_labels.__doc__, whole=True),
    ]


def _moments() -> list[str]:
    return [
        "## Who leaves machines that are there",
        (
            "Without `plan.spill`, machines that are there and rented ones are alike. With it, who goes is settled before the "
            "rest is decided, and the proof of the plan is about the rest."
        ),
        _body(spill.__doc__, whole=True),
        "## Jobs that wait",
        _body(hours.__doc__, whole=True),
        _body(waiting.__doc__, whole=True),
        (
            "So the starts are the best ones for the machines of the plan, and the gap says how far machines and starts together "
            "may be from the best. A plan for `cost` within a carbon cap waits only where the cap asks for it; one in which "
            "time has a price does not wait. Prices do not depend on the hour: no table says that they do. The emissions of "
            "transfers are those of the yearly mean."
        ),
    ]


def _chapters(modules: dict[str, ModuleType]) -> list[str]:
    """Return, under each heading, the docstring of a module."""
    return [text for heading, module in modules.items() for text in (heading, _body(module.__doc__, whole=True))]


def _body(docstring: str | None, *, whole: bool = False) -> str:
    """Return a module docstring, without its headline or whole; the aligned lines of definitions stay as they are."""
    text = inspect.cleandoc(docstring or "")
    rest = text if whole else text.partition("\n\n")[2]
    return "\n\n".join(_block(block) for block in rest.split("\n\n"))


def _block(text: str) -> str:
    is_aligned = any("  " in line.strip() for line in text.splitlines())
    return fence(text) if is_aligned else " ".join(text.split())
