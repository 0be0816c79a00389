"""Runs on rented machines, as a user begins, breaks and resumes them: `skyflow` as a process, the clouds' SDKs over HTTP,
machines with a real sshd. Whatever happens, no machine, disk, card or address is left at the end."""

import csv
import json
import re
import shutil
import signal
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import ec2_server
import pytest
from renting import ON, PATIENCE_SECONDS, WAITING, Clouds, wait_until

SHIPPED = Path(__file__).parents[2] / "catalogs"


def test_one_run_uses_all_three_clouds(clouds) -> None:
    all_three = clouds("aws", "gcp", "azure")
    use = "needs: make, strategy: {matrix: {n: [1, 2]}}"
    all_three.write(
        f"""\
  make: {{{ON["aws"]}, outputs: {{v: '${{{{ steps.s.outputs.v }}}}'}}, steps: [
    {{uses: actions/checkout@v4}},
    {{id: s, run: 'cat data.txt; whoami; echo v=42 >> $GITHUB_OUTPUT; echo made > out.txt'}},
    {{uses: actions/upload-artifact@v4, with: {{name: a, path: out.txt}}}}]}}
  use: {{{ON["gcp"]}, {use}, steps: [
    {{uses: actions/download-artifact@v4, with: {{name: a, path: in}}}},
    {{run: 'cat in/out.txt; echo "got ${{{{ needs.make.outputs.v }}}}-${{{{ matrix.n }}}}"'}}]}}
  end: {{{ON["azure"]}, needs: use, steps: [{{run: 'hostname; echo the end'}}]}}
  here: {{runs-on: local, needs: end, steps: [{{run: 'echo here'}}]}}
"""
    )
    shown = all_three.skyflow("run", "w.yml", "--verbose")
    for text in ("dataskyflow", "got 42-1", "got 42-2", "the end", "machine", "here"):
        assert re.search(rf"│ {text}$", shown, re.MULTILINE), shown
    assert "Starting m6i.large in aws/us-east-1 ..." in shown
    assert len(all_three.machines.started) == 4
    assert all_three.machines.running == {}


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_a_killed_driver_finds_its_machine_again(clouds, provider: str) -> None:
    cloud = clouds(provider)
    cloud.write(f"  a: {{{ON[provider]}, {WAITING}}}\n")
    driver = cloud.start_until_begun("run", "w.yml")
    driver.kill()
    resumed = cloud.start("resume", "--verbose")
    time.sleep(1.0)  # it is in the middle of finding out
    shown = cloud.let_go_on(resumed)
    assert "begun set" in shown
    assert "count 1" in shown
    assert len(cloud.machines.started) == 1


def test_a_machine_lives_while_its_driver_does_and_ends_itself_afterwards(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {WAITING}}}\n")
    driver = aws.start_until_begun("run", "w.yml", SKYFLOW_MACHINE_SILENCE="8s")
    machine = aws.only

    def deadline() -> int:
        return int(machine.run("cat", "/var/lib/skyflow/deadline"))

    first = deadline()
    wait_until(lambda: deadline() > first + 3)  # it was told to stay a second and a third time
    driver.kill()
    wait_until(lambda: not machine.is_running)
    wait_until(lambda: aws.remains() == {})


def test_a_driver_that_is_killed_while_a_machine_starts_goes_on_with_that(clouds) -> None:
    aws = clouds("aws")
    aws.start_until_booting(boot_seconds=3.0).kill()
    assert "ran" in aws.skyflow("resume", "--verbose")
    assert len(aws.machines.started) == 1


