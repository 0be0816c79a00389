"""`skyflow simulate`: what a run may cost and take."""

WORKFLOW = """
on: push
jobs:
  a: {runs-on: aws, resources: {cpus: 2, market: spot}, estimate: 1h, steps: [{uses: actions/checkout@v4}, {run: x}]}
  b: {runs-on: local, needs: a, estimate: 10m, steps: [{run: y}]}
"""


def test_the_same_seed_gives_the_same_distribution(project) -> None:
    project.write(WORKFLOW)
    first = project.skyflow("simulate", "w.yml", "--runs", "20", "--json").json
    assert first == project.skyflow("simulate", "w.yml", "--runs", "20", "--json").json
    assert first != project.skyflow("simulate", "w.yml", "--runs", "20", "--json", "--seed", "1").json
    assert len({run["makespan_seconds"] for run in first}) == 20
    assert not (project.folder / ".skyflow").exists()
    shown = project.skyflow("simulate", "w.yml", "--runs", "20").out
    assert "20 runs of w.yml" in shown
    assert "median" in shown


def test_preemptions_make_it_longer(project) -> None:
    project.write(WORKFLOW)

    def median(*options: str) -> float:
        runs = project.skyflow("simulate", "w.yml", "--runs", "30", "--json", *options).json
        return sorted(run["makespan_seconds"] for run in runs)[15]

    assert median("--preemptions", "0") < median("--preemptions", "2")


def test_a_trace_says_when_machines_are_there(project) -> None:
    project.write(WORKFLOW)
    rows = "".join(f"t,{tick * 20},{20},{tick % 2}\n" for tick in range(10))
    project.write("trace_id,start_tick,length,available_nodes\n" + rows, "trace.csv")
    runs = project.skyflow("simulate", "w.yml", "--runs", "20", "--json", "--spot-trace", "trace.csv").json
    assert sum(run["preemptions"] for run in runs) > 0
    project.write("trace_id,start_tick,length,available_nodes\nt,0,2,1\nt,2,2,0\n", "short.csv")
    shown = project.skyflow("simulate", "w.yml", "--runs", "5", "--spot-trace", "short.csv").out
    assert "5 runs of w.yml, 0 in success" in shown
    assert "a in 5 of them: its machine was taken away" in shown, "after 20 attempts"
    project.write("a,b\n1,2\n", "wrong.csv")
    assert "is not a spot trace" in project.skyflow("simulate", "w.yml", "--spot-trace", "wrong.csv", code=2).err


def test_waiting_saves_money_and_moving_saves_time(project) -> None:
    job = "runs-on: [aws, gcp], resources: {cpus: 8+, market: spot}, estimate: 5h, checkpoint: {path: out, every: 10m}"
    project.write(f"on: push\njobs:\n  a: {{{job}, timeout-minutes: 6000, steps: [{{run: x}}]}}\n")

    def mean(figure: str, recovery: str) -> float:
        options = "--runs", "60", "--json", "--preemptions", "0.5", "--recovery", recovery
        runs = project.skyflow("simulate", "w.yml", *options).json
        assert {run["conclusion"] for run in runs} == {"success"}
        return sum(run[figure] for run in runs) / len(runs)

    assert mean("makespan_seconds", "eager") < mean("makespan_seconds", "wait")
    assert mean("cost_usd", "wait") < mean("cost_usd", "eager")


def test_a_deadline_is_kept_on_spot_machines_that_are_there_half_of_the_time(project) -> None:
    job = "runs-on: [aws], resources: {accelerators: 'V100:1', market: any}, estimate: {duration: 5h, recovery: 5m}"
    rest = "checkpoint: {path: out, every: 10m}, retry: {attempts: 200, on: [preempted]}, timeout-minutes: 6000"
    workflow = f"on: push\nplan: {{deadline: 8h}}\njobs:\n  a: {{{job}, {rest}, steps: [{{run: x}}]}}\n"
    project.write(workflow)
    project.write("start_tick,length,available_nodes\n0,50,0\n50,50,1\n", "half.csv")

    def runs(recovery: str) -> list[dict[str, float]]:
        options = "--recovery", recovery, "--runs", "30", "--json", "--spread", "0", "--spot-trace", "half.csv"
        return project.skyflow("simulate", "w.yml", *options).json

    in_time, waiting = runs("deadline"), runs("wait")
    assert {run["conclusion"] for run in (*in_time, *waiting)} == {"success"}
    assert max(run["makespan_seconds"] for run in in_time) <= 8 * 3600 < max(run["makespan_seconds"] for run in waiting)
    spot, on_demand = min(run["cost_usd"] for run in waiting), 5 * 3.06
    assert spot < sum(run["cost_usd"] for run in in_time) / 30 < on_demand
    without = workflow.replace("plan: {deadline: 8h}\n", "")
    project.write(without)
    assert "no pace to keep" in project.skyflow("simulate", "w.yml", "--recovery", "deadline", code=2).err
    project.write(without.replace("recovery: 5m}", "recovery: 5m}, recovery: deadline"))
    assert "write 'deadline' below 'plan'" in project.skyflow("plan", "w.yml", code=4).err
    in_words = project.skyflow("plan", "w.yml", "--deadline", "8h", "--explain").out
    assert "another one there while there is time, and else the same on demand" in in_words.replace("\n", " ")


def test_a_job_moves_to_a_place_with_another_trace(project) -> None:
    job = "runs-on: [aws], resources: {accelerators: 'V100:1', market: spot}, estimate: 5h"
    project.write(f"on: push\njobs:\n  a: {{{job}, checkpoint: {{path: out, every: 10m}}, steps: [{{run: x}}]}}\n")
    project.write("start_tick,length,available_nodes\n0,50,0\n50,50,1\n", "seldom.csv")
    project.write("start_tick,length,available_nodes\n0,1,0\n1,99,1\n", "mostly.csv")

    def median(*traces: str) -> float:
        options = [word for trace in traces for word in ("--spot-trace", f"{trace}.csv")]
        runs = project.skyflow("simulate", "w.yml", "--recovery", "eager", "--runs", "20", "--json", *options).json
        return sorted(run["makespan_seconds"] for run in runs)[10]

    assert median("mostly") < median("seldom", "mostly") < median("seldom")
