"""What the standard library has too, without the modules that it loads for it.

There is an agent for every job of an array, and to start Python and load `signal`, `contextlib` and `json` takes more than
twice the time of starting Python: they load `enum`, `functools` and `re`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # whose numbers are plain ones

__all__ = ["pack", "signal", "suppress", "unpack"]


class suppress:  # noqa: N801 -- it is what contextlib has
    """Go on after a block that raised one of some errors."""

    def __init__(self, *kinds: type[BaseException]) -> None:
        self._kinds = kinds

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> bool:
        """Hold back the error that ended the block, if it is of one of these kinds."""
        return kind is not None and issubclass(kind, self._kinds)


def pack(value: object) -> bytes:
    """Return a value as bytes: a text, bytes, or a list or dictionary of values, by texts.

    A letter for the kind, a size and a colon are followed by so many bytes, or by so many values.
    """
    if isinstance(value, str):
        data = value.encode(errors="surrogatepass")
        return b"s%d:%b" % (len(data), data)
    if isinstance(value, bytes):
        return b"b%d:%b" % (len(value), value)
    if isinstance(value, dict):
        pairs = [pack(each) for pair in value.items() for each in pair]
        return b"d%d:%b" % (len(value), b"".join(pairs))
    if isinstance(value, list):
        return b"l%d:%b" % (len(value), b"".join(map(pack, value)))
    raise TypeError(f"a {type(value).__name__} cannot be packed")


def unpack(data: bytes) -> object:
    """Return what was packed.

    Raises:
        ValueError: this is not what `pack` makes, as when only some of it was written.
    """
    value, end = _unpacked(data, 0)
    if end != len(data):
        raise ValueError("something comes after the value")
    return value


def _unpacked(data: bytes, at: int) -> tuple[object, int]:
    colon = data.index(b":", at)
    kind, count, at = data[at : at + 1], int(data[at + 1 : colon]), colon + 1
    if kind in {b"s", b"b"}:
        found = data[at : at + count]
        if len(found) < count:
            raise ValueError("the value is not complete")
        return found.decode(errors="surrogatepass") if kind == b"s" else found, at + count
    values = []
    for _ in range(count * 2 if kind == b"d" else count):
        value, at = _unpacked(data, at)
        values.append(value)
    if kind == b"l":
        return values, at
    if kind == b"d":
        return dict(zip(values[::2], values[1::2])), at  # noqa: B905 -- Python 3.7
    raise ValueError(f"there is no kind {kind!r}")
