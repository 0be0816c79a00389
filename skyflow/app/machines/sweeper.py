"""Removes what exists in the clouds and nobody needs: `skyflow gc`.

What the clouds list comes first, our records second. A machine is removed and watched until it is gone; only then its
leftovers are looked for once more, for a disk is free only when its machine is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from skyflow.app.machines.clouds import CLOUDS, Asked, Cloud, ask_clouds, open_cloud, open_journal
from skyflow.app.machines.machine_keys import MachineKeys
from skyflow.app.project import Project
from skyflow.model.machines import Intent, Leftover, Machine, MachineRecord, MachineState
from skyflow.model.run import RunId
from skyflow.ports.clock import Waiter
from skyflow.ports.provisioner import CloudError, MachineJournal
from skyflow.provisioners.fleet import Patience, persist
from skyflow.provisioners.sweep import Sweep, Swept, plan_sweep
from skyflow.store.lease import is_leased

__all__ = ["GRACE", "SweepReport", "sweep_clouds"]

GRACE = timedelta(minutes=5)
"""So long after its creation nothing is removed, unless it was given back."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What was decided and done. `failed` has what could not be removed, and why."""

    decisions: tuple[Swept, ...]
    removed: tuple[Machine | Leftover, ...]
    failed: tuple[tuple[Machine | Leftover, str], ...]
    closed: tuple[str, ...]
    asked: Asked
    unreachable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    cloud: Cloud
    machines: Sequence[Machine]
    leftovers: Sequence[Leftover]


