"""Composite actions, called workflows, built-in actions and concurrency groups, through the command line."""

import json
import signal
import threading

ACTION = """\
name: greet
inputs:
  who: {default: nobody}
outputs:
  text: {value: '${{ steps.make.outputs.text }}'}
runs:
  using: composite
  steps:
    - id: make
      shell: bash
      run: echo "text=hello ${{ inputs.who }}" >> "$GITHUB_OUTPUT"
    - shell: bash
      run: echo "in $(basename "$GITHUB_ACTION_PATH") as ${{ github.action_path }}" && echo FROM_ACTION=yes >> "$GITHUB_ENV"
"""

CALLED = """\
on:
  workflow_call:
    inputs:
      times: {type: number, default: 2}
      word: {type: string, required: true}
    outputs:
      result: {value: '${{ jobs.second.outputs.r }}'}
jobs:
  first:
    runs-on: local
    steps:
      - run: echo "${{ inputs.word }} x ${{ inputs.times }}"
  second:
    needs: first
    runs-on: local
    outputs: {r: '${{ steps.s.outputs.r }}'}
    steps:
      - {id: s, run: 'echo "r=${{ inputs.word }}!" >> "$GITHUB_OUTPUT"; while test -e slow; do sleep 0.05; done'}
"""

CALLER = """\
on: push
jobs:
  call:
    uses: ./.github/workflows/called.yml
    with: {word: hey}
  after:
    needs: call
    runs-on: local
    steps:
      - run: echo "got ${{ needs.call.outputs.result }}"
"""


def put(project, name: str, text: str) -> None:
    path = project.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_composite_action_of_the_project_runs(project) -> None:
    put(project, "actions/greet/action.yml", ACTION)
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n"
        "      - {id: g, uses: ./actions/greet, with: {who: you}}\n"
        '      - run: echo "${{ steps.g.outputs.text }}, $FROM_ACTION"\n'
    )
    out = project.skyflow("run", "w.yml").out
    assert "in greet as " in out
    assert "hello you, yes" in out


def test_an_action_may_be_made_by_an_earlier_step(project) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n"
        "      - run: |\n          mkdir made && printf 'runs:\\n  using: composite\\n  steps:\\n    - {shell: sh, run: echo made}\\n' > made/action.yml\n"
        "      - uses: ./made\n"
    )
    assert "│ made" in project.skyflow("run", "w.yml").out


def test_an_action_that_is_not_there_fails_its_step(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{uses: ./nothing}]}\n")
    assert "there is no action.yml in ./nothing" in project.skyflow("run", "w.yml", code=1).out


def test_a_folder_stands_for_an_action_of_another_repository(project, tmp_path) -> None:
    action = tmp_path / "elsewhere" / "greet"
    action.mkdir(parents=True)
    (action / "action.yml").write_text(ACTION)
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n"
        "      - {id: g, uses: someone/tools/greet@v1, with: {who: you}}\n"
        '      - run: echo "${{ steps.g.outputs.text }}, $FROM_ACTION"\n'
    )
    refused = project.skyflow("run", "w.yml", code=3).err
    assert "w.yml:6:23: skyflow cannot run an action of another repository" in refused
    assert "`actions: {owner/repository: ./folder}`" in refused
    put(project, "skyflow.yml", "actions: {someone/tools: nowhere}\n")
    assert "without an action.yml in the folder that stands for it" in project.skyflow("run", "w.yml", code=3).err
    put(project, "skyflow.yml", f"actions: {{someone/tools@v1: {action.parent}}}\n")
    assert "another repository" not in project.skyflow("plan", "w.yml").err
    out = project.skyflow("run", "w.yml").out
    assert "in greet as " in out
    assert "hello you, yes" in out


def test_a_called_workflow_runs_within_the_calling_one(project) -> None:
    put(project, ".github/workflows/called.yml", CALLED)
    project.write(CALLER)
    assert "call/second" in project.skyflow("plan", "w.yml").out
    out = project.skyflow("run", "w.yml").out
    assert "[call / first] │ hey x 2" in out
    assert "[after] │ got hey!" in out


def test_a_killed_run_of_called_workflows_is_resumed(project, wait_until) -> None:
    put(project, ".github/workflows/called.yml", CALLED)
    project.write(CALLER)
    (project.folder / "slow").touch()
    process = project.start("run", "w.yml")

    def second_runs() -> bool:
        found = project.skyflow("show", "--json", code=None)
        return found.code == 0 and any(
            job["key"] == "call/second" and job["status"] == "in_progress" for job in json.loads(found.out)["jobs"]
        )

    wait_until(second_runs)
    process.kill()
    process.communicate()
    (project.folder / "slow").unlink()
    put(project, ".github/workflows/called.yml", "on: push\njobs: {}\n")  # the run keeps what it began with
    assert "[after] │ got hey!" in project.skyflow("resume").out
    jobs = {job["key"]: job for job in project.skyflow("show", "--json").json["jobs"]}
    assert len(jobs["call/first"]["attempts"]) == 1
    assert len(jobs["call/second"]["attempts"]) == 1  # its step was seen through


