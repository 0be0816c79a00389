"""The machines and servers as fixtures; a test that needs what this computer does not allow is skipped."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.machine import Key, Machine, can_start_machines, make_key
from testbed.object_server import FaultProxy, ObjectServer
from testbed.slurm import SlurmCluster, can_run_slurm

__all__ = [
    "azure_container",
    "azure_proxy",
    "azure_server",
    "bucket",
    "client_key",
    "fault_proxy",
    "machine",
    "make_machine",
    "object_server",
    "slurm",
]


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


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    if not can_run_slurm():
        pytest.skip("needs root and Slurm with its daemons")
    cluster = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="session")
def object_server() -> Iterator[ObjectServer]:
    pytest.importorskip("moto")
    server = ObjectServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def azure_server() -> Iterator[ObjectServer]:
    server = ObjectServer("testbed.azure_server")
    yield server
    server.close()


@pytest.fixture
def azure_proxy(azure_server: ObjectServer) -> Iterator[FaultProxy]:
    proxy = FaultProxy(azure_server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def azure_container(
    azure_server: ObjectServer, azure_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The URL of a fresh container of Azure; the way to it, past the proxy, is in the environment."""
    from azure.storage.blob import BlobServiceClient

    from testbed.azure_server import ACCOUNT, KEY

    name = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]
    with BlobServiceClient(f"http://127.0.0.1:{azure_server.port}/{ACCOUNT}", credential=KEY) as service:
        service.create_container(name)
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"http://127.0.0.1:{azure_proxy.port}/{ACCOUNT}")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    return f"az://{ACCOUNT}/{name}/some/prefix"


@pytest.fixture
def fault_proxy(object_server: ObjectServer) -> Iterator[FaultProxy]:
    proxy = FaultProxy(object_server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def bucket(
    object_server: ObjectServer, fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The URL of a fresh bucket; its name and the way to it are in the environment."""
    name = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]
    object_server.make_bucket(name)
    for variable, value in (
        ("AWS_ENDPOINT_URL", f"http://127.0.0.1:{fault_proxy.port}"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(variable, value)
    return f"s3://{name}/some/prefix"
