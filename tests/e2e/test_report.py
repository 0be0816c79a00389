"""`skyflow report` as a command; what is on the page is tested in `tests/report`."""


def test_a_run_that_has_no_job_yet_has_a_report(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, if: false, steps: [{run: x}]}\n")
    project.skyflow("run", "-q", "w.yml")
    page = project.skyflow("report", "-o", "-").out
    assert "No job has run." in page


def test_the_command_names_the_file_it_wrote(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: echo hello}]}\n")
    project.skyflow("run", "-q", "w.yml")
    assert project.skyflow("report").out == "Run 1 is in report-1.html\n"
    assert "hello" in (project.folder / "report-1.html").read_text()
    assert "cannot write nowhere/r.html" in project.skyflow("report", "-o", "nowhere/r.html", code=2).err
    assert "there is no run 'other'" in project.skyflow("report", "other", code=2).err


def test_a_run_that_goes_on_is_shown_as_it_stands(project, wait_until) -> None:
    project.write(
        "on: push\njobs:\n  slow: {runs-on: local, steps: [{run: 'echo so far; while [ ! -e go ]; do sleep 0.05; done'}]}\n"
        "  later: {needs: slow, runs-on: local, steps: [{run: 'true'}]}\n"
    )
    process = project.start("run", "w.yml")
    logs = project.folder / ".skyflow" / "runs"
    wait_until(lambda: any(path.read_text() for path in logs.rglob("*.log")))
    page = project.skyflow("report", "-o", "-").out
    graph = project.skyflow("graph").out
    (project.folder / "go").touch()
    process.communicate(timeout=30)
    assert "This run has not completed" in page
    assert "so far" in page
    assert "▶ slow" in graph
    assert "· later" in graph
    assert "waiting" in graph
