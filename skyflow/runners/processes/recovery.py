"""What a driver leaves for the next one: what the steps of an attempt have answered, and which still run.

The results lie with the temporary files of the attempt and go when it ends. They hold what the steps wrote for later
ones, as the command files beside them do, and what is to be hidden. Steps can write there, too: an attempt whose notes are
not as they were written here is not gone on with.
"""

import json
import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import anyio

from skyflow.model.annotation import Annotation
from skyflow.model.execution import Pairs, StepRef, StepResult
from skyflow.model.layout import RunFolder
from skyflow.runners.processes import keeper as keeper_script
from skyflow.runners.processes.kept import KeptProcess

__all__ = ["Inheritance", "Journal", "Survivor", "note_begun", "note_result", "read_attempt", "watch"]

_POLL_SECONDS = 0.05
"""How often to look after a step whose keeper knows nothing of us."""
_UNKNOWN_EXIT_CODE = 128 + 9
_T = TypeVar("_T")
_RESULTS = "results.jsonl"
_LARGEST = 2**53
_PLACE = re.compile(r"\d{1,9}(?:\.\d{1,9})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Survivor:
    """A step that an earlier driver began: its process, the keeper that looks after that, and how it ended, if it has."""

    pid: int
    keeper: int
    exit_code: int | None

    def is_looked_after(self) -> bool:
        """Tell whether it is known how the step ended, or will be."""
        return self.exit_code is not None or _is_keeper(self.keeper)


@dataclass(slots=True)
class EarlierAttempt:
    """What is known of an attempt that an earlier driver began.

    `results` are those of the steps that have ended, by place, in the order of their tries; `open` the steps of which none
    is known, with the size that their log had before, and `repeatable` those that may simply be done once more.
    """

    results: dict[str, list[StepResult]] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    repeatable: set[str] = field(default_factory=set)


class Journal:
    """What the keepers of a run have written so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._survivors: dict[str, Survivor] = {}

    def read(self) -> dict[str, Survivor]:
        """Return every step that was started, by name; of several tries the last."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return self._survivors
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        for line in _json_lines(data[:whole]):
            with suppress(ValueError):  # no keeper has written it
                self._take(line)
        return self._survivors

    def _take(self, line: dict[str, Any]) -> None:
        if "started" in line:
            self._survivors[_of(str, line["started"])] = Survivor(_pid(line.get("pid")), _pid(line.get("keeper")), None)
        elif "starting" in line or "truncated" in line:  # what is not kept whole is not seen through, but done again
            self._survivors.pop(_of(str, line.get("starting") or line.get("truncated")), None)
        elif (survivor := self._survivors.get(_of(str, line.get("ended")))) is not None:
            code = _whole(line.get("code"))
            self._survivors[line["ended"]] = Survivor(survivor.pid, survivor.keeper, code)


class Inheritance:
    """What the driver of a run has taken over from an earlier one."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._attempts: dict[tuple[str, int], EarlierAttempt] = {}
        self._survivors: dict[StepRef, Survivor] = {}

    def take(self, attempts: Collection[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        """Return which attempts can go on where they are.

        Not those of which a step is open that no living keeper looks after, unless it can be done once more.
        """
        known = Journal(self._folder.journal).read()
        for key, number in attempts:
            earlier = read_attempt(self._folder.temp(key, number))
            if earlier is None:
                continue
            started = earlier.open.keys() - earlier.repeatable
            found = {place: known.get(f"{key}#{number}/{place}") for place in started}
            alive = {place: survivor for place, survivor in found.items() if survivor and survivor.is_looked_after()}
            if len(alive) == len(started):
                self._attempts[key, number] = earlier
                self._survivors |= {_step(key, number, place): survivor for place, survivor in alive.items()}
        return frozenset(self._attempts)

    def recall(self, job_key: str, attempt: int) -> None:
        """Take over an attempt whose steps are looked after on another machine."""
        earlier = read_attempt(self._folder.temp(job_key, attempt))
        if earlier is not None:
            self._attempts[job_key, attempt] = earlier

    def result(self, step: StepRef) -> StepResult | None:
        """Return what a step has answered before; of several tries each once."""
        earlier = self._attempts.get((step.job_key, step.attempt))
        results = earlier.results.get(step.place) if earlier is not None else None
        return results.pop(0) if results else None

    def has_done(self, step: StepRef) -> bool:
        """Tell whether a step has answered before, in an attempt that goes on."""
        earlier = self._attempts.get((step.job_key, step.attempt))
        return earlier is not None and bool(earlier.results.get(step.place))

    def is_open(self, step: StepRef) -> bool:
        """Tell whether a step was begun, and has not answered as far as is known."""
        earlier = self._attempts.get((step.job_key, step.attempt))
        return earlier is not None and step.place in earlier.open

    def repeat(self, step: StepRef) -> None:
        """Make the log of a step that was begun what it was before: its driver died, and it is done or heard again."""
        if self.is_open(step):
            _cut(self._folder.log(step), self._attempts[step.job_key, step.attempt].open.pop(step.place))

    def is_alive(self, step: StepRef) -> bool:
        """Tell whether a step was begun, and is to be seen through."""
        return step in self._survivors

    def adopt(self, step: StepRef) -> KeptProcess:
        """Return the process of a step that was begun; its log is as it was before, to be written anew."""
        _cut(self._folder.log(step), self._attempts[step.job_key, step.attempt].open[step.place])
        return KeptProcess(self._survivors.pop(step).pid)

    def forget(self, job_key: str, attempt: int) -> bool:
        """Forget an attempt; tell whether any of its steps is left to be seen through."""
        self._attempts.pop((job_key, attempt), None)
        left = [step for step in self._survivors if (step.job_key, step.attempt) == (job_key, attempt)]
        for step in left:
            del self._survivors[step]
        return bool(left)


def _step(job_key: str, attempt: int, place: str) -> StepRef:
    position, *inner = map(int, place.split("."))
    return StepRef(job_key, attempt, position, tuple(inner))


def read_attempt(temp: Path) -> EarlierAttempt | None:
    """Return what is known of an attempt, or None if nothing is, or nothing that can be relied on."""
    try:
        data = (temp / _RESULTS).read_bytes()
    except FileNotFoundError:
        return None
    attempt = EarlierAttempt()
    try:
        for line in _json_lines(data[: data.rfind(b"\n") + 1]):
            if "begun" in line:
                attempt.open[_place(line["begun"])] = max(_whole(line.get("log")), 0)
                if line.get("repeatable"):
                    attempt.repeatable.add(line["begun"])
            else:
                attempt.open.pop(_place(line.get("ended")), None)
                attempt.results.setdefault(line["ended"], []).append(_result_from_json(line.get("result")))
    except ValueError:
        return None
    return attempt


def note_begun(temp: Path, step: StepRef, log: Path, *, is_repeatable: bool = False) -> None:
    """Write down that a step is about to begin, and whether it may be done again should this process die over it."""
    size = log.stat().st_size if log.exists() else 0
    _append(temp, {"begun": step.place, "log": size} | ({"repeatable": True} if is_repeatable else {}))


def note_result(temp: Path, step: StepRef, result: StepResult) -> None:
    """Write down what a step has answered; harmless if the files of its attempt are gone."""
    if temp.exists():
        kept = {name: value for name, value in asdict(result).items() if value}
        kept["exit_code"] = result.exit_code
        kept["annotations"] = [annotation.to_json() for annotation in result.annotations]
        _append(temp, {"ended": step.place, "result": kept})


async def watch(kept: KeptProcess, name: str, journal: Journal, spool: Path) -> None:
    """Hear what becomes of a step from what its keeper writes; that knows nothing of us."""
    while True:
        survivor = journal.read().get(name)
        size = _size(spool)
        if survivor is not None and survivor.exit_code is not None:
            kept.tell("e", size, survivor.exit_code)
            break
        if survivor is None or not survivor.is_looked_after():
            kept.tell("e", size, _UNKNOWN_EXIT_CODE)
            break
        if size > kept.size:
            kept.tell("o", size)
        await anyio.sleep(_POLL_SECONDS)
    while _has_members(kept.pid):
        kept.tell("o", _size(spool))
        await anyio.sleep(_POLL_SECONDS)
    kept.tell("c", _size(spool))


def _cut(log: Path, size: int) -> None:
    if _size(log) > size:
        os.truncate(log, size)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _append(temp: Path, line: dict[str, object]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    descriptor = os.open(temp / _RESULTS, flags, 0o600)
    try:
        os.write(descriptor, json.dumps(line).encode() + b"\n")
    finally:
        os.close(descriptor)


def _json_lines(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.splitlines():
        try:
            found = json.loads(line)
        except ValueError:  # what a keeper said when it died
            continue
        if isinstance(found, dict):
            yield found


def _result_from_json(told: object) -> StepResult:
    """Return a result that `note_result` has written.

    Raises:
        ValueError: it has not.
    """
    data = _of(dict, told)
    code, not_started, file_error = data.get("exit_code"), data.get("not_started"), data.get("file_error")
    try:
        annotations = tuple(map(Annotation.from_json, data.get("annotations", ())))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError from error
    return StepResult(
        exit_code=None if code is None else _whole(code),
        stopped=bool(data.get("stopped")),
        not_started=None if not_started is None else _of(str, not_started),
        file_error=None if file_error is None else _of(str, file_error),
        masks=_texts(data.get("masks", [])),
        outputs=_pairs(data.get("outputs", [])),
        state=_pairs(data.get("state", [])),
        env=_pairs(data.get("env", [])),
        path=_texts(data.get("path", [])),
        annotations=annotations,
    )


def _pairs(data: object) -> Pairs:
    return tuple((name, value) for name, value in map(_texts, _of(list, data)))


def _texts(data: object) -> tuple[str, ...]:
    return tuple(_of(str, each) for each in _of(list, data))


def _of(kind: type[_T], data: object) -> _T:
    if isinstance(data, kind):
        return data
    raise ValueError


def _place(data: object) -> str:
    if not _PLACE.fullmatch(_of(str, data)):
        raise ValueError
    return str(data)


def _whole(data: object) -> int:
    if abs(number := _of(int, data)) > _LARGEST:
        raise ValueError
    return number


def _pid(data: object) -> int:
    """Return the id of a process; to end 1 or less would be to end what nobody has started here."""
    if (pid := _whole(data)) <= 1:
        raise ValueError
    return pid


def _is_keeper(pid: int) -> bool:
    """Tell whether a process is a keeper still; ids of processes are used again."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return os.fsencode(keeper_script.__file__) in command.split(b"\0")


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
