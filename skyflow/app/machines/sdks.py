"""The packages that clouds are reached by: extras, and slow to import."""

from importlib.util import find_spec

__all__ = ["is_sdk_installed"]

_SDKS = {"aws": "boto3", "gcp": "google.cloud.compute_v1", "azure": "azure.mgmt.compute"}
"""What is imported for each cloud, by its name."""


def is_sdk_installed(provider: str) -> bool:
    """Tell whether the SDK of a cloud can be imported, without doing so."""
    try:
        return find_spec(_SDKS[provider]) is not None
    except ModuleNotFoundError:  # of a package above it
        return False
