"""Azure's error codes, of calls and of operations.

Sources: Azure's allocation failure pages, karpenter-provider-azure `resperrorhandlers.go`, dstack `azure/compute.py`.
The SDK's classes mislead: a quota error is its ResourceExistsError, and a failed operation has HTTP status 200.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from skyflow.model.machines import FailureKind, Scope
from skyflow.ports.provisioner import CloudError
from skyflow.provisioners.failures import Failures, lost_answer, no_credentials

__all__ = ["ALREADY_EXISTS", "AZURE_FAILURES", "NOT_FOUND", "translated"]

NOT_FOUND = frozenset({"NotFound", "ResourceGroupNotFound", "ResourceNotFound"})
ALREADY_EXISTS = frozenset({"PreconditionFailed", "ConditionNotMet"})

AZURE_FAILURES = Failures(
    provider="azure",
    codes={
        FailureKind.CAPACITY: {
            "AllocationFailed": Scope.REGION,
            "AllocationTimeout": Scope.REGION,
            "NotAvailableForSubscription": Scope.REGION,
            "OverconstrainedAllocationRequest": Scope.REGION,
            "OverconstrainedZonalAllocationRequest": Scope.ZONE,
            "SkuNotAvailable": Scope.REGION,
            "SpotEvicted": Scope.REGION,
            "ZonalAllocationFailed": Scope.ZONE,
        },
        FailureKind.QUOTA: {
            "LowPriorityQuotaExceeded": Scope.REGION,
            "OperationNotAllowed": Scope.REGION,  # "... exceeding approved Total Regional Cores quota"
            "PublicIPCountLimitReached": Scope.REGION,
            "QuotaExceeded": Scope.REGION,
            "ResourceQuotaExceeded": Scope.REGION,
        },
        FailureKind.NOT_OFFERED: {
            "VMSizeNotSupported": Scope.REGION,
        },
        FailureKind.NO_IMAGE: {
            "PlatformImageNotFound": Scope.REGION,
        },
        FailureKind.UNUSABLE: {
            "AvailabilityZoneNotSupported": Scope.ZONE,
            "LocationNotAvailable": Scope.REGION,
            "LocationNotAvailableForResourceType": Scope.REGION,
            "NoRegisteredProviderFound": Scope.REGION,
        },
    },
    said={
        "InvalidParameter: .*VM size.* in the current region": (FailureKind.NOT_OFFERED, Scope.REGION),
    },
    auth=frozenset({
        "AuthenticationFailed",
        "AuthorizationFailed",
        "ExpiredAuthenticationToken",
        "InvalidAuthenticationToken",
        "InvalidAuthenticationTokenTenant",
        "LinkedAuthorizationFailed",
        "MissingSubscriptionRegistration",
        "ReadOnlyDisabledSubscription",
        "RequestDisallowedByPolicy",
        "SubscriptionNotFound",
        "SubscriptionNotRegistered",
    }),
    transient=frozenset({
        "AnotherOperationInProgress",
        "InternalExecutionError",
        "InternalServerError",
        "OperationPreempted",
        "OSProvisioningTimedOut",
        "RetryableError",
        "ServerTimeout",
        "ServiceUnavailable",
        "TooManyRequests",
    }),
    not_set_up=frozenset({"MissingSubscriptionRegistration", "SubscriptionNotRegistered"}),
    hints={
        "AuthorizationFailed": "`skyflow cloud check azure` tells which permissions are missing",
        "MissingSubscriptionRegistration": "`az provider register --namespace Microsoft.Compute` (and Microsoft.Network)",
        "OperationNotAllowed": "ask for a higher quota in the portal under Quotas, Compute",
        "QuotaExceeded": "ask for a higher quota in the portal under Quotas, Compute",
    },
)  # fmt: skip

_LOG_IN = "log in with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the SDK raises into CloudError."""
    try:
        yield
    except ClientAuthenticationError as error:
        if error.status_code is not None and error.error is not None and error.error.code:
            raise _refused(error) from error
        raise no_credentials("azure", error, "no credentials were found that can be used", log_in=_LOG_IN) from error
    except HttpResponseError as error:
        if error.status_code is None:
            raise lost_answer("azure", error) from error
        raise _refused(error) from error
    except (ServiceRequestError, ServiceResponseError, AzureError) as error:
        raise lost_answer("azure", error) from error


def _refused(error: HttpResponseError) -> CloudError:
    code = error.error.code if error.error is not None and error.error.code else type(error).__name__
    message = error.error.message if error.error is not None and error.error.message else error.message
    return AZURE_FAILURES.error(code, message or "", status=error.status_code)
