"""The index on disk: made once, used while it is right, and made again when it is not."""

import os

import pytest

from skyflow.catalog import build, cache, load_catalog
from skyflow.catalog.cache import load_index
from skyflow.catalog.pack import read_pack
from skyflow.model.config import PriceRule


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def built(monkeypatch):
    """Count how often an index is built."""
    calls = []

    def counting(*arguments):
        calls.append(arguments)
        return build.build_index(*arguments)

    monkeypatch.setattr(cache, "build_index", counting)
    return calls


def prices(index):
    return [index.offering(entry).price_usd_per_hour for entry in range(len(index))]


def test_an_index_is_built_once(directory, folder, built):
    first = load_index(directory, folder=folder)
    second = load_index(directory, folder=folder)
    assert len(built) == 1
    assert [first.offering(entry) for entry in range(len(first))] == [
        second.offering(entry) for entry in range(len(second))
    ]
    assert second.faults == first.faults
    assert second.regions == first.regions


def test_a_changed_table_is_read_again(directory, folder, built):
    load_index(directory, folder=folder)
    path = directory / "aws/prices.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0.096", "0.097"), encoding="utf-8")
    assert 0.097 in prices(load_index(directory, folder=folder))
    assert len(built) == 2


def test_a_new_table_is_read(directory, folder, built):
    load_index(directory, folder=folder)
    (directory / "azure").mkdir()
    for name in ("instance_types.csv", "prices.csv"):
        header = (directory / "aws" / name).read_text(encoding="utf-8").splitlines()[0]
        (directory / "azure" / name).write_text(f"{header}\n", encoding="utf-8")
    load_index(directory, folder=folder)
    assert len(built) == 2


def test_a_table_that_was_only_touched_is_not_read_again(directory, folder, built):
    load_index(directory, folder=folder)
    for path in directory.rglob("*.csv"):
        os.utime(path, ns=(1, 1))
    load_index(directory, folder=folder)
    assert len(built) == 1
    assert read_pack(next(folder.glob("*.idx")))[0]["files"]["regions.csv"][1] == 1


def test_prices_of_ones_own_have_an_index_of_their_own(directory, folder):
    half = (PriceRule(provider="aws", percent_less=50, why="agreement 7"),)
    index = load_index(directory, half, folder=folder)
    assert 0.048 in prices(index)
    assert 0.048 not in prices(load_index(directory, folder=folder))
    assert len(list(folder.glob("*.idx"))) == 2


@pytest.mark.parametrize("kept", [0, 200, -5000])
def test_a_spoilt_file_is_made_again(directory, folder, built, kept):
    load_index(directory, folder=folder)
    [path] = folder.glob("*.idx")
    path.write_bytes(path.read_bytes()[:kept])
    assert len(load_index(directory, folder=folder)) == 11
    load_index(directory, folder=folder)
    assert len(built) == 2


def test_a_folder_that_cannot_be_written_costs_time_only(directory, tmp_path, built):
    blocked = tmp_path / "file"
    blocked.touch()
    assert len(load_index(directory, folder=blocked)) == 11
    assert len(built) == 1


def test_nothing_is_left_beside_the_index(directory, folder):
    load_index(directory, folder=folder)
    assert [path.suffix for path in folder.iterdir()] == [".idx"]


def test_the_folder_is_where_the_user_says(directory, tmp_path):
    assert load_catalog(directory).index
    assert list((tmp_path / "cache").glob("*.idx"))
