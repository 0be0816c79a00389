"""Secrets: given from many places, shown nowhere, stored nowhere."""

import json
import signal
import sqlite3
from pathlib import Path

import pytest

SINGLE = "single-line-hush-4711"
REGEX = r"hush.*[a-z]+(\d|$)^\1?"
QUOTED = "hu\"sh\\and'quotes"
LINES = ("-----BEGIN HUSH-----", "first-line-of-hush", "second-line-of-hush", "-----END HUSH-----")
SHORT = "q7#"
LONG = "hush0123456789" * 12
VALUES = {"SINGLE": SINGLE, "REGEX": REGEX, "QUOTED": QUOTED, "LINES": "\n".join(LINES), "SHORT": SHORT, "LONG": LONG}
PARTS = (SINGLE, REGEX, QUOTED, *LINES[1:3], SHORT, LONG, LONG[:40])

LEAKS = """\
name: leaks
on: push
env: {FROM_WORKFLOW: '${{ secrets.SINGLE }}'}
jobs:
  echo:
    runs-on: local
    env: {S: '${{ secrets.SINGLE }}', M: '${{ secrets.LINES }}', R: '${{ secrets.REGEX }}', H: '${{ secrets.SHORT }}'}
    outputs:
      plain: ${{ steps.out.outputs.plain }}
      inside: x${{ secrets.SINGLE }}x
      lines: ${{ steps.out.outputs.lines }}
      fine: ${{ steps.out.outputs.fine }}
    steps:
      - run: echo "$S"; echo "$M" >&2; echo "x${R}x"; echo "$H$H"; echo $M
      - name: in the script of ${{ secrets.SHORT }}
        run: |
          cat <<'END'
          ${{ secrets.SINGLE }} ${{ secrets.QUOTED }} ${{ secrets.LONG }}
          END
      - run: "echo ${{ secrets.LONG }}"
      - run: "true ${{ secrets.LINES }}"
        continue-on-error: true
      - name: split writes
        shell: python
        run: |
          import os, sys, time
          for letter in os.environ["S"]:
              sys.stdout.write(letter); sys.stdout.flush(); time.sleep(0.002)
          os.write(2, os.environ["M"][:30].encode()); time.sleep(0.01); os.write(2, os.environ["M"][30:].encode())
      - name: as JSON
        env: {J: '${{ toJSON(secrets) }}'}
        run: echo "$J"
      - name: ${{ secrets.LINES }}
        run: 'true'
      - name: annotations
        run: |
          echo "::error file=x,title=$S::message $S"
          echo "::warning::$H"
          echo "::group::$S"; echo "::endgroup::"; echo "::debug::$R"; echo "::notice::$S"; echo "##[section]$S"
      - id: out
        name: outputs, environment, path and summary
        run: |
          echo "plain=$S" >> "$GITHUB_OUTPUT"; echo "fine=yes" >> "$GITHUB_OUTPUT"
          { echo "lines<<E"; echo "$M"; echo E; } >> "$GITHUB_OUTPUT"
          echo "LATER=$S" >> "$GITHUB_ENV"; echo "/$S/bin" >> "$GITHUB_PATH"; echo "x=$S" >> "$GITHUB_STATE"
          { echo "# $S"; echo "$M"; echo "$R $H"; } >> "$GITHUB_STEP_SUMMARY"
      - run: echo "$LATER $PATH $FROM_WORKFLOW"
      - {name: no such folder, run: 'true', working-directory: '${{ secrets.SINGLE }}', continue-on-error: true}
      - {name: no number, run: 'true', timeout-minutes: '${{ secrets.SINGLE }}', continue-on-error: true}
  bad-file:
    runs-on: local
    env: {S: '${{ secrets.SINGLE }}'}
    steps: [{run: 'echo "$S" >> "$GITHUB_OUTPUT"'}]
  bad-expression:
    runs-on: local
    needs: echo
    if: always()
    env: {S: '${{ fromJSON(secrets.QUOTED) }}'}
    steps: [{run: 'true'}]
  bad-minutes:
    runs-on: local
    timeout-minutes: ${{ needs.echo.outputs.fine }}
    needs: echo
    if: always()
    steps: [{run: 'echo "[${{ needs.echo.outputs.plain }}${{ needs.echo.outputs.lines }}]"'}]
"""