def make_this_hour_dirty(folder: Path) -> None:
    """Give a project tables in which the power of this hour and the next is far from clean everywhere, whatever the hour is."""
    shutil.copytree(SHIPPED, folder / "tables", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path, hour = folder / "tables" / "carbon_profiles.csv", datetime.now(UTC).hour
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    dirty = {str(hour), str((hour + 1) % 24)}
    with path.open("w", newline="") as file:
        changed = [(grid, month, at, "3" if at in dirty else "1", basis) for grid, month, at, _, basis in rows]
        csv.writer(file, lineterminator="\n").writerows([header, *changed])
    (folder / "skyflow.yml").write_text(f"catalog: {folder / 'tables'}\n")


def test_a_run_that_waits_for_cleaner_power_is_killed_and_waits_on(clouds) -> None:
    aws = clouds("aws")
    make_this_hour_dirty(aws.folder)
    (aws.folder / "w.yml").write_text(
        "on: push\nplan: {objective: carbon, wait: 48h}\njobs:\n"
        f"  a: {{{ON['aws']}, estimate: 1h, steps: [{{run: 'echo ran'}}]}}\n"
    )
    driver = aws.start("run", "w.yml")
    wait_until(lambda: "in_progress" in aws.skyflow("runs", "--json"))
    driver.kill()
    [before] = aws.run_json()["jobs"]
    assert before["status"] == "queued"
    assert "waits for its planned start at" in aws.skyflow("show")
    resumed = aws.start("resume")
    wait_until(lambda: "in_progress" in aws.skyflow("runs", "--json"))
    time.sleep(2.0)  # long enough to begin what need not wait
    resumed.kill()
    [waiting] = aws.run_json()["jobs"]
    assert waiting["status"] == "queued"
    assert not aws.machines.started
    assert "ran" in aws.skyflow("resume", "--now", "--verbose")
    assert len(aws.machines.started) == 1


@pytest.mark.parametrize("signals", [1, 2])
def test_an_interrupted_run_gives_its_machines_back_and_can_be_resumed(clouds, signals: int) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {WAITING}}}\n")
    driver = aws.start_until_begun("run", "w.yml")
    for _ in range(signals):
        driver.send_signal(signal.SIGINT)
        time.sleep(0.2)
    driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == 130
    assert aws.remains() == {}
    resumed = aws.start_until_begun("resume", "--verbose")
    aws.let_go_on(resumed)


def test_a_run_that_is_stopped_while_a_machine_boots_gives_it_back(clouds) -> None:
    aws = clouds("aws")
    driver = aws.start_until_booting(boot_seconds=60.0)
    driver.send_signal(signal.SIGINT)
    begun = time.monotonic()
    shown, _ = driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == 130, shown
    assert time.monotonic() - begun < 50
    assert aws.remains() == {}


def test_a_failing_job_and_a_cancelled_one_give_their_machines_back(clouds) -> None:
    aws = clouds("aws")
    aws.write(
        f"  a: {{{ON['aws']}, strategy: {{matrix: {{n: [1, 2]}}}}, steps: "
        "[{run: 'test ${{ matrix.n }} = 1 || exec sleep 300; sleep 2; exit 3'}]}\n"
    )
    shown = aws.skyflow("run", "w.yml", code=1)
    assert "exit code 3" in shown
    assert aws.remains() == {}


def test_a_cloud_that_lets_nobody_in_is_named_with_what_to_do(clouds) -> None:
    aws = clouds("aws")
    ec2_server.ACCOUNT.forbidden.add("RunInstances")
    aws.write(f"  a: {{{ON['aws']}, steps: [{{run: 'echo ran'}}]}}\n")
    shown = aws.skyflow("run", "w.yml", code=1)
    assert "UnauthorizedOperation" in shown


def test_keys_are_private_and_go_with_their_machine(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {WAITING}}}\n")
    driver = aws.start_until_begun("run", "w.yml")
    keys = aws.folder / ".skyflow" / ".skyflow-keys"
    private = [each for each in keys.iterdir() if not each.name.endswith(".pub") and each.name != ".gitignore"]
    assert len(private) == 2
    assert {each.stat().st_mode & 0o777 for each in private} == {0o600}
    assert "PRIVATE" not in aws.only.run("sh", "-c", "cat /home/skyflow/.skyflow/blobs/*/* || true")
    aws.only.run("touch", "/home/skyflow/go")
    driver.communicate(timeout=PATIENCE_SECONDS)
    assert {each.name for each in keys.iterdir()} == {".gitignore", "ours", "ours.pub"}


EITHER = (
    "runs-on: [aws, gcp], resources: {regions: [us-east-1, us-central1], instance-type: [m6i.large, n2-standard-4]}"
)
"""The machine of AWS costs half of the other one."""


