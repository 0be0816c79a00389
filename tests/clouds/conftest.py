"""One server for each cloud and session; each test begins with an empty account."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import accounts
from serving import Faults, served


def set_all(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def ec2_address() -> Iterator[tuple[str, Faults]]:
    import botocore.loaders
    import botocore.session
    import ec2_server

    loader = botocore.loaders.Loader()  # it parses 1 MB of JSON for each session otherwise
    patch = pytest.MonkeyPatch()
    patch.setattr(botocore.session, "create_loader", lambda _: loader)
    faults = Faults(ec2_server.Ec2Server(), ec2_server.name_call)
    with served(faults, handler=ec2_server.Ec2Server.handler) as address:
        yield address, faults
    patch.undo()


@pytest.fixture
def ec2(ec2_address: tuple[str, Faults], monkeypatch: pytest.MonkeyPatch) -> Faults:
    """An AWS account that boto3 finds by its own environment variables."""
    import ec2_server

    address, faults = ec2_address
    faults.clear()
    ec2_server.ACCOUNT.reset()
    set_all(monkeypatch, accounts.aws_variables(address))
    ec2_server.register_images()
    return faults


@pytest.fixture(scope="session")
def gce_address() -> Iterator[tuple[str, Faults]]:
    import gce_server

    faults = Faults(gce_server.GceServer(), gce_server.name_call)
    with served(faults) as address:
        yield address, faults


@pytest.fixture
def gce(
    gce_address: tuple[str, Faults], service_account_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Faults:
    """A GCP project that google-auth finds by its own environment variables: a service account with a key file."""
    address, faults = gce_address
    faults.clear()
    faults.app.reset()
    set_all(
        monkeypatch,
        accounts.gcp_variables(address, key=service_account_key, key_file=tmp_path / "service-account.json"),
    )
    return faults


@pytest.fixture(scope="session")
def service_account_key() -> str:
    return accounts.make_service_account_key()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, with its key, in one file."""
    return accounts.make_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture(scope="session")
def arm_address(certificate: Path) -> Iterator[tuple[str, str, Faults]]:
    import arm_server

    app = arm_server.ArmServer()
    faults = Faults(app, arm_server.name_call)
    with served(faults, certificate=certificate) as address, served(Faults(app, arm_server.name_call)) as token_address:
        app.address = address
        yield address, token_address, faults


@pytest.fixture
def arm(arm_address: tuple[str, str, Faults], certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Faults:
    """An Azure subscription that azure-identity gets tokens for as on App Service, over TLS."""
    address, token_address, faults = arm_address
    faults.clear()
    faults.app.reset()
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_SUBSCRIPTION_ID"):
        monkeypatch.delenv(name, raising=False)
    set_all(monkeypatch, accounts.azure_variables(address, token_address, certificate=certificate))
    return faults


@pytest.fixture(scope="session")
def forks() -> Iterator[Any]:
    """What starts `skyflow` without importing everything again; see `forks`."""
    from forks import Forks

    with tempfile.TemporaryDirectory() as folder, Forks(Path(folder)) as running:  # sockets have short names
        yield running


@pytest.fixture
def clouds(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Make a project with the clouds of the names given, see `renting`; at its end nothing may be left in any of them."""
    from renting import open_clouds

    yield from open_clouds(tmp_path, request)
