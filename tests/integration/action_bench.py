"""A real runner with a store in a folder, for the built-in actions."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from skyflow.actions.host import LocalActionHost
from skyflow.app.clock import SystemClock
from skyflow.artifacts.caches import Caches
from skyflow.artifacts.folder import FolderStore
from skyflow.artifacts.named import Artifacts
from skyflow.model.execution import ActionRequest, StepRef, StepResult
from skyflow.model.layout import RunFolder
from skyflow.runners.local.runner import LocalRunner

STEP = StepRef("job", 1, 1)


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return 0.0


@asynccontextmanager
async def make(root: Path) -> AsyncIterator[SimpleNamespace]:
    workspace, home = root / "workspace", root / "home"
    for folder in (workspace, home):
        folder.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(home), "RUNNER_TEMP": str(root / "temp")}
    objects = FolderStore(root / "store")
    shown: list[str] = []
    folder = RunFolder(root / "run")
    runner = LocalRunner(
        run_tag=f"test-{root.name}", folder=folder, workspace=workspace, environment=environment, clock=SystemClock()
    )
    async with runner:

        async def run(name: str, *, step: StepRef = STEP, run: str = "r1", **request: object) -> StepResult:
            host = LocalActionHost(
                runner,
                run=run,
                workspace=workspace,
                environment=environment,
                artifacts=lambda *_: Artifacts({"": objects}, Clock()),
                caches=Caches(objects, Clock()),
            )
            inputs = request.pop("with_", {})
            shown.clear()
            request = ActionRequest(name=name, inputs=tuple(inputs.items()), **request)
            result = await host.run_action(step, request, shown.append)
            return replace(result, annotations=())  # they stand in the log as well

        def write(*names: str) -> None:
            for name in names:
                file = workspace / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(name)

        yield SimpleNamespace(
            run=run, write=write, shown=shown, workspace=workspace, home=home, runner=runner, folder=folder
        )


def text(b: SimpleNamespace) -> str:
    return "".join(b.shown)


def names(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


def content(*path: str) -> str:
    return Path(*path).read_text()


def tree(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in sorted(folder.rglob("*")) if file.is_file()}