def no_capacity(provider: str, clouds: Clouds) -> None:
    """Let a cloud have none of the machines that these tests ask for."""
    if provider == "aws":
        ec2_server.ACCOUNT.capacity.update({(f"us-east-1{zone}", "m6i.large"): 0 for zone in "abcdef"})
    else:
        zones = (f"us-central1-{zone}" for zone in "abcdef")
        clouds.faults["gcp"].app.capacity.update({(zone, "n2-standard-4"): 0 for zone in zones})


def test_no_capacity_in_the_first_zone_ends_in_the_next_one(clouds) -> None:
    aws = clouds("aws")
    ec2_server.ACCOUNT.capacity["us-east-1a", "m6i.large"] = 0
    aws.write(f"  a: {{{ON['aws']}, steps: [{{run: 'echo ran'}}]}}\n")
    shown = aws.skyflow("run", "w.yml", "--verbose")
    [until_it_runs] = re.findall(r"in us-east-1b runs after ([\d.]+) s", shown)
    with sqlite3.connect(f"file:{aws.folder}/.skyflow/state.db?mode=ro", uri=True) as database:
        [[seen]] = database.execute("SELECT seconds FROM observations WHERE outcome = 'provisioned'")
    assert seen > float(until_it_runs) + 0.1, "a job can begin only when the machine lets us in"


def test_no_capacity_in_one_cloud_moves_what_is_left_to_another(clouds) -> None:
    both = clouds("aws", "gcp")
    no_capacity("aws", both)
    both.write(
        f"  a: {{{EITHER}, steps: [{{run: 'echo ran'}}]}}\n  b: {{{EITHER}, needs: a, steps: [{{run: 'echo too'}}]}}\n"
    )
    shown = both.skyflow("run", "w.yml", "--verbose")
    assert "InsufficientInstanceCapacity" in shown
    [seconds] = re.findall(r"Planned anew in ([\d.]+) s: n2-standard-4 in gcp/us-central1-[a-f]$", shown, re.MULTILINE)
    assert float(seconds) < 5  # the bench says how long it takes on a machine that is idle
    assert shown.count("Starting m6i.large") == 1, "the other job has to know as well"
    assert re.search(r"^\[b\] │ too$", shown, re.MULTILINE)
    assert both.faults["gcp"].calls.count("create") == 1, "the other job takes that machine over"
    assert "n2-standard-4" in both.skyflow("show", "--json")
    again = " ".join(both.skyflow("plan", "w.yml").split())
    assert re.search(r"aws/us-east-1 had no m6i.large \(on-demand\) [\dms. ]+ ago: not asked again before", again), (
        again
    )


def test_a_quota_that_is_used_up_moves_the_job_as_well(clouds) -> None:
    both = clouds("aws", "gcp")
    ec2_server.ACCOUNT.over_quota.add("m6i.large")
    both.write(f"  a: {{{EITHER}, steps: [{{run: 'echo ran'}}]}}\n")
    shown = both.skyflow("run", "w.yml", "--verbose")
    assert "VcpuLimitExceeded" in shown
    assert "Starting n2-standard-4 in gcp" in shown


@pytest.mark.parametrize("lack", ["type", "image"])
def test_what_a_region_does_not_have_moves_the_job_as_well(clouds, lack: str) -> None:
    both = clouds("aws", "gcp")
    if lack == "type":
        ec2_server.ACCOUNT.not_offered.update({(f"us-east-1{zone}", "m6i.large") for zone in "abcdef"})
    else:
        ec2_server.withdraw_images("us-east-1")
    both.write(f"  a: {{{EITHER}, steps: [{{run: 'echo ran'}}]}}\n")
    shown = both.skyflow("run", "w.yml", "--verbose")
    assert ("Unsupported" if lack == "type" else "ParameterNotFound") in shown
    assert "Starting n2-standard-4 in gcp" in shown


def test_a_resumed_run_does_not_ask_again_for_what_was_refused(clouds) -> None:
    both = clouds("aws", "gcp")
    no_capacity("aws", both)
    both.write(f"  a: {{{EITHER}, {WAITING}}}\n")
    driver = both.start_until_begun("run", "w.yml")
    driver.kill()
    both.faults["aws"].calls.clear()
    no_capacity("gcp", both)
    both.take_away()
    shown = both.skyflow("resume", "--verbose", code=1)
    assert "there is no other plan" in " ".join(shown.split()), shown
    assert both.faults["aws"].calls.count("create") == 0


