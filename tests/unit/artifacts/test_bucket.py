"""How contents are cut into parts for a bucket."""

from pathlib import Path
from typing import Any

import obstore
import pytest

from skyflow.artifacts.bucket import BucketStore


@pytest.mark.parametrize(
    ("size", "part", "at_once"),
    [
        (500_000_000, 16 * 1024**2, 6),
        (1_000_000_000_000, 111_111_112, 2),
    ],
)
def test_no_content_has_more_parts_than_a_service_takes(
    monkeypatch: pytest.MonkeyPatch, size: int, part: int, at_once: int
) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(obstore, "put", lambda *_, **options: seen.append(options))
    store = BucketStore(None, name="bucket")  # type: ignore[arg-type]
    store._put_in_parts(Path("/dev/null"), "key", size, lambda _: None)
    assert [(options["chunk_size"], options["max_concurrency"]) for options in seen] == [(part, at_once)]
    assert -(-size // part) <= 9_000
