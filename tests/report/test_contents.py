"""What a report says, without a browser."""

import re
from html import unescape
from pathlib import Path

import pytest

from skyflow.app.showing.report import _equal_part

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


def section_of(page: str, name: str) -> str:
    return text_of(page.partition(f'<section id="{name}"')[2].partition("</section>")[0])


def test_cost_and_carbon_by_cloud_region_and_job(past) -> None:
    past.add(CLOUDS)
    page = past.report()
    section = section_of(page, "costs")
    row = r" \$([\d.]+) \$([\d.]+) \$[\d.]+ \$[\d.]+ ([\d.]+) k?g ([\d.]+) k?g"
    planned, actual, grams, emitted = (float(value) for value in re.search(rf"aws 2{row}", section).groups())
    assert actual == pytest.approx(planned * 1.1, abs=0.02)
    assert emitted == pytest.approx(grams * 1.1, rel=0.02)
    assert re.search(rf"aws [a-z]+-[a-z]+-\d 2{row}", section)
    assert re.search(rf"By job 3 .* train{row}", section)
    assert "local local 1 $0 $0" in section
    assert "CO2e" in page.partition('<dl class="tiles">')[2].partition("</dl>")[0]
    assert "40 GB" in page.partition("<svg")[2].partition("</svg>")[0]
    assert "110%" in text_of(page)
    assert "3 of 3 estimates were within 20%." in section_of(page, "timeline")


def test_what_was_rented_counts_as_spent_and_where_it_was_rented(past) -> None:
    past.add(CLOUDS, lost=frozenset({"train"}))
    past.rent("train", 1, hours=10.0, usd_per_hour=3.0, region="eu-west-3")
    section = section_of(past.report(), "costs")
    assert re.search(r"aws eu-west-3 1 \$0 \$30.00 ", section)
    assert "as long as it was rented" in section
    attempts = section_of(past.report(), "attempts")
    assert re.search(r"train 1 aws m6i.xlarge eu-west-3 spot .* \$30.00 cancelled", attempts)


def test_each_machine_of_an_attempt_counts_where_it_was_rented(past) -> None:
    past.add(CLOUDS)
    past.rent("train", 1, hours=1.0, usd_per_hour=3.0, region="eu-west-3")  # it never let us in
    past.rent("train", 1, hours=2.0, usd_per_hour=4.0, region="eu-west-1")
    page = past.report()
    section = section_of(page, "costs")
    assert re.search(r"aws eu-west-3 1 \$0 \$3.00 ", section)
    assert re.search(r"aws eu-west-1 1 \$0 \$8.00 ", section)
    assert re.search(r"By job .* prepare \$[\d.]+ \$0 ", section), "whoever takes a machine over pays no second time"


def test_jobs_that_were_tried_again_are_listed(past) -> None:
    past.add(CLOUDS, lost=frozenset({"train"}))
    section = section_of(past.report(), "attempts")
    assert (
        "1 of 4 attempts were followed by another: 1 x lost with its machine, or with the skyflow that drove it."
        in section
    )
    assert re.search(r"train 1 aws \S+ \S+ 2026-03-04", section)
    assert "success" in section


def test_plans_that_the_run_could_have_had(past) -> None:
    past.add(CLOUDS.replace("estimate: 2h", "estimate: {duration: 2h, on: {p4d: 10m}}"))
    assert "Other plans" not in past.report()
    section = section_of(past.report(with_frontier=None), "frontier")
    assert re.search(r"\$[\d.]+ this run's plan 3h", section)
    assert len(re.findall(r"\$[\d.]+", section)) >= 4


def test_a_run_on_this_machine_alone_has_no_costs_and_no_other_plans(past) -> None:
    past.add("on: push\njobs:\n  a: {runs-on: local, steps: [{run: x}]}\n")
    page = past.report(with_frontier=None)
    assert 'id="costs"' not in page
    assert 'id="frontier"' not in page


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
