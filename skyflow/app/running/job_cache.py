"""Results of earlier runs of a project: what a job depends on, and the files that it makes."""

import hashlib
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from skyflow._util.glob import make_glob
from skyflow._util.glob_pattern import PatternError
from skyflow.app.project import Project
from skyflow.errors import StoreError
from skyflow.model.execution import Pairs
from skyflow.model.job_cache import CachedResult, CacheQuestion, KnownJob, fingerprint
from skyflow.model.run import RunRecord
from skyflow.ports.clock import Clock
from skyflow.store.results import FileDigest, ResultStore
from skyflow.store.store import Store

__all__ = ["ProjectJobCache"]

_SETTLED_NANOSECONDS = 2_000_000_000
"""A file that changed less than this ago may change again within the same tick of its file system's clock."""
_GIT_SECONDS = 30
_CHUNK_BYTES = 1024 * 1024


class ProjectJobCache:
    """See `skyflow.ports.job_cache.JobCache`. Content counts, not time; what files hold is known by size, time and inode."""

    def __init__(self, store: Store, run: RunRecord, *, project: Project, clock: Clock) -> None:
        self._results = ResultStore(store, run.workflow_path)
        self._run = run
        self._project = project
        self._clock = clock
        self._parts: dict[str, Mapping[str, str]] = {}
        self._new_digests: dict[str, FileDigest] = {}

    def look_up(self, questions: Sequence[CacheQuestion], *, may_reuse: bool) -> tuple[KnownJob, ...]:
        """Return what is known of some jobs."""
        answers: list[KnownJob] = []
        lookups: list[tuple[str, Mapping[str, str], str | None]] = []
        for question in questions:
            parts = self._parts[question.job_key] = self._all_parts(question)
            print_ = fingerprint(parts)
            found = self._results.find(print_) if may_reuse else None
            if found is not None and self._restored(found[1]):
                result = found[0]
                answers.append(
                    KnownJob(fingerprint=print_, run_number=result.run_number, outputs=tuple(result.outputs.items()))
                )
            else:
                answers.append(KnownJob(fingerprint=print_))
                earlier = self._results.latest(question.job_key)
                lookups.append((question.job_key, parts, None if earlier is None else earlier.fingerprint))
        if lookups:
            self._results.note_lookups(self._run.id, lookups)
        if self._new_digests:
            self._results.keep_file_digests(self._new_digests)
            self._new_digests.clear()
        return tuple(answers)

    def remember(self, question: CacheQuestion, fingerprint: str, outputs: Pairs) -> None:
        """Keep a result, and the files that the job made."""
        result = CachedResult(
            fingerprint=fingerprint,
            job_key=question.job_key,
            run_number=self._run.number,
            outputs=dict(outputs),
            parts=self._parts[question.job_key],
        )
        tree = self._stored(question.outputs) if question.outputs else None
        self._results.remember(result, tree, self._clock.now())

    def _all_parts(self, question: CacheQuestion) -> dict[str, str]:
        parts = {name: _digest_of_text(text) for name, text in question.parts}
        parts |= {f"variable {name}": _digest_of_text(os.environ.get(name, "")) for name in question.env}
        parts["made files"] = _digest_of_text("\n".join(question.outputs))
        files = self._everything if question.inputs is None else self._matching(question.inputs)
        return parts | {f"file {name}": digest for name, digest in files.items()}

    def _matching(self, patterns: Sequence[str]) -> dict[str, str]:
        return self._digests(_files(self._project.root, patterns)) if patterns else {}

    @cached_property
    def _known_digests(self) -> dict[str, FileDigest]:
        return self._results.file_digests()

    @property
    def _everything(self) -> dict[str, str]:
        """The digest of every file of the workspace that git does not ignore; of every one where there is no git."""
        try:
            done = subprocess.run(
                ("git", "ls-files", "-coz", "--exclude-standard"),
                cwd=self._project.root,
                capture_output=True,
                check=False,
                timeout=_GIT_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired):
            done = None
        if done is None or done.returncode != 0:
            files: Iterable[Path] = _files(self._project.root, ("**", "!**/.git/**", "!**/.skyflow/**"))
        else:
            names = (name for name in done.stdout.split(b"\0") if name and not name.startswith(b".skyflow/"))
            files = (self._project.root / os.fsdecode(name) for name in names)
        return self._digests(path for path in files if path.is_file())

    def _digests(self, files: Iterable[Path]) -> dict[str, str]:
        """Return digests by path; a file whose size, time and inode are known is not read again."""
        root = self._project.root
        try:
            return {path.relative_to(root).as_posix(): self._digest(path) for path in sorted(set(files))}
        except OSError as error:
            raise StoreError(f"an input of a job with 'cache' cannot be read: {error}") from error

    def _digest(self, path: Path) -> str:
        found = path.stat()
        key = os.fsencode(path).decode(errors="backslashreplace")
        known = self._known_digests.get(key)
        if known is not None and known[:3] == (found.st_size, found.st_mtime_ns, found.st_ino):
            return known[3]
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while data := file.read(_CHUNK_BYTES):
                digest.update(data)
        entry = (found.st_size, found.st_mtime_ns, found.st_ino, digest.hexdigest())
        if self._clock.now().timestamp() * 1e9 - found.st_mtime_ns > _SETTLED_NANOSECONDS:
            self._known_digests[key] = self._new_digests[key] = entry
        return entry[3]

    def _stored(self, patterns: Sequence[str]) -> str:
        """Store the files that a job made, and return the digest of their tree."""
        from skyflow.artifacts.folder import FolderStore  # noqa: PLC0415 -- few jobs make files
        from skyflow.artifacts.trees import store_tree  # noqa: PLC0415
        from skyflow.model.artifacts import Source  # noqa: PLC0415
        from skyflow.ports.artifacts import ArtifactError  # noqa: PLC0415

        root = self._project.root
        sources = [Source(path.relative_to(root).as_posix(), path) for path in sorted(_files(root, patterns))]
        try:
            tree, _ = store_tree(FolderStore(self._project.state.results), sources, follow_links=False, go_on=_go_on)
        except (ArtifactError, OSError) as error:
            raise StoreError(f"the files of a job with 'cache' cannot be kept: {error}") from error
        return tree

    def _restored(self, tree: str | None) -> bool:
        """Put the files of a result back; False where that cannot be done."""
        if tree is None:
            return True
        from skyflow.artifacts.folder import FolderStore  # noqa: PLC0415 -- few jobs make files
        from skyflow.artifacts.trees import Place, read_tree, restore_tree  # noqa: PLC0415
        from skyflow.ports.artifacts import ArtifactError  # noqa: PLC0415

        root = self._project.root
        objects = FolderStore(self._project.state.results)
        try:
            entries = read_tree(objects, tree, _go_on)
            restore_tree(objects, [Place(entry, root, entry.path) for entry in entries], _go_on)
        except (ArtifactError, OSError):
            return False
        return True


def _files(root: Path, patterns: Sequence[str]) -> set[Path]:
    """Return the files below a folder that match patterns.

    Raises:
        StoreError: a pattern cannot be used.
    """
    try:
        glob = make_glob("\n".join(patterns), workspace=root)
        return {path for path, _ in glob.walk() if root in path.parents and path.is_file()}
    except PatternError as error:
        raise StoreError(f"a pattern of 'cache' cannot be used: {error}") from error


def _digest_of_text(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def _go_on(_: int) -> None:
    """Nobody interrupts us."""
