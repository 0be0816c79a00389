"""The machines and servers as fixtures; a test that needs what this computer does not allow is skipped."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.machine import Key, Machine, can_start_machines, make_key

__all__ = ["client_key", "machine", "make_machine"]


@pytest.fixture(scope="session")
def client_key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    if not can_start_machines():
        pytest.skip("needs root, sshd and unshare")
    return make_key(tmp_path_factory.mktemp("key") / "id")


@pytest.fixture
def make_machine(tmp_path: Path, client_key: Key) -> Iterator[Callable[..., Machine]]:
    """Start machines, which end with the test."""
    machines: list[Machine] = []

    def make(name: str = "box", **options: object) -> Machine:
        machine = Machine(tmp_path / name, client_key, **options)  # type: ignore[arg-type]
        machines.append(machine)
        machine.start()
        return machine

    yield make
    for machine in machines:
        machine.close()


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine()
