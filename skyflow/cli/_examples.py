"""What ends the help of each command: examples, and the exit codes that a script would ask for."""

__all__ = ["EXAMPLES", "epilog_of"]

_RUNS = (
    "Exit codes: 0 success, 1 the run did not succeed, 3 invalid workflow, 4 no feasible plan, 5 no machine, "
    "130 interrupted (resumable)."
)
_CODES = {
    **dict.fromkeys(("run", "resume", "retry"), _RUNS),
    "attach": "Exit codes: those of the run.",
    "wait": "Exit codes: those of the run, and 124 if it has not ended in time.",
    "validate": "Exit codes: 0 no errors, 3 errors.",
    "plan": "Exit codes: 0 there is a plan, 3 invalid workflow, 4 no feasible plan.",
    "simulate": "Exit codes: 0 success, 3 invalid workflow, 4 no feasible plan.",
    "doctor": "Exit codes: 0 nothing is broken, 1 something is.",
}
"""Of those commands in which more than 0 and 2, for usage, says something to a script."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": ("run workflow.yml --input stage=test", "run workflow.yml --jobs 4 --verbose"),
    "resume": ("resume", "resume 12 --now"),
    "retry": ("retry", "retry 12 --failed"),
    "cancel": ("cancel", "cancel 12"),
    "attach": ("attach", "attach 12 --quiet"),
    "wait": ("wait 12 --timeout 10m",),
    "watch": ("watch workflow.yml src tests",),
    "replan": ("replan 12",),
    "init": ("init", "init workflow.yml"),
    "validate": ("validate", "validate workflow.yml --format sarif"),
    "plan": ("plan workflow.yml --objective makespan", "plan workflow.yml --on aws --on gcp --json"),
    "graph": ("graph workflow.yml", "graph workflow.yml --format svg --output graph.svg"),
    "simulate": ("simulate workflow.yml --objective cost",),
    "expr": ("expr \"contains('abc', 'b')\"",),
    "schema": ("schema workflow > workflow.schema.json",),
    "runs": ("runs", "runs --json"),
    "show": ("show", "show 12 --json"),
    "logs": ("logs --follow", "logs 12 build --grep error"),
    "timeline": ("timeline 12",),
    "why": ("why build 12",),
    "report": ("report latest --output report.html",),
    "artifacts list": ("artifacts list 12",),
    "artifacts get": ("artifacts get model --to models/new",),
    "artifacts rm": ("artifacts rm model",),
    "ui": ("ui", "ui --port 8080"),
    "top": ("top",),
    "catalog list": (
        "catalog list --accelerators A100:8 --market spot",
        "catalog list --cpus 16+ --cloud aws --sort price",
    ),
    "catalog show": ("catalog show m6i.large", "catalog show A100:8"),
    "catalog diff": ("catalog diff", "catalog diff before/ after/"),
    "catalog observe": ("catalog observe aws/us-east-1/m6i.large/spot preempted --seconds 5400",),
    "catalog refresh": ("catalog refresh azure --dry-run",),
    "catalog carbon": ("catalog carbon eu-west-2 --hours 48",),
    "catalog doctor": ("catalog doctor",),
    "config check": ("config check",),
    "cloud check": ("cloud check", "cloud check aws"),
    "cloud init": ("cloud init aws",),
    "instances": ("instances", "instances --json"),
    "ssh": ("ssh train", "ssh train -- nvidia-smi"),
    "keep": ("keep --for 8h",),
    "down": ("down", "down --all --yes"),
    "cost": ("cost", "cost 12 --json"),
    "gc": ("gc --dry-run",),
    "doctor": ("doctor", "doctor --json"),
    "prune": ("prune --older-than 30d --dry-run",),
    "db check": ("db check",),
    "db backup": ("db backup before-update.db",),
    "db vacuum": ("db vacuum",),
}
"""What follows `skyflow`, by command."""


def epilog_of(command: str) -> str:
    """Return what the help of a command ends with; lines after a backspace are not filled."""
    lines = "\n".join(f"  skyflow {example}" for example in EXAMPLES[command])
    return "\n\n".join(filter(None, (f"\b\nExamples:\n{lines}", _CODES.get(command, ""))))
