"""A real driver, with real processes and a real store, killed at every moment there is: some 45 times, 0.4 s of processor each."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from skyflow.app.project import find_project
from skyflow.app.upkeep import check_store
from skyflow.store.store import open_store

MOST_MOMENTS = 60
HARNESS = Path(__file__).parents[1] / "testbed" / "crashing.py"
WORKFLOW = """
on: push
jobs:
  a:
    runs-on: local
    outputs: {n: '${{ steps.s.outputs.n }}'}
    steps:
      - {id: s, run: 'echo a1 >> begun; echo n=7 >> $GITHUB_OUTPUT; echo SEEN=yes >> $GITHUB_ENV; mkdir -p out; echo 1 > out/f'}
      - {uses: actions/upload-artifact@v4, with: {name: kept, path: out}}
      - {run: 'echo a3 $SEEN >> begun'}
  b:
    needs: a
    runs-on: local
    concurrency: one
    outputs: {leg: '${{ needs.a.outputs.n }}'}
    steps: [{run: 'echo b >> begun'}]
  c:
    runs-on: local
    retry: {attempts: 2}
    steps: [{run: 'echo c >> begun; test "$(grep -c "^c$" begun)" -gt 2'}, {if: always(), run: 'echo c2 >> begun'}]
"""


@pytest.mark.timeout(600)
def test_a_driver_that_is_killed_at_any_moment_is_followed_by_one_that_ends_the_run_as_it_would_have(tmp_path) -> None:
    folders = [tmp_path / f"{moment:02}" for moment in range(MOST_MOMENTS + 1)]
    for folder in folders:
        folder.mkdir()
        (folder / "w.yml").write_text(WORKFLOW)
        (folder / "skyflow.yml").touch()  # so that it is a project of its own
    done = subprocess.run(
        [sys.executable, HARNESS, *folders], cwd=tmp_path, capture_output=True, text=True, timeout=580, check=False
    )
    assert done.returncode == 0, done.stderr
    calm, *others = folders
    wanted = how_it_went(calm)
    moments = int((calm / "moments").read_text())
    assert 30 < moments <= MOST_MOMENTS
    assert wanted["the run"] == "failure"
    for folder in others[:moments]:
        assert how_it_went(folder) == wanted, f"killed at moment {int(folder.name)} of {moments}"


def how_it_went(folder: Path) -> dict[str, object]:
    project = find_project(start=folder)
    assert check_store(project) == (), folder
    with open_store(project.state, create=False) as store:
        run = store.find_run("1")
        jobs = {job.key: (job.conclusion, dict(job.outputs)) for job in store.jobs(run.id)}
    return {"the run": run.conclusion, **jobs, "begun": Counter((folder / "begun").read_text().splitlines())}
