"""What Slurm is asked, as command lines and scripts, and what its answers mean. Nothing is run here."""

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from skyflow.model.slurm import SlurmJob, SlurmQueue

__all__ = [
    "SUBMIT_ONCE",
    "Listed",
    "Phase",
    "Refusal",
    "batch_script",
    "is_job_number",
    "is_worth_another_try",
    "job_name",
    "phase_of",
    "read_list",
    "refusal",
    "sbatch_options",
]

SUBMIT_ONCE = """
set -u
known=$1 name=$2; shift 2
exec 9>"$known.lock" || exit
flock 9 2>/dev/null
if [ ! -s "$known" ]; then
  found=$(squeue -h -a -u "$(id -un)" -t all -n "$name" -o %F) || exit
  [ -n "$found" ] || found=$(sacct -X -n -P -S now-2days --name "$name" -o JobID 2>/dev/null)
  found=$(printf '%s\\n' "$found" | head -n 1)
  found=${found%%_*}
  [ -n "$found" ] || found=$(sbatch --parsable --job-name "$name" "$@") || exit
  printf '%s\\n' "${found%%;*}" >"$known.$$" && mv "$known.$$" "$known" || exit
fi
cat "$known"
"""
"""Submits what is on standard input, unless that was done before: the words are a file that keeps the answer, the name of
the job, and options. Whoever asks again waits for whoever asked before; where the answer was lost
before it was kept, the queue is asked for a job of ours of that name, and the accounting. Names are seen by all users, who can
give them to jobs of theirs."""

_LIST_FIELDS = "%j|%F|%K|%T|%r"
"""The name of a job, its number or that of its array, the index in that, its state, and why it is in it."""


_FIELDS = _LIST_FIELDS.count("|") + 1
_LONGEST_NUMBER = 20


class Phase(StrEnum):
    """What a state of Slurm means to a job."""

    WAITING = "waiting"
    RUNNING = "running"
    LEAVING = "leaving"
    """It is about to end, and how it will not be known before."""
    TAKEN = "taken"
    """It was ended for the sake of another one, or is to run from the beginning again."""
    LOST = "lost"
    """Its node failed."""
    FAILED = "failed"
    """It went beyond a limit, or somebody ended it."""
    DONE = "done"


_PHASES = {
    "PENDING": Phase.WAITING,
    "CONFIGURING": Phase.WAITING,
    "RESV_DEL_HOLD": Phase.WAITING,
    "RUNNING": Phase.RUNNING,
    "SUSPENDED": Phase.RUNNING,
    "STOPPED": Phase.RUNNING,
    "RESIZING": Phase.RUNNING,
    "SIGNALING": Phase.RUNNING,
    "STAGE_OUT": Phase.LEAVING,
    "COMPLETING": Phase.LEAVING,
    "PREEMPTED": Phase.TAKEN,
    "REQUEUED": Phase.TAKEN,
    "REQUEUE_HOLD": Phase.TAKEN,
    "REQUEUE_FED": Phase.TAKEN,
    "SPECIAL_EXIT": Phase.TAKEN,
    "NODE_FAIL": Phase.LOST,
    "BOOT_FAIL": Phase.LOST,
    "REVOKED": Phase.LOST,
    "TIMEOUT": Phase.FAILED,
    "DEADLINE": Phase.FAILED,
    "OUT_OF_MEMORY": Phase.FAILED,
    "CANCELLED": Phase.FAILED,
    "FAILED": Phase.DONE,
    "COMPLETED": Phase.DONE,
}
"""The states that squeue and sacct show, as squeue(1) lists them."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One job of an answer of squeue, or one of an array; `index` is None outside of arrays."""

    name: str
    job: str
    index: int | None
    state: str
    reason: str

    @property
    def number(self) -> str:
        """What it is called in commands."""
        return self.job if self.index is None else f"{self.job}_{self.index}"

    @property
    def is_hopeless(self) -> bool:
        """Whether a job that waits would wait for ever."""
        return phase_of(self.state) is Phase.WAITING and (
            self.reason in _HOPELESS or self.reason.endswith(_HOPELESS_ENDS)
        )


_HOPELESS = frozenset(
    {
        "AccountNotAllowed",
        "BadConstraints",
        "InvalidAccount",
        "InvalidQOS",
        "JobHeldAdmin",
        "PartitionConfig",
        "PartitionNodeLimit",
        "PartitionTimeLimit",
        "QOSNotAllowed",
    }
)
_HOPELESS_ENDS = ("PerJobLimit", "PerJob", "WallDurationPerJobLimit", "MinCpuNotSatisfied")
"""Reasons for waiting that no time cures, as squeue(1) lists them."""


def phase_of(state: str) -> Phase:
    """Return what a state means; one that is not known counts as running: the job will tell."""
    return _PHASES.get(state.split(" ", maxsplit=1)[0].rstrip("+"), Phase.RUNNING)


def job_name(run: str, places: Sequence[str]) -> str:
    """Return what the jobs of some attempts are called in Slurm: the same attempts, the same name."""
    digest = hashlib.sha256("\n".join(places).encode()).hexdigest()[:12]
    return f"skyflow-{run}-{digest}"


