"""Machines as clouds rent them out: an address of their own, port 22, a metadata service, user data that root runs.

Each is a network namespace on a bridge without uplink, with process, mount and host name namespaces of its own: all of it
dies at once. Its image has an sshd with a host key of the image's own, and nobody who may log in: that is for the user
data to change. Needs root, sshd, iproute2 and unshare.
"""

import itertools
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from testbed.metadata_service import ADDRESS, MetadataService

__all__ = ["CloudMachine", "Machines", "can_start_cloud_machines"]

_NETWORKS = range(1, 250)
_FIRST, _LAST = 10, 250
_SSHD = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/local/sbin")

_INIT = """\
mount --make-rprivate /
mount -t proc proc /proc
hostname machine
mount -t tmpfs tmpfs /mnt && mkdir /mnt/base && mount --bind "$BASE" /mnt/base
mkdir /mnt/changed /mnt/work
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/changed,workdir=/mnt/work overlay /etc ||
  { cp -a /etc /mnt/etc && mount --bind /mnt/etc /etc; }
mkdir -p /etc/sudoers.d
rm -f /etc/ssh/ssh_host_* && ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
[ -z "$PROGRAMS" ] || mount --bind "$PROGRAMS" /usr/local/bin
for folder in /root /tmp /home /run /dev/shm /var/tmp /var/lib /usr/local/sbin; do mount -t tmpfs -o mode=755 tmpfs $folder; done
chmod 700 /root
chmod 1777 /tmp /var/tmp /dev/shm
mkdir -p /run/sshd
printf '#!/bin/sh\\nkill -TERM 1\\n' >/usr/local/sbin/shutdown && chmod +x /usr/local/sbin/shutdown
ip link set lo up
sleep "$BOOT_SECONDS"
"$SSHD" -D -e -f /mnt/base/sshd_config 2>/mnt/base/sshd.log &
until (: </dev/tcp/127.0.0.1/22) 2>/dev/null; do sleep 0.02; done # before that, the signal to read its files anew would end it
[ ! -s /mnt/base/user-data ] || bash /mnt/base/user-data >/mnt/base/user-data.log 2>&1 &
trap 'exit 0' TERM
while :; do sleep 1000 & wait $!; done
"""
_CONFIG = """\
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
UseDNS no
MaxStartups 100:30:200
"""


def can_start_cloud_machines() -> bool:
    """Tell whether this computer lets us have such machines."""
    programs = (_SSHD, *map(shutil.which, ("unshare", "ip", "tc", "ssh-keygen", "useradd", "pkill")))
    return os.geteuid() == 0 and None not in programs


