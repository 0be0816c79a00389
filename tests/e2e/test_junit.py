"""`--junit`: results as CI systems read them."""

from junitparser import Error, Failure, JUnitXml, Skipped

WORKFLOW = """\
name: results
on: push
jobs:
  good:
    runs-on: local
    steps:
      - run: echo fine
      - run: printf 'bell \\007 and \\033[31mred\\033[0m <&> \\n'; exit 3
        continue-on-error: true
  bad:
    runs-on: local
    steps:
      - name: Break <it>
        run: echo before the end; exit 4
      - run: echo never
  allowed: {runs-on: local, continue-on-error: true, steps: [{run: exit 1}]}
  late: {needs: bad, runs-on: local, steps: [{run: 'true'}]}
  broken: {runs-on: local, strategy: {matrix: {x: "${{ fromJSON('no') }}"}}, steps: [{run: 'true'}]}
  call: {uses: ./callee.yml}
"""
CALLEE = "on: workflow_call\njobs:\n  inner: {runs-on: local, steps: [{run: 'true'}]}\n"


def results_of(path) -> dict[str, dict[str, object]]:
    return {
        suite.name: {case.name: case.result[0] if case.result else None for case in suite}
        for suite in JUnitXml.fromfile(str(path))
    }


def test_jobs_are_suites_and_steps_are_cases(project) -> None:
    project.write(WORKFLOW)
    project.write(CALLEE, "callee.yml")
    project.skyflow("run", "-q", "w.yml", "--junit", "out.xml", code=1)
    found = results_of(project.folder / "out.xml")
    assert set(found) == {"good", "bad", "allowed", "broken", "late", "call / inner"}
    assert found["good"]["1 Run echo fine"] is None
    assert [result for result in found["good"].values() if result] == [], "a failure that is allowed passes"
    assert [result for result in found["allowed"].values() if result] == []
    failure = found["bad"]["1 Break <it>"]
    assert isinstance(failure, Failure)
    assert (failure.message, failure.type) == ("exit code 4", "exit_code")
    assert "before the end" in failure.text
    assert isinstance(found["bad"]["2 Run echo never"], Skipped)
    assert isinstance(found["late"]["late"], Skipped)
    assert isinstance(found["broken"]["broken"], Error)
    document = JUnitXml.fromfile(str(project.folder / "out.xml"))
    assert (document.name, document.failures, document.errors) == ("results", 1, 1)


def test_show_writes_the_same_later(project) -> None:
    project.write(WORKFLOW)
    project.write(CALLEE, "callee.yml")
    project.skyflow("run", "-q", "w.yml", "--junit", "now.xml", code=1)
    project.skyflow("show", "--junit", "later.xml")
    assert (project.folder / "now.xml").read_bytes() == (project.folder / "later.xml").read_bytes()


def test_a_file_that_cannot_be_written_is_told_before_anything_runs(project) -> None:
    project.write(WORKFLOW)
    done = project.skyflow("run", "-q", "w.yml", "--junit", "nowhere/out.xml", code=2)
    assert "there is no folder nowhere" in done.err
    assert not (project.folder / ".skyflow").exists()
    assert "it is a folder" in project.skyflow("run", "w.yml", "--junit", ".", code=2).err
