"""What makes two jobs the same, and what is remembered of one that has succeeded."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum, StrEnum
from functools import cache

from skyflow.diagnostics import Span
from skyflow.expr import Template
from skyflow.model.execution import Pairs
from skyflow.model.workflow import JobSpec

__all__ = ["CacheMode", "CacheQuestion", "CachedResult", "KnownJob", "definition_of", "fingerprint", "text_of"]


class CacheMode(StrEnum):
    """What a run does with remembered results."""

    DECLARED = "declared"
    """Jobs with `cache` are taken over when nothing has changed, and remembered."""
    CHANGED = "changed"
    """So are all others: what may have changed for them is any file of the workspace that git does not ignore."""
    FORCE = "force"
    """Every job runs; what has `cache` is remembered."""
    OFF = "off"
    """Every job runs, nothing is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheQuestion:
    """A job that may have been done before.

    `parts` are the texts that must be the same, by what they are. `inputs` are patterns of files whose content must be,
    None for the whole workspace; `env` names variables of skyflow's own environment. `outputs` are patterns of the files
    that the job makes.
    """

    job_key: str
    parts: Pairs
    inputs: tuple[str, ...] | None
    env: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownJob:
    """The answer: the fingerprint, and the number of the run that the result is from, None if there is no such result."""

    fingerprint: str
    run_number: int | None = None
    outputs: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedResult:
    """A remembered success. `parts` are digests of everything that counted, by what it is; files are `file NAME`."""

    fingerprint: str
    job_key: str
    run_number: int
    outputs: Mapping[str, str]
    parts: Mapping[str, str]


def fingerprint(parts: Mapping[str, str]) -> str:
    """Return one digest of all parts."""
    return hashlib.sha256(json.dumps(sorted(parts.items())).encode()).hexdigest()


def definition_of(spec: JobSpec) -> str:
    """Return what a job spec says, wherever in its file it stands."""
    return text_of(spec)


def text_of(value: object) -> str:
    """Return a value of the model as text, without the places where it stands."""
    return _ENCODER.encode(_plain(value))


_ENCODER = json.JSONEncoder(sort_keys=True)
_PLAIN_TYPES = frozenset({str, int, float, bool, type(None)})


def _plain(value: object) -> object:
    if type(value) in _PLAIN_TYPES:  # most values, of a thousand jobs
        return value
    if isinstance(value, Enum | Template):
        return value.value if isinstance(value, Enum) else value.source
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value if not isinstance(part, Span)]
    if isinstance(value, frozenset | set):
        return sorted(str(_plain(part)) for part in value)
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    return _plain_fields(value)


def _plain_fields(value: object) -> object:
    """Return the fields that are not what they are by default: a key that skyflow learns does not make all jobs run again."""
    kind: type = type(value)
    if not is_dataclass(kind):
        return repr(value)
    named = ((name, getattr(value, name), default) for name, default in _fields_of(kind))
    return {
        name: _plain(part)
        for name, part, default in named
        if not isinstance(part, Span) and not (part is default or part == default)
    }


@cache
def _fields_of(kind: type) -> tuple[tuple[str, object], ...]:
    """Return the names of the fields of a dataclass, and what they are by default, `MISSING` where they have to be given."""
    return tuple((each.name, _default_of(each)) for each in fields(kind))


def _default_of(declared: Field[object]) -> object:
    if declared.default is not MISSING:
        return declared.default
    return MISSING if declared.default_factory is MISSING else declared.default_factory()
