"""Built-in actions of jobs that run on another machine: they work on a folder here, whose files come from there or go there."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from skyflow.model.execution import ActionRequest, StepRef, StepResult
from skyflow.model.layout import RunFolder
from skyflow.ports.actions import ActionHost, Workbench
from skyflow.runners.remote_paths import PathPairs
from skyflow.runners.router import RunnerRouter

__all__ = ["MirroringHost"]

_FETCHING = frozenset({"actions/upload-artifact"})
_SENDING = frozenset({"actions/download-artifact"})


class MirroringHost:
    """Runs the actions of jobs elsewhere; see `skyflow.ports.actions.ActionHost`."""

    def __init__(
        self,
        router: RunnerRouter,
        host_of: Callable[[Workbench, Path], ActionHost],
        *,
        folder: RunFolder,
        workspace: Path,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            router: the runner.
            host_of: makes what runs an action here, on a workbench and in a folder.
            folder: where temporary files go.
            workspace: the project, whose path stands for that of the workspace.
        """
        self._router = router
        self._host_of = host_of
        self._folder = folder
        self._workspace = workspace

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of an action to its end."""
        mirror = self._folder.temp(step.job_key, step.attempt) / f"{step.place}.files"
        pairs = PathPairs(((str(self._workspace), str(mirror)),))
        here = replace(request, inputs=tuple((name, pairs.to_there(value)) for name, value in request.inputs))
        host = self._host_of(_Carrier(self._router, request, mirror, pairs), mirror)
        result = await host.run_action(step, here, output)
        return replace(result, outputs=tuple((name, pairs.to_here(value)) for name, value in result.outputs))


class _Carrier:
    """A workbench that brings the files an action needs before it begins, and takes away what it has made."""

    def __init__(self, router: RunnerRouter, request: ActionRequest, mirror: Path, pairs: PathPairs) -> None:
        self._router = router
        self._request = request
        self._mirror = mirror
        self._pairs = pairs

    def seen_outside(self, step: StepRef, request: ActionRequest) -> ActionRequest | None:
        """Return None: no step of a job elsewhere runs in a container."""
        return self._router.seen_outside(step, request)

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of a JavaScript action, which needs no files of this machine."""
        del request  # with the paths of this machine
        return await self._router.run_action(step, self._request, output)

    async def run_here(
        self,
        step: StepRef,
        work: Callable[[Callable[[str], None]], Awaitable[StepResult]],
        output: Callable[[str], None],
    ) -> StepResult:
        """Do the work between bringing and taking away."""

        async def carried(say: Callable[[str], None]) -> StepResult:
            if self._request.name in _FETCHING:
                patterns = next((value for name, value in self._request.inputs if name.lower() == "path"), "")
                await self._router.fetch(step, patterns, self._mirror)
            result = await work(lambda text: say(self._pairs.to_here(text)))
            if self._request.name in _SENDING and result.exit_code == 0:
                await self._router.send(step, self._mirror)
            return result

        return await self._router.run_here(step, carried, output)
