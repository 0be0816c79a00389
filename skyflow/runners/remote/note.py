"""The note of which machines an attempt was given: for the driver that comes next, and for people who look."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["hosts_in", "note_hosts", "note_queued", "noted_hosts", "noted_queued"]


def note_hosts(file: Path, hosts: Sequence[tuple[str, str]]) -> None:
    """Write down the hosts of a pool: the name and the address of each, by rank."""
    _write(file, "".join(f"{name} {address}\n" for name, address in hosts))


def noted_hosts(file: Path) -> list[tuple[str, str]]:
    """Return the names and addresses of the hosts of a pool; nothing if the attempt has or had none."""
    text = _text(file)
    if text.startswith("{"):
        return []
    return [(name, address) for name, _, address in (line.partition(" ") for line in text.splitlines())]


def note_queued(file: Path, **fields: object) -> None:
    """Write down what is known of a job in the queue of a cluster: `name`, `index`, `job`, and `node` once it has one."""
    _write(file, json.dumps(fields))


def noted_queued(file: Path) -> dict[str, Any] | None:
    """Return what is known of a job in the queue; None if nothing is."""
    try:
        note = json.loads(_text(file))
    except ValueError:
        return None
    return note if isinstance(note, dict) else None


def hosts_in(file: Path) -> tuple[str, ...]:
    """Return what people are told of an attempt's machines: `node1`, or `n1 (Slurm job 12_3)`; nothing without any."""
    note = noted_queued(file)
    if note is None:
        return tuple(name for name, _ in noted_hosts(file))
    job, node = note.get("job"), note.get("node")
    if not job:
        return ()
    return (f"{node} (Slurm job {job})" if node else f"Slurm job {job}",)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
