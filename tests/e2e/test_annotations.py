"""Annotations, groups, summaries and masks, from the step to everything that shows them."""

import base64
import json

import pytest

TALK = """\
name: talk
on: push
jobs:
  build:
    runs-on: local
    steps:
      - name: Speak
        run: |
          echo '::group::Fetch'
          echo inside
          echo '::endgroup::'
          echo '::warning file=src/a.c,line=3,col=5::unused'
          echo '::error title=Bad::went wrong' >&2
          echo '::debug::details'
          echo '# Report' >> "$GITHUB_STEP_SUMMARY"
      - name: Check
        if: runner.debug == '1'
        run: echo "debugging $RUNNER_DEBUG"
"""


def test_annotations_and_groups_in_text(project) -> None:
    project.write(TALK)
    out = project.skyflow("run", "w.yml").out
    for line in ("▾ Fetch", "  inside", "src/a.c:3:5: warning: unused", "error: Bad: went wrong"):
        assert f"[build] │ {line}\n" in out
    end = out[out.index("Annotations of build") :]
    assert end.index("error: Bad: went wrong") < end.index("src/a.c:3:5: warning: unused") < end.index("Run 1: success")
    assert "details" not in out
    assert "debugging" not in out
    assert "▾ Fetch\n    inside\n  src/a.c:3:5: warning: unused\n" in project.skyflow("logs").out
    assert "Annotations of build\n  error: Bad: went wrong\n  src/a.c:3:5" in project.skyflow("show").out


def test_what_several_jobs_remark_is_told_once(project) -> None:
    project.write("""\
on: push
jobs:
  build:
    runs-on: local
    strategy: {matrix: {n: [1, 2, 3, 4]}}
    steps:
      - run: echo ::notice::the same
      - if: matrix.n < 3
        run: echo ::warning::small
      - if: matrix.n == 4
        run: echo ::error::large
""")
    out = project.skyflow("run", "w.yml").out
    assert out[out.index("Annotations") : out.index("   job")] == (
        "Annotations of build (4)\n  error: large\n\n"
        "Annotations of build (1), build (2)\n  warning: small\n\n"
        "Annotations of 4 jobs\n  notice: the same\n\n"
    )


def test_annotations_in_json(project) -> None:
    project.write(TALK)
    events = [json.loads(line) for line in project.skyflow("run", "--json", "w.yml").out.splitlines()]
    found = [event["data"]["annotations"] for event in events if "annotations" in event.get("data", {})]
    assert [[annotation["message"] for annotation in each] for each in found] == [["unused", "went wrong"]]
    assert any("##[group]Fetch\n" in event.get("text", "") for event in events)
    steps = project.skyflow("show", "--json").json["jobs"][0]["attempts"][0]["steps"]
    assert steps[0]["annotations"][0] == {
        "level": "warning", "message": "unused", "title": None, "file": "src/a.c", "line": 3, "end_line": None,
        "column": 5, "end_column": None, "code": None,
    }  # fmt: skip
    assert steps[1]["annotations"] == []


@pytest.mark.parametrize(("arguments", "env"), [(["--debug"], {}), ([], {"RUNNER_DEBUG": "1"})])
def test_debug_lines(project, arguments: list[str], env: dict[str, str]) -> None:
    project.write(TALK)
    out = project.skyflow("run", *arguments, "w.yml", **env).out
    assert "[build] │ debug: details" in out
    assert "[build] │ debugging 1" in out


def test_inside_github_actions_everything_is_github_s_own(project, tmp_path) -> None:
    project.write(TALK)
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    out = project.skyflow("run", "w.yml", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary)).out
    lines = out.splitlines()
    begin, end = lines.index("::group::build: Speak"), lines.index("::endgroup::")
    assert "::warning file=src/a.c,line=3,col=5,title=build%3A Speak::unused" in lines[begin:end]
    assert "::error title=build%3A Speak%3A Bad::went wrong" in lines[begin:end]
    text = summary.read_text()
    assert text.startswith("before\n### talk: success in ")
    assert "| ✓ | build | success |" in text
    assert "- build: src/a.c:3:5: warning: unused" in text
    assert "#### build\n\n# Report\n" in text
    assert "::group::" not in project.skyflow("run", "w.yml", "--format", "text", GITHUB_ACTIONS="true").out
    assert "::group::build: Speak\n" in project.skyflow("run", "w.yml", "--format", "github").out
    assert project.skyflow("run", "w.yml", "--json", GITHUB_ACTIONS="true").out.startswith("{")
    assert project.skyflow("run", "w.yml", "--format", "json").out.startswith("{")
    assert "contradict" in project.skyflow("run", "w.yml", "--json", "--format", "text", code=2).err