def sweep_clouds(
    project: Project,
    clock: Waiter,
    *,
    dry_run: bool = False,
    grace: timedelta = GRACE,
    owner: str | None = None,
    providers: Sequence[str] = CLOUDS,
    patience: Patience | None = None,
) -> SweepReport:
    """Remove machines, disks, addresses, keys and network cards of this store that nobody needs.

    Args:
        project: whose they are.
        clock: the time.
        dry_run: decide, and touch nothing.
        grace: so long after its creation nothing is touched.
        providers: the clouds to ask.
        owner: another store's name in the clouds, for example of one that was deleted; its records are not looked at.
        patience: how often and how long to try.

    Raises:
        UsageError: there is no such cloud.
    """
    patience = patience or Patience()
    if owner is None and not project.state.database.exists():
        return SweepReport((), (), (), (), Asked((), ()), ())
    journal = open_journal(project)
    mine = journal.known_owner()
    owner = owner or mine
    if owner is None:  # no machine was ever asked for: the clouds, and their SDKs, are left alone
        return SweepReport((), (), (), (), Asked((), ()), ())
    asked_at = clock.now()
    found, asked = ask_clouds(providers, lambda provider: _look(provider, owner, clock, patience))
    records = journal.records() if owner == mine else []  # read last: whatever was listed is written down by now
    rules = _Rules(
        owner=owner,
        grace=grace,
        records=records,
        driven=frozenset(each.run for each in records if is_leased(project.state.run(RunId(each.run)))),
        asked=asked,
    )
    plan = rules.plan(found, clock)
    unreachable = tuple(asked.missed(each for each in records if each.intent is not Intent.GONE))
    if dry_run:
        return SweepReport(plan.decisions, (), (), plan.closed, asked, unreachable)
    removed, failed, lost = _clear(plan, rules, found, clock, patience)
    for name in _close(
        journal, [each for each in records if each.intended_at <= asked_at], plan.closed, removed, clock
    ):
        MachineKeys(project.state).forget_host(name)
    return SweepReport(plan.decisions, removed, failed, plan.closed, asked, tuple(dict.fromkeys((*unreachable, *lost))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    owner: str
    grace: timedelta
    records: Sequence[MachineRecord]
    driven: frozenset[str]
    asked: Asked

    def plan(self, found: Mapping[str, _Found], clock: Waiter, *, gone: frozenset[str] = frozenset()) -> Sweep:
        return plan_sweep(
            [machine for each in found.values() for machine in each.machines],
            [leftover for each in found.values() for leftover in each.leftovers],
            self.records,
            listed=self.asked.answered,
            driven_runs=self.driven,
            owner=self.owner,
            now=clock.now(),
            grace=self.grace,
            removed=gone,
        )


def _look(provider: str, owner: str, clock: Waiter, patience: Patience) -> _Found:
    cloud = open_cloud(provider, clock)
    machines = persist(lambda: cloud.provisioner.machines(owner), clock=clock, patience=patience)
    leftovers = persist(lambda: cloud.provisioner.leftovers(owner), clock=clock, patience=patience)
    return _Found(cloud, machines, leftovers)


def _clear(
    plan: Sweep, rules: _Rules, found: Mapping[str, _Found], clock: Waiter, patience: Patience
) -> tuple[tuple[Machine | Leftover, ...], tuple[tuple[Machine | Leftover, str], ...], list[str]]:
    """Remove what is to go, and then what was free only when its machine was gone.

    Returns:
        What was removed, what could not be and why, and the clouds that do not answer any more.
    """
    doomed = [each.subject for each in plan.decisions if each.goes]
    removed, failed = _remove(doomed, found, clock, patience)
    gone = frozenset(each.name for each in removed)
    again, lost = _look_again(found, rules.owner, gone, clock, patience)
    freed = [each.subject for each in rules.plan(again, clock, gone=gone).decisions if each.goes]
    freed = [each for each in freed if isinstance(each, Leftover) and each not in doomed]
    more, more_failed = _remove(freed, again, clock, patience)
    return (*removed, *more), (*failed, *more_failed), lost


def _look_again(
    found: Mapping[str, _Found], owner: str, gone: frozenset[str], clock: Waiter, patience: Patience
) -> tuple[dict[str, _Found], list[str]]:
    """Return what is left over now that the machines are gone, and the clouds that do not answer any more."""
    again: dict[str, _Found] = {}
    lost: list[str] = []
    for provider, before in found.items():
        look = partial(before.cloud.provisioner.leftovers, owner)
        try:
            leftovers = persist(look, clock=clock, patience=patience)
        except CloudError:
            lost.append(provider)
        else:
            rest = [each for each in before.machines if each.name not in gone]
            again[provider] = _Found(before.cloud, rest, leftovers)
    return again, lost


def _remove(
    doomed: Sequence[Machine | Leftover], found: Mapping[str, _Found], clock: Waiter, patience: Patience
) -> tuple[list[Machine | Leftover], list[tuple[Machine | Leftover, str]]]:
    removed: list[Machine | Leftover] = []
    failed: list[tuple[Machine | Leftover, str]] = []
    started: list[Machine] = []
    for subject in doomed:
        cloud = found[subject.provider].cloud.provisioner
        try:
            if isinstance(subject, Machine):
                persist(partial(cloud.terminate, subject), clock=clock, patience=patience)
                started.append(subject)
            else:
                persist(partial(cloud.remove, subject), clock=clock, patience=patience)
                removed.append(subject)
        except CloudError as error:
            failed.append((subject, error.message))
    for machine in started:
        why = _watch(machine, found[machine.provider].cloud, clock, patience)
        if why is None:
            removed.append(machine)
        else:
            failed.append((machine, why))
    return removed, failed


def _watch(machine: Machine, cloud: Cloud, clock: Waiter, patience: Patience) -> str | None:
    """Wait until a machine is gone; return what is wrong if it is not."""
    deadline = clock.monotonic() + patience.end_within
    try:
        while clock.monotonic() < deadline:
            now = persist(lambda: cloud.provisioner.describe(machine), clock=clock, patience=patience)
            if now is None or now.state is MachineState.GONE:
                return None
            clock.sleep(patience.poll)
    except CloudError as error:
        return error.message
    return f"it was told to go, and is still there after {patience.end_within:.0f} s; the next sweep looks again"


def _close(
    journal: MachineJournal,
    records: Sequence[MachineRecord],
    closed: Collection[str],
    removed: Sequence[Machine | Leftover],
    clock: Waiter,
) -> list[str]:
    """Write down what is gone, and return the names of these machines."""
    gone = {each.name for each in removed if isinstance(each, Machine)}
    over = [record for record in records if record.name in gone or record.name in closed]
    for record in over:
        why = "removed by gc" if record.name in gone else record.detail or "no cloud knows it"
        journal.gone(record.name, clock.now() if record.name in gone else record.paid_until(clock.now()), why)
    return [record.name for record in over]
