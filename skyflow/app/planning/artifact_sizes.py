"""How large the artifacts of a workflow were when it last made them, for the next plan."""

from collections.abc import Mapping

from skyflow.app.project import Project
from skyflow.errors import UsageError
from skyflow.model.workflow import Workflow
from skyflow.store.store import open_store

__all__ = ["last_sizes"]

_RUNS = 20
"""How many runs of the project are looked through, the newest first."""


def last_sizes(workflow: Workflow, project: Project) -> Mapping[str, float]:
    """Return the decimal gigabytes of declared artifacts without a size, by name; only where some job has inputs.

    Of no use is a store that cannot be read: the plan then counts nothing, as for a first run.
    """
    unknown = {each.name for job in workflow.jobs for each in job.artifacts if each.gigabytes is None}
    wanted = unknown & {name for job in workflow.jobs for name in job.inputs}
    if not wanted or not project.state.database.exists():
        return {}
    from skyflow.app.stores import ProjectStores  # noqa: PLC0415 -- few plans need it
    from skyflow.artifacts.documents import read_artifact  # noqa: PLC0415
    from skyflow.artifacts.keys import artifact_key  # noqa: PLC0415

    found: dict[str, float] = {}
    with open_store(project.state, create=False) as store:
        name = project.name_of(workflow.path)
        runs = [run for run in store.latest_runs(_RUNS) if run.workflow_path == name]
    try:
        stores = list(ProjectStores(project).all_open().values())
        for run in runs:
            for name in sorted(wanted - found.keys()):
                key = artifact_key(run.origin or run.id, name)
                data = next((data for objects in stores if (data := objects.read(key)) is not None), None)
                if data is not None:
                    found[name] = read_artifact(data).size / 1e9
            if found.keys() == wanted:
                break
    except (OSError, UsageError):
        return found
    return found
