"""A project that `skyflow ui` serves, and requests as a browser makes them."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from skyflow.app.project import find_project
from skyflow.app.showing.history import list_runs

WAITING = """\
name: live
on: push
jobs:
  slow:
    runs-on: local
    steps:
      - run: echo begun; while [ ! -e more ]; do sleep 0.02; done; echo more; while [ ! -e go ]; do sleep 0.02; done
  later: {needs: slow, runs-on: local, steps: [{run: 'true'}]}
"""
"""A workflow that waits for the files `more` and `go`."""


@dataclass(frozen=True)
class Served:
    """A project that is being served."""

    folder: Path
    name: str
    port: int
    token: str
    process: int

    @property
    def cookie(self) -> str:
        return f"skyflow-token-{self.port}={self.token}"

    @property
    def address(self) -> str:
        return f"http://{self.name}:{self.port}/"

    def ask(
        self, path: str = "/", *, method: str = "GET", form: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, str, dict[str, str]]:
        """Send a request; `host` and so forth replace the usual headers, and an empty one leaves it out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        names = {"cookie": self.cookie, "host": f"{self.name}:{self.port}"}
        if form is not None:
            names |= {"origin": self.address.rstrip("/"), "content-type": "application/x-www-form-urlencoded"}
        names |= {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in names.items() if value}
        connection.request(
            method, path, body=None if form is None else urlencode(form, encoding="latin-1"), headers=given
        )
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body, {name.lower(): value for name, value in answer.getheaders()}

    @contextmanager
    def told(self, path: str) -> Iterator[Iterator[dict[str, Any]]]:
        """Listen to a stream of server-sent events, and yield what each carries."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        connection.request("GET", path, headers={"cookie": self.cookie, "host": f"{self.name}:{self.port}"})
        answer = connection.getresponse()
        try:
            yield (json.loads(line[6:]) for line in answer if line.startswith(b"data: "))
        finally:
            connection.close()

    def press(self, path: str, **fields: str) -> tuple[int, str, dict[str, str]]:
        """Press a button as a browser does that has loaded one of our pages."""
        return self.ask(path, method="POST", form={"token": self.write_token(), **fields})

    def write_token(self) -> str:
        """Return what the forms of a page carry."""
        _, page, _ = self.ask("/runs/latest")
        return re.search(r'name="token" value="([^"]+)"', page)[1]

    def cpu_seconds(self) -> float:
        """Return the seconds of processors that the server has taken."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def states(self) -> dict[int, str]:
        """Return the state of every run by its number."""
        project = find_project(state=self.folder / ".skyflow" / "state.db", start=self.folder)
        return {overview.run.number: overview.state for overview in list_runs(project, limit=-1)}

    def start(self, *, source: str = WAITING) -> subprocess.Popen[bytes]:
        """Begin a run; of `WAITING` unless something else is given."""
        (self.folder / "w.yml").write_text(source)
        command = [sys.executable, "-m", "skyflow", "run", "w.yml"]
        return subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL)


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Served]:
    """Serve a folder until the end of the context; Ctrl-C ends it also where it was ignored, as in a shell's background."""
    (folder / ".skyflow").mkdir(exist_ok=True)
    command = ["env", "--ignore-signal=INT", sys.executable, "-m", "skyflow", "ui", *options]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    match = re.search(r"http://([^/]+):(\d+)/\?token=(\S+)", process.stdout.readline())
    assert match
    try:
        yield Served(folder, match[1], int(match[2]), match[3], process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130


def wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.02)
