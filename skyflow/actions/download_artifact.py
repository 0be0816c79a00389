"""`actions/download-artifact`."""

import json
from collections.abc import Sequence
from pathlib import Path

from skyflow._util.glob_pattern import name_matches
from skyflow._util.text import sentence_list
from skyflow.actions.call import ActionCall, ActionFailure, BuiltinAction, Input, count_of
from skyflow.model.artifacts import Artifact, is_safe_path
from skyflow.model.execution import StepResult

__all__ = ["DOWNLOAD_ARTIFACT"]


async def _perform(call: ActionCall) -> StepResult:
    here = call.env.get("GITHUB_REPOSITORY", "")
    if call.text("repository").lower() not in {"", here.lower()}:
        raise ActionFailure(f"artifacts of '{call.text('repository')}' cannot be had here, only those of '{here}'")
    run = call.text("run-id") or call.run
    folder = _folder(call)
    there = await call.artifacts.artifacts(run)
    wanted = _select(call, there, run)
    alone = bool(call.text("name")) or (bool(call.text("artifact-ids")) and len(wanted) == 1)
    in_one = alone or call.flag("merge-multiple")
    for artifact in wanted:
        target = folder if in_one else folder / _folder_name(artifact)
        call.print(f"Downloading '{artifact.name}' (id {artifact.id}, {artifact.size} bytes) to {target}")
        await call.artifacts.download(artifact, target)
    call.print(f"{count_of(len(wanted), 'artifact')} downloaded")
    listed = [{"name": each.name, "id": each.id, "size": each.size, "digest": each.tree} for each in wanted]
    return StepResult(exit_code=0, outputs=(("download-path", str(folder)), ("artifacts", json.dumps(listed))))


def _folder(call: ActionCall) -> Path:
    path = call.text("path")
    if path == "~" or path.startswith("~/"):
        return call.home / path[2:]
    return call.workspace / path


def _folder_name(artifact: Artifact) -> str:
    if not is_safe_path(artifact.name):
        raise ActionFailure(f"there cannot be a folder '{artifact.name}'; download this artifact with 'name'")
    return artifact.name


def _select(call: ActionCall, there: Sequence[Artifact], run: str) -> list[Artifact]:
    name, ids, pattern = call.text("name"), call.text("artifact-ids"), call.text("pattern")
    if name and ids:
        raise ActionFailure("the inputs 'name' and 'artifact-ids' cannot be used together")
    if name:
        found = [artifact for artifact in there if artifact.name == name]
        if not found:
            names = sentence_list(repr(artifact.name) for artifact in there) if there else "none"
            raise ActionFailure(f"there is no artifact '{name}' in run {run}; there are: {names}")
        return found
    if ids:
        numbers = [text.strip() for text in ids.split(",") if text.strip()]
        unknown = [text for text in numbers if text not in {str(artifact.id) for artifact in there}]
        if unknown or not numbers:
            raise ActionFailure(
                f"there is no artifact with the id {sentence_list(unknown, conjunction='or')} in run {run}"
            )
        return [artifact for artifact in there if str(artifact.id) in numbers]
    if pattern:
        return [artifact for artifact in there if name_matches(pattern, artifact.name)]
    call.print("Neither 'name' nor 'pattern' is given: every artifact of the run is downloaded")
    return list(there)


DOWNLOAD_ARTIFACT = BuiltinAction(
    name="actions/download-artifact",
    summary="Writes the files of artifacts of this run, or of an earlier run of the project, into a folder.",
    majors=(4, 5, 6, 7, 8),
    perform=_perform,
    inputs={
        "name": Input("The artifact; its files come to lie in `path` itself."),
        "artifact-ids": Input("Numbers of artifacts, with commas between, instead of `name`."),
        "path": Input("The folder; the workspace if not given."),
        "pattern": Input("Which artifacts, if there is no `name`; each gets a folder of its name."),
        "merge-multiple": Input("Whether several artifacts come to lie in `path` itself.", default="false"),
        "github-token": Input("Access token.", is_ignored=True),
        "repository": Input("The repository; the step fails if it is another than this one."),
        "run-id": Input("The run whose artifacts are meant; this one if not given."),
        "skip-decompress": Input("Whether files stay packed; they are never packed.", is_ignored=True),
        "digest-mismatch": Input("What to do with damaged files; the step always fails.", is_ignored=True),
    },
    outputs={"download-path": "The folder.", "artifacts": "JSON list of what was downloaded."},
)