def test_artifacts_and_caches_of_built_in_actions(project) -> None:
    project.write(
        "on: push\njobs:\n"
        "  make:\n    runs-on: local\n    steps:\n"
        "      - uses: actions/checkout@v4\n"
        "      - {id: c, uses: actions/cache@v4, with: {path: cached, key: \"k-${{ hashFiles('w.yml') }}\"}}\n"
        '      - run: echo "hit=${{ steps.c.outputs.cache-hit }}"; mkdir -p cached out; echo 1 > cached/f; echo data > out/f\n'
        "      - {uses: actions/upload-artifact@v4, with: {name: result, path: out}}\n"
        "      - run: rm -r cached out\n"
        "  take:\n    needs: make\n    runs-on: local\n    steps:\n"
        "      - {uses: actions/download-artifact@v4, with: {name: result, path: in}}\n"
        "      - run: cat in/f\n"
    )
    first = project.skyflow("run", "w.yml").out
    assert "[take] │ data" in first
    assert "hit=true" not in first
    project.write((project.folder / "w.yml").read_text().replace("; mkdir", " ; mkdir").replace(" ; mkdir", "; mkdir"))
    assert "hit=" in project.skyflow("run", "w.yml").out


def test_a_remote_action_is_refused_before_anything_runs(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{uses: someone/something@v1}]}\n")
    project.skyflow("validate", "w.yml")
    assert "someone/something" in project.skyflow("run", "w.yml", code=3).err


def test_runs_of_one_concurrency_group_wait_for_each_other(project, wait_until) -> None:
    script = "echo + >> log; until test -e go; do sleep 0.01; done; echo - >> log"
    project.write(f"on: push\nconcurrency: deploy\njobs:\n  a: {{runs-on: local, steps: [{{run: '{script}'}}]}}\n")
    first = project.start("run", "-q", "w.yml")
    wait_until((project.folder / "log").exists)
    second = project.start("run", "-q", "w.yml")
    second.stdout.readline()
    waiting = second.stdout.readline().decode()
    (project.folder / "go").touch()
    assert b"waits for" not in first.communicate(timeout=30)[0]
    second.communicate(timeout=30)
    assert waiting == "the run waits for the concurrency group 'deploy', which another run or job has\n"
    assert (project.folder / "log").read_text().split() == ["+", "-", "+", "-"]


def test_a_job_that_waits_for_its_concurrency_group_says_so(project) -> None:
    project.write(
        "on: push\njobs:\n  a: {runs-on: local, concurrency: g, steps: [{run: sleep 0.3}]}\n"
        "  b: {runs-on: local, concurrency: G, steps: [{run: 'true'}]}\n"
    )
    done = project.skyflow("run", "-q", "--jobs", "2", "w.yml")
    assert "[b] waits for the concurrency group 'G', which another run or job has" in done.out.splitlines()
    events = [json.loads(line) for line in project.skyflow("run", "--json", "w.yml").out.splitlines()]
    (waiting,) = [event for event in events if event["event"] == "waiting"]
    assert (waiting["job"], waiting["group"]) == ("b", "G")


def test_a_newer_run_may_cancel_the_one_in_progress(project, wait_until) -> None:
    project.write(
        "on: push\nconcurrency: {group: deploy, cancel-in-progress: true}\njobs:\n  a:\n    runs-on: local\n    steps:\n"
        "      - run: echo begun >> log; test $(grep -c begun log) = 2 || sleep 60\n      - {run: echo cleaned >> log, if: cancelled()}\n"
    )
    first = project.start("run", "-q", "w.yml")
    wait_until((project.folder / "log").exists)
    done = threading.Thread(target=project.skyflow, args=("run", "-q", "w.yml"))
    done.start()
    out, _ = first.communicate(timeout=60)
    done.join()
    assert first.returncode == 1
    assert "cancelled" in out.decode()
    assert (project.folder / "log").read_text().split() == ["begun", "cleaned", "begun"]


def test_of_those_who_wait_the_newest_wins(project, wait_until) -> None:
    project.write(
        "on: push\nconcurrency: g\njobs:\n  a: {runs-on: local, steps: [{run: 'echo $GITHUB_RUN_NUMBER >> log; test -e go || sleep 60'}]}\n"
    )
    first = project.start("run", "-q", "w.yml")
    wait_until((project.folder / "log").exists)
    second = project.start("run", "-q", "w.yml")
    wait_until(lambda: len(project.skyflow("runs", "--json").json) == 2)
    third = project.start("run", "-q", "w.yml")
    out, _ = second.communicate(timeout=30)
    assert b"cancelled (no jobs): a newer one of its concurrency group took its place" in out
    (project.folder / "go").touch()
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=30)
    third.communicate(timeout=30)
    assert third.returncode == 0
    assert (project.folder / "log").read_text().split() == ["1", "3"]
