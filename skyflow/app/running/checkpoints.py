"""Keeps the folders of jobs with `checkpoint`, on whatever machine they run, in the stores of the project."""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from skyflow.app.project import Project
from skyflow.app.running.transfer_log import TransferLog
from skyflow.app.stores import ProjectStores
from skyflow.model.artifacts import Checkpoint, Entry
from skyflow.model.execution import StepRef, StepResult
from skyflow.model.layout import RunFolder
from skyflow.model.run import RunId
from skyflow.model.transfers import Leg, Way, with_reading
from skyflow.ports.artifacts import ArtifactError
from skyflow.ports.clock import Clock
from skyflow.ports.transport import LinkLostError, TransportError
from skyflow.runners.output.step_log import StepLog
from skyflow.runners.remote.project_files import ProjectFilesError

if TYPE_CHECKING:
    from skyflow.artifacts.checkpoints import CheckpointStore
    from skyflow.artifacts.contents import Contents
    from skyflow.runners.router import RunnerRouter

__all__ = ["ProjectCheckpoints"]


class ProjectCheckpoints:
    """The checkpoints of one run; see `skyflow.ports.checkpoints.Checkpoints`. `elsewhere` runs its jobs if others do."""

    def __init__(
        self,
        run_id: RunId,
        *,
        project: Project,
        clock: Clock,
        folder: RunFolder,
        stores: ProjectStores,
        transfers: TransferLog,
        elsewhere: "RunnerRouter | None",
    ) -> None:
        self._run_id = run_id
        self._project = project
        self._clock = clock
        self._folder = folder
        self._stores = stores
        self._transfers = transfers
        self._elsewhere = elsewhere
        self._last: dict[tuple[str, int], list[Entry]] = {}

    async def save(self, step: StepRef, path: str, output: Callable[[str], None]) -> None:
        """Keep a folder of the workspace of an attempt as it is now."""
        try:
            await self._save(step, path, output)
        except (ArtifactError, TransportError, ProjectFilesError, OSError) as error:
            output(f"warning: '{path}' is not kept this time: {error}\n")

    async def _save(self, step: StepRef, path: str, output: Callable[[str], None]) -> None:
        store = self._transfers.store_of(step.job_key)
        if self._elsewhere is None or not self._elsewhere.is_elsewhere(step.job_key):
            if (self._project.root / path).exists():
                await self._save_here(step, path, store)
            return
        which = (step.job_key, step.attempt)
        entries = await self._elsewhere.files_below(step, path)
        if not entries or entries == self._last.get(which):
            return
        stored, legs = await self._elsewhere.deposit(
            step, entries, store=self._contents(store), keep_as=f"{step.job_key} {path}", tell=output
        )
        self._transfers.moved(step, path, legs, store=store)
        await self._store().enter(self._run_id, step.job_key, stored, attempt=step.attempt, store=store)
        self._last[which] = entries

    async def _save_here(self, step: StepRef, path: str, store: str) -> None:
        from skyflow.artifacts.checkpoints import sources_in  # noqa: PLC0415 -- start-up

        begun = self._clock.monotonic()
        sources = partial(sources_in, self._project.root, path)
        kept = await self._store().save(self._run_id, step.job_key, sources, attempt=step.attempt, store=store)
        leg = Leg(way=Way.TO_STORE, size=kept.size, seconds=self._clock.monotonic() - begun)
        self._transfers.moved(step, path, [leg], store=store)

    async def restore(self, step: StepRef, path: str, output: Callable[[str], None]) -> StepResult:
        """Put a folder into the workspace of an attempt as it was last kept."""
        with closing(StepLog(self._folder.log(step), self._clock)) as log:

            def tell(line: str) -> None:
                log.write(line.encode(errors="surrogateescape"))
                output(line)

            try:
                await self._restore(step, path, tell)
            except LinkLostError as error:
                return StepResult(exit_code=None, lost=str(error))
            except (ArtifactError, TransportError, OSError) as error:
                why = f"'{path}' cannot be put back as attempt {step.attempt - 1} left it: {error}"
                return StepResult(exit_code=None, not_started=why)
        return StepResult(exit_code=0)

    async def _restore(self, step: StepRef, path: str, tell: Callable[[str], None]) -> None:
        store = self._store()
        kept = await store.find(self._run_id, step.job_key)
        is_here = self._elsewhere is None or not self._elsewhere.is_elsewhere(step.job_key)
        if kept is None:
            tell(f"No earlier attempt has kept '{path}'\n")
        elif is_here and kept.was_here and (self._project.root / path).exists():
            tell(f"'{path}' is as attempt {kept.attempt} left it on this machine\n")
        elif is_here or self._elsewhere is None:
            await store.restore(kept, self._project.root)
            tell(_restored(path, kept))
        else:
            contents = self._contents(kept.store)
            entries = await contents.entries(kept.tree)
            legs = await self._elsewhere.deliver(step, entries, store=contents, tell=tell)
            self._transfers.moved(step, path, with_reading(legs), store=kept.store)
            tell(_restored(path, kept))

    def _contents(self, store: str) -> "Contents":
        from skyflow.artifacts.contents import Contents  # noqa: PLC0415 -- start-up

        return Contents(self._stores[store])

    def _store(self) -> "CheckpointStore":
        from skyflow.artifacts.checkpoints import CheckpointStore  # noqa: PLC0415 -- start-up

        return CheckpointStore(self._stores, self._clock)


def _restored(path: str, kept: Checkpoint) -> str:
    return f"'{path}' is as attempt {kept.attempt} kept it at {kept.created:%H:%M:%S}: {kept.size / 1e6:.1f} MB\n"
