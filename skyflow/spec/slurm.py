"""What `skyflow.yml` says about a Slurm cluster, and where it says it."""

from dataclasses import replace

from skyflow.model.resources import parse_count
from skyflow.model.slurm import SlurmQueue
from skyflow.spec.hosts import Said, read_host
from skyflow.spec.nodes import Node, ScalarNode
from skyflow.spec.quantities import read_list, read_quantity
from skyflow.spec.reading import Fields, Reading

__all__ = ["read_slurm"]


def read_slurm(reading: Reading, key: ScalarNode, fields: Fields, *, kind: str, common: Said) -> SlurmQueue | None:
    """Return the queue that machines of the kind `slurm` stand for; None for others.

    Args:
        reading: the file.
        key: the name of the machines.
        fields: what is said about them; `slurm` is taken.
        kind: what they are.
        common: what `ssh` says of all hosts.
    """
    node = fields.take("slurm")
    if kind != "slurm":
        if node is not None:
            message = f"'{key.key}' is no Slurm partition"
            reading.findings.error("pool-slurm", node.span, message, hint="write 'kind: slurm', or remove 'slurm'")
        return None
    own = reading.fields(node)
    said_at = {"kind": reading.at(key)}

    def take(name: str) -> Node | None:
        found = own.take(name)
        if found is not None:
            said_at[name] = reading.at(found)
        return found

    login_node = take("login")
    login = None if login_node is None else read_host(reading, login_node, common)
    default = SlurmQueue(name=key.key)
    if login is not None:
        default = replace(default, folder=login.folder, python=login.python)
    gres = reading.plain_text(take("gres"))
    return SlurmQueue(
        name=key.key,
        login=login,
        partition=reading.plain_text(take("partition")) or "",
        account=reading.plain_text(take("account")) or "",
        qos=reading.plain_text(take("qos")) or "",
        gres=default.gres if gres is None else gres,
        options=read_list(reading, take("options")),
        folder=reading.plain_text(take("folder")) or default.folder,
        python=reading.plain_text(take("python")) or default.python,
        array_from=read_quantity(reading, take("array-from"), parse_count) or default.array_from,
        most_queued=read_quantity(reading, take("most-queued"), parse_count) or default.most_queued,
        said_at=said_at,
    )
