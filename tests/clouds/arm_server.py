"""Azure's Resource Manager for the tests, checked against the SDK's own contract, over TLS as the SDK demands.

Virtual machines, and what is made and removed with them; networks, security groups, identities and roles as plain
resources, checked for what they must have. Operations take time; a machine whose allocation fails stays behind in state
Failed, as Azure's do. It also gives out tokens, as the managed identity endpoint of App Service does.
"""

import base64
import itertools
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from azure.mgmt.compute import models
from sdk_contract import ModelSchemas, routes

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
OPERATION_SECONDS = 0.05
_MADE = "2026-01-01T00:00:00+00:00"
_VERSIONS = {
    "microsoft.authorization": {"2022-04-01"},
    "microsoft.managedidentity": {"2023-01-31"},
    "microsoft.network": {"2023-09-01"},
}
_TOP_LEVEL = {"location", "tags", "properties"}


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": code, "message": message}}


class ArmServer:
    """The WSGI app, and the subscription that it serves."""

    def __init__(self) -> None:
        self._routes = routes()
        self._schemas = ModelSchemas()
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self.address = ""
        self.machines: Any = None
        """What real machines are started with (`testbed.cloud_machine.Machines`); None where they are mere entries."""
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self.machines = None
            self.vms: dict[str, dict[str, Any]] = {}
            self.resources: dict[str, dict[str, Any]] = {}  # by path in small letters: everything but machines
            self.operations: dict[str, dict[str, Any]] = {}
            self.refusing: list[tuple[int, str, str]] = []  # the next creations, at once
            self.failing: list[tuple[str, str]] = []  # the next creations, when they are allocated
            self.sold_out: set[str] = set()  # sizes of which there are none
            self.may_assign_roles = True
            self.not_actions: list[str] = []
            self.problems: list[list[str]] = []

    def remains(self) -> dict[str, list[str]]:
        def named(kind: str) -> list[str]:
            return [each["name"] for path, each in self.resources.items() if f"/{kind}/" in path]

        return {
            "machines": list(self.vms),
            "disks": named("disks"),
            "network cards": named("networkinterfaces"),
            "addresses": named("publicipaddresses"),
        }

    def leave_disk(self, name: str) -> None:
        path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/skyflow/providers/Microsoft.Compute/disks/{name}-disk"
        self._put(path, {"location": "eastus", "properties": {"timeCreated": _MADE}})

    def leave_card_and_address(self, name: str) -> None:
        """Leave what a machine leaves that was deleted without its card."""
        base = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/skyflow/providers/Microsoft.Network"
        card = f"{base}/networkInterfaces/{name}-nic"
        self._put(card, {"location": "eastus", "properties": {"ipConfigurations": []}})
        holder = {"ipConfiguration": {"id": f"{card}/ipConfigurations/ip"}, "ipAddress": "192.0.2.8"}
        self._put(f"{base}/publicIPAddresses/{name}-ip", {"location": "eastus", "properties": holder})

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        headers: dict[str, str] = {}
        try:
            with self._lock:
                status, answer = self._answer(environ, body, headers)
                encoded = b"" if answer is None else json.dumps(answer).encode()
        except Refused as refused:
            status, encoded = refused.status, json.dumps(refused.body).encode()
        start(f"{status} X", [("Content-Type", "application/json; charset=utf-8"), *headers.items()])
        return [encoded]

    def _answer(self, environ: dict[str, Any], body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        verb, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        if path == "/msi/token":
            return 200, {
                "access_token": "test-token",
                "expires_on": "4102444800",
                "resource": query.get("resource"),
                "token_type": "Bearer",
            }
        if environ.get("HTTP_AUTHORIZATION") != "Bearer test-token":
            raise Refused(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        asked = json.loads(body) if body else None
        if operation := re.search(r"/operations/([\w-]+)$", path):
            if operation[1] not in self.operations:
                raise Refused(404, "NotFound", "no such operation")
            return 200, self.operations[operation[1]]
        if path == "/subscriptions":
            return 200, {"value": [{"subscriptionId": SUBSCRIPTION, "displayName": "tests"}]}
        if "/providers/microsoft.compute/" in path.lower():
            return self._compute(verb, query, asked, environ, headers)
        return self._plain(verb, path, query, asked)

    # -------------------------------------------------------------------------------------------------------- compute

    def _compute(
        self, verb: str, query: dict[str, str], asked: Any, environ: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, Any]:
        path = environ["PATH_INFO"]
        hits = [(each, found) for each in self._routes if each.verb == verb and (found := each.pattern.match(path))]
        if not hits:
            raise Refused(404, "InvalidResourceType", f"the SDK has no such route: {verb} {path}")
        route, named = min(hits, key=lambda hit: len(hit[1].groupdict()))
        if "/disks" not in path and query.get("api-version") != route.version:
            raise Refused(
                400, "InvalidApiVersionParameter", f"the SDK speaks {route.version}, not {query.get('api-version')}"
            )
        if "/disks" in path:
            return self._plain(verb, path, {**query, "api-version": "2023-09-01"}, asked)
        handler = getattr(self, f"_{route.name}", None)
        if handler is None:
            raise Refused(501, "NotModelled", route.name)
        return handler(named.groupdict(), query, asked, environ, headers)

    def _virtual_machines_create_or_update(
        self, named: dict[str, str], query: dict[str, str], asked: Any, environ: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, Any]:
        faults = self._schemas.faults(models.VirtualMachine, asked, sent=True)
        network = asked.get("properties", {}).get("networkProfile", {})
        if not network.get("networkApiVersion"):
            faults.append("Required parameter 'networkProfile.networkApiVersion' is missing (null).")
        if faults:
            self.problems.append(faults)
            raise Refused(400, "InvalidRequestContent", "; ".join(faults))
        name = named["vmName"]
        if environ.get("HTTP_IF_NONE_MATCH") == "*" and name in self.vms:
            raise Refused(412, "PreconditionFailed", f"The precondition 'If-None-Match: *' is false: {name} exists.")
        for card in network["networkInterfaceConfigurations"]:
            for configuration in card["properties"]["ipConfigurations"]:
                subnet = configuration["properties"]["subnet"]["id"].lower().rpartition("/subnets/")[0]
                if subnet not in self.resources:
                    raise Refused(404, "NotFound", f"Resource {subnet} not found.")
        if self.refusing:
            raise Refused(*self.refusing.pop(0))
        if (size := asked["properties"]["hardwareProfile"]["vmSize"]) in self.sold_out:
            raise Refused(409, "SkuNotAvailable", f"The requested size {size} is currently not available here.")
        path = environ["PATH_INFO"]
        vm = {**json.loads(json.dumps(asked)), "id": path, "name": name, "type": "Microsoft.Compute/virtualMachines"}
        vm["properties"] |= {"vmId": str(uuid.uuid4()), "provisioningState": "Creating", "timeCreated": _MADE}
        self.vms[name] = vm
        number = self._operation(asked["location"], headers)
        failure = self.failing.pop(0) if self.failing else None
        self._later(lambda: self._fail(vm, number, failure) if failure else self._allocate(vm, number, asked))
        return 201, self._checked(models.VirtualMachine, vm)

    def _fail(self, vm: dict[str, Any], number: str, failure: tuple[str, str]) -> None:
        code, message = failure
        vm["properties"]["provisioningState"] = "Failed"
        vm["failure"] = {"code": f"ProvisioningState/failed/{code}", "level": "Error", "message": message}
        self.operations[number] |= {"status": "Failed", "error": {"code": code, "message": message}}

    def _allocate(self, vm: dict[str, Any], number: str, asked: Any) -> None:
        if vm["name"] not in self.vms or vm["properties"]["provisioningState"] != "Creating":
            return
        base = vm["id"].rpartition("/providers/")[0] + "/providers"
        cards = []
        for card in asked["properties"]["networkProfile"]["networkInterfaceConfigurations"]:
            path = f"{base}/Microsoft.Network/networkInterfaces/{card['name']}"
            address = card["properties"]["ipConfigurations"][0]["properties"]["publicIPAddressConfiguration"]
            holder = f"{base}/Microsoft.Network/publicIPAddresses/{address['name']}"
            booted = self._boot(vm)
            inside = "10.213.0.4" if self.machines is None else booted
            private = {"privateIPAddress": inside, "publicIPAddress": {"id": holder}}
            self._put(
                path,
                {
                    "location": vm["location"],
                    "properties": {
                        "ipConfigurations": [{"name": "ip", "properties": private}],
                        "virtualMachine": {"id": vm["id"]},
                    },
                },
            )
            attached = {"ipConfiguration": {"id": f"{path}/ipConfigurations/ip"}, "ipAddress": booted}
            self._put(holder, {"location": vm["location"], "properties": attached})
            cards.append({"id": path, "properties": {"primary": True, "deleteOption": "Delete"}})
        disk = vm["properties"]["storageProfile"]["osDisk"]["name"]
        disk_path = f"{base}/Microsoft.Compute/disks/{disk}"
        self._put(disk_path, {"location": vm["location"], "managedBy": vm["id"], "properties": {"timeCreated": _MADE}})
        vm["properties"]["networkProfile"] = {"networkInterfaces": cards}
        vm["properties"]["provisioningState"] = "Succeeded"
        self.operations[number]["status"] = "Succeeded"

    def _boot(self, vm: dict[str, Any]) -> str:
        if self.machines is None:
            return "192.0.2.9"
        script = base64.b64decode(vm["properties"]["osProfile"].get("customData", "")).decode()
        return self.machines.start(vm["name"], script, on_end=lambda: None)  # it stays, switched off, and costs money

    def evict(self, name: str) -> None:
        """Take a spot machine away whose eviction policy is to delete it."""
        with self._lock:
            self._drop(name)

    def _drop(self, name: str) -> None:
        if self.machines is not None:
            self.machines.stop(name)
        self.vms.pop(name, None)
        for path in [each for each in self.resources if re.search(rf"/{name}-(nic|ip|disk)$", each)]:
            del self.resources[path]

    def _virtual_machines_get(
        self, named: dict[str, str], query: dict[str, str], asked: Any, environ: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, Any]:
        return 200, self._checked(models.VirtualMachine, self._viewed(self._vm(named["vmName"]), query))

    def _virtual_machines_list(
        self, named: dict[str, str], query: dict[str, str], asked: Any, environ: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, Any]:
        return 200, {
            "value": [self._checked(models.VirtualMachine, self._viewed(each, query)) for each in self.vms.values()]
        }

    def _virtual_machines_delete(
        self, named: dict[str, str], query: dict[str, str], asked: Any, environ: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, Any]:
        name = named["vmName"]
        if name not in self.vms:
            return 204, None
        vm = self.vms[name]
        vm["properties"]["provisioningState"] = "Deleting"
        number = self._operation(vm["location"], headers)

        def remove() -> None:
            self._drop(name)
            self.operations[number]["status"] = "Succeeded"

        self._later(remove)
        return 202, None

    def _usage_list(
        self, named: dict[str, str], query: dict[str, str], asked: Any, environ: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, Any]:
        rows = (("cores", "Total Regional vCPUs", 20, 4), ("lowPriorityCores", "Total Regional Spot vCPUs", 0, 0))
        return 200, {
            "value": [
                {
                    "unit": "Count",
                    "currentValue": used,
                    "limit": limit,
                    "name": {"value": name, "localizedValue": title},
                }
                for name, title, limit, used in rows
            ]
        }

    def _viewed(self, vm: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        shown = json.loads(json.dumps({key: each for key, each in vm.items() if key != "failure"}))
        if "instanceview" in query.get("$expand", "").lower():
            state = vm["properties"]["provisioningState"]
            statuses = [vm.get("failure") or {"code": f"ProvisioningState/{state.lower()}", "level": "Info"}]
            if state == "Succeeded":
                statuses.append({"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"})
            shown["properties"]["instanceView"] = {"statuses": statuses}
        return shown

    def _vm(self, name: str) -> dict[str, Any]:
        if name not in self.vms:
            raise Refused(
                404, "ResourceNotFound", f"The Resource 'Microsoft.Compute/virtualMachines/{name}' was not found."
            )
        return self.vms[name]

    # ------------------------------------------------------------------------------------------------- other resources

    def _plain(self, verb: str, path: str, query: dict[str, str], asked: Any) -> tuple[int, Any]:
        key = path.lower().rstrip("/")
        _, found, provider = key.rpartition("/providers/")
        wanted = _VERSIONS.get(provider.partition("/")[0]) if found else {"2022-09-01"}
        if wanted and query.get("api-version") not in wanted:
            raise Refused(400, "InvalidApiVersionParameter", f"{provider}: {query.get('api-version')}")
        if key.endswith("/permissions"):
            return 200, {"value": [{"actions": ["*"], "notActions": self.not_actions}]}
        if verb == "PUT":
            return self._make(path, asked)
        if verb == "DELETE":
            return self._remove(key)
        if "/subnets/" in key and key.rpartition("/subnets/")[0] in self.resources:
            return 200, {"id": path, "name": key.rpartition("/")[2]}
        if key in self.resources:
            return 200, self.resources[key]
        children = [each for other, each in self.resources.items() if other.rpartition("/")[0] == key]
        if children or re.search(
            r"/(disks|networkinterfaces|publicipaddresses|networksecuritygroups|virtualnetworks)$", key
        ):
            return 200, {"value": children}
        raise Refused(404, "ResourceNotFound", f"The Resource '{path}' was not found.")

    def _make(self, path: str, asked: Any) -> tuple[int, Any]:
        unknown = set(asked) - _TOP_LEVEL
        lowered = path.lower()
        if unknown or ("location" not in asked and "microsoft.authorization" not in lowered):
            raise Refused(400, "InvalidRequestContent", f"unknown {unknown}, or no location: {path}")
        if "microsoft.authorization" in lowered and not self.may_assign_roles:
            raise Refused(403, "AuthorizationFailed", "The client does not have authorization to perform action "
                          "'Microsoft.Authorization/roleDefinitions/write'.")  # fmt: skip
        group = re.match(r"/subscriptions/[^/]+/resourcegroups/[^/]+", lowered)
        if "/providers/" in lowered and (group is None or group[0] not in self.resources):
            raise Refused(404, "ResourceGroupNotFound", "Resource group could not be found.")
        self._put(path, asked)
        if "userassignedidentities" in lowered:
            self.resources[lowered]["properties"] |= {"clientId": "client-1", "principalId": "principal-1"}
        return 201, self.resources[lowered]

    def _remove(self, key: str) -> tuple[int, Any]:
        if key not in self.resources:
            return 204, None
        if "/publicipaddresses/" in key:
            card = self.resources[key]["properties"].get("ipConfiguration", {}).get("id", "").lower()
            if card.rpartition("/ipconfigurations/")[0] in self.resources:
                raise Refused(400, "PublicIPAddressCannotBeDeleted", "it is still allocated to a network card")
        if "/virtualnetworks/" in key and self.vms:
            raise Refused(400, "InUseSubnetCannotBeDeleted", "Subnet machines is in use and cannot be deleted.")
        del self.resources[key]
        return 200, None

    def _put(self, path: str, body: dict[str, Any]) -> None:
        made = json.loads(json.dumps(body))
        made.setdefault("properties", {})["provisioningState"] = "Succeeded"
        self.resources[path.lower()] = {**made, "id": path, "name": path.rpartition("/")[2]}

    # ------------------------------------------------------------------------------------------------------ all of them

    def _operation(self, location: str, headers: dict[str, str]) -> str:
        number = str(uuid.uuid4())
        self.operations[number] = {"name": number, "status": "InProgress"}
        base = f"{self.address}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{location}"
        headers["Azure-AsyncOperation"] = f"{base}/operations/{number}?api-version=2024-07-01"
        return number

    def _later(self, effect: Callable[[], None]) -> None:
        operations = self.operations

        def happen() -> None:
            with self._lock:
                if self.operations is operations:  # else the account has been emptied since
                    effect()

        threading.Timer(OPERATION_SECONDS, happen).start()

    def _checked(self, model: type[Any], answer: Any) -> Any:
        shown = {key: each for key, each in answer.items() if key != "failure"}
        faults = self._schemas.faults(model, shown, sent=False)
        if faults:
            self.problems.append(faults)
            raise Refused(500, "BrokenTestServer", "; ".join(faults))
        return shown


def name_call(environ: dict[str, Any], body: bytes) -> str:
    """Name a call: whoever waits for a machine to be allocated polls, whoever waits for its address describes."""
    verb, path = environ["REQUEST_METHOD"], urlsplit(environ["PATH_INFO"]).path.lower()
    if re.search(r"/virtualmachines/[^/]+$", path):
        return {"PUT": "create", "DELETE": "delete", "GET": "poll"}[verb]
    return (
        "describe"
        if re.search(r"/(networkinterfaces|virtualmachines)(/[^/]+-nic)?$", path)
        else path.rpartition("/")[2]
    )
