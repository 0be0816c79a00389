"""The page of one log in `skyflow ui`: all of it, searched as a whole, followed while it grows."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from report.served import Served, serving, wait_until

PRINTING = """\
name: printing
on: push
jobs:
  print:
    runs-on: local
    steps:
      - {name: First, run: 'seq -f "line %.0f of many" 5000; echo "<script>alert(1)</script>"'}
      - {name: Second, run: 'echo begun; while [ ! -e go ]; do sleep 0.02; done; seq 3; echo "the end"; while [ ! -e end ]; do sleep 0.02; done'}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A project with a run of which the second step waits for the file `go`, and then for `end`."""
    folder = tmp_path_factory.mktemp("logs")
    with serving(folder) as found:
        process = found.start(source=PRINTING)
        wait_until(lambda: found.states() == {1: "in_progress"})
        wait_until(lambda: "begun" in found.ask("/runs/1/log?job=print&step=2")[1])
        yield found
        for name in ("go", "end"):
            (folder / name).touch()
        process.wait(60)


def lines_of(page: str) -> list[str]:
    """Return the lines of a log on its page, each with its number."""
    return [unescape(re.sub("<[^>]+>", " ", line)).strip() for line in re.findall('<span class="line".*', page)]


def test_the_end_is_shown_first_and_the_rest_can_be_reached(served) -> None:
    lines = lines_of(served.ask("/runs/1/log?job=print&step=1")[1])
    assert lines[0] == "3002 line 3002 of many"
    assert lines[-1] == "5001 <script>alert(1)</script>"
    page = served.ask("/runs/1/log?job=print&step=1&after=0")[1]
    assert lines_of(page)[0] == "1 line 1 of many"
    assert len(lines_of(page)) == 2000
    assert "after=2000" in page, "the way to later lines"


def test_the_whole_log_is_searched(served) -> None:
    found = lines_of(served.ask("/runs/1/log?job=print&step=1&find=LINE+77")[1])
    assert found[:3] == ["77 line 77 of many", "770 line 770 of many", "771 line 771 of many"]
    assert "Search" in served.ask("/runs/1/log?job=print&step=1&find=nowhere")[1]
    assert lines_of(served.ask("/runs/1/log?job=print&step=1&find=nowhere")[1]) == []


@pytest.mark.parametrize("query", ["job=missing", "job=print&step=3", "job=print&attempt=2", "step=1"])
def test_what_is_not_there_is_not_found(served, query: str) -> None:
    assert served.ask(f"/runs/1/log?{query}")[0] == 404


def test_a_log_is_followed_until_its_step_has_ended(browser, served) -> None:
    browser.get(f"{served.address}?token={served.token}")
    browser.get(f"{served.address}runs/1")
    wait_until(lambda: browser.execute_script("return document.querySelector('#job-0 a') !== null"))
    assert "/runs/1/log?job=print" in browser.execute_script("return document.querySelector('#job-0 a').href")
    browser.get(f"{served.address}runs/1/log?job=print")
    wait_until(lambda: browser.find_element("id", "live").text == "live")
    assert browser.find_element("id", "lines").text == "1begun"
    (served.folder / "go").touch()
    wait_until(lambda: "the end" in browser.find_element("id", "lines").text)
    assert browser.find_element("id", "lines").text.splitlines()[1:] == ["21", "32", "43", "5the end"]
    browser.picture("log")
    (served.folder / "end").touch()
    wait_until(lambda: browser.find_element("id", "live").text == "ended")
    assert browser.complaints() == []


@pytest.mark.parametrize(("width", "dark"), [(375, False), (1440, True)], ids=["narrow-light", "wide-dark"])
def test_axe_finds_nothing_on_logs(browser, served, axe, width: int, dark: bool) -> None:
    browser.get(f"{served.address}?token={served.token}")
    browser.look_at(f"{served.address}runs/1/log?job=print&step=1&after=0", width=width, dark=dark)
    browser.picture(f"log-{width}-{'dark' if dark else 'light'}")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found = browser.execute_async_script("axe.run(document, {resultTypes: ['violations']}).then(arguments[0])")
    assert [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]] == []
