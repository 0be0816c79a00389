"""Asks the hosts of pools whether jobs can run there."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import anyio

from skyflow.app.machines.host_check import CHECK_SECONDS, USABLE_MEMORY, HostCheck
from skyflow.app.machines.hosts import transport_to
from skyflow.model.config import OwnPool, ProjectConfig
from skyflow.model.hosts import SshHost
from skyflow.ports.transport import TransportError

__all__ = ["check_hosts"]

_NO_PROGRAM = (126, 127)
_OLDEST_PYTHON = (3, 7)
_GIB = 2**30
_LOOK = (
    "import os, sys; pages = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'); "
    "print(sys.version_info[0], sys.version_info[1], os.cpu_count() or 1, pages)"
)


def check_hosts(config: ProjectConfig) -> tuple[HostCheck, ...]:
    """Ask every host of every pool, and every login node of a queue, at once; nothing is left there."""
    questions: list[Callable[[], Awaitable[HostCheck]]] = []
    for pool in config.pools:
        questions += [partial(_check, pool, host) for host in pool.hosts]
        if pool.slurm is not None:
            from skyflow.app.machines.slurm_check import check_queue  # noqa: PLC0415 -- few projects have one

            questions.append(partial(check_queue, pool, pool.slurm))
    return anyio.run(_check_all, questions)


async def _check_all(questions: Sequence[Callable[[], Awaitable[HostCheck]]]) -> tuple[HostCheck, ...]:
    found: dict[int, HostCheck] = {}

    async def check(number: int) -> None:
        found[number] = await questions[number]()

    async with anyio.create_task_group() as tasks:
        for number in range(len(questions)):
            tasks.start_soon(check, number)
    return tuple(found[number] for number in range(len(questions)))


async def _check(pool: OwnPool, host: SshHost) -> HostCheck:
    transport = transport_to(host)
    try:
        with anyio.fail_after(CHECK_SECONDS):
            ended = await transport.run([host.python, "-I", "-S", "-c", _LOOK])
    except TransportError as error:
        return HostCheck(pool=pool.name, host=host.name, problem=str(error))
    except TimeoutError:
        return HostCheck(pool=pool.name, host=host.name, problem=f"did not answer within {CHECK_SECONDS:g} seconds")
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
    if memory / _GIB < pool.memory_gib * USABLE_MEMORY:
        doubts.append(f"has {memory / _GIB:.0f} GiB of memory, and {pool.memory_gib:g} are declared")
    answer = f"Python {major}.{minor}, {cpus} CPUs, {memory / _GIB:.0f} GiB"
    return HostCheck(pool=pool.name, host=host.name, answer=answer, doubts=tuple(doubts))
