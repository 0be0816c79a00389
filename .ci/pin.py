"""Write `.ci/requirements.txt`: what the tests install, each with its version and the SHA-256 of the file that was looked at.

`python .ci/pin.py` asks the package index that pip is set up for, with the Python that the CI has (3.11, on Linux). The hashes
are of files, not of an index, so that any index that has the same files will do. What has changed is then looked at like any
change: `git diff .ci/requirements.txt`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAD = """\
# Written by .ci/pin.py: what the CI installs, and nothing else. Look for known weaknesses in it with
#   pip-audit --require-hashes --disable-pip -r .ci/requirements.txt
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        subprocess.run([*command, "--report", str(report), ".[test]"], cwd=ROOT, check=True)
        pinned = pins(json.loads(report.read_text(encoding="utf-8")))
    Path(__file__).with_name("requirements.txt").write_text(HEAD + pinned, encoding="utf-8")


def pins(report: dict) -> str:
    """Return a line for each package that pip would install, without our own."""
    lines = []
    for entry in report["install"]:
        about, where = entry["metadata"], entry["download_info"]
        if "archive_info" in where and about["name"] != "skyflow":
            digest = where["archive_info"]["hashes"]["sha256"]
            lines.append(f"{about['name'].lower().replace('_', '-')}=={about['version']} --hash=sha256:{digest}\n")
    return "".join(sorted(lines))


if __name__ == "__main__":
    main()
