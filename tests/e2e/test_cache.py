"""Jobs that need not run again: `cache`, `--changed`, `--force`, `--no-cache`, `skyflow why`."""

import os
import subprocess

import pytest

CACHED = """
on: push
jobs:
  build:
    runs-on: local
    cache: {inputs: ["src/**", "!src/ignored"], env: BUILD_MODE, outputs: "out/*"}
    outputs: {v: '${{ steps.s.outputs.v }}'}
    steps: [{id: s, run: 'echo build >> log; mkdir -p out; cat src/a > out/made; chmod +x out/made; echo v=$(cat src/a) >> $GITHUB_OUTPUT'}]
  test:
    runs-on: local
    needs: build
    cache: {}
    strategy: {matrix: {n: [1, 2]}}
    steps: [{run: 'echo test${{ matrix.n }}:${{ needs.build.outputs.v }} >> log'}]
  always: {runs-on: local, needs: test, steps: [{run: echo always >> log}]}
"""


@pytest.fixture
def built(project):
    (project.folder / "src").mkdir()
    (project.folder / "src" / "a").write_text("one")
    project.write(CACHED)
    assert run(project) == ["build", "test1:one", "test2:one", "always"]
    return project


def run(project, *options: str, **env: str) -> list[str]:
    log = project.folder / "log"
    log.unlink(missing_ok=True)
    project.skyflow("run", "--jobs", "1", *options, "w.yml", **env)
    return log.read_text().split()


def test_a_job_for_which_nothing_has_changed_is_taken_over_with_what_it_made(built) -> None:
    (built.folder / "out" / "made").unlink()
    os.utime(built.folder / "src" / "a")
    (built.folder / "src" / "ignored").touch()
    assert run(built) == ["always"]
    assert (built.folder / "out" / "made").read_text() == "one"
    assert os.access(built.folder / "out" / "made", os.X_OK)
    shown = built.skyflow("show").out
    assert "unchanged since run 1" in shown
    assert built.skyflow("show", "--json").json["jobs"][0]["outputs"] == {"v": "one"}
    assert "it was not run: unchanged since run 1" in built.skyflow("why", "build").out
    assert "it has no `cache`" in built.skyflow("why", "always").out


@pytest.mark.parametrize(
    ("change", "ran", "why"),
    [
        (lambda p: (p.folder / "src" / "a").write_text("two"), ["build", "test1:two", "test2:two", "always"], "file src/a has changed"),
        (lambda p: (p.folder / "src" / "b").write_text("two"), ["build", "always"], "file src/b is new"),
        (lambda p: p.write(CACHED.replace("echo build >>", "echo  build >>")), ["build", "always"], "job has changed"),
        (lambda p: p.write("# above\n\n" + CACHED), ["always"], "it was not run"),
    ],
)  # fmt: skip
def test_only_what_depends_on_a_change_runs(built, change, ran, why) -> None:
    change(built)
    assert run(built) == ran
    assert why in built.skyflow("why", "build").out


def test_a_variable_of_the_environment_counts_where_it_is_named(built) -> None:
    assert run(built, BUILD_MODE="fast") == ["build", "always"]
    assert "variable BUILD_MODE has changed" in built.skyflow("why", "build").out
    assert run(built) == ["always"], "the first result is remembered still"


def test_all_can_be_run_all_the_same(built) -> None:
    everything = ["build", "test1:one", "test2:one", "always"]
    assert run(built, "--force") == everything
    assert "the run was told `--force`" in built.skyflow("why", "build").out
    assert run(built, "--no-cache") == everything
    assert "the run was told `--no-cache`" in built.skyflow("why", "build").out
    assert "contradict" in built.skyflow("run", "--force", "--changed", "w.yml", code=2).err


def test_a_failure_is_not_remembered(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, cache: {}, steps: [{run: 'echo a >> log; test -e ok'}]}\n")
    project.skyflow("run", "w.yml", code=1)
    (project.folder / "ok").touch()
    project.skyflow("run", "w.yml")
    project.skyflow("run", "w.yml")
    assert (project.folder / "log").read_text().split() == ["a", "a"]


def test_files_that_cannot_be_put_back_make_the_job_run(built) -> None:
    import shutil

    shutil.rmtree(built.folder / ".skyflow" / "results")
    assert run(built) == ["build", "always"]
    assert run(built) == ["always"]


def test_without_a_change_in_the_repository_nothing_runs(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: echo a >> log}]}\n")
    for command in ("init -q", "config user.email x@y.z", "config user.name x", "add w.yml"):
        subprocess.run(["git", *command.split()], cwd=project.folder, check=True)
    (project.folder / ".gitignore").write_text("log\n")
    (project.folder / ".skyflow").mkdir()  # made by hand, so that nothing tells git to ignore it
    for _ in range(2):
        project.skyflow("run", "--changed", "w.yml")
    assert (project.folder / "log").read_text().split() == ["a"]
    (project.folder / "new").touch()
    project.skyflow("run", "--changed", "w.yml")
    assert (project.folder / "log").read_text().split() == ["a", "a"]
    assert "file new is new" in project.skyflow("why", "a").out


def test_each_job_of_a_matrix_depends_on_files_of_its_own(project) -> None:
    project.write(
        "on: push\njobs:\n  sort:\n    runs-on: local\n    strategy: {matrix: {n: [a, b]}}\n"
        "    cache: {inputs: 'raw/${{ matrix.n }}', outputs: ['sorted/${{ matrix.n }}']}\n"
        "    steps: [{run: 'echo ${{ matrix.n }} >> log; mkdir -p sorted; sort raw/${{ matrix.n }} > sorted/${{ matrix.n }}'}]\n"
        "  last: {runs-on: local, needs: sort, steps: [{run: echo last >> log}]}\n"
    )
    for name in ("raw/a", "raw/b"):
        (project.folder / name).parent.mkdir(exist_ok=True)
        (project.folder / name).write_text("y\nx\n")
    assert run(project) == ["a", "b", "last"]
    (project.folder / "raw" / "b").write_text("z\nx\n")
    (project.folder / "sorted" / "a").unlink()
    assert run(project) == ["b", "last"]
    assert (project.folder / "sorted" / "a").read_text() == "x\ny\n"
    assert (project.folder / "sorted" / "b").read_text() == "x\nz\n"


def test_a_pattern_that_cannot_be_evaluated_fails_the_job_and_says_where(project) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    cache: {inputs: \"${{ fromJSON('[') }}\"}\n    steps: [{run: 'true'}]\n"
    )
    done = project.skyflow("run", "w.yml", code=1)
    assert "w.yml:5:21: " in done.out
