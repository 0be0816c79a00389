"""A project that rents machines: `skyflow` as a process, the clouds' SDKs over HTTP, machines with a real sshd."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ec2_server
import pytest
from forks import Fork, Forks
from serving import Faults
from testbed.cloud_machine import CloudMachine, Machines, can_start_cloud_machines

__all__ = ["ON", "PATIENCE_SECONDS", "WAITING", "Clouds", "open_clouds", "wait_until"]

ON = {
    "aws": "runs-on: aws, resources: {regions: us-east-1, instance-type: m6i.large}",
    "gcp": "runs-on: gcp, resources: {regions: us-central1, instance-type: n2-standard-4}",
    "azure": "runs-on: azure, resources: {regions: eastus, instance-type: Standard_D2s_v5}",
}
PATIENCE_SECONDS = 120


@dataclass
class Clouds:
    """A project, the clouds that it rents from, and the machines behind these."""

    folder: Path
    machines: Machines
    faults: dict[str, Faults]
    forks: Forks
    in_a_hurry: bool = False
    processes: list[Fork] = field(default_factory=list)

    def write(self, jobs: str) -> None:
        (self.folder / "w.yml").write_text(f"on: push\njobs:\n{jobs}")

    def start(self, *arguments: str, **variables: str) -> Fork:
        environment = {**os.environ, **variables}
        process = self.forks.start(arguments, folder=self.folder, environment=environment, in_a_hurry=self.in_a_hurry)
        self.processes.append(process)
        return process

    def skyflow(self, *arguments: str, code: int = 0, **variables: str) -> str:
        process = self.start(*arguments, **variables)
        shown, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert "Traceback" not in shown, shown
        assert process.returncode == code, shown
        return shown

    def start_until_begun(self, *arguments: str, **variables: str) -> Fork:
        """Start a command, and wait until a step of `WAITING` has begun on the only machine."""
        process = self.start(*arguments, **variables)
        wait_until(lambda: self.has("/home/skyflow/begun"))
        return process

    def start_until_booting(self, *, boot_seconds: float) -> Fork:
        """Start a run of one step, and wait until its machine has been made, which boots for so long."""
        self.machines.boot_seconds = boot_seconds
        self.write(f"  a: {{{ON['aws']}, steps: [{{run: 'echo ran'}}]}}\n")
        process = self.start("run", "w.yml")
        wait_until(lambda: self.machines.running)
        time.sleep(0.5)
        return process

    def let_go_on(self, process: Fork) -> str:
        """Let the step that waits go on, and return what a command prints until it has ended in success."""
        self.only.run("touch", "/home/skyflow/go")
        shown, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, shown
        return shown

    def run_json(self) -> dict[str, Any]:
        return json.loads(self.skyflow("show", "--json"))

    def has(self, file: str) -> bool:
        """Tell whether there is one machine, and a file on it."""
        if len(self.machines.running) != 1:
            return False
        try:
            self.only.run("test", "-e", file)
        except (subprocess.CalledProcessError, IndexError, OSError):
            return False
        return True

    @property
    def only(self) -> CloudMachine:
        [machine] = self.machines.running.values()
        return machine

    def take_away(self) -> None:
        """Let the only machine be gone, as when its hardware breaks or its cloud wants it back."""
        [name] = self.machines.running
        if name.startswith("i-"):
            return ec2_server.preempt(name)
        zones = (
            [zone for zone, each in self.faults["gcp"].app.instances if each == name] if "gcp" in self.faults else []
        )
        return self.faults["gcp"].app.preempt(zones[0], name) if zones else self.faults["azure"].app.evict(name)

    def remains(self) -> dict[str, list[str]]:
        """Everything that is left anywhere, by cloud and kind."""
        left = {}
        for provider, faults in self.faults.items():
            found = ec2_server.remains() if provider == "aws" else faults.app.remains()
            left |= {f"{provider} {kind}": names for kind, names in found.items() if names}
        return left


def open_clouds(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Clouds]]:
    """Yield what makes a project with clouds; then see that nothing is left in any of them."""
    if not can_start_cloud_machines():
        pytest.skip("needs root, sshd, iproute2 and unshare")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "data.txt").write_text("data")
    machines = Machines(tmp_path / "machines")
    made: list[Clouds] = []

    def make(*providers: str) -> Clouds:
        faults = {}
        for provider in providers:
            faults[provider] = request.getfixturevalue({"aws": "ec2", "gcp": "gce", "azure": "arm"}[provider])
            (ec2_server.ACCOUNT if provider == "aws" else faults[provider].app).machines = machines
        made.append(Clouds(folder, machines, faults, request.getfixturevalue("forks")))
        if "azure" in providers:
            made[0].in_a_hurry = True
            made[0].skyflow("cloud", "init", "azure", "--region", "eastus")
            made[0].in_a_hurry = False
        return made[0]

    yield make
    for process in (process for each in made for process in each.processes):
        process.kill()
    machines.close()
    for each in made:
        assert each.remains() == {}, "something is left, and costs money"


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


WAITING = (
    "steps: [{run: 'echo once >> ~/count; echo MARK=set >> $GITHUB_ENV'}, "
    "{run: 'echo begun $MARK; touch ~/begun; while ! test -e ~/go; do sleep 0.1; done; echo ended'}, "
    "{run: 'echo count $(wc -l < ~/count)'}]"
)
"""Steps that wait until they are let go on."""
