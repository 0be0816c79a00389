"""Three clouds on this computer, to try skyflow against as a user would; needs root, sshd, iproute2 and unshare.

    python tests/clouds/playground.py             # a shell that knows them; `exit` ends the clouds and all machines
    python tests/clouds/playground.py COMMAND ... # one command

AWS, GCP and Azure are the servers of the tests, whose machines have a real sshd each. In that shell, `clouds` does what
clouds do at times:

    clouds                      list the machines, and everything else that would be paid for
    clouds full aws m6i.large   have no machines of a type, in any zone
    clouds room aws m6i.large   have them again
    clouds notice MACHINE       tell a spot machine that it will be taken away
    clouds take MACHINE         take a machine away without a word
    clouds cut MACHINE          pull its cable; `clouds plug MACHINE` puts it back
    clouds boot SECONDS         let machines take so long to boot
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "clouds")]

import accounts
import arm_server
import ec2_server
import gce_server
from serving import Faults, served
from testbed.cloud_machine import CloudMachine, Machines, can_start_cloud_machines

_CLIENT = """\
#!{python}
import json, socket, sys
with socket.socket(socket.AF_UNIX) as to:
    to.connect({address!r})
    to.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n")
    code, said = json.loads(to.makefile().readline())
print(said)
sys.exit(code)
"""
_NOTICES = {
    "aws": ("/latest/meta-data/spot/instance-action", '{"action": "terminate", "time": "2026-01-01T00:00:00Z"}'),
    "gcp": ("/computeMetadata/v1/instance/preempted", "TRUE"),
    "azure": ("/metadata/scheduledevents", '{"Events": [{"EventId": "1", "EventType": "Preempt"}]}'),
}


class Playground:
    """The servers of three clouds, and the machines behind them."""

    def __init__(self, machines: Machines) -> None:
        self.machines = machines
        self.gce, self.arm = gce_server.GceServer(), arm_server.ArmServer()
        self.gce.machines = self.arm.machines = ec2_server.ACCOUNT.machines = machines
        ec2_server.register_images()

    @contextmanager
    def serve(self, folder: Path) -> Iterator[dict[str, str]]:
        """Serve all three, and yield the variables that lead the SDKs there."""
        certificate = accounts.make_certificate(folder / "server.pem")
        with ExitStack() as stack:
            aws = stack.enter_context(
                served(Faults(ec2_server.Ec2Server(), ec2_server.name_call), handler=ec2_server.Ec2Server.handler)
            )
            gcp = stack.enter_context(served(Faults(self.gce, gce_server.name_call)))
            arm = Faults(self.arm, arm_server.name_call)
            self.arm.address = azure = stack.enter_context(served(arm, certificate=certificate))
            tokens = stack.enter_context(served(arm))
            yield {
                **accounts.aws_variables(aws),
                **accounts.gcp_variables(gcp, key=accounts.make_service_account_key(), key_file=folder / "gcp.json"),
                **accounts.azure_variables(azure, tokens, certificate=certificate),
            }

    def do(self, words: list[str]) -> str:
        """Do what the arguments of `clouds` say, and return what there is to say about it."""
        match words:
            case []:
                return self._listed()
            case ["full" | "room" as what, cloud, kind]:
                self._have_room(cloud, kind, has_room=what == "room")
            case ["take", name]:
                self._take(name)
            case ["notice", name]:
                self._machine(name).set_metadata(*_NOTICES[self._cloud_of(name)])
            case ["cut" | "plug" as what, name]:
                self._machine(name).cut_off(is_cut=what == "cut")
            case ["boot", seconds]:
                self.machines.boot_seconds = float(seconds)
            case _:
                raise ValueError(__doc__)
        return f"{' '.join(words)}: done"

    def _listed(self) -> str:
        remains = {"aws": ec2_server.remains(), "gcp": self.gce.remains(), "azure": self.arm.remains()}
        lines = [f"{cloud} {kind}: {', '.join(names)}" for cloud, kinds in remains.items()
                 for kind, names in kinds.items() if names]  # fmt: skip
        return "\n".join(lines) or "nothing"

    def _have_room(self, cloud: str, kind: str, *, has_room: bool) -> None:
        room = 1_000 if has_room else 0
        if cloud == "aws":
            zones = [f"{region}{letter}" for region in ec2_server.REGIONS for letter in "abcdef"]
            ec2_server.ACCOUNT.capacity.update({(zone, kind): room for zone in zones})
        elif cloud == "gcp":
            zones = [zone for there in gce_server.REGIONS.values() for zone in there]
            self.gce.capacity.update({(zone, kind): room for zone in zones})
        elif has_room:
            self.arm.sold_out.discard(kind)
        else:
            self.arm.sold_out.add(kind)

    def _take(self, name: str) -> None:
        cloud = self._cloud_of(name)
        if cloud == "aws":
            ec2_server.preempt(name)
        elif cloud == "azure":
            self.arm.evict(name)
        else:
            [zone] = [zone for zone, each in self.gce.instances if each == name]
            self.gce.preempt(zone, name)

    def _machine(self, name: str) -> CloudMachine:
        if name not in self.machines.running:
            raise ValueError(f"there is no machine {name}; there are {', '.join(self.machines.running) or 'none'}")
        return self.machines.running[name]

    def _cloud_of(self, name: str) -> str:
        self._machine(name)
        return "aws" if name.startswith("i-") else "azure" if name in self.arm.vms else "gcp"


@contextmanager
def controlled(playground: Playground, folder: Path) -> Iterator[Path]:
    """Obey a program `clouds`, and yield the folder that it is in."""
    address, client = folder / "control", folder / "bin" / "clouds"
    client.parent.mkdir()
    client.write_text(_CLIENT.format(python=sys.executable, address=str(address)))
    client.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        threading.Thread(target=_obey, args=(listener, playground), daemon=True).start()
        yield client.parent


def _obey(listener: socket.socket, playground: Playground) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                answer = [0, playground.do(json.loads(connection.makefile().readline()))]
            except (ValueError, KeyError) as error:
                answer = [2, str(error)]
            connection.sendall(json.dumps(answer).encode() + b"\n")


def main() -> int:
    if not can_start_cloud_machines():
        sys.exit("needs root, sshd, ip, tc, unshare, ssh-keygen, useradd and pkill")
    command = sys.argv[1:] or [os.environ.get("SHELL", "/bin/sh")]
    with tempfile.TemporaryDirectory() as name:
        folder, machines = Path(name), Machines(Path(name) / "machines")
        try:
            playground = Playground(machines)
            with playground.serve(folder) as variables, controlled(playground, folder) as programs:
                path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
                if not sys.argv[1:]:
                    print(
                        "aws, gcp and azure are servers of this computer now; `clouds` lists what is in them, `exit` ends them"
                    )
                return subprocess.run(command, env={**os.environ, **variables, "PATH": path}, check=False).returncode
        finally:
            machines.close()


if __name__ == "__main__":
    sys.exit(main())
