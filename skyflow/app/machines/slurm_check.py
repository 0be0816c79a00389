"""Asks the login node of a Slurm cluster whether jobs can be submitted there."""

from collections.abc import Sequence

import anyio

from skyflow._util.text import did_you_mean
from skyflow.app.machines.host_check import CHECK_SECONDS, USABLE_MEMORY, HostCheck
from skyflow.app.machines.slurm import login_to
from skyflow.model.config import OwnPool
from skyflow.model.slurm import SlurmQueue
from skyflow.ports.transport import Ended, Transport, TransportError

__all__ = ["check_queue"]

_LOOK = ("sinfo", "-h", "-o", "%R|%a|%D|%c|%m")
"""The partition, whether it is up, and of each kind of its nodes how many there are, with how many CPUs and MiB."""
_NO_PROGRAM = 127
_MIB_PER_GIB = 1024


async def check_queue(pool: OwnPool, queue: SlurmQueue) -> HostCheck:
    """Ask the login node for the partitions, and whether its Python runs."""
    transport = login_to(queue)
    try:
        with anyio.fail_after(CHECK_SECONDS):
            return await _asked(pool, queue, transport)
    except TransportError as error:
        problem = str(error)
    except TimeoutError:
        problem = f"did not answer within {CHECK_SECONDS:g} seconds"
    finally:
        with anyio.CancelScope(shield=True):
            await transport.aclose()
    return HostCheck(pool=pool.name, host=transport.name, problem=problem)


async def _asked(pool: OwnPool, queue: SlurmQueue, transport: Transport) -> HostCheck:
    python = await transport.run([queue.python, "-I", "-S", "-c", "pass"])
    if python.exit_code:
        problem = f"has no program '{queue.python}' that is a Python"
        return HostCheck(pool=pool.name, host=transport.name, problem=problem)
    return _judge(pool, queue, transport.name, await transport.run(_LOOK))


def _judge(pool: OwnPool, queue: SlurmQueue, host: str, listed: Ended) -> HostCheck:
    if listed.exit_code == _NO_PROGRAM:
        return HostCheck(pool=pool.name, host=host, problem="has no Slurm: there is no program 'sinfo'")
    if listed.exit_code:
        said = listed.error_text.strip().splitlines() or ["sinfo fails"]
        return HostCheck(pool=pool.name, host=host, problem=f"shows no queue: {said[-1]}")
    rows = [line.strip().split("|") for line in listed.output.decode(errors="replace").splitlines() if line.strip()]
    partitions = sorted({row[0] for row in rows})
    if queue.partition and queue.partition not in partitions:
        where = queue.said_at.get("partition", "")
        hint = did_you_mean(queue.partition, partitions, otherwise=f"there are {', '.join(partitions)}")
        problem = f"has no partition '{queue.partition}'{f' ({where})' if where else ''}; {hint}"
        return HostCheck(pool=pool.name, host=host, problem=problem)
    mine = [row for row in rows if row[0] == queue.partition] if queue.partition else rows
    doubts = []
    if not any(state == "up" for _, state, *_ in mine):
        doubts.append(f"says that {queue.partition or 'every partition'} is not up")
    doubts += _too_small(pool, mine)
    answer = f"Slurm with {', '.join(partitions)}"
    return HostCheck(pool=pool.name, host=host, answer=answer, doubts=tuple(doubts))


def _too_small(pool: OwnPool, rows: Sequence[Sequence[str]]) -> list[str]:
    """Say where no node is as large as those that are declared; sinfo writes `4+` for nodes of several sizes."""
    cpus = max((int(row[3].rstrip("+")) for row in rows), default=0)
    memory = max((int(row[4].rstrip("+")) for row in rows), default=0) / _MIB_PER_GIB
    doubts = []
    if cpus < pool.vcpus:
        doubts.append(f"has nodes of at most {cpus} CPUs, and {pool.vcpus:g} are declared")
    if memory < pool.memory_gib * USABLE_MEMORY:
        doubts.append(f"has nodes of at most {memory:.1f} GiB of memory, and {pool.memory_gib:g} are declared")
    return doubts
