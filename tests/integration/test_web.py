"""Asking services: a key goes to the one it is for, whatever that answers, and an answer has an end."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from skyflow.catalog.refresh import web
from skyflow.catalog.refresh.web import Web
from skyflow.errors import CatalogError

KEY = {"auth-token": "hush", "Authorization": "Bearer hush"}


class Service(ThreadingHTTPServer):
    """Answers with JSON, or leads elsewhere."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.leads_to = ""
        self.heard: list[dict[str, str]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.heard.append({name.lower(): value for name, value in self.headers.items()})
        is_redirect = self.server.leads_to and self.path == "/begin"
        self.send_response(302 if is_redirect else 200)
        if is_redirect:
            self.send_header("Location", self.server.leads_to)
        self.end_headers()
        self.wfile.write(b"[1]")


@pytest.fixture
def services():
    with Service() as first, Service() as other:
        yield first, other
        first.shutdown()
        other.shutdown()


def test_a_key_goes_no_further_than_to_its_service(services) -> None:
    first, other = services
    first.leads_to = f"{other.url}/end"
    assert Web(lambda _: None).json(f"{first.url}/begin", KEY) == [1]
    assert first.heard[0]["auth-token"] == "hush"
    assert other.heard[0]["accept"] == "application/json"
    assert "hush" not in str(other.heard)
    first.leads_to = "/end"
    assert Web(lambda _: None).json(f"{first.url}/begin", KEY) == [1]
    assert first.heard[-1]["auth-token"] == "hush"


@pytest.mark.parametrize(
    ("address", "why"), [("file:///etc/passwd", "answered 302"), ("ftp://127.0.0.1/x", "which is not followed")]
)
def test_nobody_is_led_out_of_the_web(services, address: str, why: str) -> None:
    services[0].leads_to = address
    with pytest.raises(CatalogError, match=why):
        Web(lambda _: None).json(f"{services[0].url}/begin", KEY)


def test_an_answer_without_end_is_not_waited_for(services, monkeypatch) -> None:
    monkeypatch.setattr(web, "_MOST_BYTES", 2)
    with pytest.raises(CatalogError, match="answered with more than"):
        Web(lambda _: None).json(f"{services[0].url}/begin")
