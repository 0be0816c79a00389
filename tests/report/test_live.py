"""`skyflow ui`: who may look, and that what happens is seen while it happens."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from report.served import Served, serving, wait_until


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as found:
        yield found


def test_the_token_opens_the_door_once_and_a_strict_cookie_keeps_it_open(served) -> None:
    status, _, headers = served.ask(f"/?token={served.token}", cookie="")
    assert (status, headers["location"]) == (303, "/")
    assert "httponly" in headers["set-cookie"].lower()
    assert "samesite=strict" in headers["set-cookie"].lower()
    assert served.ask()[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"cookie": ""}, 401),
        ({"cookie": "skyflow-token-{port}=guess"}, 401),
        ({"cookie": "skyflow-token-{port}"}, 401),
        ({"cookie": "skyflow-token-1={token}"}, 401),  # of another `skyflow ui` in the same browser
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1:{port}"}, 421),  # a name that others know, too
        ({"host": "localhost:{port}"}, 421),
        ({"host": "evil.example:80"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
    ],
)
def test_nobody_else_gets_in(served, headers: dict[str, str], status: int) -> None:
    found, body, _ = served.ask(
        **{name: value.format(port=served.port, token=served.token) for name, value in headers.items()}
    )
    assert found == status
    assert "Runs" not in body


def test_a_wrong_token_is_no_token(served) -> None:
    assert served.ask("/?token=guess", cookie="")[0] == 401


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_there_is_one_way_to_change_something(served, method: str) -> None:
    assert served.ask(method=method)[0] == 405


def test_pages_are_not_kept_framed_or_sniffed(served) -> None:
    _, _, headers = served.ask()
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_what_is_not_there_is_said_to_be_missing(served) -> None:
    assert served.ask("/runs/4711")[0] == 404
    assert served.ask("/runs/4711/changes")[0] == 404
    assert served.ask("/nothing")[0] == 404
    assert served.ask("/runs/..%2f..%2fetc%2fpasswd")[0] == 404


@pytest.mark.parametrize("number", ["9" * 30, "9" * 5000])
def test_a_number_that_nothing_has_is_none(served, number) -> None:
    asked = [f"/?before={number}", f"/plan?workflow=no.yml&cost={number}&time=1&carbon=1"]
    asked += [f"/runs/latest/log?job=a&step={number}", f"/runs/latest/changes?since={number}"]
    assert [served.ask(path)[0] for path in asked] == [200, 404, 404, 404]


class Neighbour(ThreadingHTTPServer):
    """A server of another user of this machine, who would like to know the token."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Curious)
        self.heard: list[str] = []


class _Curious(BaseHTTPRequestHandler):
    server: Neighbour

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.heard.append(f"{self.path} {self.headers}")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"nothing to see")


def test_another_server_of_this_machine_does_not_get_the_cookie(browser, served) -> None:
    """Browsers know no ports of cookies, so the host has to be one that nobody else is called."""
    browser.get(f"{served.address}?token={served.token}")
    wait_until(lambda: text_of(browser, "live") == "live")
    with Neighbour() as neighbour:
        threading.Thread(target=neighbour.serve_forever, daemon=True).start()
        for name in ("127.0.0.1", "localhost"):
            browser.get(f"http://{name}:{neighbour.server_address[1]}/look")
            wait_until(lambda: "nothing to see" in browser.page_source)
            browser.get("about:blank")
        neighbour.shutdown()
    assert sum(each.startswith("/look ") for each in neighbour.heard) == 2
    assert not [each for each in neighbour.heard if served.token in each or served.name in each]
    assert re.fullmatch(r"skyflow-[0-9a-f]{16}\.localhost", served.name)


def test_a_browser_that_is_opened_gets_in_and_no_command_line_has_the_token(browser, tmp_path, monkeypatch) -> None:
    (tmp_path / "browser").write_text(
        f"#!/bin/sh\necho $1 >{tmp_path}/asked.part && mv {tmp_path}/asked.part {tmp_path}/asked\n"
    )
    (tmp_path / "browser").chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{tmp_path}/browser %s")
    with serving(tmp_path, "--open") as served:
        wait_until((tmp_path / "asked").exists)
        address = (tmp_path / "asked").read_text().strip()
        assert address.startswith("file://")
        page = Path(address.removeprefix("file://"))
        assert page.parent.stat().st_mode & 0o77 == 0
        assert served.token in page.read_text()
        browser.get(address)
        wait_until(lambda: text_of(browser, "live") == "live")
        assert browser.current_url == served.address
    assert not page.exists()


