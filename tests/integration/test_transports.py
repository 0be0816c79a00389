"""Both ways to speak SSH, with a real sshd, over a network that breaks."""

import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from testbed.machine import Machine, make_key

from skyflow.model.hosts import Link, SshHost
from skyflow.ports.transport import LinkLostError, Transport, TransportError
from skyflow.testing.transports import TransportConformance
from skyflow.transports.asyncssh import AsyncsshTransport
from skyflow.transports.local import LocalTransport
from skyflow.transports.openssh import OpensshTransport

pytestmark = pytest.mark.anyio

NOTICED_SECONDS = 10.0
"""More than three signs of life, a second apart."""


def make_transport(host: SshHost, tmp_path: Path) -> Transport:
    if host.link is Link.ASYNCSSH:
        return AsyncsshTransport(host)
    (tmp_path / "ssh_config").touch()
    return OpensshTransport(host, config=tmp_path / "ssh_config")


@pytest.fixture(params=Link)
async def link(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Callable[[SshHost], Transport]]:
    made: list[Transport] = []

    def connect(host: SshHost) -> Transport:
        made.append(make_transport(replace(host, link=request.param), tmp_path))
        return made[-1]

    yield connect
    for transport in made:
        await transport.aclose()


class TestConformance(TransportConformance):
    @pytest.fixture
    def transport(self, machine: Machine, link: Callable[[SshHost], Transport]) -> Transport:
        return link(machine.host())


class TestLocalConformance(TransportConformance):
    @pytest.fixture
    def transport(self, tmp_path: Path) -> Transport:
        return LocalTransport("login", {"PATH": os.environ["PATH"], "HOME": str(tmp_path)})

    async def test_a_program_that_is_not_there_ends_as_under_a_shell(self, transport: Transport) -> None:
        ended = await transport.run(["no-such-program", "x"])
        assert (ended.exit_code, ended.error_text) == (127, "no-such-program: No such file or directory\n")


