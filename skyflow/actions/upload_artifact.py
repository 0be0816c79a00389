"""`actions/upload-artifact`."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import anyio.to_thread

from skyflow._util.glob import Glob, make_glob
from skyflow._util.glob_pattern import PatternError
from skyflow.actions.call import ActionCall, ActionFailure, BuiltinAction, Input, count_of
from skyflow.model.artifacts import NewArtifact, Source
from skyflow.model.execution import StepResult

__all__ = ["UPLOAD_ARTIFACT", "artifact_sources"]

_DEFAULT_RETENTION_DAYS = 90
_HIGHEST_COMPRESSION = 9
_WHEN_NOTHING = {"warn": "warning", "error": "error", "ignore": ""}


async def _perform(call: ActionCall) -> StepResult:
    name = call.text("name") or "artifact"
    patterns = call.required("path")
    when_nothing = call.text("if-no-files-found") or "warn"
    if when_nothing not in _WHEN_NOTHING:
        raise ActionFailure(f"the input 'if-no-files-found' must be warn, error or ignore, not '{when_nothing}'")
    retention_days = _number(call, "retention-days", at_most=None) or _DEFAULT_RETENTION_DAYS
    _number(call, "compression-level", at_most=_HIGHEST_COMPRESSION)
    try:
        glob = make_glob(
            patterns,
            workspace=call.workspace,
            home=call.home,
            follow_links=True,
            skip_hidden=not call.flag("include-hidden-files"),
        )
        sources = await anyio.to_thread.run_sync(partial(artifact_sources, glob), abandon_on_cancel=True)
    except (PatternError, OSError) as error:
        raise ActionFailure(str(error)) from error
    if not sources:
        return _nothing_found(call, patterns, when_nothing)
    if not call.flag("archive"):
        if len(sources) > 1:
            raise ActionFailure(f"with 'archive: false' there can be only one file, and these are {len(sources)}")
        name = sources[0].file.name
    call.check_stored_name(name, "the name of an artifact")
    call.print(f"{count_of(len(sources), 'file')} will be uploaded as artifact '{name}'")
    new = NewArtifact(
        run=call.run, name=name, sources=sources, by=call.step, retention_days=retention_days,
        overwrite=call.flag("overwrite"),
    )  # fmt: skip
    artifact = await call.artifacts.upload(new)
    call.print(f"Artifact '{name}' has been stored: {artifact.size} bytes, id {artifact.id}, SHA-256 {artifact.tree}")
    call.print(f"It is kept until {artifact.expires:%Y-%m-%d}")
    outputs = (("artifact-id", str(artifact.id)), ("artifact-url", ""), ("artifact-digest", artifact.tree))
    return StepResult(exit_code=0, outputs=outputs)


def artifact_sources(glob: Glob) -> list[Source]:
    """Return the files that patterns find, named as in the artifact.

    Names begin below the innermost folder that all searches have in common. Folders without files are not kept.
    """
    files = [path for path, is_folder in glob.walk() if not is_folder]
    root = _root(glob.search_paths, files)
    return [Source(file.relative_to(root).as_posix(), file) for file in files]


def _root(search_paths: Sequence[Path], files: Sequence[Path]) -> Path:
    if not search_paths:
        return Path("/")
    root = Path(os.path.commonpath(search_paths))
    return root.parent if len(files) == 1 and files[0] == root else root


def _nothing_found(call: ActionCall, patterns: str, when_nothing: str) -> StepResult:
    message = f"No files were found with the path {', '.join(patterns.splitlines())!r}; no artifact is uploaded"
    hint = (
        "" if call.flag("include-hidden-files") else " (names that begin with a dot need 'include-hidden-files: true')"
    )
    if when_nothing == "ignore":
        call.print(message)
    else:
        call.annotate(_WHEN_NOTHING[when_nothing], message + hint)
    return StepResult(exit_code=1 if when_nothing == "error" else 0)


def _number(call: ActionCall, name: str, *, at_most: int | None) -> int:
    text = call.text(name)
    if not text:
        return 0
    if not text.isdecimal() or (at_most is not None and int(text) > at_most):
        limits = "a number that is not negative" if at_most is None else f"a number from 0 to {at_most}"
        raise ActionFailure(f"the input '{name}' must be {limits}, not '{text}'")
    return int(text)


UPLOAD_ARTIFACT = BuiltinAction(
    name="actions/upload-artifact",
    summary="Stores files as a named artifact of the run, which later jobs can download.",
    majors=(4, 5, 6, 7),
    perform=_perform,
    inputs={
        "name": Input("The artifact's name; no other job of the run may use it.", default="artifact"),
        "path": Input("Files, folders and patterns, one per line.", is_required=True),
        "if-no-files-found": Input("`warn`, `error` or `ignore`.", default="warn"),
        "retention-days": Input("After how many days it may be removed; 90 if not given, or 0."),
        "compression-level": Input("0 to 9; checked, but equal contents are stored once instead.", is_ignored=True),
        "overwrite": Input("Whether an artifact of the name is replaced.", default="false"),
        "include-hidden-files": Input("Whether names that begin with a dot are included.", default="false"),
        "archive": Input("If `false`, there can be only one file, and the artifact has its name.", default="true"),
    },
    outputs={
        "artifact-id": "A number by which it can be downloaded.",
        "artifact-url": "Empty: there is no page for it.",
        "artifact-digest": "SHA-256 of the list of its files and their contents.",
    },
)
