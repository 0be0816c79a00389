"""`actions/cache`, `actions/cache/restore` and `actions/cache/save`."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio.to_thread

from skyflow._util.glob import Glob, make_glob
from skyflow._util.glob_pattern import PatternError
from skyflow.actions.call import ActionCall, ActionFailure, BuiltinAction, Input
from skyflow.model.artifacts import CachedTree, Source, cache_key_problem
from skyflow.model.execution import Pairs, StepResult
from skyflow.ports.artifacts import ArtifactError

__all__ = ["CACHE", "CACHE_RESTORE", "CACHE_SAVE", "cache_sources"]

_SCOPE = "project"
"""One for all branches: who works on this machine trusts what was cached on it. GitHub keeps branches apart."""

_KEY_STATE, _MATCH_STATE = "CACHE_KEY", "CACHE_RESULT"


async def _cache(call: ActionCall) -> StepResult:
    if call.phase == "post":
        return await _save_after(call)
    if call.flag("save-always"):
        call.annotate("warning", "'save-always' does nothing; use actions/cache/save with 'if: always()' instead")
    result = await _restore(call)
    outputs = dict(result.outputs)
    state: Pairs = ((_KEY_STATE, call.text("key")), (_MATCH_STATE, outputs.get("cache-matched-key", "")))
    hit = outputs.get("cache-hit")
    return replace(result, outputs=(("cache-hit", hit),) if hit else (), state=state)


async def _restore(call: ActionCall) -> StepResult:
    key = call.required("key")
    call.required("path")
    keys = [key, *call.lines("restore-keys")]
    glob = _glob(call)
    found = await _find(call, keys)
    if found is not None and not call.flag("lookup-only"):
        try:
            await call.caches.restore(found, _anchors(call), glob.search_paths)
        except ArtifactError as error:
            call.annotate("warning", f"The cache '{found.key}' cannot be restored: {error}")
            found = None
    if found is None:
        if call.flag("fail-on-cache-miss"):
            raise ActionFailure(f"no cache was found, and 'fail-on-cache-miss' is set; the key is '{key}'")
        call.print(f"No cache found for {', '.join(keys)}")
        return StepResult(exit_code=0, outputs=(("cache-primary-key", key),))
    what = "Found" if call.flag("lookup-only") else "Restored"
    call.print(f"{what} cache '{found.key}' ({found.size} bytes, from {found.created:%Y-%m-%d %H:%M})")
    outputs = (
        ("cache-hit", "true" if found.key == key else "false"),
        ("cache-primary-key", key),
        ("cache-matched-key", found.key),
    )
    return StepResult(exit_code=0, outputs=outputs)


async def _save(call: ActionCall) -> StepResult:
    call.required("path")
    await _store(call, call.required("key"))
    return StepResult(exit_code=0)


async def _save_after(call: ActionCall) -> StepResult:
    key = call.state.get(_KEY_STATE) or call.text("key")
    if key == call.state.get(_MATCH_STATE):
        call.print(f"The cache '{key}' was restored, so it is not saved again")
    else:
        await _store(call, key)
    return StepResult(exit_code=0)


async def _find(call: ActionCall, keys: list[str]) -> CachedTree | None:
    for problem in map(cache_key_problem, keys):
        if problem:
            raise ActionFailure(problem)
    for key in keys:
        call.check_stored_name(key, "the key of a cache")
    return await call.caches.find(keys, version=_version(call), scopes=(_SCOPE,))


async def _store(call: ActionCall, key: str) -> None:
    """Save; that it cannot be done is a warning only, for what was made is there all the same."""
    call.check_stored_name(key, "the key of a cache")
    try:
        sources = await anyio.to_thread.run_sync(
            partial(cache_sources, _glob(call), _anchors(call)), abandon_on_cancel=True
        )
        if not sources:
            call.annotate("warning", f"Nothing is cached: none of the paths exist ({', '.join(call.lines('path'))})")
            return
        saved = await call.caches.save(key, sources, version=_version(call), scope=_SCOPE)
    except (ArtifactError, ActionFailure, OSError) as error:
        call.annotate("warning", f"The cache '{key}' cannot be saved: {error}")
        return
    if saved is None:
        call.print(f"There is a cache '{key}' already, and a key keeps its content; nothing is saved")
    else:
        call.print(f"Saved cache '{key}' ({saved.size} bytes)")


def cache_sources(glob: Glob, anchors: Mapping[str, Path]) -> list[Source]:
    """Return what patterns find, with all that is in folders, named from the first anchor that it is below."""
    found: dict[Path, None] = {}
    for path, _ in glob.walk():
        found[path] = None
        if path.is_dir() and not path.is_symlink():
            for folder, folders, names in os.walk(path):
                folders[:] = [name for name in folders if Path(folder, name) != glob.private]
                found |= dict.fromkeys(Path(folder, name) for name in (*folders, *names))
    return [Source(_anchored(path, anchors), path) for path in found]


def _anchored(path: Path, anchors: Mapping[str, Path]) -> str:
    for name, folder in anchors.items():
        if path.is_relative_to(folder):
            return (Path(name) / path.relative_to(folder)).as_posix()
    raise ActionFailure(f"'{path}' cannot be cached")


def _anchors(call: ActionCall) -> Mapping[str, Path]:
    """Return what stored paths begin with, so that a cache fits another workspace and another home."""
    return {"workspace": call.workspace, "home": call.home, "root": Path("/")}


def _glob(call: ActionCall) -> Glob:
    try:
        return make_glob(
            "\n".join(call.lines("path")),
            workspace=call.workspace,
            home=call.home,
            follow_links=True,
            descendants=False,
        )
    except PatternError as error:
        raise ActionFailure(str(error)) from error


def _version(call: ActionCall) -> str:
    """Return what tells caches of the same key and other paths apart."""
    return hashlib.sha256("\n".join(call.lines("path")).encode()).hexdigest()


_PATH = Input("Files, folders and patterns, one per line.", is_required=True)
_KEY = Input("The key to look for and to save under.", is_required=True)
_RESTORE_KEYS = Input("Beginnings of other keys that will do, one per line, the best first.")
_OTHER = {
    "upload-chunk-size": Input("Size of pieces that are sent.", is_ignored=True),
    "enableCrossOsArchive": Input("Whether systems share caches.", default="false", is_ignored=True),
}
_RESTORING = {
    "fail-on-cache-miss": Input("Whether the step fails if nothing is found.", default="false"),
    "lookup-only": Input("Whether to look without restoring.", default="false"),
}
_HIT = "`true` if the key itself was found, `false` if another that will do, empty if none."
_OUTPUTS = {
    "cache-hit": _HIT,
    "cache-primary-key": "The key that was asked for.",
    "cache-matched-key": "The key that was found.",
}
_MAJORS = (3, 4, 5)

CACHE = BuiltinAction(
    name="actions/cache",
    summary="Restores files that an earlier run saved, and saves them at the end of a successful job if they are new.",
    majors=_MAJORS,
    perform=_cache,
    inputs={
        "path": _PATH,
        "key": _KEY,
        "restore-keys": _RESTORE_KEYS,
        **_RESTORING,
        "save-always": Input("Does nothing, as on GitHub; a warning says so.", default="false"),
        **_OTHER,
    },
    outputs={"cache-hit": _HIT},
    has_post=True,
    post_if="success()",
)

CACHE_RESTORE = BuiltinAction(
    name="actions/cache/restore",
    summary="Restores files that an earlier run saved.",
    majors=_MAJORS,
    perform=_restore,
    inputs={"path": _PATH, "key": _KEY, "restore-keys": _RESTORE_KEYS, **_RESTORING, **_OTHER},
    outputs=_OUTPUTS,
)

CACHE_SAVE = BuiltinAction(
    name="actions/cache/save",
    summary="Saves files for later runs.",
    majors=_MAJORS,
    perform=_save,
    inputs={"path": _PATH, "key": _KEY, **_OTHER},
)
