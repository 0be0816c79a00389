"""Data goes from one machine of a pool to another without us, and leaves no key behind."""

import hashlib
import re
from pathlib import Path

from testbed.machine import Machine

MEGABYTES = 30
MAKE = """
on: push
jobs:
  make:
    runs-on: own
    steps:
      - run: |
          mkdir -p out/deep
          head -c {size} /dev/urandom > out/deep/big; echo small > out/small; chmod +x out/small
          sha256sum out/deep/big | cut -c1-64 > ~/digest
      - {{uses: actions/upload-artifact@v4, with: {{name: made, path: out}}}}
  use:
    needs: make
    runs-on: own
"""
EACH = """
    strategy: {matrix: {n: [1, 2]}}
    steps:
      - {uses: actions/download-artifact@v4, with: {name: made, path: in/here}}
      - run: |
          sha256sum in/here/deep/big | cut -c1-64; test -x in/here/small
          touch ~/up; while ! test -e ~/go; do sleep 0.05; done
"""
TOGETHER = """
    resources: {nodes: 2}
    steps:
      - {uses: actions/download-artifact@v4, with: {name: made, path: in/here}}
      - run: sha256sum in/here/deep/big | cut -c1-64
"""
CHECKPOINT = """
on: push
jobs:
  a:
    runs-on: own
    retry: {attempts: 2, backoff: 1s}
    checkpoint: {path: state, every: 1h}
    steps:
      - run: |
          if test -e state/big; then sha256sum state/big | cut -c1-64; touch ~/again; exit 0; fi
          mkdir -p state/empty; head -c 5000000 /dev/urandom > state/big; ln -s big state/link
          sha256sum state/big | cut -c1-64 > ~/digest; touch ~/made
          while ! test -e ~/fail; do sleep 0.05; done; exit 1
  b: {runs-on: own, steps: [{run: 'while ! test -e ~/end; do sleep 0.05; done'}]}
  c: {runs-on: own, steps: [{run: 'touch ~/full; while ! test -e ~/end; do sleep 0.05; done'}]}
"""


def digest_on(*machines: Machine) -> str:
    [digest] = [file.read_text().strip() for each in machines if (file := each.home / "digest").exists()]
    return digest


def keys_on(machine: Machine) -> list[Path]:
    """Everything on a machine that looks like what one journey needs."""
    ssh = machine.home / ".ssh"
    found = list(ssh.iterdir()) if ssh.exists() else []
    return [*found, *machine.home.glob(".skyflow/**/key*")]


def run_on_both(project, wait_until, *machines: Machine) -> str:
    """Run the workflow; its two last jobs are on two machines, for each is there until both are."""
    project.write(MAKE.format(size=MEGABYTES * 1_000_000) + EACH)
    run = project.start("run", "w.yml", SKYFLOW_HOST_PATIENCE="20s")
    wait_until(lambda: run.poll() is not None or all((each.home / "up").exists() for each in machines))
    for each in machines:
        (each.home / "go").touch()
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, (out + err).decode()
    return out.decode()


def test_data_goes_from_one_machine_of_a_pool_to_another(project, make_machine, machine, pool, wait_until) -> None:
    other = make_machine("other")
    pool(machine, other)
    out = run_on_both(project, wait_until, machine, other)
    digest = digest_on(machine, other)
    assert out.count(digest) == 2
    assert len(re.findall(rf"directly to 127.0.0.1:[0-9]+: {MEGABYTES}.0 MB in ", out)) == 1
    assert out.count("Nothing has to be sent to ") == 1
    assert "From this machine" not in out
    assert keys_on(machine) == keys_on(other) == []
    assert not list(machine.home.glob(".skyflow/runs/*"))
    [kept] = [each for each in project.folder.glob(".skyflow/artifacts/blobs/*/*") if each.stat().st_size > 1_000_000]
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == digest


def test_data_goes_through_us_where_machines_do_not_reach_each_other(project, make_machine, pool, wait_until) -> None:
    machine, other = make_machine("box", takes_keys=False), make_machine("other", takes_keys=False)
    pool(machine, other)
    out = run_on_both(project, wait_until, machine, other)
    assert out.count(digest_on(machine, other)) == 2
    assert out.count("directly, it goes through this machine: ") == 1
    assert "Permission denied (publickey" in out
    assert len(re.findall(rf"From this machine to 127.0.0.1:[0-9]+: {MEGABYTES}.0 MB in ", out)) == 1
    assert keys_on(machine) == keys_on(other) == []


def test_the_machines_of_one_job_have_their_data_from_each_other(project, make_machine, machine, pool) -> None:
    other = make_machine("other")
    pool(machine, other)
    project.write(MAKE.format(size=MEGABYTES * 1_000_000) + TOGETHER)
    out = project.skyflow("run", "w.yml").out
    assert out.count(digest_on(machine, other)) == 2
    assert len(re.findall(rf"directly to 127.0.0.1:[0-9]+: {MEGABYTES}.0 MB in ", out)) == 1
    assert "From this machine" not in out


def test_a_checkpoint_goes_from_machine_to_machine(project, make_machine, machine, pool, wait_until) -> None:
    """The second attempt finds the first machine taken."""
    other = make_machine("other")
    pool(machine, other)
    project.write(CHECKPOINT)
    run = project.start("run", "w.yml")
    try:
        wait_until(lambda: any((each.home / "made").exists() for each in (machine, other)))
        first, second = (machine, other) if (machine.home / "made").exists() else (other, machine)
        (first.home / "fail").touch()
        wait_until((first.home / "full").exists)
        (second.home / "end").touch()
        wait_until((second.home / "again").exists)
    finally:
        for each in (machine, other):
            (each.home / "end").touch()
        out, err = run.communicate(timeout=60)
    assert run.returncode == 0, (out + err).decode()
    assert digest_on(machine, other) in out.decode()
    assert f" directly to 127.0.0.1:{second.relay.port}: 5.0 MB in " in out.decode()
    assert b"From this machine" not in out
