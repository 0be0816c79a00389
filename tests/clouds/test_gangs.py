"""Jobs that run on several rented machines at once: all of them or none, in one zone, and never less than all later on."""

import re
import signal
import subprocess
from typing import Any

import ec2_server
import pytest
from renting import ON, PATIENCE_SECONDS, Clouds, wait_until

TWO = {provider: text.replace("resources: {", "resources: {nodes: 2, ") for provider, text in ON.items()}
WAIT = (
    "steps: [{run: 'echo once >> ~/count; echo MARK=set >> $GITHUB_ENV'}, "
    "{run: 'echo begun $MARK; touch ~/begun; while ! test -e ~/go; do sleep 0.1; done; echo \"ended $SKYFLOW_NODE_RANK\"'}, "
    "{run: 'echo count $(wc -l < ~/count)'}]"
)
EITHER = (
    "runs-on: [aws, gcp], resources: {nodes: 2, regions: [us-east-1, us-central1], "
    "instance-type: [m6i.large, n2-standard-4]}"
)


def begun(cloud: Clouds, file: str = "/home/skyflow/begun", but: tuple[str, ...] = ()) -> bool:
    """Tell whether there are two machines, beside others, and a file on both."""
    machines = [machine for name, machine in list(cloud.machines.running.items()) if name not in but]
    if len(machines) != 2:
        return False
    try:
        for machine in machines:
            machine.run("test", "-e", file)
    except (subprocess.CalledProcessError, IndexError, OSError):
        return False
    return True


def let_go_on(cloud: Clouds, driver: "subprocess.Popen[str]", code: int = 0) -> str:
    for machine in list(cloud.machines.running.values()):
        machine.run("touch", "/home/skyflow/go")
    shown, _ = driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == code, shown
    return shown


def machines_of(cloud: Clouds) -> list[dict[str, Any]]:
    jobs = cloud.run_json()["jobs"]
    return [each for job in jobs for attempt in job["attempts"] for each in attempt["machines"]]


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_a_step_runs_on_all_machines_which_reach_one_another(clouds, provider: str) -> None:
    cloud = clouds(provider)
    reach = 'for ip in $SKYFLOW_NODE_IPS; do (exec 3<>/dev/tcp/$ip/22) && echo "reached $ip"; done'
    cloud.write(
        f"  a: {{{TWO[provider]}, steps: [{{run: 'echo \"rank $SKYFLOW_NODE_RANK of $SKYFLOW_NUM_NODES\"; {reach}'}}]}}\n"
    )
    shown = cloud.skyflow("run", "w.yml", "--verbose")
    addresses = [machine.address for machine in cloud.machines.started]
    assert len(addresses) == 2
    for rank in (0, 1):
        assert f"[{rank}] rank {rank} of 2" in shown
        assert set(re.findall(rf"\[{rank}\] reached (\S+)", shown)) == set(addresses)
    first, second = machines_of(cloud)
    assert first["offering"] == second["offering"], "they stand in one zone"
    [job] = cloud.run_json()["plan"]["jobs"]
    together = job["offering"]["price_usd_per_hour"]
    assert [each["usd_per_hour"] for each in (first, second)] == pytest.approx([together / 2] * 2)
    assert job["compute_usd"] == pytest.approx(together * job["duration_seconds"] / 3600)


def test_where_one_of_two_is_not_to_be_had_the_other_is_given_back(clouds) -> None:
    aws = clouds("aws")
    ec2_server.ACCOUNT.capacity["us-east-1a", "m6i.large"] = 1
    aws.write(f"  a: {{{TWO['aws']}, steps: [{{run: 'echo ran'}}]}}\n")
    shown = aws.skyflow("run", "w.yml", "--verbose")
    assert shown.count("in us-east-1b runs after") == 2, shown
    assert "Planned anew" not in shown, "the next zone will do"


def test_where_no_zone_has_room_for_both_all_goes_to_another_cloud(clouds) -> None:
    both = clouds("aws", "gcp")
    ec2_server.ACCOUNT.capacity.update({(f"us-east-1{zone}", "m6i.large"): 1 for zone in "abcdef"})
    both.write(f"  a: {{{EITHER}, steps: [{{run: 'echo ran on $SKYFLOW_NODE_RANK'}}]}}\n")
    shown = both.skyflow("run", "w.yml", "--verbose")
    assert "2 x m6i.large in aws/us-east-1 is not to be had" in shown
    assert "Starting 2 x n2-standard-4 in gcp" in shown
    assert "ran on 1" in shown


