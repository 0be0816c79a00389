"""The installed command, as a person or a script uses it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from testbed.machine import Machine


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """A clean folder, and the command line in it."""

    folder: Path

    def write(self, text: str, name: str = "w.yml") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def skyflow(self, *arguments: str, stdin: bytes = b"", code: int | None = 0, **env: str) -> Done:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            env=self.environment(**env),
            timeout=180,
            check=False,
        )
        result = Done(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in result.err, result.err
        if code is not None:
            assert result.code == code, f"exit code {result.code}\n{result.out}\n{result.err}"
        return result

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(**env),
        )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "skyflow", *arguments]

    def environment(self, **extra: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SKYFLOW_", "GITHUB_", "RUNNER_", "COLUMNS", "LINES"))
        }
        return {**kept, "LC_ALL": "C.UTF-8", **extra}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder)


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Wait for something outside, for two minutes at most: this computer may have much else to do."""
    import time

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < deadline, "it did not happen within two minutes"
            time.sleep(0.01)

    return wait


@pytest.fixture
def pool(project) -> Callable[..., None]:
    """Declare machines in skyflow.yml."""

    def declare(*machines: Machine, name: str = "rack", kind: str = "ssh", **more: object) -> None:
        hosts = [
            {
                "host": f"ssh://root@127.0.0.1:{machine.relay.port}",
                "host-key": machine.host_key.public,
                "identity": str(machine.client_key.path),
            }
            for machine in machines
        ]
        for machine in machines:
            (machine.home / "name").write_text(machine.base.name)
        said = {"kind": kind, "cpus": 8, "memory": "32GiB", **more, **({"hosts": hosts} if hosts else {})}
        path = project.folder / "skyflow.yml"
        known = json.loads(path.read_text()) if path.exists() else {"machines": {}}
        known["machines"][name] = said
        path.write_text(json.dumps(known))

    return declare


HELD = """
on: push
jobs:
  a:
    runs-on: {runs_on}
    steps:
      - run: echo once >> ~/count; echo MARK=set >> $GITHUB_ENV
      - run: echo begun $MARK; while ! test -e ~/go; do sleep 0.05; done; echo ended
      - run: echo after $MARK
"""


@dataclass
class HeldRun:
    """A run of `HELD` on machines: its second step runs until `go`."""

    project: Project
    process: "subprocess.Popen[bytes]"
    machines: tuple[Machine, ...]

    @property
    def machine(self) -> Machine:
        """Where it is."""
        return next(each for each in self.machines if (each.home / "count").exists())

    def log(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.project.folder.glob(".skyflow/runs/*/a/1/*.log"))

    def go(self) -> None:
        for each in self.machines:
            (each.home / "go").touch()

    def go_elsewhere(self) -> Machine:
        """Let the machine die, of two; return the other one, where nothing holds the job."""
        here = self.machine
        (other,) = (each for each in self.machines if each is not here)
        here.kill()
        (other.home / "go").touch()
        return other

    def kill_driver(self) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self, code: int = 0) -> str:
        """Wait for the end of the run, and return what it printed."""
        out, err = self.process.communicate(timeout=180)
        assert self.process.returncode == code, f"{out.decode()}\n{err.decode()}"
        return out.decode()

    def attempts(self) -> list[dict[str, object]]:
        return self.project.skyflow("show", "--json").json["jobs"][0]["attempts"]


@pytest.fixture
def hold(project, wait_until) -> Callable[..., HeldRun]:
    """Begin a run of one job on one of some machines, and wait until its second step runs there."""

    def begin(*machines: Machine, options: tuple[str, ...] = (), runs_on: str = "own", **env: str) -> HeldRun:
        project.write(HELD.format(runs_on=runs_on))
        held = HeldRun(project, project.start("run", "w.yml", *options, **env), machines)
        wait_until(lambda: b"begun set" in held.log())
        return held

    return begin
