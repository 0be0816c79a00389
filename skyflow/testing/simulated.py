"""What a driver stands in, in a simulated world: runs steps and actions, and remembers results. See the ports of these names."""

from collections.abc import Callable, Collection, Mapping, Sequence

import anyio

from skyflow.model.containers import ContainersRequest, StartedContainer, StartedContainers
from skyflow.model.execution import ActionRequest, Pairs, StepRef, StepRequest, StepResult
from skyflow.model.job_cache import CacheQuestion, KnownJob
from skyflow.model.uses import LoadedAction
from skyflow.ports.action_source import ActionNotFoundError
from skyflow.testing.world import World

__all__ = ["SimulatedActions", "SimulatedCache", "SimulatedRunner"]

_EARLIER_RUN = 1
"""Whose results are remembered."""


class SimulatedRunner:
    """Runs steps in a world. A new one follows when a driver has died."""

    def __init__(self, world: World, steps: Mapping[str, int], *, driver: int = 0) -> None:
        """Prepare.

        Args:
            world: what outlives drivers.
            steps: how many steps a job has, by the id of its spec.
            driver: which driver this is, counted from 0.
        """
        self._world = world
        self._steps = steps
        self._driver = driver
        self._waits: dict[StepRef, anyio.Event] = {}
        self._stopped: set[StepRef] = set()

    async def run_step(self, step: StepRef, request: StepRequest, output: Callable[[str], None]) -> StepResult:
        """See a step through to its end."""
        del request, output
        if step in self._stopped and step not in self._world.processes:
            return StepResult(exit_code=None, stopped=True)
        process = self._world.process(step, self._steps_of(step.job_key))
        stopped = self._waits[step] = anyio.Event()
        if step in self._stopped:
            stopped.set()
        with anyio.move_on_after(max(process.ends - self._world.clock.seconds, 0.0)):
            await stopped.wait()
            process.ends, process.result = self._world.clock.seconds, StepResult(exit_code=130, stopped=True)
        return process.result

    def _steps_of(self, job_key: str) -> int:
        local = job_key.rpartition("/")[2]
        return self._steps.get(local, self._steps.get(local.rpartition(".")[0], 1))

    def stop_step(self, step: StepRef, *, force: bool) -> None:
        """Stop a step."""
        del force
        if step in self._waits:
            self._waits[step].set()
        self._stopped.add(step)

    async def release(self, job_key: str, attempt: int) -> None:
        """Give the machine of an attempt back."""
        self._world.end(job_key, attempt)

    async def recover(self, attempts: Collection[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        """Find out which attempts live on; end everything else.

        One of which nothing had begun goes on as well, where a real machine knows nothing of it: then it gets another one.
        """
        world = self._world
        lost = world.chance("keeper", self._driver).random() < world.nature.lost_keepers
        kept = frozenset() if lost else frozenset(attempts)
        for which in world.running_machines():
            if which not in kept:
                world.end(*which)
        return kept

    async def set_up(self, step: StepRef, output: Callable[[str], None], *, minutes: float | None = None) -> StepResult:
        """Have a machine, and wait until it has booted."""
        del output, minutes
        machine = self._world.machine(step.job_key, step.attempt)
        stopped = self._waits[step] = anyio.Event()
        with anyio.move_on_after(max(machine.ready - self._world.clock.seconds, 0.0) if machine else 0.0):
            await stopped.wait()
            return StepResult(exit_code=None, stopped=True)
        return StepResult(exit_code=0)

    async def hash_files(self, job_key: str, attempt: int, patterns: tuple[str, ...]) -> str:
        """Return the same hash each time."""
        del job_key, attempt
        return f"{len(patterns):064x}"

    async def start_containers(
        self, step: StepRef, request: ContainersRequest, output: Callable[[str], None]
    ) -> tuple[StepResult, StartedContainers | None]:
        """Start the containers of an attempt at once; they are there until the attempt is released."""
        del output
        self._world.containers.add((step.job_key, step.attempt))
        started = StartedContainer(id=f"{step.job_key}#{step.attempt}")
        return StepResult(exit_code=0), StartedContainers(
            network=started.id,
            container=started if request.container is not None else None,
            services=tuple((service.name, started) for service in request.services),
        )

    async def stop_containers(self, step: StepRef, output: Callable[[str], None]) -> StepResult:
        """Remove the containers of an attempt."""
        del output
        self._world.containers.discard((step.job_key, step.attempt))
        return StepResult(exit_code=0)


class SimulatedActions:
    """Actions are given, by what `uses` says; each succeeds at once."""

    def __init__(self, actions: Mapping[str, LoadedAction]) -> None:
        self._actions = actions

    def load(self, uses: str) -> LoadedAction:
        """Return the action."""
        if uses not in self._actions:
            raise ActionNotFoundError(f"{uses}: this action is not simulated")
        return self._actions[uses]

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Succeed at once."""
        del step, request, output
        return StepResult(exit_code=0)


class SimulatedCache:
    """A memory that tells jobs apart by their keys alone."""

    def __init__(self, world: World) -> None:
        self._remembered = world.remembered

    def look_up(self, questions: Sequence[CacheQuestion], *, may_reuse: bool) -> tuple[KnownJob, ...]:
        """Return what was remembered when the world began, or since."""
        return tuple(self._known(question.job_key, may_reuse=may_reuse) for question in questions)

    def _known(self, key: str, *, may_reuse: bool) -> KnownJob:
        if not may_reuse or key not in self._remembered:
            return KnownJob(fingerprint=key)
        return KnownJob(fingerprint=key, run_number=_EARLIER_RUN, outputs=self._remembered[key])

    def remember(self, question: CacheQuestion, fingerprint: str, outputs: Pairs) -> None:
        """Remember a result."""
        del fingerprint
        self._remembered[question.job_key] = outputs
