"""A Slurm cluster on this computer: a controller, and two nodes that are the same machine under two names.

It runs as root without systemd, has everything below one folder, and ends only what it has started. Cores are handed
out to many jobs at once, so that it does not matter how few this computer has. Partitions:

    main    the default
    short   at most five minutes
    low     whose jobs go back to the queue when `urgent` wants their node (n2 only)
    spare   whose jobs are ended when `urgent` wants their node (n2 only)
    urgent  see above
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from testbed.ports import free_port

__all__ = ["SlurmCluster", "can_run_slurm"]

_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_NODES = ("n1", "n2")
_START_SECONDS = 30.0
_STOP_SECONDS = 20.0
_CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={base}/munge/munge.socket
CredType=cred/munge
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool-%n
SlurmctldPidFile={base}/slurmctld.pid
SlurmdPidFile={base}/slurmd-%n.pid
SlurmctldLogFile={base}/slurmctld.log
SlurmdLogFile={base}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
MinJobAge=300
InactiveLimit=0
KillWait=2
MailProg=/bin/true
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs={cpus} RealMemory=1000 Gres=gpu:a100:2 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE OverSubscribe=FORCE:50 PreemptMode=OFF State=UP
PartitionName=short Nodes=n1 MaxTime=5 OverSubscribe=FORCE:50 PreemptMode=OFF State=UP
PartitionName=low Nodes=n2 PriorityTier=1 PreemptMode=REQUEUE MaxTime=INFINITE State=UP
PartitionName=spare Nodes=n2 PriorityTier=1 PreemptMode=CANCEL MaxTime=INFINITE State=UP
PartitionName=urgent Nodes=n2 PriorityTier=10 PreemptMode=OFF MaxTime=INFINITE State=UP
"""


def can_run_slurm() -> bool:
    """Tell whether this computer lets us have a cluster."""
    return os.geteuid() == 0 and all(shutil.which(program, path=_PATH) for program in _PROGRAMS)


class SlurmCluster:
    """A cluster, from `start` to `close`."""

    def __init__(self, base: Path, *, cpus: int = 4) -> None:
        self.base = base
        self._cpus = cpus

    @property
    def environment(self) -> dict[str, str]:
        """What clients need to find it."""
        return {"SLURM_CONF": str(self.base / "slurm.conf")}

    def start(self) -> None:
        """Start all daemons, and wait until both nodes take jobs."""
        base = self.base
        for folder in ("munge", "state", *(f"spool-{node}" for node in _NODES)):
            (base / folder).mkdir(parents=True, mode=0o755)
        base.chmod(0o755)
        (base / "munge" / "munge.key").write_bytes(os.urandom(128))
        (base / "munge" / "munge.key").chmod(0o400)
        host = socket.gethostname().partition(".")[0]
        config = _CONFIG.format(host=host, base=base, ports=[free_port() for _ in range(3)], cpus=self._cpus)
        (base / "slurm.conf").write_text(config)
        (base / "gres.conf").write_text("".join(f"Name=gpu Type=a100 File=/dev/{name}\n" for name in ("null", "zero")))
        (base / "cgroup.conf").write_text("CgroupAutomount=no\nIgnoreSystemd=yes\n")
        self._run(
            "munged",
            "--force",
            f"--key-file={base}/munge/munge.key",
            f"--socket={base}/munge/munge.socket",
            f"--pid-file={base}/munged.pid",
            f"--log-file={base}/munged.log",
            f"--seed-file={base}/munge/munged.seed",
            "--num-threads=2",
        )
        self.start_controller()
        for node in _NODES:
            self.start_node(node)
        deadline = time.monotonic() + _START_SECONDS
        while self.ask("sinfo", "-h", "-N", "-o", "%t").split() != ["idle"] * self._shown_nodes:
            assert time.monotonic() < deadline, self.ask("sinfo", "-N", "-l") + self._logs()
            time.sleep(0.05)

    _shown_nodes = 6
    """Lines of `sinfo -N`: one for each node of each partition."""

    def start_controller(self) -> None:
        self._run("slurmctld", "-f", str(self.base / "slurm.conf"))

    def stop_controller(self) -> None:
        _stop(self.base / "slurmctld.pid", "slurmctld")

    def start_node(self, node: str) -> None:
        self._run("slurmd", "-f", str(self.base / "slurm.conf"), "-N", node)

    def ask(self, *command: str) -> str:
        """Run a command of Slurm, and return what it prints."""
        done = subprocess.run(
            command, check=False, env={**os.environ, **self.environment}, capture_output=True, text=True
        )
        return done.stdout + done.stderr

    def close(self) -> None:
        """End all jobs and daemons."""
        self.ask("scancel", "-f", "--user", "root")
        deadline = time.monotonic() + _STOP_SECONDS
        while self.ask("squeue", "-h").strip() and time.monotonic() < deadline:
            time.sleep(0.05)
        for node in _NODES:
            _stop(self.base / f"slurmd-{node}.pid", "slurmd")
        self.stop_controller()
        _stop(self.base / "munged.pid", "munged")

    def _run(self, program: str, *words: str) -> None:
        path = shutil.which(program, path=_PATH)
        assert path is not None
        done = subprocess.run(
            [path, *words],
            check=False,
            env={**os.environ, **self.environment},
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        assert not done.returncode, done.stderr.decode() + self._logs()

    def _logs(self) -> str:
        return "".join("".join(path.read_text().splitlines(keepends=True)[-10:]) for path in self.base.glob("*.log"))


def _stop(pid_file: Path, program: str) -> None:
    """End a daemon; one whose number was given to another program since is left alone."""
    try:
        pid = int(pid_file.read_text())  # read once: a daemon removes the file before it has ended
    except (OSError, ValueError):
        return
    for signal in (15, 9):
        deadline = time.monotonic() + _STOP_SECONDS
        while _is_running(pid, program):
            if time.monotonic() > deadline:
                break
            os.kill(pid, signal)
            time.sleep(0.05)


def _is_running(pid: int, program: str) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    return fields["Name"].startswith(program[:15]) and fields["State"][0] not in "ZX"
