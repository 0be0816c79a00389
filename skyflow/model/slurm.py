"""Slurm clusters: how one is reached, and what is asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from skyflow.model.hosts import SshHost

__all__ = ["SlurmJob", "SlurmQueue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmQueue:
    """Where jobs are submitted to, as a project's `skyflow.yml` says it.

    `login` is the node to log in to over SSH; without it, this machine is one. `gres` is what accelerators are called in
    the cluster, with `{name}` for that of the job and `{count}` for how many. `options` go to sbatch as they are.
    `folder` is where skyflow keeps its files: login and compute nodes have to see the same there. From `array_from` jobs
    alike on, they are submitted as an array; `most_queued` of the run's are in the queue at once. `said_at` tells, for
    each key of the file, where it stands: `skyflow.yml:7:16`.
    """

    name: str
    login: SshHost | None = None
    partition: str = ""
    account: str = ""
    qos: str = ""
    gres: str = "gpu:{name}:{count}"
    options: tuple[str, ...] = ()
    folder: str = ".skyflow"
    python: str = "python3"
    array_from: int = 8
    most_queued: int = 1000
    said_at: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmJob:
    """What one job needs of a cluster; None and nothing leave it to the cluster.

    `minutes` is how long it may run. `accelerators` are of one node. `said_at` is where the job stands in its workflow.
    """

    nodes: int = 1
    cpus: int | None = None
    memory_mib: int | None = None
    accelerators: tuple[str, int] | None = None
    minutes: int | None = None
    said_at: str = field(default="", compare=False)
