"""The explorers of `skyflow ui`: plans, prices against carbon, machines."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from report.served import Served, serving, wait_until
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from skyflow.app.machines.clouds import open_journal
from skyflow.app.planning.explore import Explorer
from skyflow.app.project import Project
from skyflow.app.showing.history import list_runs
from skyflow.model.catalog import Offering
from skyflow.model.layout import StateFolder
from skyflow.model.machines import MachineRequest
from skyflow.model.plan_view import Weights
from skyflow.model.resources import Market
from skyflow.report.page.plans import GoOn, render_plan_page

WORKFLOW = """\
name: choice
on: push
jobs:
  train: {runs-on: sky, resources: {cpus: 16+, market: on-demand}, estimate: {duration: 4h, on: {p4d: 1h}}, steps: [{run: 'true'}]}
  report: {needs: train, runs-on: local, estimate: 1m, steps: [{run: 'true'}]}
"""
LOCAL = "name: here\non: push\njobs:\n  a: {runs-on: local, steps: [{run: 'true'}]}\n"
PAGES = ["plan", "plan?workflow=choice.yml", "catalog", "machines", "?text=nothing"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("explored")
    (folder / "choice.yml").write_text(WORKFLOW)
    with serving(folder) as found:
        found.start(source=LOCAL).wait(60)
        yield found


def test_a_weight_that_is_moved_by_keyboard_moves_the_plan(browser, served) -> None:
    browser.get(f"{served.address}?token={served.token}")
    browser.get(f"{served.address}plan?workflow=choice.yml")
    before = machine_of(browser, "train")
    assert "aws p4d" not in before
    browser.find_element(By.ID, "time").send_keys(Keys.END)
    browser.find_element(By.ID, "cost").send_keys(Keys.HOME)
    wait_until(lambda: "aws p4d" in machine_of(browser, "train"))
    assert f"was {before}" in machine_of(browser, "train")
    assert "time=100" in browser.current_url
    wait_until(lambda: "cost=0" in browser.current_url)  # which was moved last
    wait_until(lambda: "this plan" in browser.execute_script("return document.getElementById('frontier').textContent"))
    browser.picture("plan-explorer")
    assert browser.complaints() == []


def test_plans_are_explored_without_javascript(browser, served) -> None:
    (served.folder / "unseen.yml").write_text(WORKFLOW)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(f"{served.address}?token={served.token}")
        browser.get(f"{served.address}plan")
        browser.find_element(By.LINK_TEXT, "unseen.yml").send_keys(Keys.ENTER)
        wait_until(lambda: browser.find_elements(By.ID, "time"))
        browser.find_element(By.ID, "time").send_keys(Keys.END)
        browser.find_element(By.XPATH, "//button[text()='Plan']").send_keys(Keys.ENTER)
        wait_until(lambda: "time=100" in browser.current_url)
        assert "USD/h" in browser.find_element(By.ID, "result").text
        browser.find_element(By.ID, "later").send_keys(Keys.ENTER)
        wait_until(lambda: browser.find_elements(By.CSS_SELECTOR, "#frontier svg"))
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def machine_of(browser, job: str) -> str:
    rows = browser.execute_script(
        "return [...document.querySelectorAll('#placements tbody tr')]"
        ".map(row => [row.querySelector('th').innerText, row.querySelector('.machine').innerText])"
    )
    return next(machine for name, machine in rows if name.startswith(job))


def test_the_rest_of_a_run_is_planned_anew(served) -> None:
    _, page, _ = served.ask("/runs/1")
    assert '<a class="button" href="/plan?run=1">Plan it anew</a>' in page
    status, page, _ = served.ask("/plan?run=1")
    assert status == 200
    assert "Plan of run 1: here" in page
    assert "No job has a choice" in page


def test_a_run_that_goes_on_is_only_interrupted_for_a_plan_that_differs(served) -> None:
    explorer = Explorer(Project(served.folder, StateFolder(served.folder / ".skyflow" / "state.db")))
    go_on = GoOn(None, is_driven=True, write_token="t")
    other = replace(
        explorer.of_file("choice.yml", Weights(cost=0, time=100, carbon=0), with_frontier=False), is_rest=True
    )
    page = render_plan_page(other, ("run", "1"), go_on)
    assert "steps under way are ended" in page
    assert '<button type="submit" name="interrupt" value="yes">' in page
    same = replace(explorer.of_file("choice.yml", None, with_frontier=False), is_rest=True)
    assert 'name="interrupt"' not in render_plan_page(same, ("run", "1"), go_on)
    assert 'name="interrupt"' not in render_plan_page(other, ("run", "1"), replace(go_on, is_driven=False))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("cpus=many", "many"),
        ("market=black", "there is no market"),
        ("accelerators=Z9000", "Z9000"),
        ("jurisdictions=Atlantis", "Atlantis"),
    ],
)
def test_what_cannot_be_found_is_said_and_the_form_keeps_it(served, query: str, said: str) -> None:
    status, page, _ = served.ask(f"/catalog?{query}")
    assert status == 200
    assert said in page.partition('role="alert">')[2].partition("</p>")[0]
    assert f'value="{query.partition("=")[2]}"' in page or query.startswith("market")


def test_the_map_of_prices_and_carbon_leads_to_its_table(browser, served) -> None:
    browser.get(f"{served.address}?token={served.token}")
    browser.get(f"{served.address}catalog?cpus=4%2B&memory=16%2B&jurisdictions=EU")
    links = browser.find_elements(By.CSS_SELECTOR, "#map svg a")
    rows = browser.find_elements(By.CSS_SELECTOR, "#regions tbody tr")
    assert len(links) == len(rows) > 20
    ids = {f"#{row.get_attribute('id')}" for row in rows}
    assert {link.get_dom_attribute("href") for link in links} == ids
    browser.picture("catalog-explorer")
    assert browser.complaints() == []


def test_why_there_is_no_plan_is_said(served) -> None:
    (served.folder / "wrong.yml").write_text(LOCAL.replace("steps", "stepz"))
    (served.folder / "huge.yml").write_text(WORKFLOW.replace("cpus: 16+", "cpus: 100000+"))
    status, page, _ = served.ask("/plan?workflow=wrong.yml")
    assert status == 422
    assert "stepz" in page
    status, page, _ = served.ask("/plan?workflow=huge.yml")
    assert status == 422
    assert "There is no plan" in page


def test_wrong_names_are_not_found(served) -> None:
    assert served.ask("/plan?workflow=../choice.yml")[0] == 404
    assert served.ask("/plan?run=4711")[0] == 404


def test_machines_and_what_they_cost(served) -> None:
    assert "No machine was ever rented" in served.ask("/machines")[1]
    assert "so no cloud was asked" in served.ask("/machines?ask=yes")[1]
    project = Project(served.folder, StateFolder(served.folder / ".skyflow" / "state.db"))
    [run] = list_runs(project, limit=1)
    offering = Offering(
        provider="aws", region="us-east-1", instance_type="m6i.xlarge", market=Market.SPOT, vcpus=4, memory_gib=16.0,
        price_usd_per_hour=2.0, price_basis="list",
    )  # fmt: skip
    journal = open_journal(project)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for job in ("train", "test"):
        request = MachineRequest(
            offering=offering, owner=journal.owner(), run=run.run.id, job=job, attempt=1, public_key="ssh-ed25519 AAAA"
        )
        journal.intend(request, began)
        journal.created(request.name, f"i-{job}", began)
        journal.released(request.name, began + timedelta(hours=3))
        journal.gone(request.name, began + timedelta(hours=3), "no longer needed")
    text = re.sub(r"<[^>]+>|\s+", " ", served.ask("/machines")[1])
    text = re.sub(r" +", " ", text)
    assert "In all $12.00 2 machines" in text
    assert "m6i.xlarge spot aws us-east-1 train gone 2026-01-01" in text
    assert 'href="/runs/1"' in served.ask("/machines")[1]


@pytest.mark.parametrize(("width", "dark"), [(375, False), (1440, True)], ids=["narrow-light", "wide-dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_and_nothing_overflows(browser, served, axe, page, width, dark) -> None:  # noqa: PLR0917
    browser.get(f"{served.address}?token={served.token}")
    browser.look_at(f"{served.address}{page}", width=width, dark=dark)
    if "workflow" in page:
        wait_until(lambda: browser.find_elements(By.CSS_SELECTOR, "#frontier svg"))
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.picture(f"{page.partition('?')[0] or 'runs'}-{width}-{'dark' if dark else 'light'}")
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found = browser.execute_async_script("axe.run(document, {resultTypes: ['violations']}).then(arguments[0])")
    assert [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]] == []
