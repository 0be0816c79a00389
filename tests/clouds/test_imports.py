"""Only the SDK of a cloud that a plan uses is imported."""

import subprocess
import sys

import pytest
from renting import ON, PATIENCE_SECONDS

SDKS = {"aws": "boto3", "gcp": "google.cloud.compute_v1", "azure": "azure.mgmt.compute"}


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_a_run_imports_the_sdk_of_its_own_cloud_and_no_other(clouds, provider: str) -> None:
    cloud = clouds(provider)
    cloud.write(f"  a: {{{ON[provider]}, steps: [{{run: 'true'}}]}}\n")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "skyflow", "run", "w.yml"],
        cwd=cloud.folder, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert {other for other, sdk in SDKS.items() if sdk in imported} == {provider}
