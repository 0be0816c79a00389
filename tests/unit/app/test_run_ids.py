"""Names of runs."""

from datetime import UTC, datetime

from skyflow.app.project import Project
from skyflow.app.running import run
from skyflow.model.layout import StateFolder


def test_chance_does_not_give_two_runs_of_a_second_the_same_name(tmp_path, monkeypatch) -> None:
    project = Project(root=tmp_path, state=StateFolder(tmp_path / ".skyflow" / "state.db"))
    drawn = iter(("aaaa", "aaaa", "bbbb"))
    monkeypatch.setattr(run, "token_hex", lambda _: next(drawn))
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    first = run.new_run_id(now, project)
    project.state.run(first).root.mkdir(parents=True)
    assert [first, run.new_run_id(now, project)] == ["20260102-030405-aaaa", "20260102-030405-bbbb"]
