"""Asks a Slurm cluster for something, on its login node."""

from collections.abc import Sequence

import anyio

from skyflow.model.slurm import SlurmJob, SlurmQueue
from skyflow.ports.transport import Ended, LinkLostError, Transport, TransportError
from skyflow.runners.slurm.commands import (
    SUBMIT_ONCE,
    Listed,
    is_job_number,
    is_worth_another_try,
    list_command,
    read_list,
    refusal,
    sbatch_options,
)

__all__ = ["SlurmClient", "SlurmRefusedError"]

_NO_PROGRAM = 127
_TRIES = 8
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_MOST_SAID = 500


class SlurmRefusedError(TransportError):
    """Slurm does not take a job, and will not; the message has its words, and where the reason may stand."""


class SlurmClient:
    """Submits, lists and cancels jobs. A controller that does not answer is asked again for about two minutes."""

    def __init__(self, transport: Transport, queue: SlurmQueue) -> None:
        """Prepare; nothing happens yet.

        Args:
            transport: reaches the login node.
            queue: where jobs are submitted to.
        """
        self._transport = transport
        self._queue = queue

    @property
    def queue(self) -> SlurmQueue:
        """Where jobs are submitted to."""
        return self._queue

    async def submit(self, name: str, job: SlurmJob, script: str, *, count: int, folder: str, notes: str) -> str:
        """Submit a job, or an array of `count` jobs, once for its name, and return its number.

        Asked again after an answer that got lost, in this process or another, it submits nothing.

        Args:
            name: the name of the job, which no other one has.
            job: what each needs.
            script: what each runs.
            count: how many.
            folder: where it works.
            notes: the folder that keeps the answer, and what the script itself prints.

        Raises:
            SlurmRefusedError: Slurm does not take it.
            LinkLostError: the login node or the controller did not answer for too long.
        """
        output = f"{notes}/{name}{'' if count == 1 else '-%a'}.out"
        options = sbatch_options(self._queue, job, folder=folder, output=output, count=count, comment=name)
        command = ["sh", "-c", SUBMIT_ONCE, "sh", f"{notes}/{name}.id", name, *options]
        ended = await self._until_answered(command, script.encode())
        if ended.exit_code:
            raise SlurmRefusedError(self._why(ended, job))
        number = ended.output.decode(errors="replace").strip()
        if not is_job_number(number):
            raise SlurmRefusedError(
                f"Slurm answers with something else than the number of a job: {number[:_MOST_SAID]}"
            )
        return number

    async def listed(self, names: Sequence[str]) -> list[Listed]:
        """Return the jobs of some names that the queue knows: for some minutes after its end, it knows a job.

        Raises:
            TransportError: the queue cannot be seen.
        """
        ended = await self._until_answered(list_command(names))
        if ended.exit_code:
            raise TransportError(f"{self._transport.name} does not show its queue: {_said(ended)}")
        return read_list(ended.output.decode(errors="replace"))

    async def cancel(self, jobs: Sequence[str]) -> None:
        """End jobs, or jobs of arrays (`12_3`); those that have ended are no error.

        Raises:
            TransportError: the cluster does not answer.
        """
        if jobs:
            await self._until_answered(["scancel", "-Q", *jobs])

    async def said(self, file: str) -> str:
        """Return the last line that a batch script itself has printed; nothing if there is none."""
        ended = await self._transport.run(["tail", "-n", "1", "--", file])
        return ended.output.decode(errors="replace").strip()

    async def _until_answered(self, command: Sequence[str], stdin: bytes = b"") -> Ended:
        pause = _FIRST_PAUSE_SECONDS
        for tries_left in reversed(range(_TRIES)):
            try:
                ended = await self._transport.run(command, stdin=stdin)
            except LinkLostError:
                if not tries_left:
                    raise
            else:
                if not ended.exit_code or not is_worth_another_try(ended.error_text):
                    return ended
                if not tries_left:
                    raise LinkLostError(f"the controller of {self._queue.name} does not answer: {_said(ended)}")
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        raise AssertionError  # the last try returns or raises

    def _why(self, ended: Ended, job: SlurmJob) -> str:
        if ended.exit_code == _NO_PROGRAM:
            where = self._queue.said_at.get("login") or self._queue.said_at.get("kind", "")
            return f"there is no Slurm on {self._transport.name}: {_said(ended)}{_at(where)}"
        found = refusal(ended.error_text)
        where = self._queue.said_at.get(found.key) or (job.said_at if found.key not in _OF_THE_FILE else "")
        about = f" (about '{found.key}'{f', {where}' if where else ''})" if found.key else _at(job.said_at)
        return f"Slurm does not take the job: {found.said[:_MOST_SAID]}{about}"


_OF_THE_FILE = frozenset({"partition", "account", "qos", "options"})
"""Keys that only `skyflow.yml` has."""


def _at(where: str) -> str:
    return f" ({where})" if where else ""


def _said(ended: Ended) -> str:
    lines = ended.error_text.strip().splitlines()
    return lines[-1] if lines else f"exit code {ended.exit_code}"
