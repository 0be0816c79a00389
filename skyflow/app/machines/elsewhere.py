"""The places of a run beside this machine: what `--host` names, the project's own pools, and rented machines."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from skyflow.app.clock import SystemClock
from skyflow.app.machines.clouds import open_cloud, open_journal
from skyflow.app.machines.hosts import (
    boot_patience,
    link_patience,
    longest_silence,
    pool_places,
    rooms_on,
    transport_to,
)
from skyflow.app.machines.live_plan import RENTED, LivePlan, StoredPlanner
from skyflow.app.machines.pools import pools_of
from skyflow.app.market.config import project_config
from skyflow.app.planning.host_options import HostSlots
from skyflow.app.project import Project
from skyflow.model.config import OwnPool
from skyflow.model.layout import RunFolder
from skyflow.model.machines import MachineRecord
from skyflow.model.placement import Plan
from skyflow.model.run import RunId, RunRecord
from skyflow.model.workflow import Workflow
from skyflow.ports.clock import Waiter
from skyflow.ports.transport import Transport
from skyflow.runners.gang import GangRunner
from skyflow.runners.local.runner import LocalRunner
from skyflow.runners.places import Place
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.runner import RemoteRunner
from skyflow.runners.router import RunnerRouter
from skyflow.store.lease import is_leased
from skyflow.store.store import Store

__all__ = ["follow_plan", "router_to"]

_NO_CONFIG = Path("/dev/null")
"""What `~/.ssh/config` says is about the user's own machines."""
_MOST_PATIENCE_SECONDS = 120.0
"""How long a rented machine may be out of reach that its cloud says is well."""


def follow_plan(
    plan: Plan | None,
    workflow: Workflow,
    callees: Mapping[str, Workflow],
    *,
    store: Store,
    run: RunRecord,
    given: Sequence[HostSlots],
    project: Project,
) -> LivePlan:
    """Return the plan of a run as it will change while the run is driven; `given` is what `--host` names."""
    clock = SystemClock()
    planner = StoredPlanner(
        store, run, (workflow, callees), project=project, journal=open_journal(project), clock=clock
    )
    return LivePlan(
        plan,
        workflow,
        callees,
        rooms=lambda now: rooms_on(given, pools_of(now, project), now),
        planner=planner,
        clock=clock,
    )


def router_to(
    plan: LivePlan,
    here: LocalRunner,
    *,
    given: Sequence[HostSlots],
    pools: Mapping[str, OwnPool],
    run: RunId,
    project: Project,
    folder: RunFolder,
    masks: tuple[str, ...],
    keep_seconds: float = 0.0,
) -> RunnerRouter:
    """Return the runner of a run that has jobs on other machines.

    Args:
        plan: where each job is placed.
        here: the runner of this machine.
        given: what `--host` names.
        pools: the pool of each job that is placed on one.
        run: the run.
        project: its project.
        folder: its folder.
        masks: texts to hide.
        keep_seconds: so long rented machines stay after their jobs.

    Raises:
        UsageError: a variable of the environment is wrong.
    """
    clock = SystemClock()

    runner = partial(
        RemoteRunner,
        run=run,
        folder=folder,
        tools=project.state.root / "tools",
        workspace=project.root,
        clock=clock,
        masks=masks,
        log_limit_bytes=project_config(project.root).log_limit_bytes,
    )
    if plan.rents:  # what is planned anew may come to any pool
        pools = {
            **pools,
            **{pool.name: pool for pool in project_config(project.root).pools if pool.hosts or pool.slurm is not None},
        }
    places: dict[str, Place] = pool_places(given, pools, runner, nodes_of=plan.nodes_of, folder=folder, clock=clock)
    for pool in {pool.name: pool for pool in pools.values() if pool.slurm is not None}.values():
        from skyflow.app.machines.slurm import slurm_place  # noqa: PLC0415 -- few runs need it

        places[pool.name] = slurm_place(pool, plan, runner, run=run, folder=folder, clock=clock)
    if plan.rents:
        places[RENTED] = _rented(
            plan, runner, run=run, project=project, folder=folder, clock=clock, keep_seconds=keep_seconds
        )
    return RunnerRouter(here, places=places, place_of=plan.place_of, folder=folder, clock=clock)


def _rented(
    plan: LivePlan,
    runner: Callable[[HostLink], RemoteRunner],
    *,
    run: RunId,
    project: Project,
    folder: RunFolder,
    clock: Waiter,
    keep_seconds: float,
) -> Place:
    from skyflow.app.machines.machine_keys import MachineKeys  # noqa: PLC0415 -- start-up
    from skyflow.app.machines.rented.place import RentedMachines  # noqa: PLC0415
    from skyflow.app.machines.rented.rental import Inquiry, Makes, Times  # noqa: PLC0415
    from skyflow.app.machines.sweeper import sweep_clouds  # noqa: PLC0415
    from skyflow.provisioners.fleet import Fleet  # noqa: PLC0415

    journal = open_journal(project)
    patience = min(link_patience(), _MOST_PATIENCE_SECONDS)

    def sweep(records: Sequence[MachineRecord]) -> object:
        idle = [each for each in records if not is_leased(project.state.run(RunId(each.run)))]
        left = {each.offering.provider for each in idle if not each.is_kept(clock.now())}
        return sweep_clouds(project, clock, providers=sorted(left)) if left else None

    def runner_on(transport: Transport, find_out: Inquiry) -> RemoteRunner:
        return runner(HostLink(transport, clock=clock, patience_seconds=patience, find_out=find_out))

    return RentedMachines(
        run=run,
        folder=folder,
        plan=plan,
        journal=journal,
        keys=MachineKeys(project.state),
        makes=Makes(
            fleet=lambda provider: Fleet(open_cloud(provider, clock).provisioner, journal, clock),
            transport=partial(transport_to, config=_NO_CONFIG),
            runner=runner_on,
            gang=partial(GangRunner, folder=folder, clock=clock),
            sweep=sweep,
        ),
        clock=clock,
        times=Times(
            boot_within=boot_patience(),
            silence=longest_silence(),
            idle=60 * project_config(project.root).idle_minutes,
            keep=keep_seconds,
        ),
    )
