"""Jobs that are planned on the project's own machines run there, as a person begins, breaks and resumes them."""

import json

import pytest
from testbed.machine import Machine

WORKFLOW = """
on: push
jobs:
  here:
    runs-on: local
    outputs: {value: '${{ steps.s.outputs.v }}'}
    steps: [{id: s, run: 'echo "here in $(pwd)"; echo v=42 >> "$GITHUB_OUTPUT"'}]
  there:
    needs: here
    runs-on: own
    strategy: {matrix: {n: [1, 2]}}
    steps: [{run: 'echo "there ${{ matrix.n }} got ${{ needs.here.outputs.value }} in $(pwd) of $(cat ~/name)"'}]
"""
TRIVIAL = "on: push\njobs:\n  a: {runs-on: own, steps: [{run: 'true'}]}\n"


def hosts_of(project, key: str) -> list[str]:
    return [path.read_text().split()[0] for path in sorted(project.folder.glob(f".skyflow/runs/*/{key}/*/host"))]


def test_jobs_run_where_they_are_placed(project, make_machine, machine: Machine, pool) -> None:
    pool(machine, make_machine("other"), kind="machine")
    project.write(WORKFLOW)
    out = project.skyflow("run", "w.yml").out
    assert "3 jobs planned on this machine and rack, " in out.splitlines()[0]
    assert f"here in {project.folder}" in out
    for expected in ("there 1 got 42 in /root/.skyflow/runs/", "there 2 got 42", "of box", "of other"):
        assert expected in out
    assert not list(machine.home.glob(".skyflow/runs/*/*/*"))
    assert not list(project.folder.glob(".skyflow/runs/*/here/1/host"))


def test_a_matrix_that_was_not_known_runs_where_it_was_planned(project, machine: Machine, pool) -> None:
    pool(machine)
    project.write(
        "on: push\njobs:\n"
        "  m: {runs-on: local, outputs: {l: '${{ steps.s.outputs.l }}'}, steps: "
        "[{id: s, run: 'echo l=[7,8] >> $GITHUB_OUTPUT'}]}\n"
        "  a:\n    needs: m\n    runs-on: own\n"
        "    strategy: {matrix: {n: '${{ fromJSON(needs.m.outputs.l) }}'}}\n"
        "    steps: [{run: 'echo ${{ matrix.n }} on $(cat ~/name)'}]\n"
    )
    out = project.skyflow("run", "w.yml").out
    assert "7 on box" in out
    assert "8 on box" in out


def test_two_pools_are_two_places(project, make_machine, machine: Machine, pool) -> None:
    pool(machine)
    pool(make_machine("other"), name="arms", arch="arm64")
    project.write(
        "on: push\njobs:\n"
        "  a: {runs-on: own, resources: {arch: x86_64}, steps: [{run: 'echo a on $(cat ~/name)'}]}\n"
        "  b: {runs-on: own, resources: {arch: arm64}, steps: [{run: 'echo b on $(cat ~/name)'}]}\n"
    )
    out = project.skyflow("run", "w.yml").out
    assert "a on box" in out
    assert "b on other" in out


def test_a_machine_runs_as_many_jobs_at_once_as_it_has_slots(project, machine: Machine, pool) -> None:
    pool(machine, slots=2)
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: own\n    strategy: {matrix: {n: [1, 2]}}\n"
        "    steps: [{run: 'touch ~/up${{ matrix.n }}; while ! test -e ~/up1 -a -e ~/up2; do sleep 0.05; done'}]\n"
    )
    project.skyflow("run", "w.yml")


def test_a_job_moves_to_another_machine_of_its_pool(project, make_machine, machine: Machine, pool, hold) -> None:
    other = make_machine("other")
    pool(machine, other)
    held = hold(machine, other, SKYFLOW_HOST_PATIENCE="2s")
    held.go_elsewhere()
    assert "after set" in held.end()
    assert [each["reason"] for each in held.attempts()] == ["lost", None]
    hosts = hosts_of(project, "a")
    assert len(set(hosts)) == 2
    assert [each["hosts"] for each in held.attempts()] == [[host] for host in hosts]
    shown = project.skyflow("show", COLUMNS="200").out
    assert f"on {hosts[0]}; " in shown
    assert f"on {hosts[1]}" in shown


def test_a_machine_that_is_down_is_passed_over(project, make_machine, machine: Machine, pool) -> None:
    other = make_machine("other")
    pool(other, machine)
    other.kill()
    project.write("on: push\njobs:\n  a: {runs-on: own, steps: [{run: 'echo on $(cat ~/name)'}]}\n")
    out = project.skyflow("run", "w.yml", SKYFLOW_HOST_PATIENCE="1s").out
    assert "on box" in out
    assert out.splitlines()[0].endswith("1 job planned on rack")


