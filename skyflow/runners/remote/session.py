"""One session on another machine: questions and answers over a channel, and news about steps."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate, count
from types import NoneType, UnionType
from typing import Any, TypeVar

import anyio

from skyflow._util.foreign_json import read_json
from skyflow.ports.transport import Channel, Ended, LinkLostError, Transport, TransportError
from skyflow.runners.onhost.messages import HEADER
from skyflow.runners.onhost.steps import ANSWERS
from skyflow.runners.remote.program import onhost_program

__all__ = ["Answer", "Followed", "HostSession", "MachineRefusedError", "StepEnd", "open_session", "start_program"]

_T = TypeVar("_T")

_HELLO = 0
_NO_PROGRAM = 93
_NO_PYTHON = (126, 127)
_START = 'cd && test -f "$1/programs/$2.pyz" || exit 93; program="$1/programs/$2.pyz"; folder="$1"; python="$3"; shift 3; exec "$python" -I -S "$program" "$folder" "$@"'
_PLACE = 'cd && umask 077 && mkdir -p "$1/programs" && cat >"$1/programs/$2.$$" && mv "$1/programs/$2.$$" "$1/programs/$2.pyz"'


_MOST_HEAD_BYTES = 64 * 1024 * 1024
_MOST_BODY_BYTES = 512 * 1024 * 1024
"""More than lists of a million files; memory is not given away to whatever else may answer on a machine."""
_HIGHEST_CODE = 255
_NO_MESSAGE = "what came from the machine is no message of the supervisor"
_Kinds = Mapping[str, type | UnionType]
_ANSWER: _Kinds = {"re": int}
_NEWS: Mapping[str, _Kinds] = {
    "output": {"step": str, "offset": int},
    "ended": {"step": str, "code": int | NoneType, "sizes": list, "full": bool, "problem": str},
}
"""What messages hold, by the kind of news."""


class MachineRefusedError(TransportError):
    """The machine cannot do what was asked, for example because its disk is full; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the machine answers. It need not be the truth: jobs run there, and may have changed what answers us."""

    fields: dict[str, Any]
    data: bytes

    def get(self, name: str, kind: type[_T]) -> _T:
        """Return a field.

        Raises:
            MachineRefusedError: it is not there, or is of another kind.
        """
        value = self.fields.get(name)
        if isinstance(value, kind):
            return value
        raise MachineRefusedError(f"the machine answers without a fitting '{name}'")

    def texts(self, name: str) -> list[str]:
        """Return a field that is a list of texts.

        Raises:
            MachineRefusedError: it is something else.
        """
        texts = self.get(name, list)
        if all(isinstance(each, str) for each in texts):
            return texts
        raise MachineRefusedError(f"the machine answers with a list of '{name}' that are no texts")

    def listing(self) -> list[Any]:
        """Return the list in the data.

        Raises:
            MachineRefusedError: there is none.
        """
        try:
            listed = read_json(self.data)
        except ValueError:
            listed = None
        if isinstance(listed, list):
            return listed
        raise MachineRefusedError("the machine answers with something else than the list that it was asked for")


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step ended: None if what watched over it died, too. `answers` are the contents of its files.

    `problem` says why a step that was to run inside of an allocation was not started. With `is_disk_full`, what it has printed and written may be incomplete.
    """

    exit_code: int | None
    answers: tuple[bytes, ...]
    is_disk_full: bool
    problem: str = ""


@dataclass(slots=True)
class Followed:
    """A step that is followed; `output` is called with what it prints, and the offset after it."""

    output: Callable[[bytes, int], None]
    done: anyio.Event = field(default_factory=anyio.Event)
    end: StepEnd | None = None


@dataclass(slots=True)
class _Question:
    done: anyio.Event = field(default_factory=anyio.Event)
    answer: Answer | None = None


