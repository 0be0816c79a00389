"""Compute Engine for the tests: a server whose requests and answers are checked against Google's discovery document.

An answer that breaks the contract is a 500 that says so, and a method that is not modelled a 501, so that a test which
leaves what is known fails loudly. Instances, disks, networks and firewall rules are made and removed by operations that
take time, as Google's do; capacity and quotas are refused by the operation, not by the call. The server also gives out
tokens, for the service account of the tests, and tells what the account may do.
"""

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from contract import Contract

PROJECT = "demo-project"
ZONES = ("us-central1-a", "us-central1-b")
REGIONS = {"us-central1": ZONES, "europe-west1": ("europe-west1-b", "europe-west1-c")}
OPERATION_SECONDS = 0.05
_LINK = "https://www.googleapis.com/compute/v1/"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Refused(Exception):
    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "error": {
                "code": status,
                "message": message,
                "errors": [{"message": message, "domain": "global", "reason": reason}],
            }
        }


class GceServer:
    """The WSGI app, and the project that it serves."""

    def __init__(self) -> None:
        self._contract = Contract(Path(__file__).parent / "data" / "compute.v1.json")
        self._lock = threading.RLock()
        self._numbers = itertools.count(10**18)
        self.machines: Any = None
        """What real machines are started with (`testbed.cloud_machine.Machines`); None where instances are mere entries."""
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self.machines = None
            self.instances: dict[tuple[str, str], dict[str, Any]] = {}
            self.scripts: dict[str, str] = {}
            self.disks: dict[tuple[str, str], dict[str, Any]] = {}
            self.operations: dict[str, dict[str, Any]] = {}
            self.requests: dict[tuple[str, ...], dict[str, Any]] = {}
            self.networks: dict[str, dict[str, Any]] = {"default": {"name": "default"}}
            self.firewalls: dict[str, dict[str, Any]] = {}
            self.capacity: dict[tuple[str, str], int] = {}
            self.not_offered: set[tuple[str, str]] = set()  # zones, and the types that they have no machines of
            self.failing: list[dict[str, Any]] = []  # errors of the next insert operations
            self.denied: set[str] = set()
            self.problems: list[list[str]] = []

    def remains(self) -> dict[str, list[str]]:
        return {
            "machines": [name for _, name in self.instances],
            "disks": [name for _, name in self.disks],
            "addresses": [],  # ephemeral: there is none without its machine
        }

    def leave_disk(self, name: str) -> None:
        self._make_disk(ZONES[0], name, {"skyflow-owner": name.split("-")[1]}, users=[])

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        status, answer = self._answer(environ, body)
        start(f"{status} X", [("Content-Type", "application/json; charset=UTF-8")])
        return [json.dumps(answer).encode()]

    def _answer(self, environ: dict[str, Any], body: bytes) -> tuple[int, Any]:
        verb, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path == "/token":
            return 200, {"access_token": "ya29.test", "expires_in": 3600, "token_type": "Bearer"}
        if not environ.get("HTTP_AUTHORIZATION", "").startswith("Bearer "):  # ours, or a JWT that the SDK signed itself
            return 401, Refused(401, "authError", "Invalid Credentials").body
        if path.endswith(":testIamPermissions"):
            return 200, {"permissions": [each for each in json.loads(body)["permissions"] if each not in self.denied]}
        found = self._contract.find(verb, path)
        if found is None:
            return 404, "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>"
        method, named = found
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        asked = json.loads(body) if body else None
        faults = self._contract.faults_of_request(method, named, query, asked)
        if faults:
            self.problems.append(faults)
            return 400, Refused(400, "badRequest", f"Invalid JSON payload received. {'; '.join(faults)}").body
        handler = getattr(self, "_" + re.sub(r"[A-Z.]", lambda each: "_" + each[0].lower().strip("."), method), None)
        if handler is None:
            return 501, Refused(501, "notImplemented", f"{method} is not modelled").body
        try:
            with self._lock:
                answer = self._once(method, named, query, lambda: handler(named, query, asked))
                answer = json.loads(json.dumps(answer))
        except Refused as refused:
            return refused.status, refused.body
        faults = self._contract.faults_of_answer(method, answer)
        if faults:
            self.problems.append(faults)
            return 500, Refused(500, "broken", f"THE TEST SERVER BREAKS THE CONTRACT: {'; '.join(faults)}").body
        return 200, answer

    def _once(self, method: str, named: dict[str, str], query: dict[str, str], call: Callable[[], Any]) -> Any:
        """Answer a request whose id was seen with what it was answered before."""
        request_id = query.get("requestId")
        if request_id is None:
            return call()
        if not _UUID.fullmatch(request_id):
            raise Refused(400, "invalid", f"Invalid value for field 'requestId': '{request_id}'.")
        key = (method, *sorted(named.values()), request_id)
        if key not in self.requests:
            self.requests[key] = call()
        return self.requests[key]

    # ------------------------------------------------------------------------------------------ instances and disks

    def _instances_insert(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        zone, name = named["zone"], asked.get("name", "")
        if not re.fullmatch(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?", name):
            raise Refused(400, "invalid", f"Invalid value for field 'resource.name': '{name}'.")
        for wanted in ("disks", "networkInterfaces"):
            if not asked.get(wanted):
                raise Refused(
                    400, "invalid", f"Invalid value for field 'resource.{wanted}': ''. At least one is needed."
                )
        scheduling = asked.get("scheduling", {})
        if scheduling.get("provisioningModel") == "SPOT" and scheduling.get("automaticRestart"):
            raise Refused(400, "invalid", "Scheduling must have automaticRestart be false when preemptible is true.")
        if not 30 <= int(scheduling.get("maxRunDuration", {}).get("seconds", 30)) <= 120 * 86_400:
            raise Refused(400, "invalid", "maxRunDuration must be between 30 seconds and 120 days.")
        if asked["networkInterfaces"][0].get("network", "").rpartition("/")[2] not in self.networks:
            raise Refused(404, "notFound", "The referenced network resource cannot be found.")
        kind = self._offered_type(zone, asked)
        if (zone, name) in self.instances:
            raise Refused(
                409, "alreadyExists", f"The resource 'projects/{PROJECT}/zones/{zone}/instances/{name}' already exists"
            )
        operation = self._operation("insert", zone, f"instances/{name}")
        if self.failing:
            self._after(operation, None, error=self.failing.pop(0))
        elif self.capacity.get((zone, kind), 1) <= 0:
            message = f"The zone '{zone}' does not have enough resources available to fulfill the request."
            self._after(operation, None, error={"code": "ZONE_RESOURCE_POOL_EXHAUSTED", "message": message})
        else:
            self.instances[zone, name] = self._new_instance(zone, name, asked)
            self._after(operation, lambda: self._run(zone, name))
        return operation

    def _offered_type(self, zone: str, asked: Any) -> str:
        kind = str(asked["machineType"].rpartition("/")[2])
        if (zone, kind) in self.not_offered:
            message = f"Machine type with name '{kind}' does not exist in zone '{zone}'."
            raise Refused(400, "invalid", f"Invalid value for field 'resource.machineType': '{kind}'. {message}")
        return kind

    def _new_instance(self, zone: str, name: str, asked: Any) -> dict[str, Any]:
        for disk in asked["disks"]:
            self._make_disk(zone, name, disk["initializeParams"].get("labels", {}), users=[name])
        card = asked["networkInterfaces"][0]
        metadata = {each["key"]: each["value"] for each in asked.get("metadata", {}).get("items", ())}
        self.scripts[name] = metadata.get("startup-script", "")
        return {
            "kind": "compute#instance",
            "id": str(next(self._numbers)),
            "creationTimestamp": _now(),
            "name": name,
            "zone": f"{_LINK}projects/{PROJECT}/zones/{zone}",
            "machineType": f"{_LINK}projects/{PROJECT}/{asked['machineType']}",
            "status": "PROVISIONING",
            "labels": asked.get("labels", {}),
            "scheduling": asked.get("scheduling", {}),
            "networkInterfaces": [{"name": "nic0", "network": card["network"], "networkIP": "10.128.0.2"}],
        }

    def preempt(self, zone: str, name: str) -> None:
        """Take a spot machine away, as Google does: stopped, and then deleted, for so it was asked."""
        with self._lock:
            self._end(zone, name)
            self._operation("compute.instances.preempted", zone, f"instances/{name}")["status"] = "DONE"

    def _end(self, zone: str, name: str) -> None:
        with self._lock:
            if self.machines is not None:
                self.machines.stop(name)
            self.instances.pop((zone, name), None)
            self.disks.pop((zone, name), None)

    def _run(self, zone: str, name: str) -> None:
        instance = self.instances.get((zone, name))
        if instance is not None and instance["status"] == "PROVISIONING":
            instance["status"] = "RUNNING"
            card = instance["networkInterfaces"][0]
            address = self._boot(zone, name)
            card["accessConfigs"] = [{"name": "External NAT", "type": "ONE_TO_ONE_NAT", "natIP": address}]
            if self.machines is not None:
                card["networkIP"] = address

    def _boot(self, zone: str, name: str) -> str:
        if self.machines is None:
            return "192.0.2.7"
        return self.machines.start(name, self.scripts.get(name, ""), on_end=lambda: self._end(zone, name))

    def _instances_get(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return self._known(self.instances, named["zone"], named["instance"], "instances")

    def _instances_delete(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        zone, name = named["zone"], named["instance"]
        self._known(self.instances, zone, name, "instances")["status"] = "STOPPING"

        return self._after(self._operation("delete", zone, f"instances/{name}"), lambda: self._end(zone, name))

    def _instances_aggregated_list(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return self._aggregated("instances", "compute#instanceAggregatedList", self.instances, query)

    def _disks_aggregated_list(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return self._aggregated("disks", "compute#diskAggregatedList", self.disks, query)

    def _disks_delete(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        zone, name = named["zone"], named["disk"]
        if self._known(self.disks, zone, name, "disks").get("users"):
            raise Refused(400, "resourceInUseByAnotherResource", f"The disk resource '{name}' is already being used")
        return self._after(self._operation("delete", zone, f"disks/{name}"), lambda: self.disks.pop((zone, name), None))

    def _make_disk(self, zone: str, name: str, labels: dict[str, str], *, users: list[str]) -> None:
        self.disks[zone, name] = {
            "kind": "compute#disk",
            "id": str(next(self._numbers)),
            "creationTimestamp": "2026-01-01T00:00:00.000-07:00",
            "name": name,
            "labels": labels,
            "users": [f"{_LINK}projects/{PROJECT}/zones/{zone}/instances/{each}" for each in users],
            "zone": f"{_LINK}projects/{PROJECT}/zones/{zone}",
        }

    # -------------------------------------------------------------------------------------- networks, regions, project

    def _networks_get(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return self._named(self.networks, named["network"], "networks")

    def _networks_insert(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return self._insert_global(self.networks, "networks", asked)

    def _networks_delete(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return self._delete_global(self.networks, "networks", named["network"])

    def _firewalls_get(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return self._named(self.firewalls, named["firewall"], "firewalls")

    def _firewalls_insert(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return self._insert_global(self.firewalls, "firewalls", asked)

    def _firewalls_delete(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return self._delete_global(self.firewalls, "firewalls", named["firewall"])

    def _firewalls_list(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return {"kind": "compute#firewallList", "items": list(self.firewalls.values())}

    def _regions_get(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        if named["region"] not in REGIONS:
            raise Refused(404, "notFound", f"The resource 'projects/{PROJECT}/regions/{named['region']}' was not found")
        return {
            "kind": "compute#region",
            "name": named["region"],
            "zones": [f"{_LINK}projects/{PROJECT}/zones/{zone}" for zone in REGIONS[named["region"]]],
            "quotas": [
                {"metric": "CPUS", "limit": 24.0, "usage": 2.0},
                {"metric": "PREEMPTIBLE_CPUS", "limit": 0.0, "usage": 0.0},
            ],
        }

    def _projects_get(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return {
            "kind": "compute#project",
            "name": named["project"],
            "quotas": [{"metric": "GPUS_ALL_REGIONS", "limit": 0.0, "usage": 0.0}],
        }

    def _zone_operations_get(self, named: dict[str, str], query: dict[str, str], asked: Any) -> Any:
        return self._named(self.operations, named["operation"], "operations")

    _global_operations_get = _zone_operations_get

    # ----------------------------------------------------------------------------------------------------- all of them

    def _operation(self, kind: str, zone: str | None, target: str) -> dict[str, Any]:
        number = next(self._numbers)
        where = f"zones/{zone}" if zone else "global"
        operation = {
            "kind": "compute#operation",
            "id": str(number),
            "name": f"operation-{number:x}",
            "operationType": kind,
            "status": "RUNNING",
            "targetLink": f"{_LINK}projects/{PROJECT}/{where}/{target}",
            **({"zone": f"{_LINK}projects/{PROJECT}/zones/{zone}"} if zone else {}),
        }
        self.operations[operation["name"]] = operation
        return operation

    def _after(self, operation: dict[str, Any], effect: Callable[[], object] | None, *, error: Any = None) -> Any:
        operations = self.operations

        def finish() -> None:
            with self._lock:
                if self.operations is not operations:  # the account has been emptied since
                    return
                if effect is not None:
                    effect()
                operation["status"] = "DONE"
                if error is not None:
                    operation.update(
                        error={"errors": [error]}, httpErrorStatusCode=503, httpErrorMessage="SERVICE UNAVAILABLE"
                    )

        threading.Timer(OPERATION_SECONDS, finish).start()
        return operation

    def _insert_global(self, table: dict[str, Any], kind: str, asked: Any) -> Any:
        name = asked["name"]
        if name in table:
            raise Refused(
                409, "alreadyExists", f"The resource 'projects/{PROJECT}/global/{kind}/{name}' already exists"
            )
        table[name] = asked
        return self._after(self._operation("insert", None, f"{kind}/{name}"), None)

    def _delete_global(self, table: dict[str, Any], kind: str, name: str) -> Any:
        self._named(table, name, kind)
        return self._after(self._operation("delete", None, f"{kind}/{name}"), lambda: table.pop(name, None))

    def _aggregated(self, key: str, kind: str, table: dict[tuple[str, str], Any], query: dict[str, str]) -> Any:
        items: dict[str, Any] = {}
        for (zone, _), each in table.items():
            if _matches(each, query.get("filter", "")):
                items.setdefault(f"zones/{zone}", {key: []})[key].append(each)
        for zone in itertools.chain(*REGIONS.values()):
            warning = {
                "code": "NO_RESULTS_ON_PAGE",
                "message": f"There are no results for scope 'zones/{zone}' on this page.",
            }
            items.setdefault(f"zones/{zone}", {"warning": warning})
        return {"kind": kind, "id": f"projects/{PROJECT}/aggregated/{key}", "items": items}

    def _known(self, table: dict[tuple[str, str], Any], zone: str, name: str, kind: str) -> Any:
        if (zone, name) not in table:
            raise Refused(
                404, "notFound", f"The resource 'projects/{PROJECT}/zones/{zone}/{kind}/{name}' was not found"
            )
        return table[zone, name]

    def _named(self, table: dict[str, Any], name: str, kind: str) -> Any:
        if name not in table:
            raise Refused(404, "notFound", f"The resource 'projects/{PROJECT}/global/{kind}/{name}' was not found")
        return table[name]


def _matches(item: dict[str, Any], wanted: str) -> bool:
    """Tell whether an item passes a filter of one condition: `name = "x"`, `labels.a = "x"`, `labels.a:*`."""
    if not wanted:
        return True
    found = re.fullmatch(r'(name|labels\.[\w-]+)(:\*| = "([^"]*)")', wanted)
    if found is None:
        raise Refused(400, "invalid", f"Invalid value for field 'filter': '{wanted}'. Invalid list filter expression.")
    field, _, label = found[1].partition(".")
    value = item.get(field, {}).get(label) if label else item.get(field)
    return value is not None if found[2] == ":*" else value == found[3]


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")


def name_call(environ: dict[str, Any], body: bytes) -> str:
    """Name a call."""
    verb, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if "/operations/" in path:
        return "poll"
    if "/instances" not in path:
        return path.rpartition("/")[2]
    return {"POST": "create", "DELETE": "delete", "GET": "describe"}[verb]
