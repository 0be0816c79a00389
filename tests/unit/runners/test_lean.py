"""Values as bytes, for an agent that has no time to load what reads JSON."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skyflow.runners.onhost.lean import pack, suppress, unpack

TEXTS = st.text(st.characters(codec=None))
VALUES = st.recursive(TEXTS | st.binary(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


@given(VALUES)
@example("\udc80 of a name that is no UTF-8")
@example({"env": {"A": "l3:s1:", "": "\0"}, "script": b"\n", "path": []})
def test_a_value_comes_back(value: object) -> None:
    assert unpack(pack(value)) == value


@given(VALUES, st.data())
def test_only_a_whole_value_is_read(value: object, data: st.DataObject) -> None:
    whole = pack(value)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError):  # noqa: PT011 -- the reason does not matter
        unpack(whole[:cut])
    with pytest.raises(ValueError):  # noqa: PT011 -- the reason does not matter
        unpack(whole + b"s0:")


@pytest.mark.parametrize("value", [1, None, ("a",), {1: "a"}])
def test_what_cannot_be_packed_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        pack(value)


def test_only_errors_of_these_kinds_are_held_back() -> None:
    with suppress(FileNotFoundError, ValueError):
        raise FileNotFoundError
    with pytest.raises(PermissionError), suppress(FileNotFoundError):
        raise PermissionError
