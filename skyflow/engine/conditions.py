"""What `success()`, `failure()`, `cancelled()` and `always()` mean, for a job and for a step.

A job looks at every job it needs, directly or not: `success()` wants success of all of them, so that a job below a
skipped one is skipped too even if a job in between ran with `if: always()`. That is what GitHub does.
"""

from collections.abc import Callable, Mapping

from skyflow.engine.attempt_state import AttemptState
from skyflow.engine.state import RunState, local_id
from skyflow.expr import BUILTINS, FunctionSpec, Invocation, Value
from skyflow.model.status import Conclusion
from skyflow.model.workflow import JobSpec

__all__ = ["NeedsHash", "ancestors", "job_functions", "step_functions"]


class NeedsHash(Exception):  # noqa: N818 -- a question, not an error
    """An expression cannot be evaluated before some files were hashed."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        super().__init__(patterns)
        self.patterns = patterns


def ancestors(state: RunState, spec_id: str) -> list[str]:
    """Return the ids of all job specs that a job spec needs, directly or not, nearest first."""
    found: dict[str, None] = {}
    waiting = list(state.needs[spec_id])
    for needed in waiting:
        if needed not in found:
            found[needed] = None
            waiting.extend(state.needs[needed])
    return list(found)


def job_functions(state: RunState, spec: JobSpec) -> Mapping[str, FunctionSpec]:
    """Return the functions of a job's `if`; `success` and `failure` may be given the names of jobs to look at."""

    def results(call: Invocation) -> set[Conclusion]:
        named = {call.text(position).lower() for position in range(len(call))}
        return {
            state.spec_result(needed)
            for needed in ancestors(state, spec.id)
            if not named or local_id(needed).lower() in named
        }

    return _functions(
        max_args=None,
        success=lambda call: state.cancelled(spec.id) is None and results(call) <= {Conclusion.SUCCESS},
        failure=lambda call: Conclusion.FAILURE in results(call),
        cancelled=lambda _: state.cancelled(spec.id) is not None,
    )


def step_functions(attempt: AttemptState) -> Mapping[str, FunctionSpec]:
    """Return the functions of a step's expressions.

    In a composite action `success()` and `failure()` look at the steps of that action; `cancelled()` always looks at the
    job. `hashFiles` answers from what was hashed for this step, and asks for what was not by raising `NeedsHash`.
    """

    def hash_files(call: Invocation) -> Value:
        patterns = tuple(call.text(position) for position in range(len(call)))
        for known, digest, error in attempt.strand.hashes:
            if known == patterns:
                if error is not None:
                    raise call.error(f"hashFiles({', '.join(map(repr, patterns))}) failed: {error}")
                return digest
        raise NeedsHash(patterns)

    functions = _functions(
        max_args=0,
        success=lambda _: attempt.top.verdict is Conclusion.SUCCESS,
        failure=lambda _: attempt.top.verdict is Conclusion.FAILURE,
        cancelled=lambda _: attempt.verdict is Conclusion.CANCELLED,
    )
    return {**functions, "hashfiles": FunctionSpec(name="hashFiles", min_args=1, max_args=255, run=hash_files)}


def _functions(
    *,
    max_args: int | None,
    success: Callable[[Invocation], Value],
    failure: Callable[[Invocation], Value],
    cancelled: Callable[[Invocation], Value],
) -> Mapping[str, FunctionSpec]:
    return {
        **BUILTINS,
        "success": FunctionSpec(name="success", min_args=0, max_args=max_args, run=success),
        "failure": FunctionSpec(name="failure", min_args=0, max_args=max_args, run=failure),
        "cancelled": FunctionSpec(name="cancelled", min_args=0, max_args=0, run=cancelled),
        "always": FunctionSpec(name="always", min_args=0, max_args=0, run=lambda _: True),
    }
