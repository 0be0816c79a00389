"""Fetches the data of a run from another machine, over SSH and with a key made for this: see `lending`."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading

from skyflow.runners.onhost.lending import LENGTH, NOT_HERE
from skyflow.runners.onhost.refused import RefusedError
from skyflow.runners.onhost.small_files import CHUNK_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO, Any

    from skyflow.runners.onhost.data import RunData

__all__ = ["fetch", "fresh_key"]

_CONNECT_SECONDS = 10
_OPTIONS = (
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "PasswordAuthentication=no",
    "ForwardAgent=no",
    "ClearAllForwardings=yes",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null",
    "HostKeyAlias=lender",
    f"ConnectTimeout={_CONNECT_SECONDS}",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
)


@contextlib.contextmanager
def fresh_key() -> Iterator[tuple[str, str]]:
    """Make a key pair that is gone afterwards, in memory where there is such a folder; give its file and the public key.

    Raises:
        RefusedError: it cannot be made.
    """
    shared = "/dev/shm"  # noqa: S108 -- a folder of our own in it, for us only
    folder = tempfile.mkdtemp(prefix="skyflow-", dir=shared if os.access(shared, os.W_OK) else None)
    try:
        file = os.path.join(folder, "key")
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]
        try:
            made = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
        except OSError:
            raise RefusedError("it has no program ssh-keygen") from None
        if made.returncode:
            raise RefusedError("it cannot make a key")
        with open(f"{file}.pub", encoding="ascii") as public:
            yield file, " ".join(public.read().split()[:2])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fetch(data: RunData, key: str, lent: dict[str, Any], sizes: dict[str, int], moved: Callable[[int], None]) -> None:
    """Fetch contents, each checked; of what an earlier try has left, only the rest is sent.

    Args:
        data: where they go.
        key: the file of the private key.
        lent: how the other machine is reached, as it says itself.
        sizes: which contents, and how large they are; those that the other machine does not have are left out.
        moved: told how many bytes have come.

    Raises:
        RefusedError: the other machine cannot be reached, or the link broke; what has come stays.
    """
    os.makedirs(data.folder, 0o700, exist_ok=True)
    known = f"{key}.known"
    with open(known, "w", encoding="ascii") as file:
        file.writelines(f"lender {each}\n" for each in lent["host_keys"])
    command = ["ssh", "-F", "/dev/null", "-T", "-i", key, "-o", f"UserKnownHostsFile={known}"]
    command += [word for option in _OPTIONS for word in ("-o", option)]
    command += ["-p", lent["port"], "-l", lent["user"], "--", lent["address"]]
    with _drafts(data) as draft_of, tempfile.TemporaryFile() as errors:
        drafts = {digest: draft_of(digest) for digest in sizes}
        offsets = {digest: os.path.getsize(path) if os.path.exists(path) else 0 for digest, path in drafts.items()}
        try:
            ssh = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        except OSError:
            raise RefusedError("it has no program ssh") from None
        assert ssh.stdin is not None  # noqa: S101
        assert ssh.stdout is not None  # noqa: S101
        asking = threading.Thread(target=_ask, args=(ssh.stdin, offsets), daemon=True)
        asking.start()  # beside the reading: both pipes may be full
        try:
            for digest, size in sizes.items():
                if offsets[digest] > size:  # an earlier try was given more than there is
                    os.unlink(drafts[digest])
                    raise RefusedError("what came is damaged")
                _receive(
                    ssh.stdout, data.path(digest), drafts[digest], digest, most=size - offsets[digest], moved=moved
                )
        except _CutOffError:
            ssh.kill()
            ssh.wait()
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            raise RefusedError(lines[-1] if lines else "the link broke") from None
        finally:
            ssh.kill()
            ssh.wait()


class _CutOffError(Exception):
    """There is no more to come, though there should be."""


@contextlib.contextmanager
def _drafts(data: RunData) -> Iterator[Callable[[str], str]]:
    """Tell where contents are written that are not complete yet.

    They have names that a later try finds again; whoever fetches at the same time has others.
    """
    with open(os.path.join(data.folder, "fetching.lock"), "wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield lambda digest: f"{data.path(digest)}.{os.getpid()}.part"
        else:
            yield lambda digest: f"{data.path(digest)}.part"


def _ask(pipe: IO[bytes], offsets: dict[str, int]) -> None:
    with contextlib.suppress(OSError), pipe:
        for digest, offset in offsets.items():
            pipe.write(f"{digest} {offset}\n".encode())


def _receive(
    answers: IO[bytes], place: str, draft: str, digest: str, *, most: int, moved: Callable[[int], None]
) -> None:
    """Take in one content, of at most so many bytes; it takes its place if it is right."""
    head = answers.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise _CutOffError
    left = LENGTH.unpack(head)[0]
    if left == NOT_HERE:
        return
    if left > most:
        raise RefusedError("the other machine sends more than there is")
    with open(draft, "a+b") as file:
        actual = hashlib.sha256()
        file.seek(0)
        for piece in iter(lambda: file.read(CHUNK_BYTES), b""):
            actual.update(piece)
        while left:
            piece = answers.read(min(CHUNK_BYTES, left))
            if not piece:
                raise _CutOffError
            file.write(piece)
            actual.update(piece)
            moved(len(piece))
            left -= len(piece)
    if actual.hexdigest() == digest:
        os.replace(draft, place)
    else:  # what an earlier try has left was wrong; another try begins anew
        os.unlink(draft)
