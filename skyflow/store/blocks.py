"""What clouds have refused to a run, in the state store, so that a resumed one does not ask the same place again."""

from datetime import datetime

from skyflow.model.blocks import Block
from skyflow.model.market import Market
from skyflow.model.run import RunId
from skyflow.store import queries
from skyflow.store.rows import time_text
from skyflow.store.store import Store

__all__ = ["BlockStore"]


class BlockStore:
    """Remembers the blocks of a run."""

    def __init__(self, store: Store, run: RunId) -> None:
        self._store = store
        self._run = run

    def remember(self, block: Block) -> None:
        """Store a block."""
        row = {
            "run_id": self._run,
            "provider": block.provider,
            "region": block.region,
            "zone": block.zone,
            "market": block.market,
            "instance_type": block.instance_type,
            "family": block.family,
            "is_accelerated": block.is_accelerated,
            "ends_at": time_text(block.ends_at),
        }
        with self._store.transaction() as connection:
            connection.execute(queries.INSERT_BLOCK, row)

    def remembered(self, now: datetime) -> tuple[Block, ...]:
        """Return the blocks that hold at a moment, in the order in which they came."""
        rows = self._store.rows(queries.BLOCKS_OF_RUN, run_id=self._run, now=time_text(now))
        return tuple(
            Block(
                provider=row["provider"],
                region=row["region"],
                zone=row["zone"],
                market=None if row["market"] is None else Market(row["market"]),
                instance_type=row["instance_type"],
                family=row["family"],
                is_accelerated=bool(row["is_accelerated"]),
                ends_at=datetime.fromisoformat(row["ends_at"]),
            )
            for row in rows
        )
