"""What machines may ask of a store themselves: its data then goes between the two, and not through this machine."""

from collections.abc import Callable, Sequence

from skyflow.ports.artifacts import ArtifactError, ContentStore, SignedRequest

__all__ = ["requests_for"]


async def requests_for(
    store: ContentStore, method: str, digests: Sequence[str], tell: Callable[[str], None]
) -> dict[str, SignedRequest]:
    """Return requests that a machine may make of a store itself, by digest; none where it may not, and a line says why.

    Args:
        store: the store.
        method: `GET` to fetch contents, `PUT` to bring them.
        digests: the contents.
        tell: takes a line for the log.
    """
    try:
        signed = await store.signed(method, digests) if digests else None
    except ArtifactError as error:
        tell(f"Data goes through this machine: {error}\n")
        return {}
    return {} if signed is None else dict(zip(digests, signed, strict=True))
