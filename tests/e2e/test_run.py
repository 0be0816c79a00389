"""`skyflow run`: what a person sees, and what a script gets."""

import json
import subprocess

import pytest

HELLO = """\
name: hello
on: push
jobs:
  greet:
    runs-on: ubuntu-latest
    outputs: {word: '${{ steps.w.outputs.word }}'}
    steps:
      - {id: w, run: 'echo word=hi >> "$GITHUB_OUTPUT"'}
  shout:
    needs: greet
    runs-on: local
    steps:
      - run: echo "${{ needs.greet.outputs.word }}!"
      - run: echo '# Done' >> "$GITHUB_STEP_SUMMARY"
"""


def test_a_workflow_runs_and_is_told_line_by_line_off_a_terminal(project) -> None:
    project.write(HELLO)
    done = project.skyflow("run", "w.yml")
    assert done.err == ""
    lines = done.out.splitlines()
    assert lines[0].startswith("Run 1: hello; 2 jobs planned on this machine, ")
    assert "[shout] │ hi!" in lines
    assert any(line.startswith("[shout] ✓ success in ") for line in lines)
    assert any("Done" in line for line in lines)
    assert lines[-1].startswith("Run 1: success in ")
    assert all(line == line.rstrip() for line in lines)


def test_without_unicode_the_signs_are_plain(project) -> None:
    project.write(HELLO)
    done = project.skyflow("run", "w.yml", PYTHONIOENCODING="ascii:replace", PYTHONUTF8="0")
    assert "[shout] | hi!" in done.out
    assert "?" not in done.out


def test_quiet_leaves_the_output_of_steps_out(project) -> None:
    project.write(HELLO)
    assert "hi!" not in project.skyflow("run", "-q", "w.yml").out


def test_json_lines_tell_every_move_and_all_output(project) -> None:
    project.write(HELLO)
    events = [json.loads(line) for line in project.skyflow("run", "--json", "w.yml").out.splitlines()]
    assert events[0]["event"] == "run"
    assert events[-1] == events[-1] | {"event": "run", "to": "completed", "conclusion": "success"}
    assert {
        "event": "output",
        "run": events[0]["run"],
        "job": "shout",
        "attempt": 1,
        "step": 1,
        "text": "hi!\n",
    } in events


def test_a_failing_step_ends_the_run_with_exit_code_1_and_says_which(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{name: Try it, run: exit 3}]}\n")
    done = project.skyflow("run", "w.yml", code=1)
    assert "[a] ✗ Try it: exit code 3" in done.out
    assert "Run 1: failure in " in done.out


def test_environment_files_masks_and_paths_work_end_to_end(project) -> None:
    project.write(
        "on: push\nenv: {A: from-workflow}\njobs:\n  a:\n    runs-on: local\n    steps:\n"
        '      - run: |\n          echo B=2 >> "$SKYFLOW_ENV"\n          echo "$PWD/bin" >> "$GITHUB_PATH"\n'
        "          mkdir bin; printf '#!/bin/sh\\necho from-bin\\n' > bin/tool; chmod +x bin/tool\n"
        "          echo ::add-mask::hush\n"
        '      - run: tool; echo "$A $B hush $GITHUB_WORKSPACE"\n'
    )
    out = project.skyflow("run", "w.yml").out
    assert "from-bin" in out
    assert f"from-workflow 2 *** {project.folder}" in out
    logged = project.skyflow("logs").out
    assert f"  from-workflow 2 *** {project.folder}\n" in logged


def test_steps_run_in_the_project_folder_even_when_called_from_below(project) -> None:
    (project.folder / ".git").mkdir()
    (project.folder / "deep").mkdir()
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: pwd}]}\n", "deep/w.yml")
    below = type(project)(project.folder / "deep")
    assert f"│ {project.folder}\n" in below.skyflow("run", "w.yml").out
    assert (project.folder / ".skyflow" / "state.db").exists()


def test_the_state_can_be_kept_elsewhere(project, tmp_path) -> None:
    project.write(HELLO)
    project.skyflow("run", "-q", "w.yml", "--state", str(tmp_path / "x" / "s.db"))
    project.skyflow("run", "-q", "w.yml", SKYFLOW_STATE=str(tmp_path / "x" / "s.db"))
    assert "Run 2" not in project.skyflow("runs").out
    assert len(project.skyflow("runs", "--json", "--state", str(tmp_path / "x" / "s.db")).json) == 2
    assert not (project.folder / ".skyflow").exists()