@dataclass
class CloudMachine:
    """One machine, from `start` to `kill`; `on_end` is called when it has ended by itself.

    `place` is its network, by number, and its own number in there.
    """

    base: Path
    place: tuple[int, int]
    user_data: str
    boot_seconds: float = 0.0
    on_end: Callable[[], None] | None = None
    programs: Path | None = None
    """What is installed in `/usr/local/bin`, in place of what this computer has there."""
    address: str = field(init=False)
    _name: str = field(init=False)
    _metadata: MetadataService = field(init=False)
    _process: "subprocess.Popen[bytes] | None" = field(init=False, default=None)

    def start(self) -> None:
        network, number = self.place
        self._name, self.address = f"skf{network}-{number}", f"10.213.{network}.{number}"
        (self.base / "metadata").mkdir(parents=True)
        for name, text in (("user-data", self.user_data), ("sshd_config", _CONFIG)):
            (self.base / name).write_text(text)
        self._plug_in()
        self._metadata = MetadataService(self.base / "metadata")
        self._metadata.open(self._name)
        namespaces = ["--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child"]
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "BASE": str(self.base),
            "SSHD": str(_SSHD),
            "BOOT_SECONDS": str(self.boot_seconds),
            "PROGRAMS": "" if self.programs is None else str(self.programs),
        }
        with (self.base / "init.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", self._name, "unshare", *namespaces, "bash", "-c", _INIT],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        threading.Thread(target=self._watch, args=(self._process,), daemon=True).start()

    def kill(self) -> None:
        """End the machine at once, with everything that runs on it."""
        self.on_end = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._metadata.close()
            self._unplug()
            self._process = None

    @property
    def is_running(self) -> bool:
        """Whether it has neither ended by itself nor been killed."""
        return self._process is not None and self._process.poll() is None

    def run(self, *command: str) -> str:
        """Run a command in the machine, as root, and return what it prints."""
        done = subprocess.run(
            ["nsenter", "--target", self._first_process(), "--pid", "--mount", "--net", "--", *command],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    def _first_process(self) -> str:
        """Return the number that the machine's own process 1 has out here, once there is one."""
        assert self._process is not None, "the machine is gone"
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        while not (found := children.read_text().split()):
            time.sleep(0.01)
        return found[0]

    def set_metadata(self, path: str, text: str) -> None:
        """Let the metadata service answer a path."""
        file = self.base / "metadata" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.new")
        draft.write_text(text)
        draft.rename(file)

    def cut_off(self, *, is_cut: bool = True) -> None:
        """Pull the cable: nothing arrives, and nobody says so."""
        _run("ip", "link", "set", f"v{self._name}", "down" if is_cut else "up")

    def freeze(self, *, is_frozen: bool = True) -> None:
        """Let everything on the machine stand still: what arrives is taken, and nothing is answered."""
        self.run("kill", "-STOP" if is_frozen else "-CONT", "--", "-1")

    def drop_connections(self) -> None:
        """End every SSH session at once; what it has started may go on."""
        with suppress(subprocess.CalledProcessError):  # there is none
            self.run("pkill", "-KILL", "-f", "^sshd: [^/]")

    def slow_down(self, *, mbit_per_second: int) -> None:
        """Let what is sent to the machine take its time."""
        shape = ["tbf", "rate", f"{mbit_per_second}mbit", "burst", "32kb", "latency", "500ms"]
        _run("tc", "qdisc", "add", "dev", f"v{self._name}", "root", *shape)

    @property
    def received_bytes(self) -> int:
        """How much has been sent to the machine."""
        return int(Path(f"/sys/class/net/v{self._name}/statistics/tx_bytes").read_text())

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        if self.on_end is not None:
            self.on_end()

    def _plug_in(self) -> None:
        name, cable = self._name, f"v{self._name}"
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "link", "set", cable, "master", _bridge(self.place[0]), "up")
        _run("ip", "-n", name, "address", "add", f"{self.address}/24", "dev", "eth0")
        _run("ip", "-n", name, "address", "add", f"{ADDRESS}/32", "dev", "lo")
        _run("ip", "-n", name, "link", "set", "eth0", "up")

    def _unplug(self) -> None:
        _run("ip", "netns", "delete", self._name)
        subprocess.run(["ip", "link", "delete", f"v{self._name}"], capture_output=True, check=False)


class Machines:
    """What a test cloud starts its machines with, by what the cloud calls them; on a network of their own."""

    def __init__(self, base: Path, *, boot_seconds: float = 0.0) -> None:
        self._base = base
        self.boot_seconds = boot_seconds
        self.programs: Path | None = None
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        self.running: dict[str, CloudMachine] = {}
        self.started: list[CloudMachine] = []
        self._network = next(number for number in _NETWORKS if _make_bridge(number))

    def start(self, name: str, user_data: str, *, on_end: Callable[[], None]) -> str:
        """Start a machine, and return its address; `on_end` is called if it ends by itself."""
        with self._lock:
            number = next(self._numbers)
            place = self._network, _FIRST + number % (_LAST - _FIRST)
            machine = CloudMachine(self._base / str(number), place, user_data, self.boot_seconds, on_end, self.programs)
            machine.start()
            self.running[name] = machine
            self.started.append(machine)
            return machine.address

    def stop(self, name: str) -> None:
        """End a machine; harmless if there is none of this name."""
        with self._lock:
            machine = self.running.pop(name, None)
        if machine is not None:
            machine.kill()

    def close(self) -> None:
        for name in list(self.running):
            self.stop(name)
        _run("ip", "link", "delete", _bridge(self._network))


def _make_bridge(network: int) -> bool:
    """Make the bridge of a network, unless somebody else has."""
    made = subprocess.run(["ip", "link", "add", _bridge(network), "type", "bridge"], capture_output=True, check=False)
    if made.returncode:
        return False
    _run("ip", "address", "add", f"10.213.{network}.1/24", "dev", _bridge(network))
    _run("ip", "link", "set", _bridge(network), "up")
    return True


def _bridge(network: int) -> str:
    return f"skf{network}"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
