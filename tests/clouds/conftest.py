"""One server for each cloud and session; each test begins with an empty account."""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from serving import Faults, served


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
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
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
    import gce_server

    address, faults = gce_address
    faults.clear()
    faults.app.reset()
    key_file = tmp_path / "service-account.json"
    key_file.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": gce_server.PROJECT,
                "private_key_id": "1",
                "private_key": service_account_key,
                "client_email": "tests@demo-project.iam.gserviceaccount.com",
                "client_id": "1",
                "token_uri": f"{address}/token",
            }
        )
    )
    for name, value in {
        "GOOGLE_APPLICATION_CREDENTIALS": str(key_file),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": f"{address}/compute/v1/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER": f"{address}/",
        "NO_GCE_CHECK": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return faults


@pytest.fixture(scope="session")
def service_account_key() -> str:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, with its key, in one file."""
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return file


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
    for name, value in {
        "SKYFLOW_AZURE_ENDPOINT": address,
        "IDENTITY_ENDPOINT": f"{token_address}/msi/token",
        "IDENTITY_HEADER": "secret",
        "REQUESTS_CA_BUNDLE": str(certificate),
    }.items():
        monkeypatch.setenv(name, value)
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