class HostSession:
    """A session that is open until the link breaks; `read` has to run all the time.

    `first` is the beginning of what has come in; the answer to the greeting is in it, or will be in what follows.
    """

    def __init__(self, channel: Channel, first: bytes) -> None:
        self._channel = channel
        self._first = first
        self._numbers = count(_HELLO + 1)
        self._greeting = _Question()
        self._questions: dict[int, _Question] = {_HELLO: self._greeting}
        self._followed: dict[str, Followed] = {}
        self._sending = anyio.Lock()
        self.lost: LinkLostError | None = None

    async def read(self) -> None:
        """Take in what comes until the link breaks or the session is closed, then tell all who wait."""
        inbox = bytearray(self._first)
        try:
            self.take(inbox)
            while data := await self._channel.receive():
                inbox += data
                self.take(inbox)
            self.lost = LinkLostError("the session has ended")
        except LinkLostError as error:
            self.lost = error
        finally:
            if self.lost is None:
                self.lost = LinkLostError("the session was closed")
            for done in (
                *(each.done for each in self._questions.values()),
                *(each.done for each in self._followed.values()),
            ):
                done.set()

    async def folder(self) -> str:
        """Return where skyflow keeps its files on the machine, as a path from the root.

        Raises:
            MachineRefusedError: that folder cannot be made.
            LinkLostError: the link broke.
        """
        return (await self._answer(self._greeting)).get("folder", str)

    async def address(self) -> str:
        """Return the address at which the machine was reached, as it sees that itself.

        Raises:
            MachineRefusedError: the machine cannot be used.
            LinkLostError: the link broke.
        """
        return (await self._answer(self._greeting)).get("address", str)

    async def ask(self, do: str, data: bytes = b"", **fields: object) -> Answer:
        """Ask for something, and wait for the answer.

        Raises:
            MachineRefusedError: it cannot be done.
            LinkLostError: the link broke; it may have been done.
        """
        number = next(self._numbers)
        question = self._questions[number] = _Question()
        head = json.dumps({"id": number, "do": do, **fields}).encode()
        try:
            async with self._sending:
                if self.lost is not None:
                    raise self.lost
                await self._channel.send(HEADER.pack(len(head), len(data)) + head + data)
            return await self._answer(question)
        finally:
            del self._questions[number]

    async def _answer(self, question: _Question) -> Answer:
        await question.done.wait()
        if question.answer is None:
            raise self.lost or LinkLostError("the session was closed")
        if "error" in question.answer.fields:
            raise MachineRefusedError(str(question.answer.fields["error"]))
        return question.answer

    async def follow(self, step: str, offset: int, output: Callable[[bytes, int], None]) -> StepEnd:
        """Take what a step prints from an offset on, until it has ended.

        Raises:
            LinkLostError: the link broke; the step runs on.
        """
        followed = self._followed[step] = Followed(output)
        try:
            await self.ask("follow", step=step, offset=offset)
            await followed.done.wait()
        finally:
            self._followed.pop(step, None)
        if followed.end is None:
            raise self.lost or LinkLostError("the session was closed")
        return followed.end

    async def aclose(self) -> None:
        """Close the session."""
        await self._channel.aclose()

    def take(self, inbox: bytearray) -> None:
        """Take in the whole messages at the beginning of what has come, and leave the rest of it.

        Raises:
            LinkLostError: it is no message.
        """
        at = 0
        with memoryview(inbox) as view:  # else every piece of output would be copied once more
            while len(view) - at >= HEADER.size:
                head, body = HEADER.unpack_from(view, at)
                begin = at + HEADER.size
                if head > _MOST_HEAD_BYTES or body > _MOST_BODY_BYTES:
                    raise LinkLostError(_NO_MESSAGE)
                if len(view) < begin + head + body:
                    break
                fields = _read_head(bytes(view[begin : begin + head]))
                self._heard(fields, bytes(view[begin + head : begin + head + body]))
                at = begin + head + body
        del inbox[:at]

    def _heard(self, fields: dict[str, Any], data: bytes) -> None:
        if "re" in fields:
            question = self._questions.get(fields["re"])
            if question is not None:  # whoever asked may have been cancelled
                question.answer = Answer(fields, data)
                question.done.set()
            return
        followed = self._followed.get(fields["step"])
        if followed is None:
            return
        if fields["event"] == "output":
            followed.output(data, fields["offset"] + len(data))
            return
        followed.end = StepEnd(fields["code"], _answers(fields, data), fields["full"], fields["problem"])
        followed.done.set()


def _answers(fields: dict[str, Any], data: bytes) -> tuple[bytes, ...]:
    """Return the contents of the files of a step that has ended.

    Raises:
        LinkLostError: they are not those, or the exit code is none.
    """
    sizes, code = fields["sizes"], fields["code"]
    are_sizes = len(sizes) == len(ANSWERS) and all(isinstance(size, int) and size >= 0 for size in sizes)
    if not are_sizes or sum(sizes) != len(data) or not (code is None or 0 <= code <= _HIGHEST_CODE):
        raise LinkLostError(_NO_MESSAGE)
    ends = list(accumulate(sizes))
    return tuple(data[end - size : end] for size, end in zip(sizes, ends, strict=True))


def _read_head(head: bytes) -> dict[str, Any]:
    """Return the fields of a message.

    Raises:
        LinkLostError: what has come is none.
    """
    try:
        fields = read_json(head.decode(errors="surrogateescape"))
    except ValueError:
        fields = None
    if isinstance(fields, dict):
        kinds = _ANSWER if "re" in fields else _NEWS.get(str(fields.get("event")))
        if kinds is not None and all(isinstance(fields.get(name), kind) for name, kind in kinds.items()):
            return fields
    raise LinkLostError(_NO_MESSAGE)


async def start_program(transport: Transport, *words: str, folder: str, python: str) -> Channel:
    """Start the program on the machine, if it is there; words are what it does instead of serving a session.

    Raises:
        LinkLostError: the machine cannot be reached.
    """
    return await transport.open(["sh", "-c", _START, "sh", folder, onhost_program().digest, python, *words])


async def open_session(transport: Transport, *, folder: str, python: str) -> HostSession:
    """Start the program on the machine; it is copied there if it is not there yet.

    Raises:
        LinkLostError: the machine cannot be reached.
        TransportError: it has no Python, or the program cannot be copied.
    """
    program = onhost_program()
    hello = json.dumps({"id": _HELLO, "do": "hello"}).encode()
    for _ in range(2):
        channel = await start_program(transport, folder=folder, python=python)
        try:
            with suppress(LinkLostError):  # the program may end at once, and why is said by its end
                await channel.send(HEADER.pack(len(hello), 0) + hello)
            first = await channel.receive()
            if first:
                return HostSession(channel, first)
            ended = await channel.wait()
        except BaseException:
            await channel.aclose()
            raise
        await channel.aclose()
        if ended.exit_code in _NO_PYTHON:
            raise TransportError(f"{transport.name} has no program '{python}': name one that it has as its python")
        if ended.exit_code != _NO_PROGRAM:
            raise TransportError(f"the supervisor ended on {transport.name}: {_why(ended)}")
        placed = await transport.run(["sh", "-c", _PLACE, "sh", folder, program.digest], stdin=program.content)
        if placed.exit_code:
            raise TransportError(f"the supervisor cannot be copied to {transport.name}: {_why(placed)}")
    raise TransportError(f"the supervisor was copied to {transport.name}, and is not there")


def _why(ended: Ended) -> str:
    lines = ended.error_text.strip().splitlines()
    return lines[-1] if lines else f"exit code {ended.exit_code}"
