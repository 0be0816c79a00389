"""The dead-man's switch, run by a real bash."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from skyflow.model.catalog import Offering
from skyflow.model.machines import Lifetime, MachineRequest
from skyflow.model.resources import Market
from skyflow.provisioners.azure.launch import farewell
from skyflow.provisioners.boot import boot_script, stay_command, watchdog_script

REQUEST = MachineRequest(
    offering=Offering(
        provider="aws", region="r", instance_type="t", market=Market.SPOT, vcpus=1, memory_gib=1.0,
        price_usd_per_hour=1.0, price_basis="list",
    ),
    owner="0123456789", run="run", job="job", attempt=1, public_key="ssh-ed25519 AAAA it's me\n",
    startup_script="echo started",
)  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that stands for a machine: its state, and programs that only write down that they were called."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("shutdown", "sleep", "curl"):
        program = programs / name
        program.write_text(f'#!/bin/bash\necho "{name} $*" >>"{tmp_path}/calls"\n')
        program.chmod(0o755)
    return tmp_path


def run(machine: Path, script: str) -> list[str]:
    environment = {
        "PATH": f"{machine}/bin:{os.environ['PATH']}", "SKYFLOW_STATE_FOLDER": str(machine), "SKYFLOW_PATIENCE": "0",
    }  # fmt: skip
    subprocess.run(["bash", "-c", script], env=environment, check=True, timeout=20)
    return (machine / "calls").read_text().splitlines()


@pytest.mark.parametrize(
    ("started_ago", "deadline_in"),
    [(1000, -1), (100_000, 3600), (100_000, None)],
    ids=["nobody asked for more time", "its longest life is over", "the deadline was lost"],
)
def test_a_machine_ends_itself(machine: Path, started_ago: int, deadline_in: int | None) -> None:
    now = int(time.time())
    (machine / "started").write_text(f"{now - started_ago}\n")
    if deadline_in is not None:
        (machine / "deadline").write_text(f"{now + deadline_in}\n")
    lifetime = Lifetime(silence_seconds=900, at_most_seconds=50_000)
    assert run(machine, watchdog_script(lifetime)) == ["shutdown -h now"]


def test_a_machine_that_is_needed_stays(machine: Path) -> None:
    """It sleeps on; the sleep moves the deadline into the past, so that the test ends."""
    (machine / "bin" / "sleep").write_text(
        f'#!/bin/bash\necho "sleep $*" >>"{machine}/calls"; echo 1 >"{machine}/deadline"\n'
    )
    assert run(machine, watchdog_script(Lifetime())) == ["sleep 15", "shutdown -h now"]


def test_a_machine_that_is_asked_to_stay_does(machine: Path) -> None:
    (machine / "started").write_text(f"{int(time.time()) - 1000}\n")
    (machine / "deadline").write_text("1\n")
    (machine / "bin" / "sleep").write_text(
        f'#!/bin/bash\necho stayed >>"{machine}/calls"; echo 1 >"{machine}/deadline"\n'
    )
    assert run(machine, f"({stay_command(60)}); {watchdog_script(Lifetime())}") == ["stayed", "shutdown -h now"]


def test_on_azure_a_machine_deletes_itself_before_it_shuts_down(machine: Path) -> None:
    (machine / "bin" / "curl").write_text(
        "#!/bin/bash\n"
        'case "$*" in *resourceId*) echo -n /subscriptions/s/vm ;; '
        """*oauth2*) echo '{"token_type":"Bearer","access_token":"secret-1"}' ;; """
        f'*) echo "curl $*" >>"{machine}/calls" ;; esac\n'
    )
    (machine / "started").write_text("1\n")
    calls = run(machine, watchdog_script(Lifetime(), farewell=farewell("client-1")))
    assert "-X DELETE -H Authorization: Bearer secret-1 https://management.azure.com/subscriptions/s/vm?api" in calls[0]
    assert calls[-1] == "shutdown -h now"


def test_the_boot_script_is_bash_and_depends_on_the_request_alone() -> None:
    script = boot_script(REQUEST)
    assert script == boot_script(REQUEST)
    assert script.endswith("echo started\n")
    assert "@" not in script.replace("@USER@", "@")
    subprocess.run(["bash", "-n", "-c", script], check=True)
