"""Data of a run on machines: kept, lent to another machine with a key for one journey, fetched, placed."""

import hashlib
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from testbed.machine import Machine, make_key

from skyflow.app.clock import SystemClock
from skyflow.model.artifacts import Entry, EntryKind
from skyflow.ports.transport import TransportError
from skyflow.runners.remote.data import HostData
from skyflow.runners.remote.link import HostLink
from skyflow.transports.asyncssh import AsyncsshTransport

pytestmark = pytest.mark.anyio
CONTENT = bytes(range(256)) * 80_000
TINY = hashlib.sha256(b"tiny").hexdigest()
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@asynccontextmanager
async def data_on(machine: Machine) -> AsyncIterator[tuple[HostData, HostLink]]:
    link = HostLink(AsyncsshTransport(machine.host()), clock=SystemClock(), patience_seconds=20)
    async with link:
        yield HostData(link, run="r1"), link


async def keep(data: HostData, machine: Machine, **files: bytes) -> None:
    folder = machine.home / "files"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    await data.keep("me", "/root/files", list(files))


def stored(machine: Machine) -> Path:
    return machine.home / ".skyflow" / "runs" / "r1" / ".data"


def keys(machine: Machine) -> str:
    file = machine.home / ".ssh" / "authorized_keys"
    return file.read_text() if file.exists() else ""


async def until(condition) -> None:
    with anyio.fail_after(60):
        while not condition():
            await anyio.sleep(0.02)


async def test_what_is_kept_again_replaces_what_was_kept(machine: Machine) -> None:
    async with data_on(machine) as (data, _):
        await keep(data, machine, a=b"one", b=b"two")
        await data.keep("other", "/root/files", ["a"])
        await keep(data, machine, c=b"three")
        digests = {name: hashlib.sha256(name).hexdigest() for name in (b"one", b"two", b"three")}
        assert await data.lacks(digests.values()) == [digests[b"two"]]  # nobody keeps it any more
        with pytest.raises(TransportError, match="No such file"):
            await data.keep("me", "/root/files", ["missing"])
        assert await data.lacks([digests[b"three"]]) == []


async def test_a_content_that_was_cut_off_goes_on_where_it_was(make_machine, machine: Machine) -> None:
    other = make_machine("other")
    async with data_on(machine) as (data, _), data_on(other) as (target, _):
        await keep(data, machine, big=CONTENT)
        await target.lacks([DIGEST])
        stored(other).mkdir(parents=True)
        (stored(other) / f"{DIGEST}.part").write_bytes(CONTENT[:-1000])
        assert await target.fetch_from(data, {DIGEST: len(CONTENT)}, lambda _: None) == 1000
        assert (stored(other) / DIGEST).read_bytes() == CONTENT
        assert await target.lacks([DIGEST]) == []


async def test_a_content_that_is_not_right_is_never_taken(make_machine, machine: Machine) -> None:
    other = make_machine("other")
    async with data_on(machine) as (data, _), data_on(other) as (target, _):
        await keep(data, machine, big=CONTENT, small=b"small")
        (stored(machine) / DIGEST).write_bytes(CONTENT[:-1] + b"x")
        (stored(machine) / TINY).write_bytes(CONTENT)
        with pytest.raises(TransportError, match="the other machine sends more than there is"):
            await target.fetch_from(data, {TINY: 4}, lambda _: None)
        small = hashlib.sha256(b"small").hexdigest()
        await target.fetch_from(data, {DIGEST: len(CONTENT), small: 5}, lambda _: None)
        assert await target.lacks([DIGEST, small]) == [DIGEST]
        assert not list(stored(other).glob("*.part"))


async def test_a_content_that_the_other_does_not_have_is_left_out(make_machine, machine: Machine) -> None:
    other = make_machine("other")
    async with data_on(machine) as (data, _), data_on(other) as (target, _):
        await keep(data, machine, small=b"small")
        small = hashlib.sha256(b"small").hexdigest()
        await target.fetch_from(data, {DIGEST: len(CONTENT), small: 5}, lambda _: None)
        assert await target.lacks([DIGEST, small]) == [DIGEST]


async def test_a_journey_that_is_given_up_leaves_no_key(make_machine, machine: Machine) -> None:
    other = make_machine("other")
    mine = "ssh-ed25519 AAAA mine"
    (machine.home / ".ssh").mkdir()
    (machine.home / ".ssh" / "authorized_keys").write_text(mine)  # without a line feed at its end
    async with data_on(machine) as (data, _), data_on(other) as (target, _):
        await keep(data, machine, big=CONTENT * 20)
        begun = anyio.Event()
        async with anyio.create_task_group() as tasks:

            async def fetch() -> None:
                digest = hashlib.sha256(CONTENT * 20).hexdigest()
                await target.fetch_from(data, {digest: 20 * len(CONTENT)}, lambda _: begun.set())

            tasks.start_soon(fetch)
            await until(lambda: "skyflow-lent" in keys(machine))
            assert keys(machine).startswith(f"{mine}\nrestrict,expiry-time=")
            tasks.cancel_scope.cancel()
        await until(lambda: keys(machine) == f"{mine}\n")
        await until(lambda: not any("errand" in line for line in (*machine.command_lines(), *other.command_lines())))


