"""What runs the actions of a run, made when the first one is reached: most runs use none, and it takes time to import."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from skyflow.app.planning.host_options import works_anywhere
from skyflow.app.project import Project
from skyflow.app.running.transfer_log import TransferLog
from skyflow.app.stores import ProjectStores
from skyflow.model.catalog import LOCAL_PLACE
from skyflow.model.execution import ActionRequest, StepRef, StepResult
from skyflow.model.layout import RunFolder
from skyflow.model.run import RunId
from skyflow.ports.actions import ActionHost, Workbench
from skyflow.ports.artifacts import ArtifactError, ArtifactsFor, ArtifactStore
from skyflow.ports.clock import Clock

if TYPE_CHECKING:
    from skyflow.artifacts.contents import Contents
    from skyflow.artifacts.named import Artifacts
    from skyflow.runners.router import RunnerRouter

__all__ = ["OnDemandActionHost"]

_STORING = frozenset({"actions/cache", "actions/cache/save", "actions/upload-artifact"})
"""The actions that make the store grow."""


class OnDemandActionHost:
    """The action host of one run; see `skyflow.ports.actions.ActionHost`. `elsewhere` runs its jobs if others do."""

    def __init__(
        self,
        workbench: Workbench,
        *,
        run_id: RunId,
        project: Project,
        environment: Mapping[str, str],
        clock: Clock,
        folder: RunFolder,
        stores: ProjectStores,
        transfers: TransferLog,
        masks: tuple[str, ...],
        elsewhere: "RunnerRouter | None" = None,
    ) -> None:
        self._workbench = workbench
        self._run_id = run_id
        self._project = project
        self._environment = environment
        self._clock = clock
        self._folder = folder
        self._stores = stores
        self._transfers = transfers
        self._masks = masks
        self._elsewhere = elsewhere
        self._is_pruned = False

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of an action to its end."""
        is_here = self._elsewhere is None or not self._elsewhere.is_elsewhere(step.job_key)
        if not is_here and request.name and not works_anywhere(request.name):
            why = f"{request.name} works on this machine only so far, and this job runs on another one"
            return StepResult(exit_code=None, not_started=why)
        host = self._here if is_here else self._there
        if request.name in _STORING and not self._is_pruned:
            self._is_pruned = True
            await self._prune(output)
        return await host.run_action(step, request, output)

    async def _prune(self, output: Callable[[str], None]) -> None:
        """Make room for what is about to be stored: expired artifacts and unused caches go, once a run."""
        from skyflow.artifacts.upkeep import prune  # noqa: PLC0415 -- see the module's docstring

        for objects in self._stores.all_open().values():
            try:
                await prune(objects, self._clock.now())
            except ArtifactError as error:  # what is about to be stored may still fit
                output(f"warning: expired artifacts and unused caches cannot be removed: {error}\n")

    @cached_property
    def _here(self) -> ActionHost:
        return self._host_of(self._workbench, self._project.root, self._artifacts_for)

    @cached_property
    def _there(self) -> ActionHost:
        from skyflow.app.running.mirror import MirroringHost  # noqa: PLC0415 -- see the module's docstring

        assert self._elsewhere is not None  # noqa: S101 -- or no job would run there
        return MirroringHost(
            self._elsewhere,
            self._host_of,
            artifacts_for=self._artifacts_for,
            transfers=self._transfers,
            contents_of=self._contents_of,
            folder=self._folder,
            workspace=self._project.root,
        )

    def _host_of(self, workbench: Workbench, workspace: Path, artifacts: ArtifactsFor) -> ActionHost:
        from skyflow.actions.host import LocalActionHost  # noqa: PLC0415 -- see the module's docstring
        from skyflow.artifacts.caches import Caches  # noqa: PLC0415

        return LocalActionHost(
            workbench,
            run=self._run_id,
            workspace=workspace,
            environment=self._environment,
            artifacts=artifacts,
            caches=Caches(self._stores[self._stores.near(LOCAL_PLACE).name], self._clock),
            masks=self._masks,
        )

    def _artifacts_for(self, step: StepRef, say: Callable[[str], None]) -> ArtifactStore:
        from skyflow.app.running.job_artifacts import JobArtifacts  # noqa: PLC0415 -- see the module's docstring

        return JobArtifacts(self._artifacts, step, log=self._transfers, clock=self._clock, say=say)

    def _contents_of(self, store: str) -> "Contents":
        from skyflow.artifacts.contents import Contents  # noqa: PLC0415 -- see the module's docstring

        return Contents(self._stores[store])

    @cached_property
    def _artifacts(self) -> "Artifacts":
        from skyflow.artifacts.named import Artifacts  # noqa: PLC0415 -- see the module's docstring

        return Artifacts(self._stores, self._clock)
