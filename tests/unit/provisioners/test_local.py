"""The local machine as an offering."""

import os
import stat
import subprocess

import pytest

from skyflow.model.catalog import LOCAL_PLACE
from skyflow.model.resources import Accelerators
from skyflow.provisioners.local import this_machine


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Put an `nvidia-smi` on the PATH that runs the given shell lines."""

    def install(lines):
        path = tmp_path / "nvidia-smi"
        path.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")

    return install


def test_this_machine_is_real_and_free():
    host = this_machine()
    assert host.place == LOCAL_PLACE
    assert host.vcpus >= 1
    assert 0.1 < host.memory_gib < 100_000
    assert host.price_usd_per_hour == 0
    assert host.id == "local/local/this-machine/on-demand"


def test_the_cpus_are_those_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 3, 5}, raising=False)
    assert this_machine().vcpus == 3


def test_where_affinity_is_unknown_the_cpus_are_counted(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    assert this_machine().vcpus == 12


def test_without_a_driver_there_are_no_accelerators(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", None)  # not even asked
    assert this_machine().accelerators is None


def test_the_driver_names_the_accelerators(driver):
    driver("echo 'NVIDIA A100-SXM4-40GB'; echo 'NVIDIA A100-SXM4-40GB'; echo 'Tesla T4'")
    assert this_machine().accelerators == Accelerators("NVIDIA A100-SXM4-40GB", 2)


@pytest.mark.parametrize("lines", ["echo 'NVIDIA-SMI has failed'; exit 9", "exit 0"])
def test_a_driver_that_does_not_work_has_no_accelerators(driver, lines):
    driver(lines)
    assert this_machine().accelerators is None
