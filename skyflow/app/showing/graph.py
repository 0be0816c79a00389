"""Draws a workflow, a plan or a run together: from job specs and records to the nodes and edges of a picture."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from skyflow.app.planning.callees import callees_from
from skyflow.app.planning.expansion import ExpectedJobs, expected_jobs
from skyflow.model.fold import Fold
from skyflow.model.graph import Graph, GraphEdge, GraphJob, GraphNode, Standing, needed_edges
from skyflow.model.history import RunHistory
from skyflow.model.placement import Placement, Plan, read_plan
from skyflow.model.run import JobRecord
from skyflow.model.workflow import Workflow
from skyflow.spec import reread_workflow

__all__ = [
    "expected_of_run",
    "graph_of_run",
    "graph_of_workflow",
    "needs_of_run",
    "placements_of_run",
    "plan_of_run",
]

_LEG = re.compile(r"\.\d+(?=/|$)")
_MANY_NODES = 60
"""Above this, nodes that wait for the same and are waited for by the same become one."""
_FEWEST_ALIKE = 4


def graph_of_workflow(
    workflow: Workflow, callees: Mapping[str, Workflow], *, plan: Plan | None = None, fold: Fold = Fold.AUTO
) -> Graph:
    """Return the picture of a workflow that has not run, with the placements of a plan if there is one."""
    expected = expected_jobs(workflow, callees)
    placements = {} if plan is None else {placement.job: placement for placement in plan.placements}
    jobs = {
        key: GraphJob(key=key, name=key.replace("/", " / "), placement=placements.get(key))
        for each in expected
        for key in each.keys
    }
    return _drawn(workflow.name or workflow.path, expected, jobs, fold)


def expected_of_run(history: RunHistory) -> list[ExpectedJobs]:
    """Return the jobs that a run was expected to have, from the workflow as it was when the run was started."""
    run = history.overview.run
    workflow = reread_workflow(run.workflow_path, run.workflow_source)
    return expected_jobs(workflow, callees_from(workflow, run.callee_sources))


def graph_of_run(
    history: RunHistory,
    expected: Sequence[ExpectedJobs],
    *,
    placed: Mapping[str, Placement] | None = None,
    fold: Fold = Fold.AUTO,
) -> Graph:
    """Return the picture of a run: what has become of its jobs, and those that it has yet to begin.

    `placed` are the placements of its jobs, for whoever has them already.
    """
    run = history.overview.run
    placements = placements_of_run(history, plan_of_run(history)) if placed is None else placed
    records = {job.key: job for job in history.jobs}
    jobs: dict[str, GraphJob] = {}
    for key in _keys_of_run(expected, records):
        record = records.get(key)
        placement = placements.get(key) or placements.get(_spec(key))
        if record is None:
            caller = _caller_of(key, records)
            standing = Standing.WAITING if caller is None else _standing(caller)
            jobs[key] = GraphJob(key=key, name=key.replace("/", " / "), standing=standing, placement=placement)
        else:
            jobs[key] = GraphJob(
                key=key,
                name=record.name,
                standing=_standing(record),
                started_at=record.started_at,
                completed_at=record.completed_at,
                placement=placement,
            )
    return _drawn(f"Run {run.number}: {run.title}", expected, jobs, fold)


def needs_of_run(history: RunHistory, expected: Sequence[ExpectedJobs]) -> dict[str, tuple[str, ...]]:
    """Return for each job of a run the jobs that had to end before it, all of them by their keys."""
    there = [job.key for job in history.jobs]
    by_spec: dict[str, list[str]] = {}
    for key in there:
        by_spec.setdefault(_spec(key), []).append(key)
    known = set(there)
    needs: dict[str, tuple[str, ...]] = {}
    for each in expected:
        if known.issuperset(each.needs):
            found = each.needs
        else:  # a matrix that was not known before, or a called workflow that was skipped
            call = each.keys[0].rpartition("/")[0] if each.keys else ""
            candidates = chain.from_iterable(by_spec.get(path, ()) for path in dict.fromkeys(map(_spec, each.needs)))
            found = tuple(key for key in candidates if _same_calls(key.rpartition("/")[0], call))
        for path in dict.fromkeys(map(_spec, each.keys)):
            needs |= dict.fromkeys(_own(each, by_spec.get(path, ())), found)
    return needs


def placements_of_run(history: RunHistory, plan: Plan | None) -> dict[str, Placement]:
    """Return where each job was planned, by its key; jobs of a matrix that was not known then, where all of it was."""
    planned = {} if plan is None else {placement.job: placement for placement in plan.placements}
    found = {job.key: planned.get(job.key) or planned.get(_spec(job.key)) for job in history.jobs}
    return planned | {key: placement for key, placement in found.items() if placement is not None}


def plan_of_run(history: RunHistory) -> Plan | None:
    """Return the plan that a run has now, None where it was stored by a skyflow with other plans."""
    return read_plan(history.overview.run.plan)


def _standing(record: JobRecord) -> Standing:
    return Standing.of(record.status, record.outcome, record.conclusion)


def _caller_of(key: str, records: Mapping[str, JobRecord]) -> JobRecord | None:
    """Return the completed job that would have called the workflow of a job that never came to be."""
    for end in range(key.count("/"), 0, -1):
        prefix = "/".join(key.split("/")[:end])
        for name in (prefix, _LEG.sub("", prefix)):
            if name in records and records[name].conclusion is not None:
                return records[name]
    return None


def _keys_of_run(expected: Sequence[ExpectedJobs], records: Mapping[str, JobRecord]) -> Iterator[str]:
    """Yield the keys of all jobs with steps: those there are, and those expected that none of them stands for."""
    there: dict[str, list[str]] = {}
    for key in records:
        there.setdefault(_spec(key), []).append(key)
    planned: dict[str, list[str]] = {}
    for key in chain.from_iterable(each.keys for each in expected):
        planned.setdefault(_spec(key), []).append(key)
    for path, keys in planned.items():
        found = there.get(path, [])
        yield from found
        for key in keys:
            if key not in records and not any(_stands_for(key, other) or _stands_for(other, key) for other in found):
                yield key


def _stands_for(general: str, special: str) -> bool:
    """Tell whether one key is another but for numbers of combinations that it lacks: `build/test` for `build.0/test.3`."""
    pairs = list(zip(general.split("/"), special.split("/"), strict=False))
    return all(one == two or _LEG.sub("", two) == one for one, two in pairs)


def _spec(key: str) -> str:
    """Return a key without the numbers of combinations."""
    return _LEG.sub("", key)


def _drawn(title: str, expected: Sequence[ExpectedJobs], jobs: Mapping[str, GraphJob], fold: Fold) -> Graph:
    by_spec: dict[str, list[str]] = {}
    for key in jobs:
        by_spec.setdefault(_spec(key), []).append(key)
    node_of = {key: _node_id(key, fold) for key in jobs}
    members: dict[str, list[GraphJob]] = {}
    for key, job in jobs.items():
        members.setdefault(node_of[key], []).append(job)
    gigabytes: dict[tuple[str, str], float] = {}
    for source, target, amount in _pairs(expected, by_spec, apart=fold is Fold.NONE):
        pair = (node_of[source], node_of[target])
        if pair[0] != pair[1]:
            gigabytes[pair] = gigabytes.get(pair, 0.0) + amount
    nodes = [GraphNode(id=id_, name=_name(id_, found), jobs=tuple(found)) for id_, found in members.items()]
    edges = [GraphEdge(source=s, target=t, gigabytes=amount) for (s, t), amount in gigabytes.items()]
    graph = Graph(title=title, nodes=tuple(nodes), edges=needed_edges(list(members), edges))
    return _alike_folded(graph) if fold is not Fold.NONE and len(nodes) > _MANY_NODES else graph


def _node_id(key: str, fold: Fold) -> str:
    if fold is Fold.NONE:
        return key
    return _spec(key) if fold is Fold.AUTO else _spec(key).partition("/")[0]


def _name(id_: str, jobs: Sequence[GraphJob]) -> str:
    return jobs[0].name if len(jobs) == 1 and "/" not in jobs[0].key.removeprefix(id_) else id_.replace("/", " / ")


def _pairs(
    expected: Sequence[ExpectedJobs], by_spec: Mapping[str, Sequence[str]], *, apart: bool
) -> Iterator[tuple[str, str, float]]:
    """Yield which job waits for which, and for how much data; unless `apart`, one pair stands for those of two specs."""
    for each in expected:
        amounts: dict[str, float] = {}
        for data in each.data:
            amounts[_spec(data.job)] = amounts.get(_spec(data.job), 0.0) + data.gigabytes
        needs = dict.fromkeys(map(_spec, each.needs))
        for path in dict.fromkeys(map(_spec, each.keys)):
            targets = by_spec.get(path, ())
            for need in needs:
                sources = by_spec.get(need, ())
                if sources and targets and not apart:
                    yield sources[0], targets[0], amounts.get(need, 0.0) * len(each.keys)
                elif sources:
                    yield from _combinations(sources, _own(each, targets), amounts.get(need, 0.0))


def _own(each: ExpectedJobs, targets: Iterable[str]) -> list[str]:
    keys = set(each.keys)
    return [target for target in targets if target in keys or any(_stands_for(key, target) for key in keys)]


def _combinations(sources: Sequence[str], targets: Sequence[str], amount: float) -> Iterator[tuple[str, str, float]]:
    by_call: dict[str, list[str]] = {}
    for source in sources:
        by_call.setdefault(source.rpartition("/")[0], []).append(source)
    for target in targets:
        call = target.rpartition("/")[0]
        found = [source for there, inside in by_call.items() if _same_calls(there, call) for source in inside]
        for source in found:
            yield source, target, amount / len(found)


def _same_calls(one: str, two: str) -> bool:
    """Tell whether two called workflows, named by the jobs that call them, are the same as far as both are named alike."""
    for mine, theirs in zip(one.split("/"), two.split("/"), strict=False):
        if _spec(mine) != _spec(theirs):
            return True
        if mine != theirs:
            return False
    return True


def _alike_folded(graph: Graph) -> Graph:
    """Return the graph with one node in place of many that wait for the same, and are waited for by the same."""
    sources: dict[str, set[str]] = {node.id: set() for node in graph.nodes}
    targets: dict[str, set[str]] = {node.id: set() for node in graph.nodes}
    for edge in graph.edges:
        sources[edge.target].add(edge.source)
        targets[edge.source].add(edge.target)
    alike: dict[tuple[frozenset[str], frozenset[str]], list[GraphNode]] = {}
    for node in graph.nodes:
        alike.setdefault((frozenset(sources[node.id]), frozenset(targets[node.id])), []).append(node)
    stand_in: dict[str, str] = {}
    nodes: list[GraphNode] = []
    for group in alike.values():
        if len(group) < _FEWEST_ALIKE:
            nodes += group
            continue
        name = f"{group[0].name} ... {group[-1].name}"
        nodes.append(GraphNode(id=group[0].id, name=name, jobs=tuple(chain.from_iterable(node.jobs for node in group))))
        stand_in |= {node.id: group[0].id for node in group}
    amounts: dict[tuple[str, str], float] = {}
    for edge in graph.edges:
        pair = (stand_in.get(edge.source, edge.source), stand_in.get(edge.target, edge.target))
        amounts[pair] = amounts.get(pair, 0.0) + edge.gigabytes
    edges = tuple(GraphEdge(source=source, target=target, gigabytes=gb) for (source, target), gb in amounts.items())
    position = {node.id: index for index, node in enumerate(graph.nodes)}
    return replace(graph, nodes=tuple(sorted(nodes, key=lambda node: position[node.id])), edges=edges)
