"""The machine that skyflow itself runs on, as an offering that costs nothing."""

import os
import shutil
import subprocess
from collections import Counter

from skyflow.model.catalog import LOCAL_PLACE, Offering
from skyflow.model.resources import Accelerators, Market

__all__ = ["this_machine"]

_DRIVER_TIMEOUT_SECONDS = 5.0
_BYTES_PER_GIB = 2**30


def this_machine() -> Offering:
    """Describe this machine: the CPUs that this process may use, all memory, and the NVIDIA devices.

    `nvidia-smi` is asked only where it is on the PATH; the name it gives is the product's, for example
    `NVIDIA A100-SXM4-40GB`. Of devices of several kinds the kind with most is taken.
    """
    return Offering(
        provider=LOCAL_PLACE.provider,
        region=LOCAL_PLACE.region,
        instance_type="this-machine",
        market=Market.ON_DEMAND,
        vcpus=_cpus(),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _BYTES_PER_GIB, 1),
        accelerators=_accelerators(),
        price_usd_per_hour=0.0,
        price_basis="own",
    )


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux; it knows of cpusets, os.cpu_count does not
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _accelerators() -> Accelerators | None:
    driver = shutil.which("nvidia-smi")
    if driver is None:
        return None
    try:
        answer = subprocess.run(
            [driver, "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
            timeout=_DRIVER_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None  # a driver that does not answer cannot be used by a job either
    names = Counter(line.strip() for line in answer.stdout.splitlines() if line.strip())
    if not names:
        return None
    [(name, count)] = names.most_common(1)
    return Accelerators(name, count)
