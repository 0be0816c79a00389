"""How quickly the live page shows what happens, and whether much output freezes it; in chromium, with a real run.

    python tests/bench/live_page.py [--strict]

`event` is the time from a step's `date` to when the browser has changed the page; `frame` the longest time between two
frames that the browser could draw while a step printed so many lines a second. The same `event` in a run of a thousand
jobs, of which two end and two begin every second or so, with the time that the server took of a core meanwhile. All are times on
the clock.
"""

import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from measuring import Figure, arguments, report
from report.browser import Browser
from report.served import Served, serving

EVENTS = """\
name: events
on: push
jobs:
  tick:
    runs-on: local
    steps:
      - run: sleep 3; for i in $(seq 20); do echo "at=$(date +%s%3N)"; sleep 0.7; done
"""
FLOOD = """\
name: flood
on: push
jobs:
  print:
    runs-on: local
    steps:
      - shell: python
        run: |
          import time
          time.sleep(3)
          began = time.monotonic()
          for beat in range(800):
              print("".join(f"at={time.time() * 1000:.0f} line {beat * 100 + line} of what is printed\\n" for line in range(100)), end="", flush=True)
              time.sleep(max(0.0, began + (beat + 1) / 100 - time.monotonic()))
          print("the end")
"""
JOBS = 1000
SECONDS_WATCHED = 20
THOUSAND = "name: thousand\non: push\njobs:\n" + "".join(
    f"  job{number}: {{{f'needs: job{number - 50}, ' if number >= 50 else ''}runs-on: local, "
    f"steps: [{{run: 'sleep 1; echo at=$(date +%s%3N)'}}]}}\n"
    for number in range(JOBS)
)
"""Twenty columns of fifty jobs."""
PROBE = """
window.seen = new Map(); window.gaps = []; let before = performance.now();
const frame = () => { const now = performance.now(); gaps.push(now - before); before = now; requestAnimationFrame(frame); };
requestAnimationFrame(frame);
new MutationObserver((records) => {
  const texts = records.flatMap(each => each.type === "characterData" ? [each.target.data] : [...each.addedNodes].map(node => node.textContent));
  for (const text of texts) for (const [, at] of text.slice(-2000).matchAll(/at=(\\d{13})/g)) {
    if (!seen.has(at)) seen.set(at, Date.now() - Number(at));
  }
}).observe(document.getElementById("main"), { subtree: true, childList: true, characterData: true });
"""


def opened(browser: Browser, served: Served, source: str, number: int) -> subprocess.Popen[bytes]:
    """Begin a run and open its page, with all that can be opened."""
    process = served.start(source=source)
    while number not in served.states():
        time.sleep(0.05)
    browser.get(f"{served.address}runs/{number}")
    browser.execute_script(PROBE)
    browser.execute_script("document.querySelectorAll('#jobs details').forEach(each => { each.open = true; })")
    return process


def watched(browser: Browser, served: Served, source: str, number: int) -> tuple[list[float], list[float]]:
    """Run a workflow while its page is open; return the delays and the times between frames, in milliseconds."""
    opened(browser, served, source, number).wait()
    time.sleep(2)
    if "the end" in source:
        assert "the end" in browser.execute_script("return document.getElementById('jobs').textContent")
    return browser.execute_script("return [[...seen.values()], gaps]")


def watched_of_many(browser: Browser, served: Served, number: int) -> tuple[list[float], list[float], float]:
    """Watch a run of a thousand jobs for a while; return delays and times between frames, and the share of a core."""
    process = opened(browser, served, THOUSAND, number)
    time.sleep(3)  # the page is opened while the first jobs end
    browser.execute_script("seen.clear(); gaps.length = 0;")
    before = served.cpu_seconds()
    time.sleep(SECONDS_WATCHED)
    share = (served.cpu_seconds() - before) / SECONDS_WATCHED
    delays, gaps = browser.execute_script("return [[...seen.values()], gaps]")
    process.send_signal(signal.SIGINT)
    process.wait()
    return delays, gaps, share


@contextmanager
def a_browser(folder: Path) -> Iterator[tuple[Browser, Served]]:
    with serving(folder) as served:
        browser = Browser(folder / "profile")
        try:
            browser.get(f"{served.address}?token={served.token}")
            yield browser, served
        finally:
            browser.quit()


def in_words(name: str, delays: list[float]) -> Figure:
    middle = statistics.median(delays)
    measured = f"{middle:.0f} ms, at worst {max(delays):.0f} ms of {len(delays)}"
    return Figure(f"from an event to the screen, {name}", measured, "", "300 ms", middle <= 300)


def events(_: int, folder: Path) -> list[Figure]:
    with a_browser(folder) as (browser, served):
        return [in_words("one job", watched(browser, served, EVENTS, 1)[0])]


def events_of_many(_: int, folder: Path) -> list[Figure]:
    with a_browser(folder) as (browser, served):
        delays, gaps, share = watched_of_many(browser, served, 1)
    return [
        in_words(f"{JOBS:,} jobs", delays),
        Figure(f"longest time between two frames, {JOBS:,} jobs", f"{max(gaps):.0f} ms", ""),
        Figure(f"what the server takes of a core, {JOBS:,} jobs", f"{share:.0%}", ""),
    ]


def flood(_: int, folder: Path) -> list[Figure]:
    with a_browser(folder) as (browser, served):
        delays, gaps = watched(browser, served, FLOOD, 1)
    return [
        in_words("10,000 lines a second", delays),
        Figure("longest time between two frames, 10,000 lines a second", f"{max(gaps):.0f} ms", ""),
    ]


BENCHMARKS = (events, events_of_many, flood)

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report(BENCHMARKS, arguments("How quickly the live page shows what happens.", rounds=1).parse_args())