def test_a_deadline_that_cannot_be_kept_elsewhere_is_told(clouds) -> None:
    both = clouds("aws", "gcp")
    no_capacity("aws", both)
    slower = "estimate: {duration: 2h, on: {m6i.large: 10m}}"
    both.write(f"  a: {{{EITHER}, {slower}, steps: [{{run: 'echo ran'}}]}}\nplan: {{objective: cost, deadline: 1h}}\n")
    shown = both.skyflow("run", "w.yml", "--verbose")
    assert "The deadline cannot be kept any more" in shown
    assert "the deadline cannot be kept any more" in " ".join(both.skyflow("show").split())


def test_a_machine_that_never_lets_us_in_is_given_back_and_another_had_elsewhere(clouds) -> None:
    both = clouds("aws", "gcp")
    both.machines.boot_seconds = 600.0
    both.write(f"  a: {{{EITHER}, steps: [{{run: 'echo ran'}}]}}\n")
    driver = both.start("run", "w.yml", "--verbose", SKYFLOW_BOOT_PATIENCE="8s")
    wait_until(lambda: both.machines.running)
    both.machines.boot_seconds = 0.0
    wait_until(lambda: len(both.machines.started) > 1)
    assert len(both.machines.running) == 1, "the silent one is paid for meanwhile"
    shown, _ = driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == 0, shown
    assert "did not let us in within 8 s" in shown
    assert "Starting n2-standard-4 in gcp" in shown


def test_a_job_that_no_cloud_has_room_for_runs_here_if_it_may(clouds) -> None:
    aws = clouds("aws")
    ec2_server.ACCOUNT.over_quota.add("m6i.large")
    aws.write(
        "  a: {runs-on: [aws, local], resources: {regions: [us-east-1, local]}, "
        "estimate: {duration: 10h, on: {m6i.large: 1s}}, steps: [{run: 'echo ran'}]}\nplan: {objective: makespan}\n"
    )
    shown = aws.skyflow("run", "w.yml", "--verbose")
    assert re.search(r"Planned anew in [\d.]+ s: this machine$", shown, re.MULTILINE), shown
    assert re.search(r"│ ran$", shown, re.MULTILINE), shown


def test_when_nothing_is_to_be_had_all_that_was_tried_is_named(clouds) -> None:
    both = clouds("aws", "gcp")
    no_capacity("aws", both)
    no_capacity("gcp", both)
    both.write(f"  a: {{{EITHER}, steps: [{{run: 'echo ran'}}]}}\n")
    shown = both.skyflow("run", "w.yml", code=1)
    for text in ("m6i.large in aws/us-east-1", "n2-standard-4 in gcp/us-central1", "there is no other plan"):
        assert text in " ".join(shown.split()), shown


SPOT = EITHER.replace("resources: {", "resources: {market: spot, ")
NOTICES = {
    "aws": ("/latest/meta-data/spot/instance-action", '{"action": "terminate", "time": "2026-01-01T00:00:00Z"}'),
    "gcp": ("/computeMetadata/v1/instance/preempted", "TRUE"),
    "azure": ("/metadata/scheduledevents", '{"Events": [{"EventId": "1", "EventType": "Preempt"}]}'),
}


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_a_spot_machine_that_is_taken_away_with_notice_is_replaced(clouds, provider: str) -> None:
    cloud = clouds(provider)
    spot = ON[provider].replace("resources: {", "resources: {market: spot, ")
    cloud.write(f"  a: {{{spot}, steps: [{{run: 'trap \"echo saved; exit 1\" INT; touch ~/begun; "
                "while ! test -e ~/go; do sleep 0.1; done; echo went'}]}\n")  # fmt: skip
    driver = cloud.start_until_begun("run", "w.yml", "--verbose")
    first = cloud.only
    first.set_metadata(*NOTICES[provider])
    wait_until(lambda: first not in cloud.machines.running.values() and cloud.has("/home/skyflow/begun"))
    shown = cloud.let_go_on(driver)
    assert "saved" in shown, "the step was interrupted before it was killed"
    assert f"is taken away by {provider}: " in shown
    [job] = cloud.run_json()["jobs"]
    assert [each["reason"] for each in job["attempts"]] == ["preempted", None]


