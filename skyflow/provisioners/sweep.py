"""The sweeper: what stays, what goes, and why. The decision is a pure function; nothing without our tags ever reaches it.

What the clouds list comes first, then our own records: a machine that nobody wrote down is found all the same, and a
record that no cloud knows of is closed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from skyflow.model.machines import Intent, Leftover, Machine, MachineRecord, MachineState, machine_in_name

__all__ = ["Sweep", "Swept", "plan_sweep"]


@dataclass(frozen=True, slots=True)
class Swept:
    """One decision: what it is about, whether it goes, and why."""

    subject: Machine | Leftover
    goes: bool
    why: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """All decisions, and the names of records that nothing exists for any more."""

    decisions: tuple[Swept, ...]
    closed: tuple[str, ...]


def plan_sweep(
    machines: Sequence[Machine],
    leftovers: Sequence[Leftover],
    records: Sequence[MachineRecord],
    *,
    listed: Collection[str],
    driven_runs: Collection[str],
    owner: str,
    now: datetime,
    grace: timedelta,
    removed: Collection[str] = frozenset(),
) -> Sweep:
    """Decide what goes.

    Args:
        machines: what the clouds list of ours.
        leftovers: what belongs to no machine.
        records: what the journal has, all of it.
        listed: the clouds that could be asked; only of these a record is closed.
        driven_runs: the runs that a living process drives.
        owner: whose machines these have to be; anything else stays, whoever listed it.
        now: the time.
        grace: so long after its creation nothing is touched: whoever makes it may be about to write that down.
        removed: the names of machines that were removed a moment ago; what they left over goes at once.
    """
    known = {record.name: record for record in records}
    decisions: list[Swept] = []
    for machine in machines:
        if machine.state is MachineState.GONE:
            continue
        goes, why = _fate_of_machine(machine, known, owner=owner, driven_runs=driven_runs, now=now, grace=grace)
        decisions.append(Swept(machine, goes, why))
    present = {machine.name for machine in machines if machine.state is not MachineState.GONE}
    recent = {
        record.name
        for record in records
        if record.intent in {Intent.INTENDED, Intent.CREATED} and now - record.intended_at < grace
    }
    for leftover in leftovers:
        is_new = leftover.created_at is not None and now - leftover.created_at < grace
        goes, why = _fate_of_leftover(leftover, owner=owner, removed=removed, wanted=present | recent, is_new=is_new)
        decisions.append(Swept(leftover, goes, why))
    closed = tuple(
        record.name
        for record in records
        if record.intent is not Intent.GONE
        and record.offering.provider in listed
        and record.name not in present
        and now - (record.created_at or record.intended_at) >= grace
        and record.run not in driven_runs
    )
    return Sweep(tuple(decisions), closed)


def _fate_of_leftover(
    leftover: Leftover, *, owner: str, removed: Collection[str], wanted: Collection[str], is_new: bool
) -> tuple[bool, str]:
    machine = machine_in_name(leftover.name)
    if leftover.owner != owner:
        return False, "it belongs to another store"
    if machine in removed:
        return True, "its machine was removed"
    if machine in wanted:
        return False, "its machine exists, or is being made"
    if is_new:
        return False, "it is too new to judge"
    return True, "no machine uses it"


def _fate_of_machine(
    machine: Machine,
    known: Mapping[str, MachineRecord],
    *,
    owner: str,
    driven_runs: Collection[str],
    now: datetime,
    grace: timedelta,
) -> tuple[bool, str]:
    record = known.get(machine.name)
    if machine.owner != owner:
        return False, "it belongs to another store"
    if record is not None and record.intent in {Intent.RELEASED, Intent.GONE}:
        return True, "it was given back"
    if record is not None and record.kept_until is not None:
        is_kept, until = record.is_kept(now), f"{record.kept_until.astimezone():%Y-%m-%d %H:%M}"
        return not is_kept, f"it is kept until {until}" if is_kept else f"it was kept until {until}"
    if machine.run in driven_runs or (record is not None and record.run in driven_runs):
        return False, "its run goes on"
    born = machine.created_at or (record.intended_at if record else None)
    if born is not None and now - born < grace:
        return False, "it is too new to judge"
    return True, "nobody drives its run" if record is not None else "our records do not know it"
