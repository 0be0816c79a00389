"""Keys of rented machines: the one that lets us in, one for each store; and one by which each machine proves who it is.

Both are made by the program `ssh-keygen`, lie in the state folder, and can be read by their owner only. A host key is made
before its machine and is part of what that is started with, so that no machine is trusted because it is the first time;
it is removed with the machine.
"""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from skyflow.errors import ProvisionError
from skyflow.model.layout import StateFolder

__all__ = ["KeyPair", "MachineKeys"]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key as a file, and its public key as a line."""

    path: Path
    public: str


class MachineKeys:
    """The keys of one store's machines."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state

    def ours(self) -> KeyPair:
        """Return the key that lets us in, made when it is first asked for.

        Raises:
            ProvisionError: it cannot be made, or is open to other users.
        """
        return _kept(self._state.machine_key, comment="skyflow")

    def of_host(self, machine: str) -> KeyPair:
        """Return the key by which a machine proves who it is, made when it is first asked for.

        Raises:
            ProvisionError: it cannot be made, or is open to other users.
        """
        return _kept(self._state.host_key(machine), comment=machine)

    def forget_host(self, machine: str) -> None:
        """Remove the host key of a machine that is gone."""
        path = self._state.host_key(machine)
        path.unlink(missing_ok=True)
        _public(path).unlink(missing_ok=True)


def _kept(path: Path, *, comment: str) -> KeyPair:
    """Return the key in a file; whoever is first makes it, and all get that one."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".key-") as folder:
            made = Path(folder) / "key"
            _make(made, comment=comment)
            with suppress(FileExistsError):
                os.link(made, path)
    status = path.stat()
    if status.st_uid not in {0, os.getuid()} or status.st_mode & 0o077:
        raise ProvisionError(
            f"the private key {path} belongs to another user, or others can read it: it is not used",
            hint="remove it for a new one; machines that are there do not let that one in",
        )
    return KeyPair(path, _read_public(path))


def _make(path: Path, *, comment: str) -> None:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise ProvisionError(
            "keys for rented machines are made by ssh-keygen, which is not on PATH", hint="install the OpenSSH client"
        )
    command = [program, "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ProvisionError(f"no key can be made: {done.stderr.strip() or done.stdout.strip()}")


def _read_public(path: Path) -> str:
    """Return the public key, which follows from the private one: that is the only file that counts."""
    known = _public(path)
    if not known.exists():
        command = ["ssh-keygen", "-y", "-f", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise ProvisionError(
                f"the key {path} cannot be used: {done.stderr.strip()}", hint="remove it for a new one"
            )
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".key-") as folder:
            draft = Path(folder) / "key.pub"
            draft.write_text(done.stdout, encoding="utf-8")
            draft.replace(known)
    return known.read_text(encoding="utf-8").strip()


def _public(path: Path) -> Path:
    return path.with_name(f"{path.name}.pub")
