"""Keys of rented machines, made by the program ssh-keygen."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from skyflow.app.machines.machine_keys import KeyPair, MachineKeys
from skyflow.errors import ProvisionError
from skyflow.model.layout import StateFolder

AT_ONCE, ROUNDS = 12, 8
pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")


@pytest.fixture
def keys(tmp_path: Path) -> MachineKeys:
    return MachineKeys(StateFolder(tmp_path / "state.db"))


def test_many_who_ask_at_once_for_a_key_get_the_same(keys: MachineKeys, tmp_path: Path) -> None:
    pair = keys.ours()
    barrier = Barrier(AT_ONCE, timeout=60)

    def ask(_: int) -> list[KeyPair]:
        found = []
        for _ in range(ROUNDS):
            if barrier.wait() == 0:
                pair.path.with_name(f"{pair.path.name}.pub").unlink()
            barrier.wait()
            try:
                found.append(keys.ours())
            except OSError:
                barrier.abort()  # nobody need wait any more
                raise
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert {each for found in pool.map(ask, range(AT_ONCE)) for each in found} == {pair}
    assert pair.public.startswith("ssh-ed25519 ")
    assert pair.path.stat().st_mode & 0o077 == 0
    assert {path.name for path in pair.path.parent.iterdir()} == {".gitignore", pair.path.name, f"{pair.path.name}.pub"}


def test_a_host_key_is_of_its_machine_and_goes_with_it(keys: MachineKeys) -> None:
    first, other = keys.of_host("skyflow-1"), keys.of_host("skyflow-2")
    assert first.public != other.public
    assert keys.of_host("skyflow-1") == first
    keys.forget_host("skyflow-1")
    keys.forget_host("skyflow-1")
    assert not first.path.exists()
    assert keys.of_host("skyflow-1").public != first.public


@pytest.mark.parametrize("whose", ["open to the group", "of another user"])
def test_a_key_that_others_know_is_not_used(keys: MachineKeys, whose: str) -> None:
    """As `ssh` does it: somebody who brought it here, or could read it, would get into the machines."""
    path = keys.ours().path
    if whose == "open to the group":
        path.chmod(0o640)
    elif os.geteuid() == 0:
        os.chown(path, 54321, 54321)
    else:
        pytest.skip("only root can give files away")
    with pytest.raises(ProvisionError, match="it is not used"):
        keys.ours()
    path.unlink()
    assert keys.ours().path.stat().st_mode & 0o077 == 0
