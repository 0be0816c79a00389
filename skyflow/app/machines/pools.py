"""Which jobs of a plan run on the project's own machines, and which machines these are."""

from collections.abc import Mapping

from skyflow._util.text import did_you_mean
from skyflow.app.market.config import project_config
from skyflow.app.project import CONFIG_NAME, Project
from skyflow.errors import ProvisionError
from skyflow.model.config import OwnPool
from skyflow.model.placement import Plan
from skyflow.model.resources import OWN

__all__ = ["pools_of"]


def pools_of(plan: Plan | None, project: Project) -> Mapping[str, OwnPool]:
    """Return the pool of every job that is placed on one, by the key of the job, as `skyflow.yml` describes it now.

    Raises:
        ProvisionError: a pool has no hosts, or is not there any more.
        UsageError: the file cannot be read.
        WorkflowInvalidError: the file has errors.
    """
    placed = [each for each in (plan.placements if plan is not None else ()) if each.offering.provider == OWN]
    if not placed:
        return {}
    pools = {pool.name: pool for pool in project_config(project.root).pools}
    found = {}
    for each in placed:
        name = each.offering.region
        if name not in pools:
            raise ProvisionError(
                f"job '{each.job}' is planned on the machines '{name}', which {CONFIG_NAME} does not have any more",
                hint=did_you_mean(name, pools) or f"put them back into {CONFIG_NAME}",
            )
        found[each.job] = pools[name]
        if not pools[name].hosts and pools[name].slurm is None:
            raise ProvisionError(
                f"job '{each.job}' is planned on the machines '{name}', and {CONFIG_NAME} does not say how to reach them",
                hint=f"name them: `hosts: [node1, me@node2]` under 'machines.{name}'; "
                "`--on local` keeps jobs here that may run anywhere",
            )
    return found