async def test_sshd_with_few_sessions_is_not_asked_for_more(
    make_machine: Callable[..., Machine], link: Callable[[SshHost], Transport]
) -> None:
    transport = link(make_machine(most_sessions=2).host())
    done = []

    async def one() -> None:
        done.append((await transport.run(["sleep", "0.05"])).exit_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(one)
    assert done == [0] * 12


async def test_a_machine_with_another_key_is_not_trusted(
    machine: Machine, link: Callable[[SshHost], Transport], tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other")
    with pytest.raises(TransportError, match=r"another|not the one") as caught:
        await link(machine.host(host_keys=(other.public,))).run(["true"])
    assert not isinstance(caught.value, LinkLostError)


async def test_a_machine_that_nobody_knows_is_not_trusted(
    machine: Machine, link: Callable[[SshHost], Transport], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(TransportError, match=r"known_hosts|host key") as caught:
        await link(machine.host(host_keys=())).run(["true"])
    assert not isinstance(caught.value, LinkLostError)


async def test_a_machine_that_does_not_know_us_says_so(
    machine: Machine, link: Callable[[SshHost], Transport], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    stranger = make_key(tmp_path / "stranger")
    with pytest.raises(TransportError, match="lets nobody in with these keys"):
        await link(machine.host(identity=str(stranger.path))).run(["true"])


async def test_nothing_listens(machine: Machine, link: Callable[[SshHost], Transport]) -> None:
    host = machine.host()
    machine.close()
    with pytest.raises(LinkLostError):
        await link(host).run(["true"])


async def test_the_agent_is_not_forwarded(
    machine: Machine, link: Callable[[SshHost], Transport], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    ended = await link(machine.host()).run(["sh", "-c", 'echo "[$SSH_AUTH_SOCK]"'])
    assert ended.output == b"[]\n"


async def test_a_machine_that_dies_is_noticed_at_once(machine: Machine, link: Callable[[SshHost], Transport]) -> None:
    transport = link(machine.host())
    channel = await transport.open(["sh", "-c", "echo begun; sleep 60"])
    assert await channel.receive() == b"begun\n"
    machine.kill()
    with pytest.raises(LinkLostError), anyio.fail_after(NOTICED_SECONDS):
        await channel.receive()
    await channel.aclose()
    machine.start()
    assert (await transport.run(["echo", "again"])).output == b"again\n"


async def test_a_cable_that_was_pulled_is_noticed(machine: Machine, link: Callable[[SshHost], Transport]) -> None:
    transport = link(machine.host())
    channel = await transport.open(["sh", "-c", "echo begun; sleep 60"])
    assert await channel.receive() == b"begun\n"
    machine.relay.freeze()
    began = time.monotonic()
    with pytest.raises(LinkLostError), anyio.fail_after(NOTICED_SECONDS):
        await channel.receive()
    assert time.monotonic() - began > 2
    await channel.aclose()
    machine.relay.cut()
    machine.relay.thaw()
    assert (await transport.run(["echo", "again"])).output == b"again\n"


async def test_a_short_pause_of_the_network_is_not_noticed(
    machine: Machine, link: Callable[[SshHost], Transport]
) -> None:
    channel = await link(machine.host()).open(["sh", "-c", "echo begun; sleep 1; echo ended"])
    assert await channel.receive() == b"begun\n"
    machine.relay.freeze()
    await anyio.sleep(1.5)
    machine.relay.thaw()
    assert await channel.receive() == b"ended\n"
    await channel.aclose()


async def test_a_key_with_a_passphrase(machine: Machine, tmp_path: Path) -> None:
    key = make_key(tmp_path / "locked", passphrase="open sesame")
    with (machine.base / "authorized_keys").open("a") as file:
        file.write(f"{key.public}\n")
    host = machine.host(identity=str(key.path))
    transport = AsyncsshTransport(host, passphrase="open sesame")
    assert (await transport.run(["true"])).exit_code == 0
    await transport.aclose()
    for wrong in (None, "open barley"):
        with pytest.raises(TransportError, match=r"(?i)passphrase"):
            await AsyncsshTransport(host, passphrase=wrong).run(["true"])


async def test_openssh_reads_its_configuration(machine: Machine, tmp_path: Path) -> None:
    host = machine.host()
    config = tmp_path / "config"
    config.write_text(
        f"Host alias\n  HostName {host.address}\n  Port {host.port}\n  User root\n  IdentityFile {host.identity}\n"
        "  ForwardAgent yes\n  StrictHostKeyChecking no\n"
    )
    named = SshHost(name="alias", address="alias", host_keys=host.host_keys)
    transport = OpensshTransport(named, config=config)
    assert (await transport.run(["echo", "here"])).output == b"here\n"
    await transport.aclose()


@pytest.mark.parametrize("code", ["no number", "9" * 5000, "-1", ""])
async def test_how_a_command_ended_is_not_what_a_machine_invents(machine: Machine, tmp_path: Path, code: str) -> None:
    transport = make_transport(replace(machine.host(), link=Link.OPENSSH), tmp_path)
    try:
        with pytest.raises(LinkLostError):
            await transport.run(["sh", "-c", 'echo "skyflow: ended with $1" >&2; kill -9 $PPID', "sh", code])
    finally:
        await transport.aclose()


async def test_openssh_goes_through_a_jump_host(make_machine: Callable[..., Machine], tmp_path: Path) -> None:
    """The machine behind knows the one in front as where it is reached from, and each has its own host key."""
    front, behind = make_machine("front"), make_machine("behind")
    known = tmp_path / "known_hosts"
    known.write_text("".join(each.host().known_hosts for each in (front, behind)))
    config = tmp_path / "config"
    entry = "Host {name}\n  HostName 127.0.0.1\n  Port {port}\n  User root\n  IdentityFile {key}\n  UserKnownHostsFile {known}\n"
    config.write_text(
        entry.format(name="front", port=front.relay.port, key=front.client_key.path, known=known)
        + entry.format(name="behind", port=behind.relay.port, key=front.client_key.path, known=known)
        + "  ProxyJump front\n"
    )
    (behind.home / "name").write_text("behind")
    transport = OpensshTransport(SshHost(name="behind", address="behind"), config=config)
    assert (await transport.run(["cat", "/root/name"])).output == b"behind"
    await transport.aclose()
    assert "Accepted publickey" in (front.base / "sshd.log").read_text()
