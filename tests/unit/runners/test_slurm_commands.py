"""What Slurm is asked, and what its answers mean."""

import shlex

import pytest

from skyflow.model.slurm import SlurmJob, SlurmQueue
from skyflow.runners.slurm.commands import (
    Phase,
    batch_script,
    is_worth_another_try,
    job_name,
    phase_of,
    read_list,
    refusal,
    sbatch_options,
)


def options(queue: SlurmQueue, job: SlurmJob, count: int = 1) -> list[str]:
    return sbatch_options(queue, job, folder="/f", output="/f/o", count=count, comment="c")


def test_what_nobody_asks_for_is_left_to_the_cluster() -> None:
    asked = options(SlurmQueue(name="c"), SlurmJob())
    assert asked == [
        "--chdir=/f",
        "--output=/f/o",
        "--comment=c",
        "--export=ALL",
        "--open-mode=append",
        "--nodes=1",
        "--ntasks-per-node=1",
    ]


def test_what_is_asked_for_becomes_options() -> None:
    queue = SlurmQueue(name="c", partition="p", account="a", qos="q", gres="gpu:{name}:{count}", options=("--x=1",))
    need = SlurmJob(nodes=3, cpus=4, memory_mib=2048, accelerators=("A100", 2), minutes=90)
    assert set(options(queue, need, 200)) >= {
        "--nodes=3",
        "--partition=p",
        "--account=a",
        "--qos=q",
        "--cpus-per-task=4",
        "--mem=2048M",
        "--gres=gpu:a100:2",
        "--time=90",
        "--array=0-199",
    }
    assert options(queue, need)[-1] == "--x=1"
    assert not [each for each in options(SlurmQueue(name="c", gres=""), need) if each.startswith("--gres")]


def test_the_same_attempts_have_the_same_name() -> None:
    assert job_name("r", ["r/a/1", "r/b/1"]) == job_name("r", ["r/a/1", "r/b/1"])
    assert len({job_name("r", places) for places in (["r/a/1"], ["r/a/2"], ["r/a/1", "r/b/1"])}) == 3


def test_the_script_takes_the_attempt_of_its_index() -> None:
    script = batch_script(["r/it's/1", "r/b/1"], program="/p q", folder="/f", python="py")
    assert "\0" not in script
    assert shlex.split(script.splitlines()[1]) == ["set", "--", "r/it's/1", "r/b/1"]
    assert "'/p q' /f" in script


def test_the_queue_is_read() -> None:
    one, two = read_list("n|12|N/A|RUNNING|None\nm|13|4|PENDING|(Resources)\n")
    assert (one.number, one.index, one.is_hopeless) == ("12", None, False)
    assert (two.number, two.index, two.reason, two.is_hopeless) == ("13_4", 4, "Resources", False)


@pytest.mark.parametrize("reason", ["PartitionTimeLimit", "QOSMaxCpuPerJobLimit", "InvalidAccount"])
def test_some_reasons_for_waiting_no_time_cures(reason: str) -> None:
    (one,) = read_list(f"n|12|N/A|PENDING|{reason}\n")
    assert one.is_hopeless


@pytest.mark.parametrize("number", ["--user=root", "-1", "", "1;2", "9" * 30, "1_2", "\u0661"])
def test_what_is_no_number_is_never_a_word_of_a_command(number: str) -> None:
    assert read_list(f"n|{number}|N/A|RUNNING|None\n") == []


def test_a_job_that_runs_has_no_reason_that_matters() -> None:
    (one,) = read_list("n|12|N/A|RUNNING|PartitionTimeLimit\n")
    assert not one.is_hopeless


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("PENDING", Phase.WAITING),
        ("CANCELLED by 1000", Phase.FAILED),
        ("CANCELLED+", Phase.FAILED),
        ("PREEMPTED", Phase.TAKEN),
        ("NODE_FAIL", Phase.LOST),
        ("SOMETHING_NEW", Phase.RUNNING),
    ],
)
def test_states_mean_something(state: str, phase: Phase) -> None:
    assert phase_of(state) is phase


@pytest.mark.parametrize(
    ("text", "said", "key"),
    [
        (
            (
                "sbatch: error: invalid partition specified: nope\n"
                "sbatch: error: Batch job submission failed: Invalid partition name specified\n"
            ),
            "invalid partition specified: nope; Invalid partition name specified",
            "partition",
        ),
        (
            "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit)\n",
            "Job violates accounting/QOS policy (job submit limit)",
            "limits",
        ),
        ("", "nothing", ""),
    ],
)
def test_a_refusal_has_slurms_words(text: str, said: str, key: str) -> None:
    found = refusal(text)
    assert (found.said, found.key) == (said, key)


def test_a_controller_that_is_away_is_asked_again() -> None:
    assert is_worth_another_try("squeue: error: Unable to contact slurm controller (connect failure)")
    assert not is_worth_another_try("sbatch: error: Batch job submission failed: Invalid qos specification")
