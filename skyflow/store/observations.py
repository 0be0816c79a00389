"""What was seen of offerings, in the state store."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from skyflow.model.availability import Observation, Outcome
from skyflow.store import queries
from skyflow.store.rows import time_text
from skyflow.store.store import Store

__all__ = ["ObservationStore"]


class ObservationStore:
    """Remembers what became of machines: whoever provides them records, plans and `skyflow catalog show` read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record_observations(self, observations: Sequence[Observation]) -> None:
        """Store observations, all or none."""
        rows = [
            {"offering": one.offering, "at": time_text(one.at), "outcome": one.outcome.value, "seconds": one.seconds}
            for one in observations
        ]
        with self._store.transaction() as connection:
            connection.executemany(queries.INSERT_OBSERVATION, rows)

    def observations_of(
        self, offerings: Collection[str] | None, *, since: datetime
    ) -> Mapping[str, Sequence[Observation]]:
        """Return what was seen of some offerings, by their ids, or with None of all of which anything was.

        Those of an offering come oldest first; there are none of those that nothing was seen of.
        """
        found: dict[str, list[Observation]] = {}
        with self._store.transaction() as connection:
            rows = connection.execute(queries.OBSERVATIONS_SINCE, {"since": time_text(since)}).fetchall()
        for row in rows:
            if offerings is None or row["offering"] in offerings:
                found.setdefault(row["offering"], []).append(
                    Observation(
                        offering=row["offering"],
                        at=datetime.fromisoformat(row["at"]),
                        outcome=Outcome(row["outcome"]),
                        seconds=row["seconds"],
                    )
                )
        return found
