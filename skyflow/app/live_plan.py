"""The plan of a run while it is driven: where each job is placed now, and what it asks of its machine."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from skyflow.app.expansion import expected_jobs
from skyflow.engine.rooms import Rooms
from skyflow.model.placement import Placement, Plan
from skyflow.model.resources import LOCAL, OWN, Requirements
from skyflow.model.workflow import JobSpec, Workflow

__all__ = ["RENTED", "LivePlan"]

RENTED = "rented"
"""The place of every job that runs on a machine of a cloud."""
_MOST_MACHINES = 200
"""How many machines a run rents at once: more than any account has quota for at first, and a bound on mistakes."""


class LivePlan:
    """Answers by the key of a job; one of a matrix that was planned as a whole is where that is placed."""

    def __init__(self, plan: Plan | None, workflow: Workflow, callees: Mapping[str, Workflow], *, rooms: Rooms) -> None:
        """Begin with a plan; `rooms` are those of machines that are there already."""
        self._paths = {id(job): each.path for each in (workflow, *callees.values()) for job in each.jobs}
        self._rooms = rooms
        self._placements = {placement.job: placement for placement in (plan.placements if plan is not None else ())}
        self._specs = {
            key: each.spec
            for each in expected_jobs(workflow, callees)
            for key in (*each.keys, each.keys[0].rpartition(".")[0] or each.keys[0])
        }

    def placement(self, job_key: str) -> Placement:
        """Return where a job is placed.

        Raises:
            KeyError: the plan has no such job.
        """
        return self._placements.get(job_key) or self._placements[job_key.rpartition(".")[0]]

    def spec(self, job_key: str) -> JobSpec | None:
        """Return what is written about a job."""
        return self._specs.get(job_key) or self._specs.get(job_key.rpartition(".")[0])

    def requirements(self, job_key: str) -> Requirements:
        """Return what a job asks of its machine."""
        spec = self.spec(job_key)
        return Requirements() if spec is None else spec.requirements

    def written_at(self, job_key: str) -> str:
        """Return where a job is written, such as `build.yml:12`; nothing if that is not known."""
        spec = self.spec(job_key)
        return "" if spec is None else f"{self._paths.get(id(spec), '')}:{spec.span.line}"

    def rooms(self) -> Rooms:
        """Return how many jobs run in each place at once."""
        rented = dict.fromkeys(self._rented(), RENTED)
        capacity = {RENTED: _MOST_MACHINES} if rented else {}
        return replace(
            self._rooms, pools={**self._rooms.pools, **rented}, capacity={**self._rooms.capacity, **capacity}
        )

    def place_of(self, job_key: str) -> str:
        """Return the place of a job, nothing for this machine."""
        return self.rooms().pool_of(job_key, job_key.rpartition(".")[0])

    @property
    def rents(self) -> bool:
        """Whether any job is placed on a machine of a cloud."""
        return any(True for _ in self._rented())

    def _rented(self) -> Iterable[str]:
        return (key for key, placement in self._placements.items() if placement.offering.provider not in {LOCAL, OWN})
