"""EC2's error codes. Sources: EC2's error code reference, karpenter-provider-aws `pkg/errors/errors.go`."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError, ProfileNotFound
from botocore.parsers import ResponseParserError

from skyflow.model.machines import FailureKind, Scope
from skyflow.provisioners.failures import Failures, lost_answer, no_credentials

__all__ = ["AWS_FAILURES", "NO_SUCH_MACHINE", "translated"]

NO_SUCH_MACHINE = frozenset({"InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"})

AWS_FAILURES = Failures(
    provider="aws",
    codes={
        FailureKind.CAPACITY: {
            "InsufficientInstanceCapacity": Scope.ZONE,
            "InsufficientHostCapacity": Scope.ZONE,
            "InsufficientReservedInstanceCapacity": Scope.ZONE,
            "InsufficientCapacityOnHost": Scope.ZONE,
            "InsufficientFreeAddressesInSubnet": Scope.ZONE,
            "InsufficientAddressCapacity": Scope.REGION,
            "InsufficientVolumeCapacity": Scope.ZONE,
            "UnfulfillableCapacity": Scope.ZONE,
            "SpotMaxPriceTooLow": Scope.ZONE,
        },
        FailureKind.QUOTA: {
            "VcpuLimitExceeded": Scope.REGION,
            "InstanceLimitExceeded": Scope.REGION,
            "MaxSpotInstanceCountExceeded": Scope.REGION,
            "VolumeLimitExceeded": Scope.REGION,
            "MaxIOPSLimitExceeded": Scope.REGION,
            "NetworkInterfaceLimitExceeded": Scope.REGION,
            "SecurityGroupLimitExceeded": Scope.REGION,
            "AddressLimitExceeded": Scope.REGION,
        },
        FailureKind.NOT_OFFERED: {
            "InvalidInstanceType": Scope.REGION,
            "Unsupported": Scope.ZONE,
        },
        FailureKind.NO_IMAGE: {
            "InvalidAMIID.NotFound": Scope.REGION,
            "InvalidAMIID.Unavailable": Scope.REGION,
            "ParameterNotFound": Scope.REGION,  # of the Systems Manager, which names images
        },
        FailureKind.UNUSABLE: {
            "InvalidAvailabilityZone": Scope.ZONE,
            "OptInRequired": Scope.REGION,
        },
    },
    said={
        r"InvalidParameterValue: Invalid value '.*' for InstanceType": (FailureKind.NOT_OFFERED, Scope.REGION),
    },
    auth=frozenset({
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "Blocked",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "PendingVerification",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }),
    transient=frozenset({
        "EC2ThrottledException",
        "InternalError",
        "InternalFailure",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "Unavailable",
    }),
    hints={
        "InvalidAMIID.NotFound": "images belong to one region; name a parameter of the Systems Manager (/...) to have one "
        "for each",
        "VcpuLimitExceeded": "ask for a higher quota of vCPUs in the console under Service Quotas, EC2",
        "MaxSpotInstanceCountExceeded": "ask for a higher spot quota in the console under Service Quotas, EC2",
        "UnauthorizedOperation": "`skyflow cloud check aws` tells which permissions are missing",
        "OptInRequired": "switch the region on in the console under Account, AWS Regions",
        "IdempotentInstanceTerminated": "the machine of this attempt is gone already; a new attempt gets another",
    },
)  # fmt: skip

_LOG_IN = "log in with `aws sso login` or `aws configure`, or set AWS_PROFILE"
_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, ProfileNotFound)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what boto3 raises into CloudError."""
    try:
        yield
    except ClientError as error:
        answer = error.response
        raise AWS_FAILURES.error(
            answer.get("Error", {}).get("Code", "Unknown"),
            answer.get("Error", {}).get("Message", str(error)),
            status=answer.get("ResponseMetadata", {}).get("HTTPStatusCode"),
        ) from error
    except _NO_CREDENTIALS as error:
        raise no_credentials("aws", error, str(error), log_in=_LOG_IN) from error
    except (BotoCoreError, ResponseParserError) as error:  # connection, time-out, an answer that is not XML
        raise lost_answer("aws", error) from error
