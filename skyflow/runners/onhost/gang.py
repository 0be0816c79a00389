"""Steps on all nodes of an allocation at once, by `srun`: it starts them, and ends all when one fails."""

from __future__ import annotations

import os
import socket
import subprocess

from skyflow.runners.onhost.small_files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Gang"]

_STEP = "slurm-step"
_ONE = """
folder=$1; shift
if [ "$SLURM_PROCID" = 0 ]; then
  echo "$SLURM_STEP_ID" >"$folder/$STEP_FILE"
else
  for name in $ANSWER_FILES; do export "$name=/dev/null"; done
fi
export SKYFLOW_NODE_RANK="$SLURM_PROCID"
exec "$@"
"""
"""What each node does: only the first answers through the files of the step, and tells the number of the step in Slurm."""


class Gang:
    """The nodes of this allocation."""

    def __init__(self) -> None:
        self.size = int(os.environ.get("SLURM_NNODES") or 1)
        self._job = os.environ.get("SLURM_JOB_ID", "")
        self._variables: dict[str, str] = {}
        if self.size > 1:
            self._variables = {"SKYFLOW_NUM_NODES": str(self.size), "SKYFLOW_NODE_IPS": "\n".join(_addresses())}

    def on_all(self, ask: dict[str, Any], folder: str) -> dict[str, Any]:
        """Return what starts a step on all nodes, from what starts it on one."""
        cpus = os.environ.get("SLURM_CPUS_PER_TASK")
        line = [
            "srun",
            "--overlap",
            "--quiet",
            "--label",
            "--input=none",
            "--mpi=none",
            "--kill-on-bad-exit=1",
            f"--nodes={self.size}",
            f"--ntasks={self.size}",
            "--ntasks-per-node=1",
            *([f"--cpus-per-task={cpus}"] if cpus else []),
            *("sh", "-c", _ONE, "sh", folder),
        ]
        names = {"STEP_FILE": _STEP, "ANSWER_FILES": " ".join(ask["files"])}
        # the script has to be where all nodes see it, for as long as the step runs
        return {**ask, "before": line, "is_shared": True, "env": {**ask["env"], **self._variables, **names}}

    def signal(self, folder: str, name: str) -> bool:
        """Send a signal to a step on all nodes; false if it runs on this one alone, or has not begun."""
        step = read_text(os.path.join(folder, _STEP)).strip()
        if self.size > 1 and step:
            subprocess.call(["scancel", f"--signal={name}", f"{self._job}.{step}"], stderr=subprocess.DEVNULL)
        return self.size > 1 and bool(step)


def _addresses() -> list[str]:
    """Return the addresses of the nodes, in the order of their ranks."""
    listed = subprocess.check_output(["scontrol", "show", "-o", "node", os.environ["SLURM_JOB_NODELIST"]])
    found = []
    for line in listed.decode(errors="replace").splitlines():
        fields = dict(field.partition("=")[::2] for field in line.split())
        address = fields.get("NodeAddr") or fields["NodeName"]
        try:
            found.append(socket.gethostbyname(address))
        except OSError:
            found.append(address)
    return found