def sbatch_options(
    queue: SlurmQueue, job: SlurmJob, *, folder: str, output: str, count: int, comment: str
) -> list[str]:
    """Return the options of one submission, all but the name.

    Args:
        queue: where it goes.
        job: what each one of them needs.
        folder: where it works, as a path from the root: Slurm silently takes another one for a folder that is not there.
        output: where what the batch script itself prints goes, with Slurm's `%a` for the index.
        count: how many they are; more than one make an array.
        comment: what it is for, for people and programs that look at the queue.
    """
    options = {
        "chdir": folder,
        "output": output,
        "comment": comment,
        "export": "ALL",
        "open-mode": "append",
        "nodes": str(job.nodes),
        "ntasks-per-node": "1",
        "partition": queue.partition,
        "account": queue.account,
        "qos": queue.qos,
        "cpus-per-task": "" if job.cpus is None else str(job.cpus),
        "mem": "" if job.memory_mib is None else f"{job.memory_mib}M",
        "gres": _gres(queue, job),
        "time": "" if job.minutes is None else str(job.minutes),
        "array": "" if count == 1 else f"0-{count - 1}",
    }
    return [*(f"--{key}={value}" for key, value in options.items() if value), *queue.options]


def _gres(queue: SlurmQueue, job: SlurmJob) -> str:
    if job.accelerators is None:
        return ""
    name, count = job.accelerators
    return queue.gres.replace("{name}", name.lower()).replace("{count}", str(count))


def batch_script(places: Sequence[str], *, program: str, folder: str, python: str) -> str:
    """Return the script of a submission: the agent of one of some attempts, by its index.

    Args:
        places: the attempts, as `RUN/JOB/NUMBER`.
        program: the folder of the program on the nodes.
        folder: where skyflow keeps its files there.
        python: what runs it.
    """
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); from skyflow.runners.onhost.agent import main; main()"
    words = shlex.join([python, "-I", "-S", "-c", start, program, folder])
    return f'#!/bin/sh\nset -- {shlex.join(places)}\nshift "${{SLURM_ARRAY_TASK_ID:-0}}"\nexec {words} "$1"\n'


def list_command(names: Sequence[str]) -> list[str]:
    """Return the command that shows how our jobs of some names are."""
    options = ["-h", "-a", "-r", "-t", "all", "-n", ",".join(names), "-o", _LIST_FIELDS]
    return ["sh", "-c", 'exec squeue -u "$(id -un)" "$@"', "sh", *options]


def is_job_number(text: str) -> bool:
    """Tell whether a text can be the number of a job, and a word of a command."""
    return text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER


def read_list(text: str) -> list[Listed]:
    """Read the answer of `squeue`; lines of another shape, such as greetings of a login shell, are none of it."""
    listed = []
    for line in text.splitlines():
        fields = [field.strip() for field in line.split("|", _FIELDS - 1)]
        if len(fields) == _FIELDS and is_job_number(fields[1]):
            name, job, index, state, reason = fields
            place = int(index) if is_job_number(index) else None
            listed.append(Listed(name, job, place, state, reason.strip("()")))
    return listed


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why Slurm does not take a job: its own words, and the key that they are about if that is known."""

    said: str
    key: str = ""


_ABOUT = (
    ("Invalid partition name", "partition"),
    ("invalid partition specified", "partition"),
    ("User's group not permitted to use this partition", "partition"),
    ("Invalid account or account/partition", "account"),
    ("Invalid qos", "qos"),
    ("Invalid generic resource", "accelerators"),
    ("Requested GRES option unsupported", "accelerators"),
    ("Memory required by task is not available", "memory"),
    ("Memory specification can not be satisfied", "memory"),
    ("CPU count per node can not be satisfied", "cpus"),
    ("More processors requested than permitted", "cpus"),
    ("Node count specification invalid", "nodes"),
    ("More nodes requested than permitted", "nodes"),
    ("Requested time limit is invalid", "timeout-minutes"),
    ("Requested node configuration is not available", "resources"),
    ("Requested partition configuration not available", "resources"),
    ("Job violates accounting/QOS policy", "limits"),
    ("unrecognized option", "options"),
    ("invalid option", "options"),
)
"""What sbatch says, and what it is about; the texts are those of slurm_errno.c."""
_AGAIN = (
    "Unable to contact slurm controller",
    "Socket timed out",
    "Connection refused",
    "Connection timed out",
    "Zero Bytes were transmitted",
    "Slurm temporarily unable to accept job",
    "Resource temporarily unavailable",
    "Transport endpoint is not connected",
    "Unexpected message received",
)
"""What a busy or restarted controller makes its clients say."""


def refusal(error_text: str) -> Refusal:
    """Return why sbatch failed, from what it printed."""
    lines = [line.partition("error: ")[2] or line for line in error_text.splitlines() if line.strip()]
    said = "; ".join(dict.fromkeys(line.removeprefix("Batch job submission failed: ").strip() for line in lines))
    key = next((key for text, key in _ABOUT if text in error_text), "")
    return Refusal(said or "nothing", key)


def is_worth_another_try(error_text: str) -> bool:
    """Tell whether a command failed because the controller did not answer."""
    return any(text in error_text for text in _AGAIN)
