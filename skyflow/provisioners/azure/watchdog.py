"""The identity with which machines may delete themselves.

Azure has no time limit for a machine, and one that shuts itself down is still paid for. So `skyflow cloud init azure`
makes an identity whose only right is to delete what is in our resource group, and every machine is given it. To give
rights away takes the right to do so (Owner, or User Access Administrator); without it there is no identity, `skyflow cloud
check azure` says so, and what a dead driver leaves behind waits for `skyflow gc`.
"""

import uuid

from skyflow.model.machines import FailureKind
from skyflow.ports.provisioner import CloudError, Say
from skyflow.provisioners.azure.session import AzureSession

__all__ = ["find_watchdog", "make_watchdog", "remove_watchdog"]

_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_NAME = "skyflow-watchdog"
_NAMESPACE = uuid.UUID("0b5cdd4e-4f43-5f0c-9a53-5d2c3bb1f0a2")
_ACTIONS = [
    "Microsoft.Compute/virtualMachines/read",
    "Microsoft.Compute/virtualMachines/delete",
    "Microsoft.Compute/disks/delete",
    "Microsoft.Network/networkInterfaces/delete",
    "Microsoft.Network/publicIPAddresses/delete",
]


def find_watchdog(session: AzureSession) -> tuple[str, str] | None:
    """Return the id and the client id of the identity, or None if there is none that has its rights."""
    identity = session.id_of(_IDENTITIES, _NAME)
    found = session.get(identity)
    if found is None or session.get(_assignment(session)) is None:
        return None
    return identity, found["properties"]["clientId"]


def make_watchdog(session: AzureSession, region: str, say: Say) -> bool:
    """Make the identity, its role and the assignment; False where that is refused."""
    try:
        identity = session.put(session.id_of(_IDENTITIES, _NAME), {"location": region})
        role = _role(session)
        session.put(
            role,
            {
                "properties": {
                    "roleName": f"skyflow watchdog ({session.group}, {session.subscription})",
                    "description": "Machines of skyflow delete themselves with it.",
                    "type": "CustomRole",
                    "permissions": [{"actions": _ACTIONS, "notActions": []}],
                    "assignableScopes": [session.group_id],
                }
            },
        )
        if session.get(_assignment(session)) is None:
            session.put(
                _assignment(session),
                {
                    "properties": {
                        "roleDefinitionId": role,
                        "principalId": identity["properties"]["principalId"],
                        "principalType": "ServicePrincipal",
                    }
                },
            )
    except CloudError as error:
        if error.kind is not FailureKind.AUTH:
            raise
        say(f"warning: machines will not be able to delete themselves: {error.message}")
        return False
    say(f"identity {_NAME}: machines delete themselves when skyflow is silent")
    return True


def remove_watchdog(session: AzureSession, say: Say) -> None:
    """Remove the assignment, the role and the identity."""
    session.delete(_assignment(session))
    session.delete(_role(session))
    if session.delete(session.id_of(_IDENTITIES, _NAME)):
        say(f"identity {_NAME} removed")


def _role(session: AzureSession) -> str:
    name = uuid.uuid5(_NAMESPACE, f"role {session.group_id}")
    return f"{session.group_id}/providers/Microsoft.Authorization/roleDefinitions/{name}"


def _assignment(session: AzureSession) -> str:
    name = uuid.uuid5(_NAMESPACE, f"assignment {session.group_id}")
    return f"{session.group_id}/providers/Microsoft.Authorization/roleAssignments/{name}"
