"""Whatever a machine answers, nothing breaks here and nothing is written where it does not belong.

Jobs run on the machine as the user whom skyflow is there, so what answers may be theirs.
"""

import json
import struct
from pathlib import Path

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skyflow._util.glob import make_glob
from skyflow.model.artifacts import Entry, EntryKind
from skyflow.ports.runner import HashFilesError
from skyflow.ports.transport import Ended, LinkLostError, TransportError
from skyflow.runners.onhost.steps import ANSWERS
from skyflow.runners.remote.data import HostData
from skyflow.runners.remote.errand import Errand
from skyflow.runners.remote.hashing import hash_remote_files, matching_files
from skyflow.runners.remote.session import Answer, HostSession

pytestmark = pytest.mark.anyio

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["re", "step", "event", "offset", "sizes", "code", "full", "problem", "error", "folder", "moved", "done"]
)
FIELDS = st.dictionaries(NAMES, VALUES | st.sampled_from(["output", "ended", "s", 0, 1, [1, 2], [None], ["x"], -1]))


ENDED = {"event": "ended", "step": "s", "sizes": [0] * len(ANSWERS), "code": 1, "full": False, "problem": ""}


def message(fields, body=b""):
    head = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return struct.pack(">II", len(head), len(body)) + head + body


class Said:
    """A channel from which some bytes come."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.sent = b""

    async def send(self, data):
        self.sent += data

    async def send_end(self):
        """Nothing more is said."""

    async def receive(self):
        await anyio.lowlevel.checkpoint()
        return self.pieces.pop(0) if self.pieces else b""

    async def wait(self):
        return Ended(exit_code=1)

    async def aclose(self):
        """Nothing is open."""


class Machine:
    """A link whose machine answers by a table."""

    name = "m"

    def __init__(self, **answers):
        self.answers = answers

    async def folder(self):
        return "/root/.skyflow"

    async def ask(self, do, _data=b"", **fields):
        answer = self.answers[do]
        return answer(fields) if callable(answer) else answer


def outcome(work):
    """Return what the machine's answer came to: a result, or the text of the error that users see."""
    try:
        return anyio.run(work)
    except TransportError as error:
        return str(error)


@given(st.lists(st.binary(max_size=30) | st.builds(message, FIELDS | VALUES, st.binary(max_size=8)), max_size=4))
@example([message(b"[" * 100_000)])
@example([message(b'{"re": ' + b"9" * 5_000 + b"}")])
@example([message(b'{"re": 1e999}')])
@example([struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFFF)])
@example([message(b'{"re": 1}'), message(ENDED | {"code": 10**400}, b"")])
def test_any_answer_is_taken_or_ends_the_session(pieces):
    async def read():
        session = HostSession(Said(*pieces), b"")
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(session.read)
                with pytest.raises(TransportError):
                    await session.follow("s", 0, lambda _data, _offset: None)
        return session.lost

    assert isinstance(outcome(read), LinkLostError)


@pytest.mark.parametrize(
    "wrong",
    [{"sizes": sizes} for sizes in ([], ["x"] * 5, [0] * 4, [0] * 6, [-1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [10**30] * 5)]
    + [{"code": code} for code in (-1, 256, 10**400)],
)
def test_the_end_of_a_step_that_can_be_none_ends_the_session(wrong):
    async def read(fields):
        session = HostSession(Said(message({"re": 1}), message(ENDED | fields)), b"")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.read)
            return await session.follow("s", 0, lambda _data, _offset: None)

    assert anyio.run(read, {}).answers == (b"",) * 5
    with pytest.raises(ExceptionGroup) as raised:
        anyio.run(read, wrong)
    assert raised.group_contains(LinkLostError)


async def test_a_file_is_read_to_where_it_ended_however_much_comes(tmp_path):
    machine = Machine(read=lambda fields: Answer({}, b"x" * 2 * fields["most"]))
    entry = Entry(path="a", kind=EntryKind.FILE, size=5_000_000, content="0" * 64)
    moved = []
    await HostData(machine, run="r").read("r/j/1", entry, tmp_path / "a", moved.append)
    assert (tmp_path / "a").stat().st_size == sum(moved) == 5_000_000


@given(st.lists(st.binary(max_size=30) | FIELDS.map(lambda fields: json.dumps(fields).encode() + b"\n"), max_size=4))
@example([b"[" * 100_000 + b"\n"])
@example([b'{"moved": "x"}\n'])
@example([b"x" * 5_000_000] * 10)
def test_an_errand_ends_or_says_why_not(pieces):
    assert isinstance(outcome(Errand(Said(*pieces)).finish), int | str)


@pytest.mark.parametrize(
    "name", ["../escaped", "/tmp/escaped", "a/../../escaped", "..", ".", "", "a//b", "a\0b", 5, None, ["a"], {}]
)
async def test_no_file_outside_of_the_workspace_is_one_of_it(name):
    walked = Answer({}, json.dumps([[name, "file"], ["good", "file"], ["bad"], 7]).encode())
    patterns = make_glob("**", workspace=Path("/work")).patterns
    assert matching_files(patterns, Path("/work"), walked) == ["good"]


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"[" * 100_000, b"\xff", b"[NaN]"])
async def test_what_is_no_list_of_files_is_said(data):
    patterns = make_glob("**", workspace=Path("/work")).patterns
    with pytest.raises(TransportError, match="something else than the list"):
        matching_files(patterns, Path("/work"), Answer({}, data))


@pytest.mark.parametrize("digests", [None, ["zz"], "00", [1]])
async def test_digests_that_are_none_are_said(digests):
    machine = Machine(walk=Answer({}, b'[["a", "file"]]'), hash=Answer({"digests": digests}, b""))
    with pytest.raises(HashFilesError, match="hashFiles on m: the machine answers with"):
        await hash_remote_files(machine, "/work", ("**",))


async def test_a_machine_lacks_only_what_it_was_asked_about():
    machine = Machine(lacks=Answer({}, json.dumps(["a", "../../etc/passwd", 7, "f" * 64]).encode()))
    assert await HostData(machine, run="r").lacks(["b", "a"]) == ["a"]
