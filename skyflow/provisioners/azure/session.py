"""One subscription of Azure: credentials as azure-identity finds them, the SDK's client, and plain requests to its API."""

import logging
import os
import threading
from typing import Any

from azure.core.rest import HttpRequest
from azure.identity import DefaultAzureCredential
from azure.mgmt.compute import ComputeManagementClient

from skyflow.model.machines import FailureKind, Scope
from skyflow.ports.clock import Waiter
from skyflow.ports.provisioner import CloudError
from skyflow.provisioners.azure.errors import AZURE_FAILURES, NOT_FOUND, translated

__all__ = ["API_VERSIONS", "POLL_SECONDS", "AzureSession"]

API_VERSIONS = {
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.Compute": "2024-07-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.Network": "2023-09-01",
    "Microsoft.Resources": "2022-09-01",
}
"""What plain requests ask for; the SDK's client knows its own versions."""
POLL_SECONDS = 2.0
"""How often an operation is asked about."""
logging.getLogger("azure").addHandler(logging.NullHandler())  # it would print pages about logins that it did not find
_ENDPOINT = "SKYFLOW_AZURE_ENDPOINT"
_GROUP = "SKYFLOW_AZURE_RESOURCE_GROUP"
_DEFAULT_GROUP = "skyflow"
_OPERATION_SECONDS = 900.0
_CONNECT_SECONDS = 5.0
_BAD_REQUEST = 400
_NO_CONTENT = 204


class AzureSession:
    """A client that tries once, and the names that everything hangs on.

    `AZURE_SUBSCRIPTION_ID` names the subscription, if the credentials lead to several; `SKYFLOW_AZURE_RESOURCE_GROUP`
    the resource group, `skyflow` by default; `SKYFLOW_AZURE_ENDPOINT` another Resource Manager.
    """

    def __init__(self, clock: Waiter, *, read_seconds: float = 60.0) -> None:
        self.clock = clock
        self.group = os.environ.get(_GROUP) or _DEFAULT_GROUP
        self._options: dict[str, Any] = {"connection_timeout": _CONNECT_SECONDS, "read_timeout": read_seconds}
        self._client: ComputeManagementClient | None = None
        self._subscription = os.environ.get("AZURE_SUBSCRIPTION_ID", "")
        self._lock = threading.RLock()

    @property
    def subscription(self) -> str:
        """The id of the subscription.

        Raises:
            CloudError: there are no credentials, or they lead to none or to several and none is named.
        """
        with self._lock:
            if not self._subscription:
                with translated():
                    found = self._send(self._make_client("none"), "GET", "/subscriptions?api-version=2022-12-01")
                names = [each["subscriptionId"] for each in (found or {}).get("value", ())]
                if len(names) != 1:
                    raise CloudError(
                        f"azure: the credentials lead to {len(names) or 'no'} subscriptions",
                        kind=FailureKind.AUTH,
                        code="NoSubscription",
                        scope=Scope.CLOUD,
                        hint="set AZURE_SUBSCRIPTION_ID to the one to use",
                    )
                self._subscription = names[0]
            return self._subscription

    @property
    def client(self) -> ComputeManagementClient:
        """The SDK's client."""
        with self._lock:
            if self._client is None:
                self._client = self._make_client(self.subscription)
            return self._client

    @property
    def group_id(self) -> str:
        """The id of the resource group that holds everything of ours."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    def id_of(self, kind: str, name: str) -> str:
        """Return the id of something in our group; `kind` is for example `Microsoft.Network/virtualNetworks`."""
        return f"{self.group_id}/providers/{kind}/{name}"

    def get(self, path: str) -> Any:
        """Return a resource, or None if it does not exist."""
        try:
            return self.request("GET", path)
        except CloudError as error:
            if error.code in NOT_FOUND:
                return None
            raise

    def put(self, path: str, body: Any) -> Any:
        """Make or change a resource, and wait until it is as asked for."""
        self.request("PUT", path, body)
        deadline = self.clock.monotonic() + _OPERATION_SECONDS
        while self.clock.monotonic() < deadline:
            found = self.get(path) or {}
            state = found.get("properties", {}).get("provisioningState", "Succeeded")
            if state == "Succeeded":
                return found
            if state in {"Failed", "Canceled"}:
                raise AZURE_FAILURES.error("ProvisioningFailed", f"{path.rpartition('/')[2]} is {state}")
            self.clock.sleep(POLL_SECONDS)
        raise _too_long(path)

    def delete(self, path: str) -> bool:
        """Remove a resource and wait until it is gone; tell whether it was there."""
        if self.get(path) is None:
            return False
        self.request("DELETE", path)
        deadline = self.clock.monotonic() + _OPERATION_SECONDS
        while self.clock.monotonic() < deadline:
            if self.get(path) is None:
                return True
            self.clock.sleep(POLL_SECONDS)
        raise _too_long(path)

    def request(self, verb: str, path: str, body: Any = None) -> Any:
        """Send a plain request and return its answer; without a version in it, the path gets that of its provider."""
        if "api-version=" not in path:
            _, _, provider = path.rpartition("/providers/")
            known = provider.partition("/")[0] if "/providers/" in path else "Microsoft.Resources"
            path = f"{path}{'&' if '?' in path else '?'}api-version={API_VERSIONS[known]}"
        client = self.client
        with translated():
            return self._send(client, verb, path, body)

    def _send(self, client: ComputeManagementClient, verb: str, path: str, body: Any = None) -> Any:
        answer = client.send_request(HttpRequest(verb, path, json=body))
        if answer.status_code < _BAD_REQUEST:
            return None if answer.status_code == _NO_CONTENT or not answer.content else answer.json()
        said = answer.json().get("error", {}) if "json" in answer.headers.get("Content-Type", "") else {}
        raise AZURE_FAILURES.error(
            said.get("code", str(answer.status_code)), said.get("message", answer.reason), status=answer.status_code
        )

    def _make_client(self, subscription: str) -> ComputeManagementClient:
        endpoint = os.environ.get(_ENDPOINT)
        options = self._options | ({"base_url": endpoint} if endpoint else {})
        with translated():
            return ComputeManagementClient(DefaultAzureCredential(), subscription, retry_total=0, **options)


def _too_long(path: str) -> CloudError:
    return CloudError(
        f"azure: {path.rpartition('/')[2]} is not ready after {_OPERATION_SECONDS / 60:.0f} minutes",
        kind=FailureKind.TRANSIENT,
        code="OperationTimeout",
        is_ambiguous=True,
    )
