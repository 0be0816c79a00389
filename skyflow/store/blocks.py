"""What clouds have refused, in the state store, so that nobody asks the same place again a moment later."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from skyflow.model.blocks import OF_THE_CLOUD, Block
from skyflow.model.machines import FailureKind
from skyflow.model.market import Market
from skyflow.model.run import RunId
from skyflow.store import queries
from skyflow.store.rows import time_text
from skyflow.store.store import Store

__all__ = ["BlockStore", "refused_to_any"]


class BlockStore:
    """Remembers the blocks of a run."""

    def __init__(self, store: Store, run: RunId) -> None:
        self._store = store
        self._run = run

    def remember(self, block: Block) -> None:
        """Store a block."""
        row = {
            "run_id": self._run,
            "kind": block.kind,
            "at": time_text(block.at),
            "ends_at": time_text(block.ends_at),
            "provider": block.provider,
            "region": block.region,
            "zone": block.zone,
            "market": block.market,
            "instance_type": block.instance_type,
            "family": block.family,
            "is_accelerated": block.is_accelerated,
            "arch": block.arch,
            "image": block.image,
        }
        with self._store.transaction() as connection:
            connection.execute(queries.INSERT_BLOCK, row)

    def remembered(self, now: datetime) -> tuple[Block, ...]:
        """Return the blocks that hold at a moment, in the order in which they came."""
        return _blocks(self._store.rows(queries.BLOCKS_OF_RUN, run_id=self._run, now=time_text(now)))


def refused_to_any(store: Store, now: datetime) -> tuple[Block, ...]:
    """Return the blocks of all runs that hold at a moment and that nobody but the cloud can lift, oldest first."""
    blocks = _blocks(store.rows(queries.BLOCKS_OF_ALL, now=time_text(now)))
    return tuple(block for block in blocks if block.kind in OF_THE_CLOUD)


def _blocks(rows: Iterable[sqlite3.Row]) -> tuple[Block, ...]:
    return tuple(
        Block(
            kind=FailureKind(row["kind"]),
            at=datetime.fromisoformat(row["at"]),
            provider=row["provider"],
            region=row["region"],
            zone=row["zone"],
            market=None if row["market"] is None else Market(row["market"]),
            instance_type=row["instance_type"],
            family=row["family"],
            is_accelerated=None if row["is_accelerated"] is None else bool(row["is_accelerated"]),
            arch=row["arch"],
            image=row["image"],
        )
        for row in rows
    )