async def test_a_lent_key_is_good_for_the_data_of_its_run_alone(machine: Machine, tmp_path: Path) -> None:
    key, stranger = make_key(tmp_path / "lent"), make_key(tmp_path / "stranger")
    public = " ".join(key.public.split()[:2])
    known = tmp_path / "known"
    known.write_text(f"box {machine.host_key.public}\n")

    def ssh(*words: str, asked: bytes = b"", identity: Path = key.path) -> "subprocess.CompletedProcess[bytes]":
        options = [
            "-o",
            f"UserKnownHostsFile={known}",
            "-o",
            "HostKeyAlias=box",
            "-o",
            "BatchMode=yes",
            "-F",
            "/dev/null",
        ]
        command = ["ssh", *options, "-i", str(identity), "-p", str(machine.port), "root@127.0.0.1", *words]
        return subprocess.run(command, input=asked, capture_output=True, timeout=60, check=False)

    async with data_on(machine) as (data, link):
        await keep(data, machine, small=b"small")
        (stored(machine) / "secret").write_bytes(b"hidden")
        digest = hashlib.sha256(b"small").hexdigest()
        async with link.errand("lend", run="r1", key=public) as lending:
            await lending.hear("lent", dict)
            assert ssh("cat", "/etc/passwd", asked=f"{digest} 0\n".encode()).stdout.endswith(b"\5small")
            for asked in (b"../../../etc/passwd 0\n", b"secret 0\n", b"\n", f"{digest} -1\n".encode()):
                assert ssh(asked=asked).stdout == b""
            assert ssh("-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9").returncode
            assert b"Permission denied" in ssh("true", identity=stranger.path).stderr
        await until(lambda: keys(machine) == "")
        assert b"Permission denied" in ssh("true").stderr


async def test_what_a_dead_machine_left_in_the_file_of_keys_goes_with_the_next_journey(
    machine: Machine, tmp_path
) -> None:
    (machine.home / ".ssh").mkdir()
    (machine.home / ".ssh" / "authorized_keys").write_text(
        f"restrict ssh-ed25519 AAAA skyflow-lent-until-{int(time.time()) - 5}\n"
        f"restrict ssh-ed25519 BBBB skyflow-lent-until-{int(time.time()) + 500}\n"
    )
    async with data_on(machine) as (data, link):
        await keep(data, machine, small=b"small")
        key = " ".join(make_key(tmp_path / "key").public.split()[:2])
        async with link.errand("lend", run="r1", key=key) as lending:
            await lending.hear("lent", dict)
            assert "AAAA skyflow" not in keys(machine)
            assert keys(machine).count("skyflow-lent-until-") == 2  # another journey goes on
        await until(lambda: keys(machine).count("skyflow-lent-until-") == 1)
        with pytest.raises(TransportError, match="no key of the kind"):
            async with link.errand("lend", run="r1", key='ssh-ed25519 A"\nssh-rsa B') as lending:
                await lending.hear("lent", dict)


async def test_entries_are_placed_as_they_were_and_nowhere_else(machine: Machine) -> None:
    work = machine.home / ".skyflow" / "runs" / "r1" / "job" / "1" / "work"
    async with data_on(machine) as (data, _):
        await keep(data, machine, small=b"small")
        digest = hashlib.sha256(b"small").hexdigest()
        work.mkdir(parents=True)
        (work / "out").symlink_to("/root/files")
        entries = [
            Entry(path="in/empty", kind=EntryKind.FOLDER),
            Entry(path="in/a", kind=EntryKind.FILE, mode=0o755, size=5, content=digest, modified_ns=10**18),
            Entry(path="in/b", kind=EntryKind.FILE, size=5, content=digest),
            Entry(path="in/link", kind=EntryKind.LINK, content="a"),
        ]
        await data.place("r1/job/1", entries, keep=True)
        assert (work / "in" / "a").stat().st_mode & 0o777 == 0o755
        assert (work / "in" / "a").stat().st_mtime_ns == 10**18
        assert (work / "in" / "link").read_bytes() == (work / "in" / "b").read_bytes() == b"small"
        assert (work / "in" / "empty").is_dir()
        for bad in ("out/c", "../c"):
            with pytest.raises(TransportError, match="not below the workspace"):
                await data.place("r1/job/1", [Entry(path=bad, kind=EntryKind.FILE, size=5, content=digest)], keep=True)
        await data.place("r1/job/1", entries, keep=False)
        assert await data.lacks([digest]) == [digest]
        assert (work / "in" / "a").read_bytes() == (work / "in" / "b").read_bytes() == b"small"
