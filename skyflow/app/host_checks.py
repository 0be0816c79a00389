"""Asks the hosts of pools whether jobs can run there."""

from dataclasses import dataclass

import anyio

from skyflow.app.hosts import transport_to
from skyflow.model.config import OwnPool, ProjectConfig
from skyflow.model.hosts import SshHost
from skyflow.ports.transport import TransportError

__all__ = ["HostCheck", "check_hosts"]

_SECONDS = 30.0
_NO_PROGRAM = (126, 127)
_OLDEST_PYTHON = (3, 7)
_GIB = 2**30
_USABLE_MEMORY = 0.9
"""The share of its memory that a machine at least calls its own; firmware and kernel keep the rest."""
_LOOK = (
    "import os, sys; pages = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'); "
    "print(sys.version_info[0], sys.version_info[1], os.cpu_count() or 1, pages)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCheck:
    """What became of asking one host: `answer` says what it is, or `problem` why no job can run there.

    `doubts` are ways in which it differs from what is said about the machines of its pool.
    """

    pool: str
    host: str
    answer: str = ""
    problem: str = ""
    doubts: tuple[str, ...] = ()


def check_hosts(config: ProjectConfig) -> tuple[HostCheck, ...]:
    """Ask every host of every pool at once, for half a minute at most; nothing is left there."""
    return anyio.run(_check_all, [(pool, host) for pool in config.pools for host in pool.hosts])


async def _check_all(asked: list[tuple[OwnPool, SshHost]]) -> tuple[HostCheck, ...]:
    found: dict[int, HostCheck] = {}

    async def check(number: int, pool: OwnPool, host: SshHost) -> None:
        found[number] = await _check(pool, host)

    async with anyio.create_task_group() as tasks:
        for number, (pool, host) in enumerate(asked):
            tasks.start_soon(check, number, pool, host)
    return tuple(found[number] for number in range(len(asked)))


async def _check(pool: OwnPool, host: SshHost) -> HostCheck:
    transport = transport_to(host)
    try:
        with anyio.fail_after(_SECONDS):
            ended = await transport.run([host.python, "-I", "-S", "-c", _LOOK])
    except TransportError as error:
        return HostCheck(pool=pool.name, host=host.name, problem=str(error))
    except TimeoutError:
        return HostCheck(pool=pool.name, host=host.name, problem=f"did not answer within {_SECONDS:g} seconds")
    finally:
        with anyio.CancelScope(shield=True):
            await transport.aclose()
    if ended.exit_code:
        lines = ended.error_text.strip().splitlines()
        why = (
            f"has no program '{host.python}'" if ended.exit_code in _NO_PROGRAM else (lines or ["its Python fails"])[-1]
        )
        return HostCheck(pool=pool.name, host=host.name, problem=why)
    return _judge(pool, host, ended.output.decode(errors="replace"))


def _judge(pool: OwnPool, host: SshHost, output: str) -> HostCheck:
    try:
        major, minor, cpus, memory = map(int, output.split())
    except ValueError:
        return HostCheck(pool=pool.name, host=host.name, problem=f"'{host.python}' is no Python")
    if (major, minor) < _OLDEST_PYTHON:
        oldest = ".".join(map(str, _OLDEST_PYTHON))
        problem = f"has Python {major}.{minor}; {oldest} is the oldest that will do"
        return HostCheck(pool=pool.name, host=host.name, problem=problem)
    doubts = []
    if cpus < pool.vcpus:
        doubts.append(f"has {cpus} CPUs, and {pool.vcpus} are declared")
    if memory / _GIB < pool.memory_gib * _USABLE_MEMORY:
        doubts.append(f"has {memory / _GIB:.0f} GiB of memory, and {pool.memory_gib:g} are declared")
    answer = f"Python {major}.{minor}, {cpus} CPUs, {memory / _GIB:.0f} GiB"
    return HostCheck(pool=pool.name, host=host.name, answer=answer, doubts=tuple(doubts))
