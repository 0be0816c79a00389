"""`skyflow ssh`: into the working folder of a job, on a rented machine while it is there, and only on that one."""

import os
import pty
import subprocess
import sys

import pytest
from renting import ON, PATIENCE_SECONDS, WAITING, wait_until

FAILS = "steps: [{run: 'echo here > left.txt; exit 3'}]"
FINE = "steps: [{run: 'true'}]"


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_a_command_runs_in_the_working_folder_of_a_kept_machine(clouds, provider: str) -> None:
    cloud = clouds(provider)
    cloud.write(f"  a: {{{ON[provider]}, {FAILS}}}\n")
    cloud.skyflow("run", "w.yml", "--keep", code=1)
    assert cloud.skyflow("ssh", "a", "--", "cat left.txt | tr h H; whoami; hostname") == "Here\nskyflow\nmachine\n"
    assert (
        cloud.skyflow("ssh", "a", "--run", "1", "--", "sh", "-c", "echo $0; exit 7", "two words", code=7)
        == "two words\n"
    )
    cloud.skyflow("down", "--yes")
    shown = cloud.skyflow("ssh", "a", code=5)
    assert "was given back at" in shown
    assert "--keep" in shown


def test_a_shell_with_a_terminal_opens_while_the_job_runs(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {WAITING}}}\n")
    driver = aws.start("run", "w.yml")
    wait_until(lambda: aws.has("/home/skyflow/begun"))
    terminal, end = pty.openpty()
    shell = subprocess.Popen(
        [sys.executable, "-m", "skyflow", "ssh", "a"], cwd=aws.folder, stdin=end, stdout=end, stderr=end
    )
    aws.processes.append(shell)
    os.close(end)
    os.write(terminal, b"tty; cat data.txt; touch ~/go; exit 5\n")
    shown = b""
    while piece := read(terminal):
        shown += piece
    assert shell.wait(timeout=PATIENCE_SECONDS) == 5
    assert b"while its job runs" in shown
    assert b"/dev/pts/" in shown
    driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == 0


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end was closed
        return b""


def test_a_machine_that_shows_another_key_is_not_trusted(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {FAILS}}}\n")
    aws.skyflow("run", "w.yml", "--keep", code=1)
    aws.only.run(
        "sh",
        "-c",
        "rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; pkill -HUP -o -x sshd",
    )
    wait_until(lambda: "Host key verification failed" in attempt(aws))
    aws.skyflow("down", "--yes")


def attempt(aws) -> str:
    process = aws.start("ssh", "a", "--", "true")
    return process.communicate(timeout=PATIENCE_SECONDS)[0]


def test_what_cannot_be_opened_is_said(clouds) -> None:
    aws = clouds("aws")
    aws.write(
        f"  a: {{{ON['aws']}, {FINE}}}\n  b: {{{ON['aws']}, needs: a, {FINE}}}\n"
        f"  here: {{runs-on: local, {FINE}}}\n  never: {{runs-on: local, if: false, {FINE}}}\n"
        f"  many: {{runs-on: local, strategy: {{matrix: {{n: [1, 2]}}}}, {FINE}}}\n"
    )
    aws.skyflow("run", "w.yml", "--keep")
    assert "was cleared for job 'b'" in aws.skyflow("ssh", "a", code=2)
    assert "not on a machine that is reached over SSH" in aws.skyflow("ssh", "here", code=2)
    assert "never began" in aws.skyflow("ssh", "never", code=2)
    assert "name one of many.0, many.1" in aws.skyflow("ssh", "many", code=2)
    assert "did you mean 'here'?" in aws.skyflow("ssh", "hre", code=2)
    assert "has no machine 1" in aws.skyflow("ssh", "b", "--node", "1", code=2)
    aws.only.kill()
    [name] = aws.machines.running
    import ec2_server

    ec2_server.preempt(name)
    assert "is gone" in aws.skyflow("ssh", "b", code=5)
    aws.skyflow("down", "--yes")
