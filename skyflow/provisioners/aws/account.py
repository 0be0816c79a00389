"""Is an AWS account fit for use, and what has to be prepared in it; see `skyflow.ports.provisioner.CloudAccount`."""

from collections.abc import Callable, Iterator
from typing import Any

from skyflow.model.checks import CheckResult, Verdict
from skyflow.model.machines import FailureKind
from skyflow.ports.provisioner import CloudError, Say
from skyflow.provisioners.aws.errors import translated
from skyflow.provisioners.aws.launch import image_parameter
from skyflow.provisioners.aws.machines import AwsProvisioner
from skyflow.provisioners.aws.network import choose_subnets, ensure_group
from skyflow.provisioners.aws.session import AwsSession
from skyflow.provisioners.aws.vpc import make_vpc, our_vpcs, remove_groups, remove_vpc

__all__ = ["TRIALS", "AwsAccount"]

_TRIAL_TYPE = "t3.micro"
_NOBODY = "i-00000000000000000"
TRIALS: tuple[tuple[str, Callable[[Any, str, str], object]], ...] = (
    (
        "ec2:RunInstances",
        lambda ec2, image, subnet: ec2.run_instances(
            DryRun=True, ImageId=image, InstanceType=_TRIAL_TYPE, SubnetId=subnet, MinCount=1, MaxCount=1
        ),
    ),
    ("ec2:DescribeInstances", lambda ec2, *_: ec2.describe_instances(DryRun=True)),
    ("ec2:TerminateInstances", lambda ec2, *_: ec2.terminate_instances(DryRun=True, InstanceIds=[_NOBODY])),
    ("ec2:DescribeVolumes", lambda ec2, *_: ec2.describe_volumes(DryRun=True)),
    ("ec2:DeleteVolume", lambda ec2, *_: ec2.delete_volume(DryRun=True, VolumeId="vol-00000000000000000")),
    ("ec2:DescribeNetworkInterfaces", lambda ec2, *_: ec2.describe_network_interfaces(DryRun=True)),
    ("ec2:DescribeKeyPairs", lambda ec2, *_: ec2.describe_key_pairs(DryRun=True)),
    (
        "ec2:ImportKeyPair",
        lambda ec2, *_: ec2.import_key_pair(
            DryRun=True, KeyName="skyflow-check", PublicKeyMaterial=b"ssh-ed25519 AAAA"
        ),
    ),
    ("ec2:DeleteKeyPair", lambda ec2, *_: ec2.delete_key_pair(DryRun=True, KeyName="skyflow-check")),
    (
        "ec2:CreateSecurityGroup",
        lambda ec2, *_: ec2.create_security_group(DryRun=True, GroupName="skyflow-check", Description="a trial"),
    ),
    (
        "ec2:CreateTags",
        lambda ec2, *_: ec2.create_tags(DryRun=True, Resources=[_NOBODY], Tags=[{"Key": "a", "Value": "b"}]),
    ),
)


class AwsAccount:
    """One AWS account, as the credentials in use lead to it."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def check(self, region: str) -> Iterator[CheckResult]:
        """Look at credentials, region, network, image, permissions and quotas, in this order."""
        try:
            with translated():
                who = self._session.client("sts", region).get_caller_identity()
        except CloudError as error:
            yield CheckResult.failed("credentials", error)
            return
        yield CheckResult("credentials", Verdict.OK, who["Arn"])
        ec2 = self._session.ec2(region)
        image = subnet = ""
        try:
            subnets = choose_subnets(ec2)
            subnet = subnets[0].id
            yield CheckResult("network", Verdict.OK, f"{subnets[0].vpc}, in {len(subnets)} zones")
        except CloudError as error:
            yield CheckResult.failed("network", error)
        try:
            with translated():
                found = self._session.client("ssm", region).get_parameter(
                    Name=image_parameter("x86_64", accelerated=False)
                )
            image = found["Parameter"]["Value"]
            yield CheckResult("image", Verdict.OK, f"{image}, Ubuntu 24.04")
        except CloudError as error:
            yield CheckResult.failed("image", error)
        yield from self._permissions(ec2, image, subnet)
        yield from self._quotas(region)

    def prepare(self, region: str, say: Say) -> None:
        """Make the security group, and a VPC where the account has no default subnets."""
        ec2 = self._session.ec2(region)
        try:
            subnets = choose_subnets(ec2)
        except CloudError as error:
            if error.code != "NoSubnet":
                raise
            make_vpc(ec2, say)
            subnets = choose_subnets(ec2)
        group = ensure_group(ec2, subnets[0].vpc, ())
        say(f"security group {group} in {subnets[0].vpc}: lets SSH in")

    def unprepare(self, region: str, say: Say) -> None:
        """Remove the security groups and the VPC that we made."""
        ec2 = self._session.ec2(region)
        remove_groups(ec2, say)
        for vpc in our_vpcs(ec2):
            remove_vpc(ec2, vpc, say)

    def _permissions(self, ec2: Any, image: str, subnet: str) -> Iterator[CheckResult]:
        missing: list[str] = []
        for permission, trial in TRIALS:
            if permission == "ec2:RunInstances" and not (image and subnet):
                continue  # its arguments are among what is missing
            try:
                with translated():
                    trial(ec2, image, subnet)
            except CloudError as error:
                if error.kind is FailureKind.AUTH:
                    missing.append(permission)
                elif error.kind is FailureKind.TRANSIENT:
                    yield CheckResult.failed("permissions", error)
                    return
        if missing:
            fix = "attach a policy that allows them; site/docs/how-to/prepare-a-cloud.md has one to copy"
            yield CheckResult("permissions", Verdict.FAILED, f"not allowed: {', '.join(missing)}", fix)
        else:
            yield CheckResult("permissions", Verdict.OK, f"{len(TRIALS)} kinds of calls tried without effect")

    def _quotas(self, region: str) -> Iterator[CheckResult]:
        try:
            quotas = AwsProvisioner(self._session).quotas(region)
        except CloudError as error:
            yield CheckResult("quotas", Verdict.WARNING, error.message, "allow servicequotas:ListServiceQuotas")
            return
        for quota in quotas:
            fix = None if quota.limit else "ask for more in the console under Service Quotas, EC2"
            yield CheckResult(
                f"quota: {quota.name}", Verdict.OK if quota.limit else Verdict.WARNING, f"{quota.limit:g}", fix
            )
