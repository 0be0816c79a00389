"""Compute Engine's error codes: reasons of HTTP errors, and codes of operations that failed.

Sources: Compute Engine's troubleshooting pages, karpenter-provider-gcp, SkyPilot 0.14.1 `cloud_vm_ray_backend.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError
from requests.exceptions import RequestException

from skyflow.model.machines import FailureKind, Scope
from skyflow.provisioners.failures import Failures, lost_answer, no_credentials

__all__ = ["ALREADY_EXISTS", "GCP_FAILURES", "NOT_FOUND", "translated"]

ALREADY_EXISTS = frozenset({"alreadyExists", "RESOURCE_ALREADY_EXISTS"})
NOT_FOUND = frozenset({"notFound", "RESOURCE_NOT_FOUND"})

_ABSENT = "(invalid|notFound|RESOURCE_NOT_FOUND): "
"""Compute Engine has no codes of their own for types and places that are not there; their paths are in the message."""

GCP_FAILURES = Failures(
    provider="gcp",
    codes={
        FailureKind.CAPACITY: {
            "ZONE_RESOURCE_POOL_EXHAUSTED": Scope.ZONE,
            "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS": Scope.ZONE,
            "RESOURCE_POOL_EXHAUSTED": Scope.REGION,
            "STOCKOUT": Scope.ZONE,
            "IP_SPACE_EXHAUSTED": Scope.REGION,
            "IP_SPACE_EXHAUSTED_WITH_DETAILS": Scope.REGION,
            "UNSUPPORTED_OPERATION": Scope.ZONE,  # a spot machine that was taken away while it was made
            "VM_MIN_COUNT_NOT_REACHED": Scope.ZONE,
        },
        FailureKind.QUOTA: {
            "QUOTA_EXCEEDED": Scope.REGION,
            "quotaExceeded": Scope.REGION,
            "limitExceeded": Scope.REGION,
        },
    },
    said={
        rf"{_ABSENT}.*Machine type with name '.*' does not exist in zone": (FailureKind.NOT_OFFERED, Scope.ZONE),
        rf"{_ABSENT}.*/(machine|accelerator|disk)Types/[^/']*' was not found": (FailureKind.NOT_OFFERED, Scope.ZONE),
        rf"{_ABSENT}.*/images/[^']*' was not found": (FailureKind.NO_IMAGE, Scope.CLOUD),
        rf"{_ABSENT}.*/zones/[^/']*' was not found": (FailureKind.UNUSABLE, Scope.ZONE),
        rf"{_ABSENT}.*/regions/[^/']*' was not found": (FailureKind.UNUSABLE, Scope.REGION),
    },
    auth=frozenset({
        "accessNotConfigured",
        "authError",
        "forbidden",
        "insufficientPermissions",
        "PERMISSIONS_ERROR",
        "required",
        "SERVICE_DISABLED",
        "SERVICE_ACCOUNT_ACCESS_DENIED",
    }),
    transient=frozenset({
        "backendError",
        "internalError",
        "INTERNAL_ERROR",
        "rateLimitExceeded",
        "RATE_LIMIT_EXCEEDED",
        "RESOURCE_NOT_READY",
        "RESOURCE_OPERATION_RATE_EXCEEDED",
        "resourceNotReady",
        "SERVICE_UNAVAILABLE",
        "userRateLimitExceeded",
    }),
    not_set_up=frozenset({"accessNotConfigured", "SERVICE_DISABLED"}),
    hints={
        "QUOTA_EXCEEDED": "ask for a higher quota in the console under IAM, Quotas",
        "accessNotConfigured": "switch the API on: `gcloud services enable compute.googleapis.com`",
        "SERVICE_DISABLED": "switch the API on: `gcloud services enable compute.googleapis.com`",
        "forbidden": "`skyflow cloud check gcp` tells which permissions are missing",
    },
)  # fmt: skip

_LOG_IN = "log in with `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS"


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the SDK raises into CloudError; transport failures come from requests, not from the SDK."""
    try:
        yield
    except GoogleAPICallError as error:
        raise GCP_FAILURES.error(*_code_and_message(error), status=error.code) from error
    except (TransportError, RequestException, RetryError) as error:
        raise lost_answer("gcp", error) from error
    except RefreshError as error:
        if error.retryable:
            raise lost_answer("gcp", error) from error
        raise no_credentials("gcp", error, str(error), log_in=_LOG_IN) from error
    except DefaultCredentialsError as error:
        raise no_credentials("gcp", error, "no credentials were found", log_in=_LOG_IN) from error
    except GoogleAuthError as error:
        raise no_credentials("gcp", error, str(error), log_in=_LOG_IN) from error


def _code_and_message(error: GoogleAPICallError) -> tuple[str, str]:
    for each in error.errors:
        if isinstance(each, dict) and each.get("reason"):
            return str(each["reason"]), str(each.get("message") or error.message)
    return error.reason or type(error).__name__, error.message or str(error)
