"""An account in each cloud that is a server of this computer: what leads its SDK there, by variables of the SDK's own."""

import datetime as dt
import ipaddress
import json
from pathlib import Path

import gce_server
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

__all__ = ["aws_variables", "azure_variables", "gcp_variables", "make_certificate", "make_service_account_key"]


def aws_variables(address: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


def gcp_variables(address: str, *, key: str, key_file: Path) -> dict[str, str]:
    """Lead google-auth to a service account, by a file that is written."""
    account = {
        "type": "service_account",
        "project_id": gce_server.PROJECT,
        "private_key_id": "1",
        "private_key": key,
        "client_email": "tests@demo-project.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": f"{address}/token",
    }
    key_file.write_text(json.dumps(account))
    return {
        "GOOGLE_APPLICATION_CREDENTIALS": str(key_file),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": f"{address}/compute/v1/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER": f"{address}/",
        "NO_GCE_CHECK": "true",
    }


def azure_variables(address: str, token_address: str, *, certificate: Path) -> dict[str, str]:
    """Lead azure-identity to tokens as on App Service, and the SDK to a server with a certificate of ours."""
    return {
        "SKYFLOW_AZURE_ENDPOINT": address,
        "IDENTITY_ENDPOINT": f"{token_address}/msi/token",
        "IDENTITY_HEADER": "secret",
        "REQUESTS_CA_BUNDLE": str(certificate),
    }


def make_service_account_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def make_certificate(file: Path) -> Path:
    """Write a certificate for 127.0.0.1, with its key, into one file."""
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
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return file