def test_jobs_limits_how_many_run_at_once(project) -> None:
    job = "{runs-on: local, steps: [{run: 'echo + >> log; sleep 0.2; echo - >> log'}]}"
    project.write("on: push\njobs:\n" + "".join(f"  j{i}: {job}\n" for i in range(3)))
    project.skyflow("run", "-q", "--jobs", "1", "w.yml")
    assert (project.folder / "log").read_text().split() == ["+", "-"] * 3


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("  a: {resources: {accelerators: 'A100:32'}, steps: [{run: x}]}", 4, "job 'a' asks for"),
        ("  a: {runs-on: aws, steps: [{run: x}]}", 5, "log in with `aws sso login`"),
    ],
)
def test_what_cannot_be_planned_or_provided_is_refused_before_anything_starts(project, text, code, message) -> None:
    project.write(f"on: push\njobs:\n{text}\n")
    nobody = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_PROFILE": "default"}
    nobody |= {"AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    done = project.skyflow("run", "w.yml", code=code, **nobody)
    assert message in done.err
    assert project.skyflow("runs").out == "No run yet. `skyflow run FILE` makes the first.\n"


def test_without_a_name_the_only_workflow_is_run(project) -> None:
    assert "`skyflow init` makes one" in project.skyflow("run", code=2).err
    (project.folder / "workflows").mkdir()
    assert "there is no workflow" in project.skyflow("run", code=2).err
    project.write(HELLO, "workflows/one.yml")
    assert "Run 1" in project.skyflow("run").out
    assert "this machine" in project.skyflow("plan").out
    project.write(HELLO, "workflows/two.yml")
    done = project.skyflow("run", code=2)
    assert "there are 2 workflows\nhint: name one of workflows/one.yml and workflows/two.yml" in done.err


def test_unknown_options_and_runs_are_usage_errors(project) -> None:
    project.write(HELLO)
    project.skyflow("run", "--nonsense", "w.yml", code=2)
    project.skyflow("show", code=2)
    project.skyflow("run", "-q", "w.yml")
    assert "there is no run '9'" in project.skyflow("show", "9", code=2).err
    assert "did you mean" in project.skyflow("logs", "1", "shot", code=2).err
    assert "there is no run to resume" in project.skyflow("resume", code=2).err


def test_a_store_that_cannot_be_used_is_exit_code_6(project) -> None:
    project.write(HELLO)
    project.write("rubbish" * 1000, "s.db")
    assert "is not a usable skyflow state store" in project.skyflow("run", "w.yml", "--state", "s.db", code=6).err


def test_history_shows_what_happened(project) -> None:
    project.write(HELLO)
    project.skyflow("run", "-q", "w.yml")
    assert "hello" in project.skyflow("runs").out
    shown = project.skyflow("show").out
    assert "✓ shout" in shown
    assert "word = hi" in shown
    assert (
        project.skyflow("logs", "1", "SHOUT").out
        == 'shout: Run echo "hi!"\n  hi!\nshout: Run echo \'# Done\' >> "$GITHUB_STEP_SUMMARY"\n'
    )
    history = project.skyflow("show", "--json").json
    assert history["state"] == "success"
    assert [job["outputs"] for job in history["jobs"]] == [{"word": "hi"}, {}]


def test_a_long_name_leaves_room_for_why_a_job_failed(project):
    project.write(f"on: push\njobs:\n  a: {{name: {'x' * 95}, runs-on: local, steps: [{{run: exit 3}}]}}\n")
    lines = project.skyflow("run", "-q", "w.yml", code=1).out.splitlines()
    (row,) = [line for line in lines if line.startswith("✗  xxx")]
    assert row.rstrip().endswith("exit code 3")


def test_steps_hear_an_interrupt_where_the_command_line_was_started_deaf_to_it(project) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n"
        "      - {id: wait, background: true, run: 'trap \"echo heard; exit 0\" INT; touch up; while :; do sleep 0.05; done'}\n"
        "      - run: until [ -e up ]; do sleep 0.05; done\n"
        "      - cancel: wait\n"
    )
    command = ["bash", "-c", "trap '' INT; exec \"$@\"", "as-with-&", *project.command("run", "w.yml")]
    done = subprocess.run(
        command, cwd=project.folder, env=project.environment(), capture_output=True, text=True, timeout=60, check=True
    )
    assert "│ heard" in done.stdout
