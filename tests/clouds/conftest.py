"""One server for each cloud and session; each test begins with an empty account."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from serving import Faults, served


@pytest.fixture(scope="session")
def ec2_address() -> Iterator[tuple[str, Faults]]:
    import ec2_server

    faults = Faults(ec2_server.Ec2Server(), ec2_server.name_call)
    with served(faults, handler=ec2_server.Ec2Server.handler) as address:
        yield address, faults


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
        json.dumps({
            "type": "service_account",
            "project_id": gce_server.PROJECT,
            "private_key_id": "1",
            "private_key": service_account_key,
            "client_email": "tests@demo-project.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{address}/token",
        })
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
