"""Secrets are planted wherever a workflow can put them, and everything that is left or can be seen is searched for them.

`test_secrets.py` has the channels one by one; this looks at all that there is at once: every file of the project, of the
home and of the temporary folders, what commands and pages show, and the other processes of the machine.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from report.served import serving

PLAIN = "plain-hush-0815"
JSON = json.dumps({"user": "u", "password": "inner-hush-4711"})
LINES = "first-hush-of-many\nsecond-hush-of-many"
FILED = "filed-hush-%&'\"<>-ü"
SECRETS = {"PLAIN": PLAIN, "JSON": JSON, "LINES": LINES, "FILED": FILED}

WORKFLOW = """\
name: planted
on: push
jobs:
  plant:
    runs-on: local
    outputs: {plain: '${{ steps.s.outputs.plain }}', encoded: '${{ steps.s.outputs.encoded }}'}
    env: {P: '${{ secrets.PLAIN }}', J: '${{ secrets.JSON }}', L: '${{ secrets.LINES }}', F: '${{ secrets.FILED }}'}
    steps:
      - id: s
        run: |
          for each in "$P" "$J" "$L" "$F"; do
            printf '%s\\n' "$each"; printf '%s' "$each" | base64 -w0; echo; printf 'x%s' "$each" | base64 -w0; echo
            printf '::error title=%s::%s\\n' "$P" "$each"; printf '%s\\n' "$each" >&2
            printf '# %s\\n' "$each" >> "$GITHUB_STEP_SUMMARY"
          done
          python3 -c 'import json, os, urllib.parse; print(json.dumps(os.environ["F"]), urllib.parse.quote(os.environ["F"]))'
          echo "plain=$P" >> "$GITHUB_OUTPUT"
          echo "encoded=$(printf '%s' "$P" | base64)" >> "$GITHUB_OUTPUT"
          mkdir out; echo harmless > out/file
      - {name: 'named ${{ secrets.PLAIN }}', run: 'echo ${{ secrets.FILED }}', continue-on-error: true}
      - {uses: actions/upload-artifact@v4, with: {name: 'a-${{ secrets.PLAIN }}', path: out}, continue-on-error: true}
      - {uses: actions/upload-artifact@v4, with: {name: fine, path: 'out/${{ secrets.PLAIN }}'}, continue-on-error: true}
      - {uses: actions/cache@v4, with: {key: 'k-${{ secrets.PLAIN }}', path: out}, continue-on-error: true}
      - {uses: ./missing, with: {x: '${{ secrets.PLAIN }}'}, continue-on-error: true}
      - {run: 'true', working-directory: '${{ secrets.PLAIN }}', continue-on-error: true}
  spread:
    needs: plant
    runs-on: local
    strategy: {matrix: {v: ['${{ needs.plant.outputs.plain }}', '${{ needs.plant.outputs.encoded }}', x]}}
    steps: [{run: 'echo ${{ matrix.v }}'}]
  holder:
    runs-on: local
    env: {P: '${{ secrets.PLAIN }}'}
    steps: [{run: 'touch held; until test -e go; do sleep 0.05; done'}]
  beside:
    runs-on: local
    steps: [{run: 'touch waits; until test -e go; do sleep 0.05; done'}]
"""

SHOWN = """\
import contextlib, io, sys
from skyflow.cli import main
for line in sys.stdin:
    sys.argv = ["skyflow", *line.split()]
    with contextlib.suppress(SystemExit):
        main()
"""


def needles() -> dict[str, bytes]:
    """Return what is searched for: the secrets, their parts, and both as base64 at each of its offsets."""
    parts = {PLAIN, "inner-hush-4711", *LINES.splitlines(), "filed-hush"}
    found = {part: part.encode() for part in parts}
    for part in parts:
        for before in range(3):
            text = base64.b64encode(b"\0" * before + part.encode())
            found[f"base64 of {part} after {before} bytes"] = text[4 if before else 0 : -4]
    return found


def leaks(where: str, data: bytes) -> list[str]:
    return [f"{what} in {where}" for what, needle in needles().items() if needle in data]


def leaks_in_files(*folders: Path) -> list[str]:
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [leak for path in files for leak in (*leaks(str(path), path.read_bytes()), *leaks("the name", bytes(path)))]


def leaks_in_processes(driver: int) -> list[str]:
    """Look at command lines, and at the environment of all but the driver, who was given it, and steps that were handed it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line, variables = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        found += leaks(f"the command line {line!r}", line)
        is_handed = b"GITHUB_JOB=holder\0" in variables or b"GITHUB_JOB=plant\0" in variables
        if not is_handed and int(folder.name) not in {driver, os.getpid()}:
            found += leaks(f"the environment of {line!r}", variables)
    return found


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, str]:
    """Give the command folders of its own that can be searched afterwards."""
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    return {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}


def test_no_secret_is_left_or_shown_anywhere(project, tmp_path: Path, homes, wait_until) -> None:
    project.write(WORKFLOW)
    secrets = tmp_path / "secrets.env"
    secrets.write_text("".join(f"{name}='{SECRETS[name]}'\n" for name in ("LINES",)) + f"FILED={FILED}\n")
    given = {f"SKYFLOW_SECRET_{name}": SECRETS[name] for name in ("PLAIN", "JSON")} | homes
    options = ("--secret-file", str(secrets), "--junit", "junit.xml", "--format", "github", "--jobs", "4")
    process = project.start("run", "w.yml", *options, **given)
    wait_until(lambda: (project.folder / "held").exists() and (project.folder / "waits").exists())
    in_processes = leaks_in_processes(process.pid)
    (project.folder / "go").touch()
    out, err = process.communicate(timeout=120)
    assert in_processes == []
    secrets.unlink()
    assert leaks("standard output", out) == []
    assert leaks("standard error", err) == []
    assert b"harmless" not in out

    commands = (
        "runs --json", "show 1", "show 1 --json", "logs 1", "logs 1 plant --timestamps", "timeline 1 --json",
        "report 1 -o report.html", "graph w.yml", "artifacts list", "why 1 plant", "plan w.yml --json", "db check",
        "artifacts list --json", "top --help", "runs",
    )  # fmt: skip
    shown = subprocess.run(
        [sys.executable, "-c", SHOWN],
        cwd=project.folder,
        input="\n".join(commands).encode(),
        env=project.environment(**homes),
        capture_output=True,
        check=True,
    )
    assert leaks("what commands show", shown.stdout + shown.stderr) == []
    assert b"plant" in shown.stdout
    assert (project.folder / "report.html").exists()
    with serving(project.folder) as served:
        for page in ("", "runs/1", "machines"):
            status, body, _ = served.ask("/" + page)
            assert leaks(f"the page {page}", body.encode()) == [], status
    assert leaks_in_files(project.folder, tmp_path / "home", tmp_path / "tmp") == []
