"""The tables that ship, and the schemas that describe tables and `skyflow.yml`."""

import csv
import json
from itertools import islice
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

ROOT = Path(__file__).parents[2]
TABLES = sorted(path.relative_to(ROOT / "catalogs").as_posix() for path in (ROOT / "catalogs").rglob("*.csv"))


def validator(name: str, definition: str = "") -> Draft202012Validator:
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    if definition:
        schema = {"$schema": schema["$schema"], **schema["$defs"][definition]}
    return Draft202012Validator(schema, format_checker=FormatChecker())


@pytest.mark.parametrize("name", TABLES)
def test_shipped_rows_are_what_the_schema_says(name: str) -> None:
    check = validator("catalog", Path(name).stem)
    with (ROOT / "catalogs" / name).open(encoding="utf-8", newline="") as file:
        for row in islice(csv.DictReader(file), 0, 60_000, 101):
            check.validate(row)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("zones", {"provider": "aws", "region": "", "zone": "a"}),
        ("zones", {"provider": "aws", "region": "r"}),
        ("zones", {"provider": "aws", "region": "r", "zone": "a", "colour": "red"}),
        ("countries", {"country": "", "name": "x", "continent": "", "jurisdictions": ""}),
    ],
)
def test_a_wrong_row_is_not(table: str, row: dict[str, str]) -> None:
    assert not validator("catalog", table).is_valid(row)


def test_a_config_is_what_its_schema_says() -> None:
    check = validator("config")
    check.validate(
        {
            "machines": {
                "lab": {"cpus": 64, "memory": "512GiB", "accelerators": {"A100": 4}, "power": {"idle": 1, "max": 2}}
            },
            "prices": [{"cloud": "aws", "discount": "15%"}, {"instance-type": "p5.*", "price": 60}],
            "peering": [{"between": ["aws", "gcp"], "price": 0}],
        }
    )
    assert not check.is_valid({"machines": {"lab": {"cpus": 64}}})
    assert not check.is_valid({"prices": [{"cloud": "amazon", "price": 1}]})
