"""An example of `workflows/` over all three clouds in one run, as it is there, with programs that play the heavy ones."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
STAND_IN = (ROOT / "tests" / "docs" / "stand_in.py").read_text()
REGIONS = {"america": "aws/us-east-1", "europe": "gcp/europe-west1", "asia": "azure/southeastasia"}


def test_three_clouds_sum_up_what_lies_there_and_the_sums_meet(clouds, tmp_path) -> None:
    cloud = clouds("aws", "gcp", "azure")
    cloud.skyflow("cloud", "init", "azure", "--region", "southeastasia")
    cloud.machines.programs = tmp_path / "programs"
    cloud.machines.programs.mkdir()
    for program in ("spark-submit", "forecast"):
        (cloud.machines.programs / program).write_text(f"#!/usr/bin/python3\n{STAND_IN}")
        (cloud.machines.programs / program).chmod(0o755)
    shutil.copy(ROOT / "workflows" / "analytics.yml", cloud.folder)
    shown = cloud.skyflow("run", "analytics.yml", "--verbose")
    jobs = {job["key"]: job for job in cloud.run_json()["jobs"]}
    assert {job["conclusion"] for job in jobs.values()} == {"success"}
    had = {key: machine["offering"] for key, job in jobs.items() for machine in job["attempts"][0]["machines"]}
    for key, place in REGIONS.items():
        assert had[key].startswith(place), had
    assert set(had) == {*REGIONS, "join", "forecast"}
    assert re.search(r"The forecast has \d\d+ bytes", shown), shown
    by_cloud = cloud.skyflow("cost", "latest", "--by", "cloud")
    assert all(name in by_cloud for name in ("aws", "gcp", "azure")), by_cloud