def give(folder: Path) -> list[str]:
    """Give some secrets as options, some in a file outside the state."""
    file = folder / "secrets.env"
    file.write_text("".join(f"{name}='{value}'\n" for name, value in VALUES.items() if name in {"LINES", "REGEX"}))
    return ["--secret-file", str(file), "--secret", f"QUOTED={QUOTED}", f"--secret=LONG={LONG}"]


ENVIRONMENT = {"SKYFLOW_SECRET_SINGLE": SINGLE, "SKYFLOW_SECRET_short": SHORT}


def leaks(*texts: str) -> list[str]:
    return [f"{part} in {text[:300]!r}" for text in texts for part in PARTS if part in text]


def stored(folder: Path) -> list[str]:
    return [file.read_bytes().decode(errors="replace") for file in (folder / ".skyflow").rglob("*") if file.is_file()]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_channel_leaks(project, form: list[str]) -> None:
    project.write(LEAKS)
    done = project.skyflow("run", *form, *give(project.folder), "w.yml", code=1, **ENVIRONMENT)
    assert done.out.count("***") > 20, done.out
    assert leaks(done.out, done.err) == []
    assert leaks(*stored(project.folder)) == []
    for command in (["show"], ["show", "--json"], ["logs"], ["runs", "--json"]):
        shown = project.skyflow(*command)
        assert leaks(shown.out, shown.err) == []
    jobs = {job["key"]: job for job in project.skyflow("show", "--json").json["jobs"]}
    assert jobs["echo"]["outputs"] == {"fine": "yes"}
    assert list((project.folder / ".skyflow").rglob("temp")) == []
    names = [step["name"] for step in jobs["echo"]["attempts"][0]["steps"]]
    assert "Run echo ***" in names


def test_the_write_ahead_log_holds_none_either(project, wait_until) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n"
        "      - {name: 'x ${{ secrets.SINGLE }}', run: 'echo ${{ secrets.SINGLE }}; touch started; sleep 60'}\n"
    )
    process = project.start("run", "w.yml", **ENVIRONMENT)
    wait_until((project.folder / "started").exists)
    database = project.folder / ".skyflow" / "state.db"
    assert database.with_name("state.db-wal").exists()
    shown = [file.read_bytes() for file in database.parent.glob("state.db*")]
    process.kill()
    process.communicate()
    assert not [content for content in shown if SINGLE.encode() in content]


def test_a_driver_that_was_killed_leaves_scripts_until_the_run_is_resumed(project, wait_until) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n      - run: |\n"
        "          # ${{ secrets.SINGLE }}\n          touch started; until test -e go; do sleep 0.05; done\n"
    )
    process = project.start("run", "w.yml", **ENVIRONMENT)
    wait_until((project.folder / "started").exists)
    process.kill()
    process.communicate()
    (project.folder / "go").touch()
    project.skyflow("resume", **ENVIRONMENT)
    assert leaks(*stored(project.folder)) == []


USES = """\
on: push
jobs:
  a:
    runs-on: local
    steps: [{run: 'echo start >> log; test -e go || sleep 60'}]
  b:
    runs-on: local
    needs: a
    env: {S: '${{ secrets.token }}'}
    steps: [{run: 'echo "${#S}" >> log'}]
"""


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


@pytest.fixture
def interrupted(project, wait_until):
    """A run with the secret TOKEN that waits to be resumed."""

    def begin(*options: str, **env: str) -> Path:
        project.write(USES)
        process = project.start("run", *options, "w.yml", **env)
        wait_until(lambda: lines(project.folder / "log") == ["start"])
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        (project.folder / "go").touch()
        return project.folder / "log"

    return begin


def test_a_resumed_run_wants_its_secrets_again(project, interrupted) -> None:
    log = interrupted("--secret", "TOKEN=hush", SKYFLOW_SECRET_OTHER="x")
    refused = project.skyflow("resume", code=2)
    assert "run 1 was started with the secret TOKEN, which no run remembers" in refused.err
    assert "--secret TOKEN" in refused.err
    assert lines(log) == ["start"], "nothing was started"
    assert project.skyflow("runs", "--json").json[0]["state"] == "interrupted"
    project.skyflow("resume", SKYFLOW_SECRET_TOKEN="other!")
    assert lines(log) == ["start", "start", "6"]


