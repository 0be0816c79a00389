"""Points on two axes."""

import xml.etree.ElementTree as ET

import pytest

from skyflow.report.scatter import Axis, Mark, scatter_svg

SVG = "{http://www.w3.org/2000/svg}"
PLAIN = Axis(name="x", show=str)
LOG = Axis(name="y", show=str, is_log=True)


def drawn(marks, **options):
    return ET.fromstring(scatter_svg(marks, **{"across": PLAIN, "up": PLAIN, "title": "t", **options}))


def inside(root) -> bool:
    points = [(float(each.get("cx")), float(each.get("cy"))) for each in root.iter(f"{SVG}circle")]
    return bool(points) and all(0 <= x <= 720 and 0 <= y <= 400 for x, y in points)


@pytest.mark.parametrize("values", [[0.0], [5.0], [0.0, 1e-9], [1e-3, 1e6], [7.0, 7.0]])
def test_every_point_is_inside_whatever_the_range(values) -> None:
    marks = [Mark(x=value, y=value + 1, title="p") for value in values]
    root = drawn(marks, up=LOG)
    assert inside(root)
    assert len(list(root.iter(f"{SVG}circle"))) == len(values)


def test_lines_stand_at_round_numbers_of_the_unit() -> None:
    axis = Axis(name="time", show=lambda seconds: f"{seconds / 3600:g} h", unit=3600.0)
    root = drawn([Mark(x=14000.0, y=1.0, title="a"), Mark(x=26000.0, y=2.0, title="b")], across=axis)
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert {"4 h", "5 h", "6 h", "7 h"} <= set(texts)


def test_decades_are_left_where_there_is_no_room_for_more() -> None:
    root = drawn([Mark(x=1.0, y=0.01, title="a"), Mark(x=2.0, y=1000.0, title="b")], up=LOG)
    texts = {each.text for each in root.iter(f"{SVG}text")}
    assert {"0.1", "1.0", "10.0", "100.0"} <= texts
    assert "2.0" not in {each.text for each in root.iter(f"{SVG}text") if each.get("text-anchor") == "end"}


def test_labels_do_not_cover_each_other() -> None:
    marks = [Mark(x=1.0 + number / 1000, y=1.0, title=str(number), label="the same place") for number in range(5)]
    marks.append(Mark(x=3.0, y=9.0, title="far", label="far away"))
    labels = [each.text for each in drawn(marks).iter(f"{SVG}text") if each.get("class") == "label"]
    assert labels == ["the same place", "far away"]


def test_what_is_foreign_stays_text_and_links_are_named() -> None:
    root = drawn([Mark(x=1.0, y=1.0, title="<script>", label="a & b", href="#x", kind="gcp")])
    assert [each.get("aria-label") for each in root.iter(f"{SVG}a")] == ["<script>"]
    assert [each.get("href") for each in root.iter(f"{SVG}a")] == ["#x"]
    assert list(root.iter(f"{SVG}script")) == []