def test_a_machine_with_another_host_key_is_passed_over_and_named(
    project, make_machine, machine: Machine, pool
) -> None:
    pool(make_machine("other"), machine)
    path = project.folder / "skyflow.yml"
    said = json.loads(path.read_text())
    stranger, good = said["machines"]["rack"]["hosts"]
    stranger["host-key"] = good["host-key"]
    path.write_text(json.dumps(said))
    project.write("on: push\njobs:\n  a: {runs-on: own, steps: [{run: 'echo on $(cat ~/name)'}]}\n")
    out = project.skyflow("run", "w.yml").out
    address = stranger["host"].removeprefix("ssh://root@")
    assert (
        f"│ warning: a machine of the pool 'rack' is passed over: {address} shows another host key than the one" in out
    )
    assert "on box" in out
    good["host-key"] = machine.client_key.public
    path.write_text(json.dumps(said))
    out = project.skyflow("run", "w.yml", code=1).out
    assert out.count("is passed over") == 2
    assert "✗ Set up job: 127.0.0.1" in out


def test_a_run_goes_on_on_the_machine_it_was_on(project, make_machine, machine: Machine, pool, hold) -> None:
    other = make_machine("other")
    pool(machine, other)
    held = hold(machine, other)
    held.kill_driver()
    held.go()
    assert "after set" in project.skyflow("resume").out
    assert held.attempts()[-1]["number"] == 1


@pytest.mark.parametrize("is_driven", [True, False])
def test_cancel_ends_what_runs_on_the_machine(project, machine: Machine, pool, hold, is_driven: bool) -> None:
    pool(machine)
    held = hold(machine)
    if not is_driven:
        held.kill_driver()
    assert "Run 1: cancelled" in project.skyflow("cancel", "1").out
    if is_driven:
        held.end(code=1)
    shown = project.skyflow("show", "--json").json
    assert (shown["conclusion"], shown["jobs"][0]["conclusion"]) == ("cancelled", "cancelled")
    assert not [line for line in machine.command_lines() if "step.sh" in line or "sleep" in line]
    assert not list(machine.home.glob(".skyflow/runs/*/*/*"))


def test_machines_without_hosts_are_planned_and_not_run(project, pool) -> None:
    pool()
    project.write(TRIVIAL)
    done = project.skyflow("run", "w.yml", code=5)
    assert "'rack', and skyflow.yml does not say how to reach them" in done.err
    assert "hosts: [node1, me@node2]" in done.err
    assert not (project.folder / ".skyflow" / "runs").exists()


def test_a_run_whose_machines_are_not_declared_any_more_cannot_be_resumed(
    project, machine: Machine, pool, hold
) -> None:
    pool(machine)
    hold(machine).kill_driver()
    (project.folder / "skyflow.yml").write_text("")
    assert "'rack', which skyflow.yml does not have any more" in project.skyflow("resume", code=5).err


@pytest.mark.parametrize(
    ("uses", "why"),
    [
        ("steps: [{uses: actions/setup-python@v5}]", "uses actions/setup-python@v5"),
        ("cache: {inputs: [x]}, steps: [{run: 'true'}]", "has a cache"),
        ("container: alpine, steps: [{run: 'true'}]", "has containers"),
    ],
)
def test_what_works_here_only_is_kept_off_the_pool(project, pool, uses: str, why: str) -> None:
    pool(kind="machine")
    project.write(f"on: push\njobs:\n  a: {{runs-on: sky, {uses}}}\n")
    assert "this machine" in project.skyflow("plan", "w.yml").out
    project.write(f"on: push\njobs:\n  a: {{runs-on: own, {uses}}}\n")
    err = " ".join(project.skyflow("plan", "w.yml", code=4).err.split())
    assert f"the job {why}, which works on this machine only so far" in err
    assert "write `runs-on: local` for this job" in err


def test_config_check_asks_every_host(project, make_machine, machine: Machine, pool) -> None:
    pool(machine, cpus=1, memory="1GiB")
    out = project.skyflow("config", "check").out
    assert "skyflow.yml is valid: 1 machine\n" in out
    assert f"rack: 127.0.0.1:{machine.relay.port} answers: Python 3." in out
    other = make_machine("other")
    other.kill()
    pool(machine, other, cpus=4096, memory="1GiB")
    done = project.skyflow("config", "check", code=5)
    assert "and 4096 are declared" in done.err
    assert f"machines 'rack': 127.0.0.1:{other.relay.port} cannot be reached" in done.err
    assert "jobs go to the other hosts meanwhile" in done.err
    assert "answers" not in project.skyflow("config", "check", "--no-hosts").out


def test_config_check_says_what_a_host_lacks(project, machine: Machine, pool) -> None:
    pool(machine, ssh={"python": "python9"})
    assert "has no program 'python9'" in project.skyflow("config", "check", code=5).err


def test_a_shell_opens_in_the_working_folder_while_the_job_runs(project, machine: Machine, pool, hold) -> None:
    pool(machine)
    held = hold(machine)
    out = project.skyflow("ssh", "a", "--", "pwd; cat ~/name; touch ~/go").out
    assert out.splitlines()[0].endswith("/a/1/work")
    assert out.splitlines()[1] == "box"
    held.end()
    assert "is not there any more" in project.skyflow("ssh", "a", "--", "pwd", code=1).err
