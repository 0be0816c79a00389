"""Whatever breaks at whatever moment of a run, on whatever cloud: the job is done, once, and nothing is left that costs money.

The rows are what breaks, the columns when. While the cloud is asked for something (create, poll, delete) it is the call
that fails, or something else happens during it; while the machine is used (connect, transfer, step) it is the link, or the
machine. No cell is left out.
"""

import os
import re
import signal
import threading
import time
from collections.abc import Callable

import pytest
from forks import Fork
from renting import PATIENCE_SECONDS, Clouds, wait_until

CLOUDS = ("aws", "gcp", "azure")
CALLS = ("create", "poll", "delete")
MOMENTS = (*CALLS, "connect", "transfer", "step")
EVENTS = ("error", "lost", "hang", "partition", "machine", "driver")
"""`machine` and `driver` are killed; the others are of the call or the link."""
TYPES = {
    "aws": "runs-on: aws, resources: {regions: us-east-1, instance-type: [m6i.large, m5.large]}",
    "gcp": "runs-on: gcp, resources: {regions: us-central1, instance-type: [n2-standard-4, e2-standard-4]}",
    "azure": "runs-on: azure, resources: {regions: eastus, instance-type: [Standard_D2s_v5, Standard_D2as_v5]}",
}
"""Two for each, because a machine that dies before it runs is taken for a lack of its type there."""
STEPS = (
    "[{{uses: actions/checkout@v4}}, "
    "{{run: 'wc -c < data.txt; echo once >> ~/count; echo begun; sleep {seconds}; echo ended'}}, "
    "{{run: 'echo count $(wc -l < ~/count)'}}]"
)
STEP_SECONDS = 1.0
"""How long a step lasts where it may be what something happens to."""
DATA_BYTES = 1_000_000
MBIT_PER_SECOND = 20
OUT_SECONDS = 2.0
"""How long a machine is out of reach: longer than it takes to notice."""


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("provider", CLOUDS)
def test_the_job_is_done_and_nothing_is_left(clouds, provider: str, moment: str, event: str) -> None:
    cloud = clouds(provider)
    cloud.in_a_hurry = True
    cloud.machines.boot_seconds = 0.5 if moment == "connect" else 0.0
    (cloud.folder / "data.txt").write_bytes(os.urandom(DATA_BYTES))
    steps = STEPS.format(seconds=0 if moment in CALLS else STEP_SECONDS)
    cloud.write(f"  a: {{{TYPES[provider]}, steps: {steps}}}\n")
    driver = cloud.start("run", "w.yml", "--verbose")
    break_it = _break_call if moment in CALLS else _break_link
    shown, driver = break_it(cloud, provider, driver, moment, event)
    if not driver.stdout.closed:
        shown += driver.communicate(timeout=PATIENCE_SECONDS)[0]
    if moment == "delete" and event == "driver":  # whatever it was about to remove
        shown += cloud.skyflow("gc")
    else:
        assert driver.returncode == 0, shown
    assert "Traceback" not in shown, shown
    [job] = cloud.run_json()["jobs"]
    assert job["conclusion"] == "success", shown
    for text in (str(DATA_BYTES), "ended", "count 1"):
        assert re.search(rf"│ {text}$", shown, re.MULTILINE), shown


def _break_call(cloud: Clouds, provider: str, driver: Fork, call: str, event: str) -> tuple[str, Fork]:
    """Let a call to the cloud fail, or something else happen during it; return what was printed, and what drives the run."""
    faults = cloud.faults[provider]
    after = "create" if call == "poll" else ""  # before that, others are polled
    match event:
        case "partition":
            faults.plan("unreachable", call, times=4, after=after)
        case "machine":
            during = cloud.take_away if call == "delete" else _soon(lambda: cloud.machines.running, cloud.take_away)
            faults.plan("event", call, event=during, after=after)
        case "driver":
            fault = faults.plan("kill", call, pid=driver.pid, after=after)
            shown, _ = driver.communicate(timeout=PATIENCE_SECONDS)
            assert (fault.happened, driver.returncode) == (1, -signal.SIGKILL), shown
            return shown, cloud.start("resume", "--verbose")
        case _:
            faults.plan(event, call, after=after)
    shown, _ = driver.communicate(timeout=PATIENCE_SECONDS)
    assert all(fault.happened for fault in faults.planned), shown
    return shown, driver


def _break_link(cloud: Clouds, provider: str, driver: Fork, moment: str, event: str) -> tuple[str, Fork]:
    """Let the link or the machine fail while it is used; return what was printed so far, and what drives the run."""
    shown = _read_until({"connect": "runs after", "transfer": "runs after", "step": "│ begun"}[moment], driver)
    machine = cloud.only
    if moment == "transfer":
        machine.slow_down(mbit_per_second=MBIT_PER_SECOND)
        wait_until(lambda: machine.received_bytes > DATA_BYTES / 2)
    match event:
        case "error":
            machine.drop_connections()
        case "lost":
            machine.cut_off()
            machine.drop_connections()
            time.sleep(0.3)
            machine.cut_off(is_cut=False)
        case "hang":
            machine.freeze()
            time.sleep(OUT_SECONDS)
            machine.freeze(is_frozen=False)
        case "partition":
            machine.cut_off()
            time.sleep(OUT_SECONDS)
            machine.cut_off(is_cut=False)
        case "machine":
            cloud.machines.boot_seconds = 0.0
            cloud.take_away()
        case "driver":
            return shown + driver.kill(), cloud.start("resume", "--verbose")
    return shown, driver


def _read_until(text: str, driver: Fork) -> str:
    shown = ""
    while text not in shown:
        shown += driver.stdout.readline() or pytest.fail(shown)
    return shown


def _soon(holds: Callable[[], object], act: Callable[[], None]) -> Callable[[], None]:
    """Return what lets something happen as soon as it can, without waiting for it."""

    def wait_and_act() -> None:
        wait_until(holds)
        act()

    return lambda: threading.Thread(target=wait_and_act, daemon=True).start()
