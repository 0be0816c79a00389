"""Runs actions: built-in ones here, JavaScript ones on the runner."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from skyflow._util.masking import Masks
from skyflow.actions.call import ActionCall, ActionFailure, BuiltinAction
from skyflow.actions.registry import BUILTINS
from skyflow.model.execution import ActionRequest, StepRef, StepResult
from skyflow.ports.actions import ContainerMissingError, Workbench
from skyflow.ports.artifacts import ArtifactError, ArtifactsFor, CacheStore

__all__ = ["LocalActionHost"]

_OF_MACHINE = (
    "finds what is installed on the machine, and this job runs in a container: choose an image that has it, and leave this "
    "step out"
)


class LocalActionHost:
    """Runs the actions of one run on this machine."""

    def __init__(
        self,
        workbench: Workbench,
        *,
        run: str,
        workspace: Path,
        environment: Mapping[str, str],
        artifacts: ArtifactsFor,
        caches: CacheStore,
        masks: Sequence[str] = (),
    ) -> None:
        """Prepare a host; nothing happens yet.

        Args:
            workbench: the runner.
            run: which run artifacts belong to.
            workspace: where relative paths begin.
            environment: what every step inherits.
            artifacts: where artifacts are, for a step and what prints its lines.
            caches: where caches are.
            masks: what must not be stored under a name that anybody can read.
        """
        self._workbench = workbench
        self._run = run
        self._workspace = workspace
        self._environment = environment
        self._artifacts = artifacts
        self._caches = caches
        self._secrets = Masks(masks)

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of an action to its end."""
        if not request.name:
            return await self._workbench.run_action(step, request, output)
        action = BUILTINS.get(request.name)
        if action is None:
            return StepResult(exit_code=None, not_started=f"there is no built-in action '{request.name}'")
        try:
            outside = self._workbench.seen_outside(step, request)
        except ContainerMissingError as error:
            return StepResult(exit_code=None, not_started=str(error))

        async def work(say: Callable[[str], None]) -> StepResult:
            call = self._call(action, step, outside or request, say)
            if outside is not None and action.is_of_machine:
                call.annotate("error", f"{action.name} {_OF_MACHINE}")
                return StepResult(exit_code=1)
            return await _perform(action, call)

        return await self._workbench.run_here(step, work, output)

    def _call(
        self, action: BuiltinAction, step: StepRef, request: ActionRequest, say: Callable[[str], None]
    ) -> ActionCall:
        env = {**self._environment, **dict(request.env)}
        env["PATH"] = os.pathsep.join((*request.path, env.get("PATH", os.defpath)))
        names = {name.lower(): name for name in action.inputs}
        given = {names.get(name.lower(), name): value for name, value in request.inputs}
        return ActionCall(
            step=step,
            run=self._run,
            phase=request.phase,
            inputs={**dict(action.defaults), **given},
            state=dict(request.state),
            env=env,
            workspace=self._workspace,
            home=Path(env.get("HOME") or Path.home()),
            artifacts=self._artifacts(step, say),
            caches=self._caches,
            secrets=self._secrets,
            say=say,
        )


async def _perform(action: BuiltinAction, call: ActionCall) -> StepResult:
    unknown = [name for name in call.inputs if name not in action.inputs]
    if unknown and call.phase == "main":
        quoted, valid = (", ".join(f"'{name}'" for name in names) for names in (unknown, action.inputs))
        call.annotate("warning", f"Unexpected input(s) {quoted}, valid inputs are [{valid}]")
    try:
        return await action.perform(call)
    except (ActionFailure, ArtifactError) as error:
        call.annotate("error", str(error))
        return StepResult(exit_code=1)