def test_the_summary_of_the_outer_step_may_be_out_of_reach(project, tmp_path) -> None:
    project.write(TALK)
    done = project.skyflow(
        "run", "-q", "w.yml", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(tmp_path / "no" / "file")
    )
    assert "warning: the summary cannot be added" in done.err


def test_a_skyflow_in_a_step_of_another_passes_annotations_on(project) -> None:
    inner = TALK.replace("name: talk", "name: inner")
    project.write(inner, "inner.yml")
    command = " ".join(project.command("run", "inner.yml", "--state", "inner/state.db"))
    project.write(f"name: outer\non: push\njobs:\n  out: {{runs-on: local, steps: [{{run: '{command}'}}]}}\n")
    out = project.skyflow("run", "w.yml").out
    assert "[out] │   src/a.c:3:5: warning: build: Speak: unused\n" in out
    assert "[out] │ ▾ build: Speak\n" in out
    annotations = project.skyflow("show", "--json").json["jobs"][0]["attempts"][0]["steps"][0]["annotations"]
    assert [each["title"] for each in annotations] == ["build: Speak", "build: Speak: Bad"]


def test_step_summaries(project) -> None:
    project.write(TALK)
    out = project.skyflow("run", "w.yml").out
    assert "Summary of build\n  Report\n" in out
    assert project.skyflow("show", "--summary").out == "Summary of build\n  Report\n\n"
    assert project.skyflow("show", "--summary", "--json", code=2).out == ""
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'true'}]}\n")
    project.skyflow("run", "-q", "w.yml")
    assert project.skyflow("show", "--summary").out == "No step of run 2 has written a summary.\n"


def test_no_form_of_a_masked_text_is_on_the_disk_or_on_the_screen(project) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n      - run: |\n"
        '          secret=$(printf "hunt%s" er2hunter2)\n'
        '          echo "::add-mask::$secret"\n'
        '          echo "::error file=$secret.c,title=$secret::the word is $secret"\n'
        '          echo "::group::$secret"; printf "$secret" | base64; printf "a:$secret" | base64\n'
        '          echo "$secret" >> "$GITHUB_STEP_SUMMARY"\n'
        "      - name: ${{ format('hunt{0}', 'er2hunter2') }}\n        run: exit 3\n"
    )
    out = (
        project.skyflow("run", "w.yml", code=1).out
        + project.skyflow("logs").out
        + project.skyflow("show", "--json").out
    )
    out += project.skyflow("run", "--format", "github", "w.yml", code=1).out + project.skyflow("show", "--summary").out
    forms = [b"hunter2hunter2", base64.b64encode(b"hunter2hunter2")[:16], base64.b64encode(b"a:hunter2hunter2")[4:20]]
    stored = b"".join(path.read_bytes() for path in (project.folder / ".skyflow").rglob("*") if path.is_file())
    for form in forms:
        assert form.decode() not in out
        assert form not in stored
    assert "***.c: error: ***: the word is ***" in out


def test_annotations_of_an_earlier_attempt_are_not_those_of_the_job(project, wait_until) -> None:
    import signal

    project.write(
        "on: push\njobs:\n  a: {runs-on: local, steps: ["
        "{run: 'echo ::notice::try $SKYFLOW_ATTEMPT; touch said'}, {run: 'test -e go || sleep 60'}]}\n"
    )
    process = project.start("run", "w.yml")
    wait_until((project.folder / "said").exists)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    (project.folder / "go").touch()
    out = project.skyflow("resume").out
    assert out[out.index("Annotations of a") :].startswith("Annotations of a\n  notice: try 2\n\n")
    attempts = project.skyflow("show", "--json").json["jobs"][0]["attempts"]
    assert [attempt["steps"][0]["annotations"][0]["message"] for attempt in attempts] == ["try 1", "try 2"]


def test_a_problem_matcher_from_the_command_line_to_the_end(project) -> None:
    project.write("int x\n", "a.c")
    pattern = {"regexp": "^(.+?):(\\d+):(\\d+): (error|warning): (.*)$", "file": 1, "line": 2, "column": 3,
               "severity": 4, "message": 5}  # fmt: skip
    project.write(json.dumps({"problemMatcher": [{"owner": "cc", "pattern": [pattern]}]}), "cc.json")
    project.write(
        "on: push\njobs:\n  a: {runs-on: local, steps: [{run: \"echo '::add-matcher::cc.json'\"}, "
        "{run: \"echo 'a.c:1:6: error: expected ;'; exit 1\"}]}\n"
    )
    out = project.skyflow("run", "w.yml", code=1).out
    assert "[a] │ a.c:1:6: error: expected ;\n" in out
    assert "Annotations of a\n  a.c:1:6: error: expected ;\n" in out
