"""`retry` on real processes: what a log and a history say of it."""


def test_a_flaky_script_and_a_flaky_job(project) -> None:
    project.write(
        "on: push\njobs:\n  step:\n    runs-on: local\n    steps:\n"
        "      - run: echo x >> tries; test $(wc -l < tries) = 3\n        retry: {attempts: 4, backoff: 10ms}\n".replace(
            "10ms", "0.01s"
        )
        + "  job: {runs-on: local, retry: 2, steps: [{run: 'echo y >> more; test $(wc -l < more) = 2'}]}\n"
    )
    said = project.skyflow("run", "w.yml").out
    assert "[job] · attempt 2 follows\n" in said
    log = project.skyflow("logs", "latest", "step").out
    assert "exit code 1; try 3 of 4 follows in 20ms" in log
    jobs = {job["key"]: job for job in project.skyflow("show", "--json").json["jobs"]}
    assert [attempt["conclusion"] for attempt in jobs["job"]["attempts"]] == ["failure", "success"]
    assert len(jobs["step"]["attempts"]) == 1


def test_a_policy_that_makes_no_sense_is_refused_with_its_place(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, retry: {attempts: 0, on: [often]}, steps: [{run: x}]}\n")
    err = project.skyflow("validate", "w.yml", code=3).err
    assert "w.yml:3:41: expected a whole number of tries" in err
    assert "'often' is no reason to try again" in err
