"""Reports in a real browser: Debian's chromium, at the width of a telephone and of a screen, by mouse and by keyboard.

`SKYFLOW_SCREENSHOTS=FOLDER` keeps pictures of what was seen.
"""

import time
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

WIDTHS = [375, 1440]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows_nothing_complains_and_nothing_is_fetched(browser, showcase, width, dark) -> None:
    browser.requests()
    browser.look_at(showcase, width=width, dark=dark)
    browser.picture(f"showcase-{width}-{'dark' if dark else 'light'}")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []
    assert browser.requests() == {showcase.as_uri()}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious(browser, showcase, axe, width, dark) -> None:
    browser.look_at(showcase, width=width, dark=dark)
    browser.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    browser.execute_script(axe)
    found = browser.execute_async_script("axe.run(document, {resultTypes: ['violations']}).then(arguments[0])")
    assert [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]] == []


def test_a_job_of_the_graph_leads_to_its_logs_by_keyboard_alone(browser, showcase) -> None:
    browser.look_at(showcase)
    keys = ActionChains(browser)
    names = [""]
    while "test x3" not in names[-1] and len(names) < 60:
        keys.send_keys(Keys.TAB).perform()
        names.append(browser.execute_script("return document.activeElement.closest('a')?.textContent ?? ''"))
    assert "test x3" in names[-1], names
    keys.send_keys(Keys.ENTER).perform()
    wait_for(lambda: browser.execute_script("return document.activeElement.localName") == "summary")
    assert "test (2)" in browser.execute_script("return document.activeElement.textContent"), "the job that failed"
    wait_for(lambda: browser.execute_script("return document.activeElement.parentElement.open"))


def test_the_search_finds_what_is_in_logs(browser, showcase) -> None:
    browser.look_at(showcase)
    ActionChains(browser).send_keys("/").perform()
    ActionChains(browser).send_keys("needle in").perform()
    wait_for(lambda: "3 of 5 jobs, 3 places" in found(browser))
    visible = browser.execute_script(
        "return [...document.querySelectorAll('#jobs .job')].filter(job => !job.hidden && job.open).length"
    )
    assert visible == 3
    assert browser.execute_script("return CSS.highlights.get('found').size") == 3
    browser.picture("search")
    ActionChains(browser).send_keys(Keys.ESCAPE).perform()
    wait_for(lambda: found(browser) == "")


def found(browser) -> str:
    return browser.find_element(By.ID, "found").text


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.02)


def test_jobs_can_be_chosen_by_how_they_ended(browser, showcase) -> None:
    browser.look_at(showcase)
    browser.find_element(By.CSS_SELECTOR, "#standing option[value=failure]").click()
    wait_for(lambda: found(browser) == "1 of 5 jobs")


def test_it_can_be_read_without_javascript(browser, showcase, tmp_path: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.look_at(showcase, height=4000)
        assert not browser.find_element(By.ID, "tools").is_displayed()
        summary = browser.find_element(By.XPATH, "//details[@class='job']/summary[contains(., 'test (1)')]")
        summary.click()
        step = browser.find_element(By.XPATH, "//details[@class='job'][contains(., 'test (1)')]/details/summary")
        step.click()
        log = browser.find_element(By.XPATH, "//details[@class='job'][contains(., 'test (1)')]//pre")
        assert "needle in part 1" in log.text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_thousand_jobs_open_and_are_searched(browser, thousand_jobs) -> None:
    for width in WIDTHS:
        browser.look_at(thousand_jobs, width=width)
        browser.picture(f"thousand-{width}")
        assert browser.complaints() == []
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert len(browser.find_elements(By.CSS_SELECTOR, "#jobs .job")) == 1000
        browser.find_element(By.ID, "search").send_keys("the end of job977")
        wait_for(lambda: found(browser).startswith("1 of 1000 jobs"))


def test_it_prints_on_white_with_what_is_open(browser, showcase) -> None:
    browser.look_at(showcase, dark=True)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert colour == "rgb(255, 255, 255)"
    assert browser.execute_cdp_cmd("Page.printToPDF", {})["data"]
