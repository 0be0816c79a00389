"""Look for bytes that break what reads the words of others: `python tests/fuzz/run.py [--minutes 10] [TARGET...]`.

The search is led by which lines are reached (`pip install atheris`). What breaks a target is kept in `corpus/TARGET/` and the
search of that target ends: mend it, and search again. What is new but right is kept in a folder of the user's cache, where
the next search goes on.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).parent
LONGEST_BYTES = 4_096


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("targets", nargs="*", help="all, if none is named")
    parser.add_argument("--minutes", type=float, default=10, help="for each target")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    sys.path.insert(0, str(HERE))
    if given.here:
        search(given.targets[0], given.minutes)
    from targets import TARGETS

    broken = []
    for name in given.targets or TARGETS:
        print(f"== {name}", flush=True)
        # a process of its own: the search ends it, and memory that it has lost goes with it
        command = [sys.executable, __file__, "--here", "--minutes", str(given.minutes), name]
        if subprocess.run(command, check=False).returncode:
            broken.append(name)
    print("broken:", *broken or ["none"])
    return 1 if broken else 0


def search(name: str, minutes: float) -> None:
    """Search until something breaks or the time is over; does not return."""
    import atheris

    with atheris.instrument_imports(include=["skyflow"]):
        from targets import CORPUS, LIMIT_SECONDS, TARGETS, seeds

    target = TARGETS[name]

    def attempt(data: bytes) -> None:
        begun = time.process_time()
        try:
            target.run(data)
        except BaseException:
            keep(data)
            traceback.print_exc()
            raise
        if time.process_time() - begun > LIMIT_SECONDS:
            keep(data)
            raise TimeoutError(f"{len(data)} bytes took {time.process_time() - begun:.1f} s")

    def keep(data: bytes) -> None:
        (CORPUS / name).mkdir(parents=True, exist_ok=True)
        (CORPUS / name / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "skyflow-fuzz", name)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as begin:
        for number, data in enumerate(seeds(name)):
            Path(begin, str(number)).write_bytes(data)
        options = [
            f"-max_total_time={minutes * 60:.0f}",
            f"-max_len={LONGEST_BYTES}",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
            "-verbosity=0",
            f"-artifact_prefix={begin}/",
        ]
        atheris.Setup([sys.argv[0], *options, str(cache), begin], attempt)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
