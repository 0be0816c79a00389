"""Which contexts and functions an expression may use, depending on the key it stands at.

The facts are GitHub's, from its workflow schema (`workflow-v1.0.json`): naming anything else is an error when the file
is read, even in a branch that is never evaluated. Keys that take no expressions at all have `NOTHING`. What a key allows
is added to what the keys around it allow, so `jobs.<id>.container.env` has the contexts of `container` as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import NoReturn

from skyflow.errors import InternalError
from skyflow.expr import BUILTINS, FunctionSpec, Invocation

__all__ = [
    "ACTION_DEFAULT",
    "ACTION_OUTPUT",
    "ACTION_STEP",
    "ACTION_STEP_IF",
    "CALL_DEFAULT",
    "CALL_OUTPUT",
    "CALL_SECRETS",
    "CONTAINER_CREDENTIALS",
    "CONTEXTS",
    "ENVIRONMENT_URL",
    "JOB",
    "JOB_DEFAULTS",
    "JOB_ENV",
    "JOB_IF",
    "JOB_OUTPUTS",
    "JOB_STRATEGY",
    "NOTHING",
    "RUN_NAME",
    "STEP",
    "STEP_IF",
    "WORKFLOW_ENV",
    "Availability",
    "union",
]

CONTEXTS = (
    "env",
    "github",
    "inputs",
    "job",
    "jobs",
    "matrix",
    "needs",
    "runner",
    "secrets",
    "steps",
    "strategy",
    "vars",
)
"""Every context there is."""


@dataclass(frozen=True, slots=True, eq=False)
class Availability:
    """What an expression may name; `functions` are by lower-case name."""

    contexts: tuple[str, ...]
    functions: Mapping[str, FunctionSpec]

    @property
    def allows_expressions(self) -> bool:
        """Whether there may be an expression at all."""
        return bool(self.contexts)


@cache
def union(around: Availability, own: Availability) -> Availability:
    """Return what is available at a key that adds `own` to what is available around it."""
    if own is around or not own.contexts:
        return around
    if not around.contexts:
        return own
    contexts = tuple(sorted({*around.contexts, *own.contexts}))
    return Availability(contexts, MappingProxyType({**around.functions, **own.functions}))


def _at_run_time(call: Invocation) -> NoReturn:
    raise InternalError(f"{call.call.name}() is evaluated by the engine, not while the file is read")


def _available(contexts: str, *functions: FunctionSpec) -> Availability:
    known = {**BUILTINS, **{function.name.lower(): function for function in functions}}
    return Availability(tuple(sorted(contexts.split())), MappingProxyType(known))


_HASH_FILES = FunctionSpec("hashFiles", 1, 255, _at_run_time)
_STATUS = (
    FunctionSpec("success", 0, 0, _at_run_time),
    FunctionSpec("failure", 0, 0, _at_run_time),
    FunctionSpec("cancelled", 0, 0, _at_run_time),
    FunctionSpec("always", 0, 0, _at_run_time),
)
_JOB_STATUS = (  # in the `if` of a job, success() and failure() may be given the ids of jobs
    FunctionSpec("success", 0, None, _at_run_time),
    FunctionSpec("failure", 0, None, _at_run_time),
    *_STATUS[2:],
)

NOTHING = Availability((), BUILTINS)
RUN_NAME = _available("github inputs vars")
"""`run-name`, and `concurrency` of the workflow."""
CALL_DEFAULT = _available("github inputs vars")
CALL_OUTPUT = _available("github inputs vars jobs")
WORKFLOW_ENV = _available("github inputs vars secrets")
JOB_IF = _available("github inputs vars needs", *_JOB_STATUS)
JOB_STRATEGY = _available("github inputs vars needs")
JOB = _available("github inputs vars needs strategy matrix")
"""Most keys of a job: `name`, `runs-on`, `timeout-minutes`, `container`, `concurrency`, `with`, ..."""
JOB_ENV = _available("github inputs vars needs strategy matrix secrets")
CALL_SECRETS = JOB_ENV
JOB_DEFAULTS = _available("github inputs vars needs strategy matrix env")
JOB_OUTPUTS = _available("github inputs vars needs strategy matrix secrets steps job runner env")
ENVIRONMENT_URL = _available("github inputs vars needs strategy matrix steps job runner env")
CONTAINER_CREDENTIALS = _available("github inputs vars secrets env")
STEP = _available("github inputs vars needs strategy matrix secrets steps job runner env", _HASH_FILES)
"""Every key of a step but `id`, `shell` and `uses`, which take no expressions, and `if`."""
STEP_IF = _available("github inputs vars needs strategy matrix steps job runner env", *_STATUS, _HASH_FILES)

ACTION_DEFAULT = _available("github strategy matrix job runner", _HASH_FILES)
"""`inputs.<id>.default` of an action."""
ACTION_OUTPUT = _available("github strategy matrix steps inputs job runner env")
ACTION_STEP = _available("github inputs strategy matrix steps job runner env", _HASH_FILES)
"""Every key of a composite action's step but `id`, `uses` and `if`; there are no secrets and no vars."""
ACTION_STEP_IF = _available("github inputs strategy matrix steps job runner env", *_STATUS, _HASH_FILES)
