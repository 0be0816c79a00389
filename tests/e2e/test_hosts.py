"""Runs on other machines, over SSH, as a person begins, breaks and resumes them."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from testbed.machine import Machine

WORKFLOW = """
on: push
env: {WHO: world}
jobs:
  make:
    runs-on: local
    outputs: {value: '${{ steps.s.outputs.v }}'}
    steps:
      - uses: actions/checkout@v4
      - id: s
        run: |
          echo "hello $WHO from $(pwd)"; cat data.txt; test -d "$RUNNER_TEMP"
          test -f "$GITHUB_EVENT_PATH"; echo "${{ hashFiles('data.txt') }}"
          echo v=42 >> "$GITHUB_OUTPUT"; echo LATER=on >> "$GITHUB_ENV"
      - run: echo "$LATER ${{ github.workspace }}"
      - uses: ./tool
  use:
    runs-on: local
    needs: make
    strategy: {matrix: {n: [1, 2]}}
    steps: [{run: 'echo got ${{ needs.make.outputs.value }}-${{ matrix.n }}'}]
"""
TOOL = (
    "name: t\nruns: {using: composite, steps: [{run: 'echo tool in $(basename $GITHUB_ACTION_PATH)', shell: bash}]}\n"
)
TRIVIAL = "on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'true'}]}\n"


@pytest.fixture
def on(project, machine: Machine, tmp_path: Path) -> Callable[..., tuple[str, ...]]:
    """Make the options and the environment that lead to a machine, by a URL or a name."""
    home = tmp_path / "me"
    (home / ".ssh").mkdir(parents=True)
    key = home / ".ssh" / "id_ed25519"
    key.write_bytes(machine.client_key.path.read_bytes())
    key.chmod(0o600)
    os.environ["HOME"], before = str(home), os.environ["HOME"]

    def options(*others: Machine, name: bool = False) -> tuple[str, ...]:
        words: list[str] = []
        known = config = ""
        for number, each in enumerate((machine, *others), start=1):
            host = each.host()
            known += host.known_hosts
            config += (
                f"Host box{number}\n  HostName 127.0.0.1\n  Port {host.port}\n  User root\n  IdentityFile {key}\n"
                f"  UserKnownHostsFile {home}/.ssh/known_hosts\n"
            )
            words += ["--host", f"box{number}" if name else f"ssh://root@127.0.0.1:{host.port}"]
        (home / ".ssh" / "known_hosts").write_text(known)
        (home / "config").write_text(config)
        return tuple(words)

    os.environ["SKYFLOW_SSH_CONFIG"] = str(home / "config")
    project.write("data\n", "data.txt")
    (project.folder / "tool").mkdir()
    project.write(TOOL, "tool/action.yml")
    yield options
    os.environ["HOME"] = before
    del os.environ["SKYFLOW_SSH_CONFIG"]


@pytest.mark.parametrize("name", [False, True])
def test_a_workflow_runs_on_another_machine(project, machine: Machine, on, name: bool) -> None:
    project.write(WORKFLOW)
    out = project.skyflow("run", "w.yml", *on(name=name), SKYFLOW_SSH_CONFIG=os.environ["SKYFLOW_SSH_CONFIG"]).out
    assert "hello world from /root/.skyflow/runs/" in out
    assert "planned on " in out.splitlines()[0]
    for expected in (
        "data",
        "on /root/.skyflow/runs/",
        "tool in tool",
        "got 42-1",
        "got 42-2",
        "3 files, 0.0 MB (all known)",
    ):
        assert expected in out
    assert not list(machine.home.glob(".skyflow/runs/*/*/*"))


def test_a_secret_is_hidden_and_not_left_there(project, machine: Machine, on) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'echo v=${{ secrets.KEY }}'}]}\n")
    out = project.skyflow("run", "w.yml", *on(), "--secret", "KEY=hunter2").out
    assert "v=***" in out
    assert not [path for path in machine.home.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


def test_a_failing_step_has_the_same_end_as_here_and_no_more_of_its_output(project, on) -> None:
    (project.folder / "skyflow.yml").write_text("log-limit: 1kB\n")
    failing = "yes | head -n 9999; exit 3"
    project.write(
        f"on: push\njobs:\n  a: {{runs-on: local, steps: [{{run: {failing}}}, {{run: echo clean, if: always()}}]}}\n"
    )
    done = project.skyflow("run", "w.yml", *on(), code=1)
    assert "exit code 3" in done.out
    assert "clean" in done.out
    assert "printed more than 1 kB" in done.out
    assert "y\n" * 501 not in "".join(line.lstrip() for line in done.out.splitlines(keepends=True))


def test_a_run_whose_driver_was_killed_goes_on_where_it_is(project, machine: Machine, on, hold) -> None:
    held = hold(machine, options=on(), runs_on="local")
    held.kill_driver()
    assert any("sleep 0.05" in line or "step.sh" in line for line in machine.command_lines())
    held.go()
    out = project.skyflow("resume").out
    assert "ended" in out
    assert "after set" in out
    assert (machine.home / "count").read_text() == "once\n"
    assert held.attempts()[-1]["number"] == 1


def test_a_run_is_interrupted_and_leaves_nothing_running(machine: Machine, on, hold) -> None:
    held = hold(machine, options=on(), runs_on="local")
    held.process.send_signal(signal.SIGINT)
    held.end(code=130)
    assert not [line for line in machine.command_lines() if "step.sh" in line]


def test_a_run_is_cancelled_from_elsewhere_and_leaves_nothing_running(project, machine: Machine, on, hold) -> None:
    held = hold(machine, options=on(), runs_on="local")
    assert project.skyflow("cancel").out == "Run 1: cancelled\n"
    assert "cancelled" in held.end(code=1)
    assert not [line for line in machine.command_lines() if "step.sh" in line]


def test_a_run_whose_driver_was_killed_is_cancelled_where_it_is(project, machine: Machine, on, hold) -> None:
    held = hold(machine, options=on(), runs_on="local")
    held.kill_driver()
    assert "Run 1: cancelled" in project.skyflow("cancel").out
    assert [each["conclusion"] for each in held.attempts()] == ["cancelled"]
    assert not [line for line in machine.command_lines() if "step.sh" in line]


def test_a_job_moves_when_its_machine_dies(make_machine, machine: Machine, on, hold) -> None:
    other = make_machine("other")
    held = hold(machine, other, options=on(other), runs_on="local", SKYFLOW_HOST_PATIENCE="2s")
    second = held.go_elsewhere()
    said = held.end()
    assert "after set" in said
    assert re.search(r" is lost: .*; attempt 2 follows$", said, re.MULTILINE)
    assert (second.home / "count").read_text() == "once\n"
    attempts = held.attempts()
    assert [(each["number"], each["reason"]) for each in attempts] == [(1, "lost"), (2, None)]
    assert "is lost" in attempts[0]["message"]


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (
            "{uses: actions/cache@v4, with: {path: x, key: y}}",
            "uses actions/cache@v4, which works on this machine only",
        ),
        ("{uses: actions/setup-python@v5}", "uses actions/setup-python@v5"),
    ],
)
def test_what_works_here_only_is_refused_before_anything_starts(project, on, step: str, why: str) -> None:
    project.write(f"on: push\njobs:\n  a: {{runs-on: local, steps: [{step}]}}\n")
    assert why in project.skyflow("run", "w.yml", *on(), code=5).err
    assert not (project.folder / ".skyflow" / "runs").exists()


ARTIFACTS = """
on: push
jobs:
  make:
    runs-on: local
    steps:
      - run: mkdir -p out/sub && head -c 9000000 /dev/zero > out/big && echo two > out/sub/b.sh && chmod +x out/sub/b.sh
      - uses: actions/upload-artifact@v4
        with: {name: results, path: "${{ github.workspace }}/out\\n!out/none"}
  use:
    runs-on: local
    needs: make
    steps:
      - uses: actions/download-artifact@v4
        id: got
        with: {name: results, path: got}
      - run: wc -c < got/big; cat got/sub/b.sh; test -x got/sub/b.sh; ls "${{ steps.got.outputs.download-path }}"
"""


def test_artifacts_go_from_one_machine_to_another(project, make_machine, machine: Machine, on) -> None:
    project.write(ARTIFACTS)
    out = project.skyflow("run", "w.yml", *on(make_machine("other"))).out
    for expected in ("9000000", "two", "big", "2 files will be uploaded", f"bytes) to {project.folder}/got"):
        assert expected in out
    assert [each["name"] for each in project.skyflow("artifacts", "list", "--json").json] == ["results"]
    assert not (project.folder / "got").exists()


@pytest.mark.parametrize("host", ["", "=2", "-oProxyCommand=x", "ssh://", "ssh://a:b@c", "ssh://a:x", "a=0", "a=b"])
def test_a_host_that_is_none_is_refused(project, host: str) -> None:
    project.write(TRIVIAL)
    assert "--host" in project.skyflow("run", "w.yml", f"--host={host}", code=2).err


def test_a_machine_that_is_not_trusted_fails_the_job_and_says_why(project, machine: Machine, on) -> None:
    project.write(TRIVIAL)
    options = on()
    (Path(os.environ["HOME"]) / ".ssh" / "known_hosts").write_text("")
    assert "not in ~/.ssh/known_hosts" in project.skyflow("run", "w.yml", *options, code=1).out
