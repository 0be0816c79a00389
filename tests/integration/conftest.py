"""Tables cut down to a few regions, and servers on loopback that answer in the official shapes."""

import csv
import io
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from skyflow.app.market.carbon_services import CARBON_SERVICES

SHIPPED = Path(__file__).parents[2] / "catalogs"
KEPT = {
    "aws": ({"us-east-1", "eu-west-1"}, {"m6i.large", "m6i.xlarge", "c6i.xlarge", "g4dn.xlarge"}),
    "azure": ({"eastus", "westeurope"}, {"Standard_D2s_v5", "Standard_D4s_v5", "Standard_E8s_v5"}),
    "gcp": ({"us-central1", "europe-west4"}, {"n2-standard-4", "n2-standard-8", "a2-highgpu-1g", "c3-standard-4-lssd"}),
}


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that skyflow runs on."""
    return "asyncio"


@pytest.fixture
def project(tmp_path):
    """The folder of a project, with a file in it."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.txt").write_text("hello\n")
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """The shipped tables, cut down to a few regions and types of each cloud."""
    folder = tmp_path_factory.mktemp("small") / "tables"
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*.py", "*.md", "__pycache__"))
    used = {region for regions, _ in KEPT.values() for region in regions} | {"local"}
    for name in ("regions.csv", "carbon.csv"):
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join([lines[0], *(line for line in lines if line.split(",")[1] in used)]))
    for cloud, (regions, types) in KEPT.items():
        for name in ("prices.csv", "instance_types.csv"):
            path = folder / cloud / name
            rows = list(csv.DictReader(io.StringIO(path.read_text())))
            kept = [row for row in rows if row["instance_type"] in types and row.get("region", min(regions)) in regions]
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
                writer.writeheader()
                writer.writerows(kept)
    return folder


@pytest.fixture
def tables(small, tmp_path, monkeypatch):
    """The tables in use, and a home of their own for what a refresh makes."""
    folder = tmp_path / "tables"
    shutil.copytree(small, folder)
    monkeypatch.setenv("SKYFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("skyflow.app.market.catalog_folder.data_file", lambda *_: folder)
    keys = (variable for known in CARBON_SERVICES.values() for variable in known.variables)
    for name in ("SKYFLOW_CATALOG", "GOOGLE_CLOUD_API_KEY", *keys):
        monkeypatch.delenv(name, raising=False)
    return folder


class Service:
    """A server on loopback: `answer` gets the path, the query, the body and the headers, and returns status and text.

    A third value is how many bytes are announced: with more than there are, the answer breaks off.
    """

    def __init__(self, answer):
        self.requests = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                parts = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                service.requests.append((parts.path, query))
                status, text, *announced = answer(parts.path, query, body, self.headers)
                self.send_response(status)
                for length in announced:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET  # noqa: N815 -- as the base class wants it

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def serve():
    services = []

    def start(answer):
        services.append(Service(answer))
        return services[-1]

    yield start
    for service in services:
        service.close()
