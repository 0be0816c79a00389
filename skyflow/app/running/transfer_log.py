"""Writes down what data a run moves: how much, how long it took, and what it cost by the tables that plans are made with."""

from collections.abc import Callable, Sequence

from skyflow.app.stores import ProjectStores
from skyflow.errors import CatalogError
from skyflow.model.artifacts import Artifact
from skyflow.model.catalog import LOCAL_PLACE, Place
from skyflow.model.execution import StepRef
from skyflow.model.run import RunId
from skyflow.model.transfers import Handover, Leg, TransferRecord, Way
from skyflow.ports.clock import Clock
from skyflow.store.store import Store
from skyflow.store.transfers import TransferStore

__all__ = ["TransferLog"]


class TransferLog:
    """The transfers of one run."""

    def __init__(
        self, store: Store, run_id: RunId, *, stores: ProjectStores, place_of: Callable[[str], Place], clock: Clock
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            store: where it is written.
            run_id: the run.
            stores: those of the project, whose tables say what it costs.
            place_of: where a job runs, by its key.
            clock: the time.
        """
        self._transfers = TransferStore(store)
        self._run_id = run_id
        self._stores = stores
        self._place_of = place_of
        self._clock = clock

    def store_of(self, job_key: str) -> str:
        """Return the name of the store that a job leaves its artifacts in, where it runs now."""
        return self._stores.near(self._place_of(job_key)).name

    def moved(self, step: StepRef, what: str, legs: Sequence[Leg], *, store: str) -> None:
        """Write down what was moved for a step, to or from the store of a name where that is an end of it."""
        now = self._clock.now()
        records = []
        for leg in legs:
            source, target = self._ends(leg.way, step.job_key, self._stores.place(store))
            records.append(
                TransferRecord(
                    run=self._run_id,
                    job=step.job_key,
                    attempt=step.attempt,
                    what=what,
                    way=leg.way,
                    source=source,
                    target=target,
                    size=leg.size,
                    seconds=leg.seconds,
                    usd=self._usd(source, target, leg.size),
                    at=now,
                )
            )
        if records:
            self._transfers.record(records)

    def handed_over(self, step: StepRef, artifact: Artifact) -> None:
        """Write down that a job has had an artifact of another."""
        handover = Handover(
            from_job=artifact.by.job_key, to_job=step.job_key, artifact=artifact.name, size=artifact.size
        )
        self._transfers.hand_over(self._run_id, handover)

    def _ends(self, way: Way, job_key: str, store: Place | None) -> tuple[Place | None, Place | None]:
        there = self._place_of(job_key)
        return {
            Way.TO_HERE: (there, LOCAL_PLACE),
            Way.FROM_HERE: (LOCAL_PLACE, there),
            Way.DIRECT: (there, there),
            Way.TO_STORE: (LOCAL_PLACE, store),
            Way.FROM_STORE: (store, LOCAL_PLACE),
            Way.UPLOAD: (there, store),
            Way.DOWNLOAD: (store, there),
        }[way]

    def _usd(self, source: Place | None, target: Place | None, size: int) -> float | None:
        """Return the price, or None where no table has one."""
        if source is None or target is None:
            return None
        if source == target:
            return 0.0
        try:
            rates = self._stores.rates_between(source, target)
        except CatalogError:
            return None
        return rates.usd_per_gb[rates.index[source]][rates.index[target]] * size / 1e9
