"""Jobs that need not run, because nothing has changed since they succeeded in an earlier run."""

from collections.abc import Sequence
from dataclasses import replace

from skyflow.engine.contexts import job_scope
from skyflow.engine.draft import Draft
from skyflow.engine.effects import LookUp, Remember
from skyflow.engine.state import JobState, RunState
from skyflow.expr import to_python
from skyflow.model.execution import Pairs
from skyflow.model.job_cache import CacheMode, CacheQuestion, definition_of, text_of
from skyflow.model.status import Conclusion
from skyflow.model.workflow import CacheSpec, JobSpec

__all__ = ["ask", "is_remembered", "remember"]


def is_remembered(state: RunState, spec: JobSpec) -> bool:
    """Tell whether the results of a job spec are looked up and remembered."""
    mode = state.options.cache
    if spec.call is not None or mode == CacheMode.OFF:
        return False
    return spec.cache is not None or mode == CacheMode.CHANGED


def ask(draft: Draft, spec: JobSpec, jobs: Sequence[JobState]) -> None:
    """Ask what is known of the jobs of a spec; they come to be with the answer.

    Raises:
        EvaluationError: an expression in `cache` fails.
    """
    common = _common_parts(draft.state, spec)
    questions = tuple(_question(draft.state, spec, job, common) for job in jobs)
    # not before: what cannot be asked is never answered, and the run would wait for it
    draft.state = replace(draft.state, asked=draft.state.asked | {spec.id})
    draft.emit(LookUp(spec.id, questions, may_reuse=draft.state.options.cache != CacheMode.FORCE))


def remember(draft: Draft, job: JobState, outcome: Conclusion) -> None:
    """Keep the result of a job that ends in success, if it is one of those."""
    if job.fingerprint is not None and outcome is Conclusion.SUCCESS:
        spec = draft.state.specs[job.spec_id]
        question = _question(draft.state, spec, job, _common_parts(draft.state, spec))
        draft.emit(Remember(question, job.fingerprint, job.outputs))


def _common_parts(state: RunState, spec: JobSpec) -> Pairs:
    """Return what all jobs of a spec depend on, as far as the run knows it."""
    frame = state.frame_of(spec.id)
    needs = {
        needed: (state.spec_result(needed).value, dict(state.spec_outputs(needed))) for needed in state.needs[spec.id]
    }
    return (
        ("job", definition_of(spec)),
        ("env of the workflow", text_of(frame.workflow.env)),
        ("defaults of the workflow", text_of(frame.workflow.defaults)),
        *((f"result of {needed}", text_of(result)) for needed, result in needs.items()),
        *((name, text_of(to_python(frame.contexts.get(name)))) for name in ("inputs", "vars")),
    )


def _question(state: RunState, spec: JobSpec, job: JobState, common: Pairs) -> CacheQuestion:
    declared = spec.cache or CacheSpec()
    scope = job_scope(state, spec, job)
    return CacheQuestion(
        job_key=job.key,
        parts=tuple((name, state.hide(text)) for name, text in (*common, ("matrix", text_of(to_python(job.matrix))))),
        inputs=None if spec.cache is None else tuple(map(scope.text, declared.inputs)),
        env=declared.env,
        outputs=tuple(map(scope.text, declared.outputs)),
    )
