"""What a report says, without a browser."""

import re
from html import unescape
from pathlib import Path

import pytest

from skyflow.app.report import _equal_part

CLOUDS = """\
name: clouds
on: push
jobs:
  prepare: {runs-on: aws, resources: {cpus: 16+}, estimate: 1h, steps: [{run: 'true'}]}
  train: {needs: prepare, runs-on: sky, resources: {cpus: 16+, market: on-demand}, estimate: 2h, data: {prepare: 40GB}, steps: [{run: 'true'}]}
  publish: {needs: train, runs-on: local, estimate: 1m, data: {train: 1GB}, steps: [{run: 'true'}]}
"""


def text_of(page: str) -> str:
    """Return what can be read on a page, in one line."""
    body = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_nothing_is_loaded_from_anywhere_and_nothing_that_steps_wrote_becomes_code(showcase: Path) -> None:
    page = showcase.read_text()
    assert not re.search(r"""(?:src|href|action|data|srcset)\s*=\s*["']?(?:https?:)?//""", page)
    assert "url(" not in page
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(1)" in page
    assert "alert(2)" not in re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL)
    assert "<b>bold</b>" not in page
    assert "default-src 'none'" in unescape(page)


def test_the_showcase_has_all_its_parts(showcase: Path) -> None:
    page = showcase.read_text()
    text = text_of(page)
    assert "1 failure, 3 success, 1 skipped" in text
    assert "needle in part 2" in page.partition('id="failures"')[2].partition("</section>")[0]
    assert "digest sha256:4711" in text
    assert "warning Unused: x is never read src/a.c:3:5 build" in text
    assert '<span class="c1 b">red and bold</span>' in page or '<span class="b c1">red and bold</span>' in page
    assert "<summary>Unpack</summary>" in page
    assert re.search(r"<td>app</td>\s*<td>3 MB</td>", page), "the summary is rendered"
    assert "The end was decided by" in text
    assert "~1m 00s" in text, "an assumed estimate says so"


def test_costs_by_provider_and_place(past) -> None:
    past.add(CLOUDS)
    page = past.report()
    section = text_of(page.partition('<section id="costs"')[2].partition("</section>")[0])
    assert re.search(r"aws [a-z]+-[a-z]+-\d 2 \$[\d.]+ \$[\d.]+", section)
    assert "local local 1 $0 $0" in section
    assert "40 GB" in page.partition("<svg")[2].partition("</svg>")[0]
    planned, actual = (float(value) for value in re.search(r"2 \$([\d.]+) \$([\d.]+)", section).groups())
    assert actual == pytest.approx(planned * 1.1, abs=0.02)
    assert "110%" in text_of(page)


def test_jobs_that_were_tried_again_are_listed(past) -> None:
    past.add(CLOUDS, lost=frozenset({"train"}))
    section = text_of(past.report().partition('<section id="attempts"')[2].partition("</section>")[0])
    assert "train 1 2026-03-04" in section
    assert "the skyflow that drove it died" in section
    assert "success" in section


def test_long_logs_are_cut_in_the_middle_and_say_where_the_rest_is(past) -> None:
    logs = "".join(f"line {number}\n" for number in range(300_000))
    past.add("on: push\njobs:\n  a: {runs-on: local, steps: [{run: x}]}\n", logs={"a": logs})
    page = past.report()
    assert len(page) < 2_000_000
    assert "line 0\n" in page
    assert "line 299999\n" in page
    assert re.search(r"\.\.\. [\d,]+ kB left out; `skyflow logs 1 a` prints all", page)


def test_room_is_shared_such_that_small_logs_stay_whole() -> None:
    assert _equal_part([10, 20, 1000, 1000], 530) == 250
    assert _equal_part([10, 20], 530) == 20
    assert _equal_part([], 530) == 0


def test_a_thousand_jobs_stay_below_three_megabytes(thousand_jobs: Path) -> None:
    assert thousand_jobs.stat().st_size < 3_000_000
    assert thousand_jobs.read_text().count('class="job"') >= 1000
