"""One server for each cloud and session; each test begins with an empty account."""

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