def test_a_killed_driver_finds_both_again(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{TWO['aws']}, {WAIT}}}\n")
    driver = aws.start("run", "w.yml")
    wait_until(lambda: begun(aws))
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    shown = let_go_on(aws, aws.start("resume", "--verbose"))
    assert shown.count("begun set") == 2
    assert shown.count("count 1") == 2
    assert len(aws.machines.started) == 2


@pytest.mark.parametrize("there", [1, 2])
def test_a_driver_that_is_killed_while_they_start_goes_on_with_all_or_with_others(clouds, there: int) -> None:
    aws = clouds("aws")
    aws.machines.boot_seconds = 2.0
    aws.write(f"  a: {{{TWO['aws']}, steps: [{{run: 'echo ran on $SKYFLOW_NODE_RANK'}}]}}\n")
    driver = aws.start("run", "w.yml")
    wait_until(lambda: len(aws.machines.running) >= there)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    shown = aws.skyflow("resume", "--verbose")
    assert "ran on 0" in shown
    assert "ran on 1" in shown


def test_when_one_is_lost_the_job_gets_two_new_ones(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{TWO['aws']}, {WAIT}}}\n")
    driver = aws.start("run", "w.yml", "--verbose")
    wait_until(lambda: begun(aws))
    first = tuple(aws.machines.running)
    ec2_server.preempt(first[1])
    wait_until(lambda: not set(first) & set(aws.machines.running) and begun(aws))
    let_go_on(aws, driver)
    [job] = aws.run_json()["jobs"]
    assert [each["reason"] for each in job["attempts"]] == ["lost", None]
    assert len(aws.machines.started) == 4


def test_a_notice_to_one_spot_machine_interrupts_the_job_on_both(clouds) -> None:
    aws = clouds("aws")
    spot = TWO["aws"].replace("resources: {", "resources: {market: spot, ")
    aws.write(
        f'  a: {{{spot}, steps: [{{run: \'trap "echo saved; exit 1" INT; touch ~/begun; '
        "while ! test -e ~/go; do sleep 0.1; done'}]}\n"
    )
    driver = aws.start("run", "w.yml", "--verbose")
    wait_until(lambda: begun(aws))
    first = tuple(aws.machines.running)
    aws.machines.running[first[1]].set_metadata("/latest/meta-data/spot/instance-action", '{"action": "terminate"}')
    wait_until(lambda: not set(first) & set(aws.machines.running) and begun(aws))
    shown = let_go_on(aws, driver)
    assert shown.count("saved") >= 2, shown
    [job] = aws.run_json()["jobs"]
    assert [each["reason"] for each in job["attempts"]] == ["preempted", None]


def test_a_part_of_spot_machines_is_bought_on_demand(clouds) -> None:
    aws = clouds("aws")
    mixed = TWO["aws"].replace("resources: {", "resources: {market: spot, min-on-demand: 1, ")
    aws.write(f"  a: {{{mixed}, steps: [{{run: 'echo ran on $SKYFLOW_NODE_RANK'}}]}}\n")
    assert "(spot, 1 on demand) in aws/us-east-1" in aws.skyflow("run", "w.yml", "--verbose")
    made = {each["offering"].rpartition("/")[2]: each["usd_per_hour"] for each in machines_of(aws)}
    assert set(made) == {"on-demand", "spot"}
    assert made["on-demand"] > made["spot"]
    [job] = aws.run_json()["plan"]["jobs"]
    assert sum(made.values()) == pytest.approx(job["offering"]["price_usd_per_hour"])


def test_one_that_fails_ends_the_job_on_both(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{TWO['aws']}, steps: [{{run: 'test $SKYFLOW_NODE_RANK = 0 || exit 3; sleep 600'}}]}}\n")
    assert "exit code 3" in aws.skyflow("run", "w.yml", code=1)


def test_the_next_job_takes_both_over(clouds) -> None:
    aws = clouds("aws")
    aws.write(
        f"  a: {{{TWO['aws']}, steps: [{{run: 'echo a'}}]}}\n  b: {{{TWO['aws']}, needs: a, steps: [{{run: 'echo b on $SKYFLOW_NODE_RANK'}}]}}\n"
    )
    shown = aws.skyflow("run", "w.yml", "--verbose")
    assert shown.count("is taken over from a") == 2
    assert "b on 1" in shown
    assert len(aws.machines.started) == 2
