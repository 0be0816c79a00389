"""Ranges of versions; the expectations are those of the semver package, and of Python for `~=`."""

import pytest

from skyflow._util.version_range import Version, VersionError, parse_range, parse_version


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("3.12.1", ["3.12.1"], ["3.12.0", "3.12.2"]),
        ("3.12", ["3.12.0", "3.12.9"], ["3.11.9", "3.13.0"]),
        ("3", ["3.0.0", "3.99.1"], ["2.9.9", "4.0.0"]),
        ("3.x", ["3.0.0", "3.99.1"], ["4.0.0"]),
        ("3.12.x", ["3.12.4"], ["3.13.0"]),
        ("v20", ["20.1.0"], ["21.0.0"]),
        ("=20.1.0", ["20.1.0"], ["20.1.1"]),
        ("*", ["0.0.0", "99.0.0"], []),
        ("x", ["1.0.0"], []),
        ("", ["1.0.0"], []),
        (">=3.9", ["3.9.0", "4.0.0"], ["3.8.9"]),
        (">3.9", ["3.10.0"], ["3.9.9"]),
        (">3.9.1", ["3.9.2"], ["3.9.1"]),
        ("<=3.9", ["3.9.9"], ["3.10.0"]),
        ("<3.9", ["3.8.9"], ["3.9.0"]),
        (">=3.9 <3.12", ["3.9.0", "3.11.9"], ["3.12.0", "3.8.0"]),
        (">= 3.9, < 3.12", ["3.9.0", "3.11.9"], ["3.12.0"]),
        (">=3.9,<3.12", ["3.11.9"], ["3.12.0"]),
        ("3.9 - 3.11", ["3.9.0", "3.11.5"], ["3.12.0", "3.8.0"]),
        ("18 || >=20.5", ["18.3.0", "20.5.0", "22.0.0"], ["19.0.0", "20.4.0"]),
        ("^20.1", ["20.1.0", "20.9.9"], ["20.0.9", "21.0.0"]),
        ("^0.2.3", ["0.2.9"], ["0.3.0", "0.2.2"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^0", ["0.5.0"], ["1.0.0"]),
        ("~1.2.3", ["1.2.9"], ["1.3.0", "1.2.2"]),
        ("~1", ["1.9.0"], ["2.0.0"]),
        ("~>1.2", ["1.2.9"], ["1.3.0"]),
        ("~=3.11", ["3.11.0", "3.99.0"], ["4.0.0", "3.10.0"]),
        ("~=3.11.2", ["3.11.2", "3.11.9"], ["3.12.0", "3.11.1"]),
        ("==3.11.*", ["3.11.9"], ["3.12.0"]),
        (">=4 <3", [], ["3.5.0", "4.0.0"]),
    ],
)
def test_ranges(text: str, inside: list[str], outside: list[str]) -> None:
    wanted = parse_range(text)
    assert [version for version in inside if parse_version(version) not in wanted] == []
    assert [version for version in outside if parse_version(version) in wanted] == []


@pytest.mark.parametrize("text", ["pypy3.10", "three", ">=a", "3..1", "3.12.1.4", "lts/*", ">", "1 | 2"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(VersionError, match="is not a range"):
        parse_range(text)


def test_versions() -> None:
    assert parse_version("v20.1.0\n") == Version((20, 1, 0))
    assert parse_version("3.14.0rc1") == Version((3, 14, 0), is_release=False)
    assert parse_version("3.12") == Version((3, 12, 0))
    with pytest.raises(VersionError):
        parse_version("three")
