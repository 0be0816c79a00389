"""Where a project keeps what skyflow remembers of it: names of files and folders, nothing is touched here.

- `.skyflow/state.db`: every run, job, attempt, step and event
- `.skyflow/runs/RUN/lock`: held by the process that drives the run
- `.skyflow/runs/RUN/driver.log`: what the driver of a detached run has to say
- `.skyflow/runs/RUN/event.json`: what started the run, as steps find it at GITHUB_EVENT_PATH
- `.skyflow/runs/RUN/JOB/ATTEMPT/POSITION.log`: what a step printed
- `.skyflow/runs/RUN/JOB/ATTEMPT/POSITION.index`: where its lines begin, and when they were printed
- `.skyflow/runs/RUN/JOB/ATTEMPT/POSITION.md`: its step summary
- `.skyflow/runs/RUN/JOB/ATTEMPT/nodes/0/POSITION.log`: what it printed on one of several machines
- `.skyflow/runs/RUN/temp/JOB@ATTEMPT/`: scripts, command files and output, while the attempt lasts
- `.skyflow/runs/RUN/keeper.jsonl`: which steps were started and how they ended, for whoever resumes the run
- `.skyflow/results/`: files that jobs with `cache` have made
- `.skyflow/.skyflow-keys/ours`: the private key that lets us into rented machines, with its public key beside it
- `.skyflow/.skyflow-keys/NAME`: the private host key of a rented machine, while there is the machine
- `.skyflow/tools/`: what actions keep for later runs, `runner.tool_cache`
- `.skyflow/artifacts/`: artifacts of runs and caches of the project, as an object store
"""

from dataclasses import dataclass
from pathlib import Path

from skyflow.errors import StoreError
from skyflow.model.artifacts import is_safe_path
from skyflow.model.execution import StepRef
from skyflow.model.run import RunId

__all__ = ["KEYS_FOLDER", "RunFolder", "StateFolder"]

KEYS_FOLDER = ".skyflow-keys"
"""Holds private keys; nothing with this name is ever copied to another machine, wherever the state is."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The folder of one state store."""

    database: Path

    @property
    def root(self) -> Path:
        """The folder that holds the database and the runs."""
        return self.database.parent

    @property
    def runs(self) -> Path:
        """The folder that holds one folder for each run."""
        return self.root / "runs"

    @property
    def artifacts(self) -> Path:
        """The folder that holds artifacts and caches."""
        return self.root / "artifacts"

    @property
    def results(self) -> Path:
        """The folder that holds the files of remembered results."""
        return self.root / "results"

    @property
    def machine_key(self) -> Path:
        """The private key that lets us into rented machines."""
        return self.root / KEYS_FOLDER / "ours"

    def host_key(self, machine: str) -> Path:
        """Return the file of the private host key of a rented machine."""
        return self.root / KEYS_FOLDER / machine

    @property
    def tools(self) -> Path:
        """The folder of `runner.tool_cache`."""
        return self.root / "tools"

    def run(self, run_id: RunId) -> "RunFolder":
        """Return the folder of one run.

        Raises:
            StoreError: a store names a run so that this would be another folder; it may come from somebody else.
        """
        if not is_safe_path(run_id) or "/" in run_id:
            raise StoreError(f"the state store is damaged: '{run_id}' is no name of a run")
        return RunFolder(self.runs / run_id)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run; with `node`, as one of several machines that run a job together has its files there."""

    root: Path
    node: int | None = None

    def of_node(self, node: int | None) -> "RunFolder":
        """Return the folder as one of several machines sees it, or, without any, the run."""
        return RunFolder(self.root, node)

    @property
    def lock(self) -> Path:
        """The file that the driving process holds locked."""
        return self.root / "lock"

    @property
    def event(self) -> Path:
        """The file that GITHUB_EVENT_PATH names."""
        return self.root / "event.json"

    @property
    def driver_log(self) -> Path:
        """What the driver of a detached run has to say, which is nothing unless something goes wrong."""
        return self.root / "driver.log"

    def attempt(self, job_key: str, attempt: int) -> Path:
        """Return the folder of one attempt."""
        return self.root / job_key / str(attempt)

    def host(self, job_key: str, attempt: int) -> Path:
        """Return the file that names the machines of a pool, or the job in a queue, that an attempt runs on."""
        return self.attempt(job_key, attempt) / "host"

    def temp(self, job_key: str, attempt: int) -> Path:
        """Return the folder that is removed when the attempt ends."""
        return (
            self.root / "temp" / f"{job_key.replace('/', '+')}@{attempt}{'' if self.node is None else f'+{self.node}'}"
        )

    @property
    def journal(self) -> Path:
        """What the keepers of the run have started, and how it ended."""
        return self.root / "keeper.jsonl"

    def log(self, step: StepRef) -> Path:
        """Return the log file of one step."""
        return self._own(step, self.node) / f"{step.position}.log"

    def summary(self, step: StepRef) -> Path:
        """Return the step summary, Markdown; the first of several machines writes that of the step."""
        return self._own(step, self.node or None) / f"{step.place}.md"

    def _own(self, step: StepRef, node: int | None) -> Path:
        attempt = self.attempt(step.job_key, step.attempt)
        return attempt if node is None else attempt / "nodes" / str(node)
