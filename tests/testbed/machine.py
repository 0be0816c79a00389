"""Throw-away machines with a real sshd: processes, home folder and memory files of their own, a network that can break.

A machine is a process namespace and a mount namespace, so that all of it dies at once, as when the power fails, and a
relay in front of its port. Needs root, sshd and unshare; the network is that of this computer.
"""

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from skyflow.model.hosts import KeepAlive, Link, SshHost
from testbed.ports import free_port
from testbed.relay import Relay

__all__ = ["Key", "Machine", "can_start_machines", "make_key"]

_BOOT = """
set -e
mount --make-rprivate /
mount -t proc proc /proc
if [ -n "$DISK_KIB" ]; then mount -t tmpfs -o "size=${DISK_KIB}k" tmpfs /root; else mount --bind "$BASE/home" /root; fi
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd
chmod 700 /root
cd /root
exec "$SSHD" -D -e -f "$BASE/sshd_config"
"""
_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {base}/host_key
PidFile none
AuthorizedKeysFile {base}/authorized_keys {own_keys}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
LogLevel VERBOSE
MaxSessions {most_sessions}
MaxStartups 100:30:200
"""
_SSHD = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/local/sbin")
_BOOT_SECONDS = 10.0


def can_start_machines() -> bool:
    """Tell whether this computer lets us have machines."""
    return os.geteuid() == 0 and None not in (_SSHD, shutil.which("unshare"), shutil.which("ssh-keygen"))


@dataclass(frozen=True)
class Key:
    """A key pair; the private key is a file."""

    path: Path

    @property
    def public(self) -> str:
        return self.path.with_name(f"{self.path.name}.pub").read_text().strip()


def make_key(path: Path, *, passphrase: str = "") -> Key:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True)
    return Key(path)


@dataclass
class Machine:
    """One machine, from `start` to `kill`."""

    base: Path
    client_key: Key
    most_sessions: int = 10
    takes_keys: bool = True
    """Whether its user may say who is let in."""
    disk_kib: int | None = None
    relay: Relay = field(init=False)
    host_key: Key = field(init=False)
    port: int = field(init=False)
    _process: "subprocess.Popen[bytes] | None" = field(init=False, default=None)

    def start(self) -> None:
        """Boot, and wait until sshd answers; also after `kill`, with the files that were there before."""
        if not self.base.exists():
            (self.base / "home").mkdir(parents=True)
            self.host_key = make_key(self.base / "host_key")
            (self.base / "authorized_keys").write_text(f"{self.client_key.public}\n")
            self.port = free_port()
            config = _CONFIG.format(
                port=self.port,
                base=self.base,
                most_sessions=self.most_sessions,
                own_keys=".ssh/authorized_keys" if self.takes_keys else "",
            )
            (self.base / "sshd_config").write_text(config)
            self.relay = Relay(("127.0.0.1", self.port))
        command = ["unshare", "--pid", "--mount", "--fork", "--kill-child", "sh", "-c", _BOOT]
        environment = {
            "PATH": os.environ["PATH"],
            "BASE": str(self.base),
            "SSHD": str(_SSHD),
            "DISK_KIB": str(self.disk_kib or ""),
        }
        with (self.base / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._wait_for_banner()

    def kill(self) -> None:
        """End the machine at once, with everything that runs on it; nothing does any more when this returns."""
        if self._process is not None:
            first = _children(self._process.pid)
            self._process.kill()
            self._process.wait()
            self._process = None
            deadline = time.monotonic() + _BOOT_SECONDS
            while any(map(_is_alive, first)):  # it ends when all others of its namespace have
                assert time.monotonic() < deadline, "the machine did not end"
                time.sleep(0.005)

    def close(self) -> None:
        self.kill()
        self.relay.close()

    @property
    def home(self) -> Path:
        """The home folder of the machine, seen from here (not if its disk has a size)."""
        return self.base / "home"

    def command_lines(self) -> list[str]:
        """The command lines of all processes of the machine."""
        assert self._process is not None
        init = _children(self._process.pid)[0]
        namespace = Path(f"/proc/{init}/ns/pid").readlink()
        lines = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if (entry / "ns" / "pid").readlink() == namespace:
                        lines.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
                except OSError:
                    continue
        return lines

    def host(self, **changes: object) -> SshHost:
        """How the machine is reached, through its network."""
        known: dict[str, object] = {
            "name": self.base.name,
            "address": "127.0.0.1",
            "port": self.relay.port,
            "user": "root",
            "host_keys": (self.host_key.public,),
            "identity": str(self.client_key.path),
            "link": Link.ASYNCSSH,
            "keep_alive": KeepAlive(seconds=1, most_missed=3),
            "connect_seconds": 5.0,
        }
        return SshHost(**{**known, **changes})  # type: ignore[arg-type]

    def _wait_for_banner(self) -> None:
        deadline = time.monotonic() + _BOOT_SECONDS
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    if connection.recv(4) == b"SSH-":
                        return
            except OSError:
                time.sleep(0.01)
        raise AssertionError((self.base / "sshd.log").read_text())


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has ended by itself
        return []


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return False
    return state not in "ZX"
