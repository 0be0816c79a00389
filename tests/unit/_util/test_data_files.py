"""Where shipped files are found."""

import pytest

from skyflow._util import data_files
from skyflow._util.data_files import data_file


def test_a_checkout_has_them_beside_the_package():
    assert data_file("schemas", "plan.schema.json").is_file()
    assert data_file("catalogs").is_dir()


def test_a_wheel_has_them_inside_the_package(tmp_path, monkeypatch):
    shipped = tmp_path / "skyflow" / "_data" / "catalogs" / "aws.csv"
    shipped.parent.mkdir(parents=True)
    shipped.touch()
    monkeypatch.setattr(data_files, "_PACKAGE", tmp_path / "skyflow")
    assert data_file("catalogs", "aws.csv") == shipped


def test_what_is_nowhere_is_told():
    with pytest.raises(FileNotFoundError, match=r"lacks catalogs/moon\.csv"):
        data_file("catalogs", "moon.csv")
