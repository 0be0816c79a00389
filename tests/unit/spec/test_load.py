"""Files that are not workflows at all, and what is found of those that are."""

import subprocess
import sys

import pytest

from skyflow.diagnostics import Severity
from skyflow.errors import EXIT_USAGE, EXIT_WORKFLOW_INVALID, UsageError, WorkflowInvalidError
from skyflow.model.objective import Goal, Objective
from skyflow.model.resources import LOCAL, Accelerators, Amount, Estimate, Market
from skyflow.spec import load_workflow

MINIMAL = "jobs:\n  a:\n    runs-on: local\n    steps:\n      - run: make\n"


def _only_error(text):
    with pytest.raises(WorkflowInvalidError) as caught:
        load_workflow("f.yml", text=text)
    (finding,) = caught.value.diagnostics
    assert finding.severity is Severity.ERROR
    assert caught.value.exit_code == EXIT_WORKFLOW_INVALID
    return finding


def _place(finding):
    return finding.code, finding.span.line, finding.span.column


def test_a_file_is_read_from_disk(tmp_path):
    path = tmp_path / "w.yml"
    path.write_text(MINIMAL)
    loaded = load_workflow(str(path))
    assert loaded.workflow.path == str(path)
    assert loaded.workflow.source == MINIMAL
    assert loaded.findings == ()


def test_a_missing_file(tmp_path):
    with pytest.raises(UsageError, match="no such file") as caught:
        load_workflow(str(tmp_path / "none.yml"))
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.hint is None