def test_a_secret_that_was_missing_may_stay_missing(project, interrupted) -> None:
    log = interrupted()
    project.skyflow("resume")
    assert lines(log) == ["start", "start", "0"]


def test_missing_secrets_are_empty_and_warned_of_once(project) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    env: {A: '${{ secrets.gone }}', B: '${{ secrets.GONE }}'}\n"
        "    steps: [{run: 'echo \"[$A$B${{ github.token }}]\"'}]\n"
    )
    done = project.skyflow("run", "w.yml")
    assert "│ []\n" in done.out
    assert done.err == (
        "warning: the secret GITHUB_TOKEN is not given, so it is empty\n"
        "warning: the secret GONE is not given, so it is empty\n"
    )


def test_the_token_is_in_both_contexts_but_not_in_the_environment(project) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n"
        "    env: {SAME: \"${{ secrets.GITHUB_TOKEN == 'tok-123' && github.token == 'tok-123' }}\"}\n"
        "    steps: [{run: 'echo \"$SAME [$GITHUB_TOKEN]\"'}]\n"
    )
    assert "│ true []\n" in project.skyflow("run", "--secret", "GITHUB_TOKEN=tok-123", "w.yml").out


def test_steps_do_not_inherit_secrets(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'env | grep -c SKYFLOW_SECRET || true'}]}\n")
    assert "│ 0\n" in project.skyflow("run", "w.yml", SKYFLOW_SECRET_A="1").out


def test_a_secret_can_come_from_a_variable_of_its_name(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'echo ${{ secrets.A == 42 }}'}]}\n")
    assert "│ true\n" in project.skyflow("run", "--secret", "A", "w.yml", A="42").out
    refused = project.skyflow("run", "--secret", "A", "w.yml", code=2)
    assert "--secret A: the environment variable A is not set" in refused.err


def test_the_keyring_is_asked_for_what_the_workflow_names(project, tmp_path: Path) -> None:
    package = tmp_path / "lib" / "keyring"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "def get_password(service, name):\n"
        "    open('asked', 'a').write(f'{service} {name}\\n')\n"
        "    return 'from-the-keyring' if name == 'A' else None\n"
    )
    (package / "errors.py").write_text("class KeyringError(Exception): ...\nclass NoKeyringError(KeyringError): ...\n")
    project.write(
        "on: push\njobs:\n  a: {runs-on: local, env: {A: '${{ secrets.a }}', B: '${{ secrets.b }}'},"
        " steps: [{run: 'echo \"${#A} $A\"'}]}\n"
    )
    done = project.skyflow("run", "w.yml", PYTHONPATH=str(tmp_path / "lib"), SKYFLOW_SECRET_B="x")
    assert "│ 16 ***\n" in done.out
    assert (project.folder / "asked").read_text() == "skyflow/project A\n"


def test_a_crash_report_holds_no_secret(project, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import skyflow.app.planning.plan\n"
        "def broken(*arguments, **keywords):\n    raise RuntimeError('broken with single-line-hush-4711 and option-hush')\n"
        "skyflow.app.planning.plan.plan_workflow = broken\n"
    )
    project.write(USES)
    environment = {"PYTHONPATH": str(tmp_path), "TMPDIR": str(tmp_path), **ENVIRONMENT}
    arguments = ["--secret", "A=option-hush", "--secret=B=other-hush"]
    done = project.skyflow("run", *arguments, "w.yml", code=70, **environment)
    [report] = tmp_path.glob("skyflow-crash-*.log")
    text = report.read_text()
    assert "RuntimeError: broken with *** and ***" in text
    assert "--secret ***" in text
    for shown in (text, done.err):
        assert "hush" not in shown.replace("SKYFLOW", "")


def test_what_is_stored_are_names(project) -> None:
    project.write(LEAKS)
    project.skyflow("run", *give(project.folder), "w.yml", code=1, **ENVIRONMENT)
    with sqlite3.connect(project.folder / ".skyflow" / "state.db") as connection:
        [(contexts, names)] = connection.execute("SELECT contexts, secret_names FROM runs").fetchall()
    connection.close()
    assert json.loads(contexts)["secrets"] == {}
    assert sorted(json.loads(names)) == sorted(VALUES)
