"""Make the catalog tables of this directory from a directory of collected facts.

    python catalogs/build.py --facts DIR

Where each row comes from, and what is left out, is in SOURCES.md. Rows whose source states no licence, or a share-alike
one, stay out: only the sources named in `build_prices.LICENSED` and `build_types.LICENSED_SPECS` are read. Needs
nothing but skyflow itself; the same facts give the same bytes.
"""

import argparse
import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import build_places
import build_prices
import build_types

HERE = Path(__file__).resolve().parent
CLOUDS = ("aws", "azure", "gcp")


def write(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one table and say how long it is."""
    rows = list(rows)
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows")


def meta() -> Iterator[tuple[object, ...]]:
    """Yield, for every table, where it comes from, of which day it is, how long it is, and its checksum."""
    for name, (source, as_of) in build_places.SOURCES.items():
        content = (HERE / name).read_bytes()
        yield name, source, as_of, content.count(b"\n") - 1, hashlib.sha256(content).hexdigest()


def main() -> None:
    """Write all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=Path, required=True, metavar="DIR", help="the directory of collected facts")
    facts = parser.parse_args().facts
    for cloud in CLOUDS:
        types = build_types.instance_types(facts, cloud)
        write(f"{cloud}/instance_types.csv", build_types.COLUMNS, [types[name] for name in sorted(types)])
        write(f"{cloud}/prices.csv", build_prices.COLUMNS, build_prices.prices(facts, cloud, types))
    for name, (columns, rows) in build_places.tables(facts).items():
        write(name, columns, rows)
    write("accelerators.csv", build_types.ACCELERATOR_COLUMNS, build_types.accelerators(facts))
    write("meta.csv", ("table", "source", "as_of", "rows", "sha256"), meta())


if __name__ == "__main__":
    main()