@pytest.mark.parametrize("name", ["ci", "ci.yml", "ci.yaml"])
def test_a_file_among_the_workflows_is_suggested(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows/ci.yaml").write_text(MINIMAL)
    with pytest.raises(UsageError) as caught:
        load_workflow(name)
    assert caught.value.hint == "did you mean 'workflows/ci.yaml'?"


def test_a_file_with_the_other_suffix_is_suggested(tmp_path):
    (tmp_path / "ci.yaml").write_text(MINIMAL)
    with pytest.raises(UsageError) as caught:
        load_workflow(str(tmp_path / "ci.yml"))
    assert caught.value.hint == f"did you mean '{tmp_path / 'ci.yaml'}'?"


@pytest.mark.parametrize("name", [".", "..", "", "/"])
def test_a_directory(name):
    with pytest.raises(WorkflowInvalidError, match=":1:1: this is a directory, not a workflow file"):
        load_workflow(name)


def test_a_name_that_no_file_can_have():
    with pytest.raises(UsageError, match="cannot read"):
        load_workflow("a\0b")
    with pytest.raises(UsageError, match="cannot read"):
        load_workflow("x" * 10_000)


def test_a_name_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot read"):
        load_workflow(str(tmp_path / "file" / "w.yml"))


@pytest.mark.parametrize("text", ["", "\n\n", "# comment", "\ufeff", "---", "--- # x\n"])
def test_an_empty_file(text):
    assert _place(_only_error(text)) == ("file-empty", 1, 1)


def test_binary_rubbish():
    assert _place(_only_error(b"name: x\njobs: \x7fELF\xff\x00")) == ("file-not-text", 2, 11)
    assert _place(_only_error(bytes(range(256)))) == ("file-not-text", 3, 115)


def test_control_characters():
    assert _place(_only_error("name: a\r\nname2: b\x00c")) == ("file-not-text", 2, 9)
    assert _place(_only_error("a: \x1b[0m")) == ("file-not-text", 1, 4)
    assert _place(_only_error("a: \ud800")) == ("file-not-text", 1, 4)


def test_utf_16():
    finding = _only_error("jobs:\n".encode("utf-16"))
    assert finding.message == "the file is UTF-16, not UTF-8"


def test_a_file_of_2_mb(tmp_path):
    path = tmp_path / "big.yml"
    path.write_text("# filler\n" * 233_017)
    with pytest.raises(WorkflowInvalidError, match="larger than 1 MiB"):
        load_workflow(str(path))
    assert _place(_only_error("#" * (2**20 + 1))) == ("file-too-large", 1, 1)


def test_the_size_counts_characters(tmp_path):
    path = tmp_path / "wide.yml"
    path.write_text(MINIMAL + "# " + "日" * (2**20 - len(MINIMAL) - 2), "utf-8")
    assert load_workflow(str(path)).workflow.jobs
    path.write_text("#" + "日" * (2**22), "utf-8")
    with pytest.raises(WorkflowInvalidError, match="larger than 1 MiB"):
        load_workflow(str(path))


def test_windows_line_ends_and_byte_order_mark():
    text = b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode()
    assert load_workflow("f.yml", text=text).workflow.job("A").steps[0].run.template.source == "make"
    finding = _only_error(text + b"  b: 5\r\n")
    assert _place(finding) == ("schema-wrong-value", 6, 6)


def test_an_alias_bomb_is_refused_at_once():
    lines = ["a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert _place(_only_error("\n".join(lines))) == ("yaml-too-many-nodes", 5, 20)


def test_nesting_is_limited():
    assert _only_error("[" * 100_000).code == "yaml-too-deep"
    assert _only_error("- " * 60 + "x").code == "yaml-too-deep"
    deep = "a: &a " + "[" * 30 + "]" * 30
    assert _only_error(f"{deep}\nb: " + "[" * 30 + "*a" + "]" * 30).code == "yaml-too-deep"


def test_many_findings_are_in_reading_order():
    text = (
        "namee: x\njobs:\n  a:\n    runs-on: local\n    needs: b\n    steps: [{run: '${{ x }}', env: {A: 1, a: 2}}]\n"
    )
    with pytest.raises(WorkflowInvalidError) as caught:
        load_workflow("f.yml", text=text)
    assert [finding.code for finding in caught.value.diagnostics] == [
        "schema-unknown-key",
        "needs-start",
        "expression",
        "yaml-duplicate-key",
    ]


def test_a_value_that_cannot_be_read_is_one_mistake():
    assert _only_error(MINIMAL + "    timeout-minutes: *ten\n").code == "yaml-alias"


def _job(yaml):
    return load_workflow(
        "f.yml", text=f"jobs:\n  b: {{runs-on: local, steps: [{{run: x}}]}}\n  a:\n{yaml}"
    ).workflow.job("a")


def test_resources_estimate_and_data():
    job = _job(
        "    needs: B\n    resources: {cpus: 8+, memory: 16, accelerators: {A100: 8}, market: spot}\n"
        "    estimate: {duration: 1h30m, on: {aws: 60}}\n    data: {b: 500MB}\n    steps: [{run: x}]\n"
    )
    assert job.requirements.cpus == Amount(8, or_more=True)
    assert job.requirements.memory_gib == Amount(16, or_more=False)
    assert job.requirements.accelerators == Accelerators("A100", 8)
    assert job.requirements.market is Market.SPOT
    assert job.requirements.providers is None
    assert job.estimate == Estimate(seconds=5400, on=(("aws", 60),))
    assert job.data_gb == (("b", 0.5),)


@pytest.mark.parametrize(
    ("label", "providers"),
    [
        ("local", {LOCAL}),
        ("ubuntu-latest", {LOCAL}),
        ("[self-hosted, linux, aws]", {LOCAL}),
        ("{group: large}", {LOCAL}),
        ("${{ github.ref }}", {LOCAL}),
        ("sky", None),
        ("[sky, aws]", None),
        ("AWS", {"aws"}),
        ("[aws, gcp]", {"aws", "gcp"}),
        ("{labels: azure}", {"azure"}),
        ("[local, gcp]", {"local", "gcp"}),
    ],
)
def test_where_a_job_may_run(label, providers):
    assert _job(f"    runs-on: {label}\n    steps: [{{run: x}}]\n").requirements.providers == providers


@pytest.mark.parametrize(
    ("on", "triggers"),
    [("push", ("push",)), ("[push, schedule]", ("push", "schedule")), ("{push: {branches: [x]}}", ("push",)), ("", ())],
)
def test_triggers(on, triggers):
    assert load_workflow("f.yml", text=f"on: {on}\n{MINIMAL}").workflow.triggers == triggers


def test_the_objective():
    assert load_workflow("f.yml", text=MINIMAL).workflow.plan.goal is None
    loaded = load_workflow("f.yml", text=f"plan: {{objective: makespan}}\n{MINIMAL}")
    assert loaded.workflow.plan.goal == Goal.of(Objective.MAKESPAN)


def test_steps_have_unique_keys():
    job = _job("    runs-on: local\n    steps: [{run: x}, {run: y, id: z}, {run: w}]\n")
    assert [(step.key, step.id) for step in job.steps] == [("__run", None), ("z", "z"), ("__run_2", None)]


def test_scalars_keep_their_kind_where_it_counts():
    job = _job(
        "    runs-on: local\n    strategy: {matrix: {v: [1, 1.5, true, null, x]}}\n"
        "    env: {N: 010, B: true, E: }\n    steps: [{run: x}]\n"
    )
    (vector,) = [value for _, value in job.strategy.matrix.entries]
    assert [item.template.evaluate({}) for item in vector.items] == [1.0, 1.5, True, None, "x"]
    assert [value.template.text({}) for _, value in job.env] == ["10", "true", ""]


def test_a_hint_is_given_once_for_each_key():
    text = f"permissions: read-all\n{MINIMAL}    permissions: {{contents: read}}\n    environment: x\n"
    findings = load_workflow("f.yml", text=text).findings
    assert [(finding.severity, finding.span.line) for finding in findings] == [(Severity.HINT, 1), (Severity.HINT, 8)]


def test_libraries_are_imported_when_a_file_is_read():
    code = "import sys, skyflow.spec; print(sorted({'ruamel', 'jsonschema', 'referencing'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_number_is_text_where_text_is_wanted():
    job = _job("    name: 3.10\n    runs-on: local\n    steps: [{run: 5}]\n")
    assert job.name.template.is_literal
    assert job.name.template.text({}) == "3.1"
    assert job.steps[0].run.template.text({}) == "5"
