"""Makes and releases a machine in a process that can be killed at any moment.

Started once for each cloud, so that its SDK is imported once; every order is done by a fork. The protocol is lines: an
order in JSON is answered by the process id of the fork, `go` lets it begin, and its exit status ends the order.
"""

import json
import os
import sys
from pathlib import Path

from benches import QUICK, clock, fleet_of, offering_of

from skyflow.app.machines.clouds import open_cloud
from skyflow.app.project import find_project
from skyflow.model.machines import MachineRequest

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDYSeMqkRMcMcDPKtWbLCsdUvDUcbPnpuVXoLZJMAhRW tests"


def obey(order: dict[str, object]) -> None:
    os.environ.update(order["environment"])
    project = find_project(state=Path(order["state"]))
    fleet, owner = fleet_of(order["provider"], project, clock(), QUICK)
    machine = fleet.acquire(request(order["provider"], owner))
    fleet.release(machine)


def request(provider: str, owner: str) -> MachineRequest:
    return MachineRequest(
        offering=offering_of(provider), owner=owner, run="run-1", job="train", attempt=1, public_key=KEY
    )


def main() -> None:
    open_cloud(sys.argv[1], clock())
    for line in sys.stdin:
        reads, writes = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(reads, 1)
            obey(json.loads(line))
            os._exit(0)
        print(child, flush=True)
        sys.stdin.readline()
        os.write(writes, b"g")
        print(os.waitpid(child, 0)[1], flush=True)
        os.close(reads)
        os.close(writes)


if __name__ == "__main__":
    main()
