"""The network that machines are attached to, and the firewall rules for them, which all stores of a project share."""

from google.cloud import compute_v1

from skyflow.model.machines import NAME_PREFIX
from skyflow.ports.provisioner import CloudError, Say
from skyflow.provisioners.gcp.errors import ALREADY_EXISTS, NOT_FOUND, translated
from skyflow.provisioners.gcp.launch import NODES_TAG, network_tag
from skyflow.provisioners.gcp.session import GcpSession

__all__ = ["choose_network", "ensure_firewall", "ensure_nodes_rule", "make_network", "remove_network"]

_OURS = "global/networks/skyflow"
_DEFAULT = "global/networks/default"
_SSH_PORT = 22


def choose_network(session: GcpSession) -> str | None:
    """Return the project's network `skyflow`, else `default`, else None."""
    networks = session.client(compute_v1.NetworksClient)
    for network in (_OURS, _DEFAULT):
        try:
            with translated():
                networks.get(project=session.project, network=network.rpartition("/")[2], **session.options)
        except CloudError as error:
            if error.code not in NOT_FOUND:
                raise
        else:
            return network
    return None


def ensure_firewall(session: GcpSession, network: str, ports: tuple[int, ...]) -> str:
    """Return the name of the rule that lets SSH, or these ports, in, making it if it is missing."""
    name = network_tag(ports)
    opened = sorted(set(ports) - {_SSH_PORT}) or [_SSH_PORT]
    rule = compute_v1.Firewall(
        name=name,
        description="made by skyflow",
        network=network,
        direction="INGRESS",
        source_ranges=["0.0.0.0/0"],
        target_tags=[name],
        allowed=[compute_v1.Allowed(I_p_protocol="tcp", ports=[str(port) for port in opened])],
    )
    _ensure(session, rule)
    return name


def ensure_nodes_rule(session: GcpSession, network: str) -> None:
    """Make the rule by which machines of one job reach one another at every port, if it is missing."""
    rule = compute_v1.Firewall(
        name=NODES_TAG,
        description="made by skyflow",
        network=network,
        direction="INGRESS",
        source_tags=[NODES_TAG],
        target_tags=[NODES_TAG],
        allowed=[compute_v1.Allowed(I_p_protocol="all")],
    )
    _ensure(session, rule)


def _ensure(session: GcpSession, rule: compute_v1.Firewall) -> None:
    firewalls = session.client(compute_v1.FirewallsClient)
    try:
        with translated():
            firewalls.get(project=session.project, firewall=rule.name, **session.options)
    except CloudError as error:
        if error.code not in NOT_FOUND:
            raise
    else:
        return
    try:
        with translated():
            operation = firewalls.insert_unary(project=session.project, firewall_resource=rule, **session.options)
        session.finish(operation)
    except CloudError as error:
        if error.code not in ALREADY_EXISTS:  # another process was faster
            raise


def make_network(session: GcpSession, say: Say) -> str:
    """Make the network `skyflow`, with a subnet in every region."""
    network = compute_v1.Network(name=NAME_PREFIX, description="made by skyflow", auto_create_subnetworks=True)
    try:
        with translated():
            operation = session.client(compute_v1.NetworksClient).insert_unary(
                project=session.project, network_resource=network, **session.options
            )
        session.finish(operation)
    except CloudError as error:
        if error.code not in ALREADY_EXISTS:
            raise
    say("network skyflow: a subnet in every region")
    return _OURS


def remove_network(session: GcpSession, say: Say) -> None:
    """Remove the firewall rules and the network that we made."""
    firewalls = session.client(compute_v1.FirewallsClient)
    with translated():
        rules = list(firewalls.list(project=session.project, **session.options))
    for rule in rules:
        if rule.name.startswith(("skyflow-ssh", "skyflow-ports-", NODES_TAG)) and rule.description == "made by skyflow":
            with translated():
                operation = firewalls.delete_unary(project=session.project, firewall=rule.name, **session.options)
            session.finish(operation)
            say(f"firewall rule {rule.name} removed")
    networks = session.client(compute_v1.NetworksClient)
    try:
        with translated():
            operation = networks.delete_unary(project=session.project, network=NAME_PREFIX, **session.options)
        session.finish(operation)
    except CloudError as error:
        if error.code not in NOT_FOUND:
            raise
    else:
        say("network skyflow removed")
