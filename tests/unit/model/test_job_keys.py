"""Under which names a plan may have a job."""

from skyflow.model.job_keys import names_in_plan, planned


def test_a_job_without_a_matrix_has_one_name() -> None:
    assert list(names_in_plan("build")) == ["build"]
    assert list(names_in_plan("build/test")) == ["build/test"]


def test_every_matrix_on_the_way_may_have_been_unknown() -> None:
    assert list(names_in_plan("a.1")) == ["a.1", "a"]
    assert list(names_in_plan("a.1/x")) == ["a.1/x", "a/x"]
    assert list(names_in_plan("a.1/x.23")) == ["a.1/x.23", "a/x.23", "a.1/x", "a/x"]


def test_the_most_exact_name_counts() -> None:
    assert planned({"a/x": 1, "a.1/x": 2}, "a.1/x") == 2
    assert planned({"a/x": 1, "a.1/x": 2}, "a.0/x") == 1
    assert planned({"a/x": 1}, "a.0/y") is None
    assert planned({}, "a.0") is None
