"""Opens the object store that a text names: a folder of this machine, or a bucket."""

import os
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from skyflow.artifacts.folder import FolderStore
from skyflow.errors import UsageError
from skyflow.ports.artifacts import ObjectStore

__all__ = ["SCHEMES", "open_place"]

SCHEMES = {"s3": "Amazon S3, or what speaks like it", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}
"""How the URL of a bucket begins: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://ACCOUNT/CONTAINER/PREFIX`."""

_CLIENT_OPTIONS: dict[str, Any] = {"connect_timeout": "10s", "timeout": "120s"}
_AZURE_CREDENTIALS = (
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_CLIENT_ID",
    "AZURE_STORAGE_TOKEN",
)
_RETRY: dict[str, Any] = {"max_retries": 5, "retry_timeout": timedelta(seconds=60)}


def open_place(text: str, *, region: str = "", endpoint: str = "") -> ObjectStore:
    """Return the store; credentials and endpoints are those of the environment, by the names the services' own tools use.

    Args:
        text: a path, or the URL of a bucket and perhaps a prefix.
        region: where a bucket of S3 is, if not where the environment says.
        endpoint: how the service is reached, if not as the environment says.

    Raises:
        UsageError: the URL is wrong, or what it needs is not installed.
    """
    parts = urlsplit(text)
    if not parts.scheme:
        return FolderStore(Path(text))
    if parts.scheme == "file":
        return FolderStore(Path(parts.path))
    if parts.scheme not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in (*SCHEMES, "file"))
        raise UsageError(
            f"'{text}' names no store for artifacts", hint=f"write a path, or a URL that begins with {known}"
        )
    if not parts.netloc:
        raise UsageError(f"'{text}' names no bucket", hint=f"write {parts.scheme}://BUCKET/PREFIX")
    url, options = _azure(parts) if parts.scheme == "az" else (text, {})
    if parts.scheme == "s3" and region:
        options["region"] = region
    if endpoint:
        options["base_url" if parts.scheme == "gs" else "endpoint"] = endpoint
    try:
        import obstore.exceptions  # noqa: PLC0415 -- an extra
        from obstore.store import from_url  # noqa: PLC0415

        from skyflow.artifacts.bucket import BucketStore  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            "buckets need the package obstore, which is not installed", hint="install skyflow[stores]"
        ) from error
    try:
        open_bucket: Any = from_url  # which options there are depends on the scheme
        bucket = open_bucket(
            url,
            **options,
            client_options=_client_options(endpoint),
            retry_config=_RETRY,
            **_credentials(parts.scheme),
        )
    except (obstore.exceptions.BaseError, ValueError) as error:
        raise UsageError(f"'{text}' cannot be opened: {str(error).strip().splitlines()[0]}") from error
    return BucketStore(bucket, name=text)


def _azure(parts: SplitResult) -> tuple[str, dict[str, Any]]:
    """Return the URL and options of a container: the library wants the account apart from it.

    Raises:
        UsageError: no container is named.
    """
    container, _, prefix = parts.path.removeprefix("/").partition("/")
    if not container:
        raise UsageError(f"'{parts.geturl()}' names no container", hint="write az://ACCOUNT/CONTAINER/PREFIX")
    return f"az://{container}/{prefix}", {"account_name": parts.netloc}


def _client_options(endpoint: str) -> dict[str, Any]:
    """Return the options of the client; plain HTTP is for an endpoint that says so itself."""
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AZURE_STORAGE_ENDPOINT")
    endpoints = (endpoint, *(os.environ.get(name, "") for name in names))
    return {**_CLIENT_OPTIONS, "allow_http": any(endpoint.startswith("http://") for endpoint in endpoints)}


def _credentials(scheme: str) -> dict[str, Any]:
    """Return what finds the credentials where the service's own variables do not have them.

    For S3 these are profiles and single sign-on, for Azure what `az login` and managed identities give.
    """
    if scheme == "s3" and not os.environ.get("AWS_ACCESS_KEY_ID") and find_spec("boto3") is not None:
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415

        return {"credential_provider": Boto3CredentialProvider()}
    has_none = not any(os.environ.get(name) for name in _AZURE_CREDENTIALS)
    if scheme == "az" and has_none and _is_there("azure.identity"):
        from obstore.auth.azure import AzureCredentialProvider  # noqa: PLC0415

        return {"credential_provider": AzureCredentialProvider()}
    return {}


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it would be in
        return False