def test_after_a_spot_machine_vanished_its_job_runs_elsewhere(clouds) -> None:
    both = clouds("aws", "gcp")
    both.write(f"  a: {{{SPOT}, {WAITING}}}\n")
    driver = both.start_until_begun("run", "w.yml", "--verbose")
    first = both.only
    both.take_away()
    wait_until(lambda: first not in both.machines.running.values() and both.has("/home/skyflow/begun"))
    shown = both.let_go_on(driver)
    assert re.search(r"Planned anew: \S+ \(spot\) in ", shown), shown
    starts = re.findall(r"Starting (\S+ \(spot\) in \S+) ", shown)
    assert len(set(starts)) == 2, starts


def test_a_machine_that_dies_is_replaced_and_one_that_is_cut_off_is_waited_for(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {WAITING}}}\n")
    driver = aws.start_until_begun("run", "w.yml", "--verbose")
    first = aws.only
    first.cut_off()
    time.sleep(2)
    first.cut_off(is_cut=False)
    aws.take_away()  # what happens when the hardware breaks looks the same
    wait_until(lambda: first not in aws.machines.running.values() and aws.has("/home/skyflow/begun"))
    aws.let_go_on(driver)
    [job] = aws.run_json()["jobs"]
    assert [each["reason"] for each in job["attempts"]] == ["lost", None]


def test_what_a_run_has_cost_is_shown_beside_what_was_planned(clouds) -> None:
    both = clouds("aws", "gcp")
    no_capacity("aws", both)
    both.write(f"  a: {{{EITHER}, estimate: 1h, steps: [{{run: 'echo ran'}}]}}\n")
    shown = both.skyflow("run", "w.yml")
    assert re.search(r"Rented 1 machine: \d+(\.\d)?m?s, \$0\.\d+.* \(planned \$0\.\d+\)", shown), shown
    assert "Planned anew at" in both.skyflow("show")
    [attempt] = both.run_json()["jobs"][0]["attempts"]
    refused, had = attempt["machines"]
    assert (refused["id"], refused["created_at"], refused["usd"]) == (None, None, 0)
    assert had["offering"].startswith("gcp/us-central1")
    assert had["usd"] > 0
    costs = json.loads(both.skyflow("cost", "--by", "cloud", "--json"))
    [line] = costs["lines"]
    assert line["cloud"] == "gcp"
    assert line["usd"] == pytest.approx(had["usd"], abs=1e-6)
    assert "gcp/us-central1" in both.skyflow("cost", "latest", "--by", "region")
    told = [re.sub(r"^\s*\+[\d.]+\s+", "", line) for line in both.skyflow("timeline").splitlines()]
    order = (
        "[a] asks for aws/us-east-1/m6i.large",
        "[a] aws/us-east-1/m6i.large/on-demand was not made",
        "planned anew: ",
        "[a] asks for gcp/",
        "[a] step 0 Set up job: success",
        "[a] step 1 Run echo ran begins",
        "success",
    )
    places = [next(at for at, line in enumerate(told) if line.startswith(text)) for text in order]
    assert places == sorted(places), told


def test_the_next_run_clears_up_after_one_that_was_killed_and_left(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {WAITING}}}\n")
    driver = aws.start_until_begun("run", "w.yml")
    driver.kill()
    database = sqlite3.connect(aws.folder / ".skyflow" / "state.db")
    early = "2026-01-01T00:00:00.000000+00:00"
    with database:
        database.execute("UPDATE machines SET intended_at = ?, created_at = ?", (early, early))
    database.close()
    left = aws.only
    ec2_server.age(hours=1)
    aws.write(f"  a: {{{ON['aws']}, steps: [{{run: 'echo ran'}}]}}\n")
    aws.skyflow("run", "w.yml")
    assert left not in aws.machines.running.values()
    assert aws.remains() == {}
