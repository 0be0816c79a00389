"""Which cache a key stands for."""

from datetime import UTC, datetime

import pytest

from skyflow.artifacts.caches import choose_cache
from skyflow.model.artifacts import CachedTree, artifact_name_problem, cache_key_problem, is_safe_path


def cached(key: str, day: int, *, version: str = "v", scope: str = "here") -> CachedTree:
    created = datetime(2026, 1, day, tzinfo=UTC)
    return CachedTree(key=key, version=version, scope=scope, created=created, size=1, tree="t")


CACHES = (
    cached("deps-a", 1),
    cached("deps-b", 3),
    cached("deps-c", 2),
    cached("deps-d", 9, version="other"),
    cached("deps-e", 8, scope="main"),
    cached("tools-x", 4),
    cached("Deps-z", 7),
)


@pytest.mark.parametrize(
    ("keys", "scopes", "found"),
    [
        (["deps-a"], ["here"], "deps-a"),
        (["deps-a", "tools-"], ["here"], "deps-a"),
        (["deps-"], ["here"], "deps-b"),
        (["deps-q"], ["here"], None),
        (["deps-q", "deps-"], ["here"], "deps-b"),
        (["deps-q", "nothing", "tools-", "deps-"], ["here"], "tools-x"),
        (["deps-q", "deps-c"], ["here"], "deps-c"),
        (["deps-e"], ["here"], None),
        (["deps-e"], ["here", "main"], "deps-e"),
        (["deps-e", "deps-"], ["here", "main"], "deps-b"),
        (["deps-d"], ["here", "main"], None),
        (["deps-a"], [], None),
        ([], ["here"], None),
    ],
)
def test_keys(keys: list[str], scopes: list[str], found: str | None) -> None:
    choice = choose_cache(CACHES, keys, version="v", scopes=scopes)
    assert (choice.key if choice else None) == found


@pytest.mark.parametrize(
    "name", ["", " ", "a/b", "a\\b", 'a"b', "a:b", "a<b", "a>b", "a|b", "a*b", "a?b", "a\rb", "a\nb"]
)
def test_names_that_github_refuses(name: str) -> None:
    assert artifact_name_problem(name)


@pytest.mark.parametrize("name", ["artifact", "..", "a b", "ünï", "x" * 500])
def test_names_that_github_accepts(name: str) -> None:
    assert artifact_name_problem(name) is None


@pytest.mark.parametrize(("key", "is_valid"), [("", False), ("a,b", False), ("x" * 513, False), ("x" * 512, True)])
def test_cache_keys(key: str, is_valid: bool) -> None:
    assert (cache_key_problem(key) is None) == is_valid


@pytest.mark.parametrize(
    ("path", "is_safe"),
    [("a", True), ("a/b", True), ("...", True), ("a/..b", True), ("", False), ("/a", False), ("a//b", False)]
    + [(path, False) for path in ("..", "a/..", "../a", "a/../b", "./a", "a/.", "a/", "a\0b")],
)
def test_safe_paths(path: str, is_safe: bool) -> None:
    assert is_safe_path(path) == is_safe
