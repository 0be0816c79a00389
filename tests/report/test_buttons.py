"""What the buttons of `skyflow ui` do, and for whom."""

import signal
from collections.abc import Iterator

import pytest
from report.served import Served, serving, wait_until
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

FAILING = """\
name: failing
on: push
jobs:
  good: {runs-on: local, steps: [{run: 'true'}]}
  bad: {runs-on: local, steps: [{run: 'test -e mended'}]}
"""


@pytest.fixture
def served(tmp_path) -> Iterator[Served]:
    with serving(tmp_path) as found:
        yield found


@pytest.fixture
def waiting(served: Served) -> Iterator[Served]:
    """A project with a run that goes on."""
    process = served.start()
    wait_until(lambda: served.states() == {1: "in_progress"})
    yield served
    for name in ("more", "go"):
        (served.folder / name).touch()
    process.wait(60)


REFUSED = (
    (403, False, {}),
    (403, True, {"origin": ""}),
    (403, True, {"origin": "http://evil.example"}),
    (403, True, {"origin": "null"}),
    (403, True, {"sec_fetch_site": "same-site"}),
    (421, True, {"host": "evil.example"}),
    (401, True, {"cookie": ""}),
    (415, True, {"content_type": "text/plain"}),
    (415, True, {"content_type": "multipart/form-data"}),
)
"""What is answered, whether the token of our pages was sent, and what else was unlike what our pages send."""


def test_no_button_is_pressed_for_anybody_else(waiting) -> None:
    write_token = waiting.write_token()
    for status, with_token, headers in REFUSED:
        form = {"token": write_token if with_token else waiting.token}
        found = waiting.ask("/runs/1/cancel", method="POST", form=form, **headers)[0]
        assert found == status, headers
    assert waiting.ask("/runs/1/cancel", method="POST", form={"token": write_token, "more": "x" * 70_000})[0] == 415
    assert "cancelling" not in waiting.ask("/runs/1")[1]
    assert waiting.states() == {1: "in_progress"}


def test_a_run_is_cancelled_whoever_drives_it(waiting) -> None:
    status, _, headers = waiting.press("/runs/1/cancel")
    assert (status, headers["location"]) == (303, "/runs/1")
    wait_until(lambda: waiting.states() == {1: "cancelled"})


@pytest.mark.parametrize(("button", "end"), [("resume", "success"), ("cancel", "cancelled")])
def test_a_run_that_nobody_drives_is_resumed_or_cancelled(served, button: str, end: str) -> None:
    process = served.start()
    wait_until(lambda: served.states() == {1: "in_progress"})
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert served.states() == {1: "interrupted"}
    if button == "resume":
        for name in ("more", "go"):
            (served.folder / name).touch()
    assert served.press(f"/runs/1/{button}")[0] == 303
    wait_until(lambda: served.states() == {1: end})


def test_a_run_goes_on_by_another_plan(served) -> None:
    process = served.start()
    wait_until(lambda: served.states() == {1: "in_progress"})
    assert "The run goes on by this plan." in served.ask("/plan?run=1")[1]
    assert served.press("/runs/1/replan")[0] == 409, "it is driven, and nobody has said that it may be interrupted"
    status, _, headers = served.press("/runs/1/replan", cost="100", time="50", carbon="0", interrupt="yes")
    assert (status, headers["location"]) == (303, "/runs/1")
    assert process.wait(60) == 130
    for name in ("more", "go"):
        (served.folder / name).touch()
    wait_until(lambda: served.states() == {1: "success"})
    assert "chosen in the plan explorer" in served.ask("/runs/1")[1]
    assert served.press("/runs/1/replan")[0] == 409, "it has completed"


def test_a_run_that_was_interrupted_goes_on_by_another_plan(served) -> None:
    process = served.start()
    wait_until(lambda: served.states() == {1: "in_progress"})
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert "Go on by this plan" in served.ask("/plan?run=1")[1]
    for name in ("more", "go"):
        (served.folder / name).touch()
    # no weight for carbon: near the end of an hour, a plan with one may wait for the next
    assert served.press("/runs/1/replan", cost="100", time="50", carbon="0")[0] == 303
    wait_until(lambda: served.states() == {1: "success"})


def test_what_failed_is_retried_and_the_new_run_is_shown(served) -> None:
    served.start(source=FAILING).wait(60)
    (served.folder / "mended").touch()
    status, _, headers = served.press("/runs/1/retry", failed="yes")
    assert (status, headers["location"]) == (303, "/runs/2")
    wait_until(lambda: served.states()[2] == "success")
    assert served.press("/runs/1/retry", job="good")[2]["location"] == "/runs/3"
    wait_until(lambda: served.states()[3] == "success")


def test_what_cannot_be_done_is_said_with_the_reason(served) -> None:
    served.start(source=FAILING.replace("test -e mended", "true")).wait(60)
    status, page, _ = served.press("/runs/1/retry", failed="yes")
    assert status == 409
    assert "every job of run 1 has succeeded or was skipped" in page
    status, page, _ = served.press("/runs/1/cancel")
    assert status == 409
    assert "there is nothing to cancel" in page
    assert served.press("/runs/7/cancel")[0] == 409
    assert served.press("/runs/-h/retry")[0] == 409
    assert served.states() == {1: "success"}


def test_buttons_are_pressed_by_keyboard_in_a_browser_without_javascript_too(browser, served) -> None:
    served.start(source=FAILING).wait(60)
    (served.folder / "mended").touch()
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(f"{served.address}?token={served.token}")
        browser.get(f"{served.address}runs/1")
        browser.find_element(By.XPATH, "//button[text()='Retry what failed']").send_keys(Keys.ENTER)
        wait_until(lambda: browser.current_url == f"{served.address}runs/2")
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    wait_until(lambda: served.states()[2] == "success")
    browser.get(f"{served.address}runs/2")
    job = browser.find_element(By.CSS_SELECTOR, "#jobs details.job")
    job.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    job.find_element(By.XPATH, ".//button[text()='Retry this job']").send_keys(Keys.ENTER)
    wait_until(lambda: browser.current_url == f"{served.address}runs/3")
    wait_until(lambda: served.states()[3] == "success")
    assert browser.complaints() == []


def test_runs_are_chosen_by_name_and_result(served) -> None:
    served.start(source=FAILING).wait(60)
    served.start(source=FAILING.replace("failing", "better").replace("test -e mended", "true")).wait(60)
    assert 'href="/runs/1"' in served.ask("/?state=failure")[1]
    assert 'href="/runs/2"' not in served.ask("/?state=failure")[1]
    assert 'href="/runs/2"' in served.ask("/?text=BETTER")[1]
    assert 'href="/runs/1"' not in served.ask("/?text=BETTER")[1]
    assert "No such run" in served.ask("/?state=unfinished")[1]
    assert 'href="/runs/2"' not in served.ask("/?before=2")[1]
    assert "<script>x" not in served.ask("/?text=%3Cscript%3Ex")[1]


def test_it_listens_to_others_only_when_told_to_and_by_the_name_it_was_told(tmp_path, capfd) -> None:
    with serving(tmp_path, "--listen", "0.0.0.0", "--name", "build.example") as served:
        assert served.ask(host=f"build.example:{served.port}")[0] == 200
        assert served.ask(host=f"127.0.0.1:{served.port}")[0] == 421
