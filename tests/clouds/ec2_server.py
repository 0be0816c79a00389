"""EC2 for the tests: moto as a real HTTP server, with what it gets wrong for a provisioner put right.

Corrected, each after AWS's own documentation: client tokens are honoured (the same token is the same instance, with other
arguments IdempotentParameterMismatch, after its end IdempotentInstanceTerminated); instances take time to start and to
end; there is capacity (error 500, as AWS answers), and there are quotas; a security group that an instance uses cannot be deleted; calls
can be forbidden; quotas can be listed. The account has two regions switched on.
"""

import base64
import datetime as dt
import functools
import hashlib
import json
import os
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

for _name in ("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "MOTO_ENABLE_KEYPAIR_VALIDATION"):
    os.environ[_name] = "1"
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.servicequotas.responses import ServiceQuotasResponse
from moto.ssm.models import Parameter

REGIONS = ("us-east-1", "eu-west-1")
START_SECONDS = 0.05
_ENDED = ("terminated", "shutting-down")
_STATE_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopped": 80}


@dataclass
class Account:
    """What the tests decide: how many machines of a type a zone has, what is over quota, what is not allowed."""

    capacity: dict[tuple[str, str], int] = field(default_factory=dict)
    no_spot: set[str] = field(default_factory=set)
    over_quota: set[str] = field(default_factory=set)
    not_offered: set[tuple[str, str]] = field(default_factory=set)
    """Zones and the types that they have no machines of."""
    forbidden: set[str] = field(default_factory=set)
    tokens: dict[tuple[str, str], tuple[str, Any]] = field(default_factory=dict)
    machines: Any = None
    """What real machines are started with (`testbed.cloud_machine.Machines`); None where instances are mere entries."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    status: threading.local = field(default_factory=threading.local)

    def refuse(self, code: str, message: str, *, status: int = 400) -> EC2ClientError:
        self.status.value = status  # moto answers 400 to every error of EC2
        return EC2ClientError(code, message)

    def reset(self) -> None:
        with self.lock:
            for backends in get_backend("ec2").values():
                for backend in backends.values():
                    backend.reset()
            self.machines = None
            for table in (self.capacity, self.no_spot, self.over_quota, self.not_offered, self.forbidden, self.tokens):
                table.clear()


ACCOUNT = Account()
_moto_run = InstanceBackend.run_instances
_moto_terminate = Instance.terminate
_moto_delete_group = SecurityGroupBackend.delete_security_group
_moto_regions = RegionsAndZonesBackend.describe_regions


def _run(self: Any, image_id: str, count: int, user_data: Any, groups: list[str], **asked: Any) -> Any:
    with ACCOUNT.lock:
        token = asked.get("client_token")
        rest = {key: str(value) for key, value in sorted(asked.items()) if key != "client_token"}
        meant = json.dumps([image_id, count, getattr(user_data, "_encoded_string", None), groups, rest])
        print_of = hashlib.sha256(re.sub(r"0x[0-9a-f]+", "", meant).encode()).hexdigest()
        if token and (self.region_name, token) in ACCOUNT.tokens:
            before, reservation = ACCOUNT.tokens[self.region_name, token]
            if before != print_of:
                raise ACCOUNT.refuse(
                    "IdempotentParameterMismatch",
                    "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
                )
            if all(each._state.name in _ENDED for each in reservation.instances):
                raise ACCOUNT.refuse(
                    "IdempotentInstanceTerminated",
                    "The client token you have provided is associated with a terminated instance. "
                    "Please use a different client token.",
                )
            return reservation
        _check_room(self, count, asked)
        reservation = _moto_run(self, image_id, count, user_data, groups, **asked)
        for instance in reservation.instances:
            _set_state(instance, "pending")
            if ACCOUNT.machines is not None:
                _boot(instance)
            threading.Timer(START_SECONDS, _set_state, (instance, "running", "pending")).start()
        if token:
            ACCOUNT.tokens[self.region_name, token] = (print_of, reservation)
        return reservation


def _boot(instance: Any) -> None:
    script = base64.b64decode(str(instance.user_data)).decode() if instance.user_data else ""
    ended = functools.partial(_end, instance)
    card = instance.nics[0]
    card.public_ip = card.private_ip_address = ACCOUNT.machines.start(instance.id, script, on_end=ended)


def _end(instance: Any) -> None:
    """Let an instance be gone that has shut itself down, as its shutdown behavior says, with all that is attached."""
    with ACCOUNT.lock:
        _moto_terminate(instance)
        _set_state(instance, "terminated")


def preempt(instance_id: str) -> None:
    """Take a spot instance away, as AWS does: it is gone at once, and says why."""
    with ACCOUNT.lock:
        for region in REGIONS:
            for reservation in get_backend("ec2")[DEFAULT_ACCOUNT_ID][region].reservations.values():
                for instance in reservation.instances:
                    if instance.id == instance_id:
                        ACCOUNT.machines.stop(instance_id)
                        _moto_terminate(instance)
                        instance.state_reason.code = "Server.SpotInstanceTermination"
                        instance.state_reason.message = "Server.SpotInstanceTermination: Spot instance termination"
                        _set_state(instance, "terminated")


def _check_room(backend: Any, count: int, asked: dict[str, Any]) -> None:
    kind = asked["instance_type"]
    subnet = asked.get("subnet_id") or next((nic.get("SubnetId") for nic in asked.get("nics") or ()), None)
    zone = backend.get_subnet(subnet).availability_zone if subnet else f"{backend.region_name}a"
    is_spot = bool(asked.get("instance_market_options"))
    if kind not in INSTANCE_TYPES:
        raise ACCOUNT.refuse("InvalidParameterValue", f"Invalid value '{kind}' for InstanceType.")
    if kind in ACCOUNT.over_quota:
        raise ACCOUNT.refuse(
            "MaxSpotInstanceCountExceeded" if is_spot else "VcpuLimitExceeded",
            "You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket "
            "that the specified instance type belongs to.",
        )
    if (zone, kind) in ACCOUNT.not_offered:
        raise ACCOUNT.refuse(
            "Unsupported",
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone ({zone}).",
        )
    left = ACCOUNT.capacity.get((zone, kind))
    if is_spot and kind in ACCOUNT.no_spot:
        left = 0
    if left is not None:
        if left < count:
            raise ACCOUNT.refuse(
                "InsufficientInstanceCapacity",
                f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({zone}).",
                status=500,
            )
        ACCOUNT.capacity[zone, kind] = left - count


def _terminate(self: Any, *arguments: Any, **named: Any) -> Any:
    with ACCOUNT.lock:
        before = self._state.__class__(self._state.name, self._state.code)
        if self._state.name in _ENDED:
            return before
        if ACCOUNT.machines is not None:
            ACCOUNT.machines.stop(self.id)
        _moto_terminate(self, *arguments, **named)
        _set_state(self, "shutting-down")
        threading.Timer(START_SECONDS, _set_state, (self, "terminated", "shutting-down")).start()
        return before


def _set_state(instance: Any, name: str, only_from: str | None = None) -> None:
    with ACCOUNT.lock:
        if only_from is None or instance._state.name == only_from:
            instance._state.name, instance._state.code = name, _STATE_CODES[name]


def _regions(self: Any, region_names: list[str] | None = None) -> Any:
    return _moto_regions(self, list(region_names or REGIONS))


def _quotas(self: Any) -> str:
    """Answer ListServiceQuotas, which moto does not have."""
    codes = {"L-1216C47A": 64.0, "L-34B43A08": 32.0, "L-DB2E81BA": 0.0}
    return json.dumps(
        {
            "Quotas": [
                {"ServiceCode": "ec2", "QuotaCode": code, "QuotaName": code, "Value": value}
                for code, value in codes.items()
            ]
        }
    )


def _delete_group(self: Any, name: str | None = None, group_id: str | None = None) -> Any:
    used = {group.id for card in self.enis.values() for group in card.group_set}
    if group_id in used:
        raise ACCOUNT.refuse("DependencyViolation", f"resource {group_id} has a dependent object")
    return _moto_delete_group(self, name, group_id)


InstanceBackend.run_instances = _run  # type: ignore[method-assign]
Instance.terminate = _terminate  # type: ignore[method-assign]
RegionsAndZonesBackend.describe_regions = _regions  # type: ignore[method-assign]
SecurityGroupBackend.delete_security_group = _delete_group  # type: ignore[method-assign]
ServiceQuotasResponse.list_service_quotas = _quotas  # type: ignore[attr-defined]

_DENIAL = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>UnauthorizedOperation</Code>'
    "<Message>You are not authorized to perform this operation.</Message></Error></Errors>"
    "<RequestID>0</RequestID></Response>"
)


class Ec2Server:
    """The WSGI app: moto behind a door that knows permissions and the status of errors."""

    handler = MotoRequestHandler

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"].seek(0)
        action = action_of(body)
        if action in ACCOUNT.forbidden:
            start("403 Forbidden", [("Content-Type", "text/xml")])
            return [_DENIAL.encode()]
        ACCOUNT.status.value = None

        def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            meant = ACCOUNT.status.value
            return start(f"{meant} X" if meant and status.startswith("400") else status, headers, *more)

        return self._moto(environ, started)


def action_of(body: bytes) -> str:
    return dict(urllib.parse.parse_qsl(body.decode(errors="replace"))).get("Action", "")


def name_call(environ: dict[str, Any], body: bytes) -> str:
    """Name a call: an instance asked for by its id is polled, one asked for by its tags is described."""
    action = action_of(body)
    if action == "DescribeInstances":
        return "poll" if b"InstanceId.1" in body else "describe"
    return {"RunInstances": "create", "TerminateInstances": "delete"}.get(action, action)


def leave_disk(name: str) -> None:
    """Leave a disk behind that was made with a machine of ours, as a machine that ended badly does."""
    ec2 = get_backend("ec2")[DEFAULT_ACCOUNT_ID][REGIONS[0]]
    volume = ec2.create_volume(size=8, zone_name=f"{REGIONS[0]}a")
    volume.add_tags({"Name": name, "skyflow-owner": name.split("-")[1]})


def age(*, hours: float) -> None:
    """Let every instance be older than it is."""
    for region in REGIONS:
        for reservation in get_backend("ec2")[DEFAULT_ACCOUNT_ID][region].reservations.values():
            for instance in reservation.instances:
                instance.launch_time = utcnow() - dt.timedelta(hours=hours)


def remains() -> dict[str, list[str]]:
    """Return everything that costs money or belongs to a machine, in all regions."""
    found: dict[str, list[str]] = {"machines": [], "disks": [], "network cards": [], "addresses": []}
    for region in REGIONS:
        ec2 = get_backend("ec2")[DEFAULT_ACCOUNT_ID][region]
        instances = [each for group in ec2.reservations.values() for each in group.instances]
        found["machines"] += [each.id for each in instances if each._state.name != "terminated"]
        found["disks"] += [each.id for each in ec2.volumes.values()]
        found["network cards"] += [each.id for each in ec2.enis.values()]
        found["addresses"] += [each.public_ip for each in ec2.addresses]
    return found


def withdraw_images(region: str) -> None:
    """Let a region have none of the images that the public parameters name elsewhere."""
    parameters = get_backend("ssm")[DEFAULT_ACCOUNT_ID][region]._parameters
    for parameter in [each for each in parameters if each.startswith("/aws/service/")]:
        del parameters[parameter]


def register_images() -> None:
    """Give every region the images that the public parameters of the Systems Manager name."""
    parameters = (
        "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
        "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id",
    )
    for region in REGIONS:
        image = get_backend("ec2")[DEFAULT_ACCOUNT_ID][region].register_image(name="ubuntu-24.04", description="Ubuntu")
        for parameter in parameters:
            versions = get_backend("ssm")[DEFAULT_ACCOUNT_ID][region]._parameters[
                parameter
            ]  # reserved to AWS otherwise
            versions[:] = [
                Parameter(
                    account_id=DEFAULT_ACCOUNT_ID, name=parameter, value=image.id, parameter_type="String",
                    description="", allowed_pattern=None, keyid=None, last_modified_date=utcnow(), version=1,
                    data_type="aws:ec2:image",
                )
            ]  # fmt: skip