def test_a_port_that_is_taken_is_named(served) -> None:
    command = [sys.executable, "-m", "skyflow", "ui", "--port", str(served.port)]
    done = subprocess.run(command, cwd=served.folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"cannot listen on port {served.port}" in done.stderr


def test_it_listens_on_the_loopback_interface_only(served) -> None:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    addresses = {line.split()[1] for line in lines if line.split()[3] == "0A"}
    mine = {address.partition(":")[0] for address in addresses if int(address.partition(":")[2], 16) == served.port}
    assert mine == {"0100007F"}


def test_a_run_is_seen_while_it_goes_on(browser, served) -> None:
    browser.get(f"{served.address}?token={served.token}")
    wait_until(lambda: text_of(browser, "live") == "live")
    assert "No run yet" in browser.page_source
    process = served.start()
    try:
        wait_until(lambda: "in progress" in text_of(browser, "runs"))
        browser.get(f"{served.address}runs/1")
        wait_until(lambda: text_of(browser, "live") == "live")
        wait_until(lambda: browser.execute_script("return document.querySelector('#job-0') !== null"))
        browser.execute_script("document.querySelector('#job-0').open = true")
        wait_until(lambda: browser.execute_script("return document.querySelector('#job-0 details') !== null"))
        browser.execute_script("document.querySelector('#job-0 details').open = true")
        wait_until(lambda: "begun" in text_of(browser, "job-0"))
        browser.execute_script(
            "window.mine = document.querySelector('#job-0 details summary'); mine.focus(); scrollTo({top: 150, behavior: 'instant'})"
        )
        where = browser.execute_script("return scrollY")
        (served.folder / "more").touch()
        wait_until(lambda: "more" in text_of(browser, "job-0").splitlines())
        assert browser.execute_script("return document.querySelector('#job-0 details').open"), "what was opened stays"
        assert browser.execute_script("return document.activeElement === mine"), "what has the focus keeps it"
        assert browser.execute_script("return scrollY") == where, "the page does not move"
        browser.picture("live")
    finally:
        for name in ("more", "go"):
            (served.folder / name).touch()
        process.wait(60)
    wait_until(lambda: browser.title.startswith("✓ Run 1"))
    assert "later" in browser.find_element("id", "job-1").get_attribute("textContent")
    assert "success (2)" in browser.find_element("id", "standing").get_attribute("textContent")
    assert "success" in text_of(browser, "graph")
    assert browser.complaints() == []


def test_only_what_has_changed_is_sent(tmp_path) -> None:
    with serving(tmp_path) as served:
        process = served.start()
        try:
            wait_until(lambda: served.states() == {1: "in_progress"})
            wait_until(lambda: "begun" in served.ask("/runs/1")[1])
            version = re.search(r'data-version="(\d+)"', served.ask("/runs/1")[1])[1]
            with served.told(f"/runs/1/changes?since={version}") as told:
                (served.folder / "more").touch()
                sent = next(ids for ids in map(ids_of, told) if "job-0" in ids)
                assert not {"job-1", "workflow", "jobs"} & sent
            with served.told("/runs/1/changes?since=0") as told:
                assert {"top", "graph", "job-0", "workflow"} <= ids_of(next(told))
        finally:
            for name in ("more", "go"):
                (served.folder / name).touch()
            process.wait(60)
        version = re.search(r'data-version="(\d+)"', served.ask("/runs/1")[1])[1]
        with served.told("/runs/1/changes?since=0") as told:
            assert next(told)["title"].startswith("✓ Run 1")
        assert re.search(r'data-version="(\d+)"', served.ask("/runs/1")[1])[1] == version, "nothing happens any more"


@pytest.mark.parametrize("page", ["", "runs/1"], ids=["list", "run"])
def test_axe_finds_nothing_serious_on_live_pages(browser, served, axe, page: str) -> None:
    if not list(served.folder.glob(".skyflow/runs/*")):
        for name in ("more", "go"):
            (served.folder / name).touch()
        served.start().wait(60)
    browser.get(f"{served.address}?token={served.token}")
    browser.get(f"{served.address}{page}")
    wait_until(lambda: text_of(browser, "live") == "live")
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found = browser.execute_async_script("axe.run(document, {resultTypes: ['violations']}).then(arguments[0])")
    assert [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]] == []


def ids_of(told) -> set[str]:
    return {part["id"] for part in told["parts"]}


def text_of(browser, name: str) -> str:
    return browser.execute_script("return document.getElementById(arguments[0])?.innerText ?? ''", name)
