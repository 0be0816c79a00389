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
