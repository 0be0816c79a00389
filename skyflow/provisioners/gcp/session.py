"""Clients of Compute Engine: credentials and project as google-auth finds them; and the operations that calls start.

The SDK's own operation objects poll through a client that ignores where ours was told to go, and keep their names to
themselves; so calls are made in their `_unary` form and operations are looked at here.
"""

import os
import threading
from typing import Any, TypeVar
from urllib.parse import urlsplit

import google.auth
from google.auth.transport.requests import AuthorizedSession
from google.cloud import compute_v1

from skyflow.model.machines import FailureKind, Scope
from skyflow.ports.clock import Waiter
from skyflow.ports.provisioner import CloudError
from skyflow.provisioners.gcp.errors import GCP_FAILURES, translated

__all__ = ["GcpSession"]

_ENDPOINT = "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"
_MANAGER_ENDPOINT = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER"
_MANAGER = "https://cloudresourcemanager.googleapis.com/"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_POLL_SECONDS = 1.0
_OPERATION_SECONDS = 600.0

T = TypeVar("T")


class GcpSession:
    """One project, and clients that try once.

    `CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE` leads to another endpoint, as for gcloud.
    """

    def __init__(self, clock: Waiter, *, read_seconds: float = 60.0) -> None:
        self._clock = clock
        self.options: dict[str, Any] = {"retry": None, "timeout": read_seconds}
        self._clients: dict[type[Any], Any] = {}
        self._found: tuple[Any, str | None] | None = None
        self._lock = threading.Lock()

    @property
    def project(self) -> str:
        """The project that the credentials or the environment name.

        Raises:
            CloudError: there are no credentials, or they name none.
        """
        project = self._credentials()[1]
        if not project:
            raise CloudError(
                "gcp: the credentials name no project",
                kind=FailureKind.AUTH,
                code="NoProject",
                scope=Scope.CLOUD,
                is_set_up=False,
                hint="set GOOGLE_CLOUD_PROJECT, or `gcloud config set project PROJECT`",
            )
        return project

    @property
    def account(self) -> str:
        """Who the credentials are, as far as they say."""
        credentials = self._credentials()[0]
        return str(getattr(credentials, "service_account_email", "") or getattr(credentials, "account", "") or "a user")

    def client(self, kind: type[T]) -> T:
        """Return the client of one kind of resource."""
        credentials = self._credentials()[0]
        with self._lock, translated():
            if kind not in self._clients:
                endpoint = os.environ.get(_ENDPOINT)
                options = {"api_endpoint": _origin(endpoint)} if endpoint else None
                make: Any = kind
                self._clients[kind] = make(credentials=credentials, client_options=options)
            found: T = self._clients[kind]
            return found

    def granted(self, permissions: list[str]) -> set[str]:
        """Return those of some permissions that the credentials have in the project."""
        project = self.project
        base = os.environ.get(_MANAGER_ENDPOINT) or _MANAGER
        with translated():
            make: Any = AuthorizedSession
            answer = make(self._credentials()[0]).post(
                f"{base.rstrip('/')}/v1/projects/{project}:testIamPermissions",
                json={"permissions": permissions},
                timeout=self.options["timeout"],
            )
        if answer.status_code != 200:  # noqa: PLR2004 -- OK
            said = answer.json().get("error", {}) if "json" in answer.headers.get("Content-Type", "") else {}
            reasons = [each["reason"] for each in said.get("details", ()) if "reason" in each]
            raise GCP_FAILURES.error(
                reasons[0] if reasons else said.get("status", str(answer.status_code)),
                said.get("message", answer.reason),
                status=answer.status_code,
            )
        return set(answer.json().get("permissions", ()))

    def finish(self, operation: compute_v1.Operation) -> None:
        """Wait for an operation.

        Raises:
            CloudError: it failed, or did not end in ten minutes.
        """
        deadline = self._clock.monotonic() + _OPERATION_SECONDS
        while operation.status != compute_v1.Operation.Status.DONE:
            if self._clock.monotonic() > deadline:
                raise CloudError(
                    f"gcp: operation {operation.name} did not end",
                    kind=FailureKind.TRANSIENT,
                    code="OperationTimeout",
                    is_ambiguous=True,
                )
            self._clock.sleep(_POLL_SECONDS)
            operation = self._look_again(operation)
        for error in operation.error.errors:
            raise GCP_FAILURES.error(error.code, error.message)

    def _look_again(self, operation: compute_v1.Operation) -> compute_v1.Operation:
        with translated():
            if operation.zone:
                zones = self.client(compute_v1.ZoneOperationsClient)
                zone = operation.zone.rpartition("/")[2]
                return zones.get(project=self.project, zone=zone, operation=operation.name, **self.options)
            everywhere = self.client(compute_v1.GlobalOperationsClient)
            return everywhere.get(project=self.project, operation=operation.name, **self.options)

    def _credentials(self) -> tuple[Any, str | None]:
        with self._lock, translated():
            if self._found is None:
                self._found = google.auth.default(scopes=[_SCOPE])
            return self._found


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
