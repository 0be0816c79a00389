"""`skyflow graph` of files and of runs."""

import shutil
import subprocess

import pytest

CALLER = """\
name: caller
on: push
jobs:
  lint: {runs-on: local, steps: [{run: 'true'}]}
  build: {needs: lint, uses: ./callee.yml, strategy: {matrix: {who: [x, y]}}, with: {who: '${{ matrix.who }}'}}
  late: {needs: build, if: false, uses: ./callee.yml}
  ship: {needs: [build, lint], runs-on: local, steps: [{run: exit 3}]}
"""
CALLEE = """\
on: {workflow_call: {inputs: {who: {type: string}}}}
jobs:
  compile: {runs-on: local, steps: [{run: 'true'}]}
  unit: {needs: compile, runs-on: local, strategy: {matrix: {py: [a, b, c]}}, steps: [{run: 'true'}]}
"""
TRAINING = """\
on: push
jobs:
  prepare: {runs-on: aws, resources: {cpus: 16+}, estimate: 1h, steps: [{run: 'true'}]}
  train: {needs: prepare, runs-on: sky, resources: {cpus: 16+}, estimate: 1h, data: {prepare: 40GB}, steps: [{run: 'true'}]}
"""


@pytest.fixture
def calling(project):
    project.write(CALLER)
    project.write(CALLEE, "callee.yml")
    return project


def edges(dot: str) -> set[tuple[str, ...]]:
    lines = (line.partition(" [")[0].strip() for line in dot.splitlines() if " -> " in line)
    return {tuple(end.strip('"') for end in line.split(" -> ")) for line in lines}


def test_a_file_is_drawn_with_matrices_folded(calling) -> None:
    out = calling.skyflow("graph", "w.yml").out
    assert "│ build / unit x6 │" in out
    assert edges(calling.skyflow("graph", "w.yml", "--format", "dot").out) == {
        ("lint", "build/compile"), ("build/compile", "build/unit"), ("build/unit", "late/compile"),
        ("late/compile", "late/unit"), ("build/unit", "ship"),
    }  # fmt: skip


def test_what_is_folded_can_be_chosen(calling) -> None:
    assert edges(calling.skyflow("graph", "w.yml", "--format", "dot", "--fold", "all").out) == {
        ("lint", "build"), ("build", "late"), ("build", "ship")
    }  # fmt: skip
    apart = edges(calling.skyflow("graph", "w.yml", "--format", "dot", "--fold", "none").out)
    assert ("build.0/compile", "build.0/unit.2") in apart
    assert ("build.0/compile", "build.1/unit.2") not in apart
    assert {source for source, target in apart if target == "ship"} == {
        f"build.{leg}/unit.{n}" for leg in range(2) for n in range(3)
    }


def test_a_run_is_drawn_with_how_each_job_stands(calling) -> None:
    calling.skyflow("run", "-q", "w.yml", code=1)
    out = calling.skyflow("graph").out
    assert "✓ build / unit x6" in out
    assert "✗ ship" in out
    assert "○ late / unit x3" in out, "what a skipped call would have brought is skipped"
    assert out == calling.skyflow("graph", "1").out
    apart = calling.skyflow("graph", "1", "--fold", "none", "--format", "mermaid").out.replace("#160;", " ")
    assert "build (y) / unit (c)" in apart


def test_a_plan_adds_places_and_data(project) -> None:
    project.write(TRAINING)
    assert "aws" not in project.skyflow("graph", "w.yml").out
    out = project.skyflow("graph", "w.yml", "--plan").out
    assert "aws " in out
    assert "in: 40 GB" in out
    assert '-->|"40 GB"|' in project.skyflow("graph", "w.yml", "--plan", "--format", "mermaid").out


def test_graphs_can_be_written_to_files(calling) -> None:
    calling.skyflow("graph", "w.yml", "--format", "svg", "-o", "w.svg")
    assert (calling.folder / "w.svg").read_text().startswith("<svg ")
    calling.skyflow("graph", "w.yml", "-o", "w.txt")
    assert "╭" in (calling.folder / "w.txt").read_text()
    done = calling.skyflow("graph", "w.yml", "--format", "svg", "-o", "no/w.svg", code=2)
    assert "cannot write no/w.svg" in done.err


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_dot(calling) -> None:
    text = calling.skyflow("graph", "w.yml", "--format", "dot").out
    subprocess.run(["dot", "-Tsvg"], input=text, text=True, check=True, capture_output=True)


def test_mistakes_are_named(calling) -> None:
    assert "no such file: other.yml" in calling.skyflow("graph", "other.yml", code=2).err
    assert "there is no run yet" in calling.skyflow("graph", code=2).err
    assert "add --plan" in calling.skyflow("graph", "w.yml", "--on", "aws", code=2).err


def test_the_summary_of_a_github_job_has_the_graph(calling, tmp_path) -> None:
    summary = tmp_path / "summary.md"
    calling.skyflow("run", "-q", "--format", "github", "w.yml", code=1, GITHUB_STEP_SUMMARY=str(summary))
    text = summary.read_text()
    graph = text.partition("```mermaid\n")[2].partition("\n```\n")[0]
    assert "flowchart LR" in graph
    assert "class n5 failure" in graph
    assert text.startswith("### caller: failure")
