"""Jobs in containers and beside services, on a real engine."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest


@pytest.fixture
def contained(project, engine) -> Callable:
    """Run a workflow whose text names the image IMAGE, and see to it that nothing is left."""

    def run(text: str, *arguments: str, code: int = 0) -> object:
        project.write(text.replace("IMAGE", engine.image))
        done = project.skyflow("run", "w.yml", *arguments, code=code, **engine.variables)
        run_id = project.skyflow("show", "--json").json["id"]
        assert engine.left_of(run_id) == []
        return done

    return run


def printed(project, position: int, job: str = "a") -> list[str]:
    [log] = (project.folder / ".skyflow/runs").glob(f"*/{job}/1/{position}.log")
    return log.read_text().splitlines()


def test_steps_run_in_the_container_of_their_job(project, contained) -> None:
    contained(
        """
        on: push
        env: {OUTSIDE: "${{ github.workspace }}/x"}
        jobs:
          a:
            runs-on: ubuntu-latest
            strategy: {matrix: {tag: ["1"]}}
            container:
              image: "docker://${{ matrix.tag && 'IMAGE' }}"
              env: {OWN: "a 'b' $c", LINES: "one\\ntwo"}
              volumes: ["/etc:/of-host:ro"]
              options: --hostname boxed --label "x=a b"
            outputs: {o: "${{ steps.s.outputs.o }}"}
            steps:
              - id: s
                run: |
                  hostname; pwd; echo "$HOME $OWN $LINES"; cat /etc/greeting; ls /of-host/passwd
                  echo "$OUTSIDE $GITHUB_WORKSPACE ${{ github.workspace }} $RUNNER_TEMP ${{ runner.temp }}"
                  cat $GITHUB_EVENT_PATH > event.json
                  echo "o=${{ job.container.id && 'known' }}" >> $GITHUB_OUTPUT
                  echo "LATER=x y" >> $GITHUB_ENV
                  mkdir tools; echo "echo a tool" > tools/mine; busybox chmod +x tools/mine
                  echo "$GITHUB_WORKSPACE/tools" >> $GITHUB_PATH
                  echo "# sum" >> $GITHUB_STEP_SUMMARY
                  false | true
              - {run: 'mine; echo "$LATER"; pwd', working-directory: tools}
              - {run: "print(1)", shell: python, continue-on-error: true}
              - run: |
                  echo "::error file=$GITHUB_WORKSPACE/w.yml,line=2::look"
                  exit 3
        """,
        code=1,
    )
    name = project.folder.name
    place = f"/__w/{name}/{name}"
    assert printed(project, 1, "a.0") == [
        "boxed", place, "/github/home a 'b' $c one", "two", "hello", "/of-host/passwd",
        f"{place}/x {place} {place} /__w/_temp /__w/_temp",
    ]  # fmt: skip
    assert printed(project, 2, "a.0") == ["a tool", "x y", f"{place}/tools"]
    assert json.loads((project.folder / "event.json").read_text()) == {"inputs": {}}
    history = project.skyflow("show", "--json").json
    [job] = history["jobs"]
    assert job["outputs"] == {"o": "known"}
    steps = job["attempts"][0]["steps"]
    assert [step["name"] for step in steps][::5] == ["Initialize containers", "Stop containers"]
    assert [step["exit_code"] for step in steps[1:5]] == [0, 0, 127, 3]
    assert steps[4]["annotations"][0]["file"] == "w.yml"
    assert "# sum" in next((project.folder / ".skyflow/runs").glob("*/a.0/1/1.md")).read_text()


def test_services_are_reached_by_name_in_a_container_and_by_port_beside_one(project, contained) -> None:
    service = (
        "{image: IMAGE, ports: [80], entrypoint: httpd, command: '-f -p 80 -h /etc', "
        "options: '--health-cmd \"test -f /etc/greeting\" --health-interval 1s'}"
    )
    out = contained(
        f"""
        on: push
        jobs:
          a:
            runs-on: ubuntu-latest
            container: IMAGE
            services: {{web: {service}, none: {{image: "${{{{ vars.no }}}}"}}}}
            steps:
              - run: wget -qO- http://web/greeting; echo "${{{{ join(job.services.*.network) }}}}" | head -c 8
          b:
            runs-on: ubuntu-latest
            services: {{web: {service}}}
            steps:
              - run: busybox wget -qO- http://localhost:${{{{ job.services.web.ports['80'] }}}}/greeting; uname
        """
    ).out
    assert printed(project, 1) == ["hello", "skyflow-"]
    assert printed(project, 1, "b") == ["hello", "Linux"]
    assert "the service web is healthy" in out
    assert "service none" not in out


def test_what_keeps_containers_from_starting_is_shown_and_clean_up_steps_run(project, contained) -> None:
    out = contained(
        """
        on: push
        jobs:
          unhealthy:
            runs-on: ubuntu-latest
            services:
              db:
                image: IMAGE
                command: sh -c "echo '::error::I cannot'; sleep 100"
                options: --health-cmd false --health-interval 1s --health-retries 1
            steps: [{run: echo never}, {run: echo clean, if: always()}]
          gone:
            runs-on: ubuntu-latest
            container: IMAGE
            services: {db: {image: IMAGE, command: sh -c "echo bye; exit 7"}}
            steps: [{run: echo never}]
          wrong:
            runs-on: ubuntu-latest
            container: {image: IMAGE, options: --no-such-option}
            steps: [{run: echo never, if: always()}]
          refused:
            runs-on: ubuntu-latest
            container: {image: IMAGE, options: --network host}
            steps: [{run: echo never}]
        """,
        code=1,
    ).out
    assert "never" not in [line.rpartition("│ ")[2] for line in out.splitlines()]
    assert "the service 'db' is unhealthy; what it printed is above" in out
    assert "::error::I cannot" in printed(project, 0, "unhealthy")
    assert printed(project, 2, "unhealthy") == ["clean"]
    assert "the service 'db' ended at once, with exit code 7" in out
    assert "bye" in printed(project, 0, "gone")
    assert "unknown flag: --no-such-option" in out
    assert "the container of this job was not started" in out
    assert "`options` may not have --network, as on GitHub" in out
    assert "Annotations" not in out


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on this machine")
def test_actions_run_in_the_container_of_their_job(project, contained) -> None:
    for name, text in {
        "made/action.yml": (
            "name: n\ndescription: d\ninputs: {who: {default: you}}\noutputs: {place: {value: '${{ steps.p.outputs.place }}'}}\n"
            "runs:\n  using: composite\n  steps:\n"
            "    - {id: p, shell: sh, run: 'echo \"place=${{ github.action_path }}\" >> $GITHUB_OUTPUT; cat /etc/greeting'}\n"
        ),
        "js/action.yml": "name: n\ndescription: d\nruns: {using: node24, main: i.js, post: i.js}\n",
        "js/i.js": "console.log(require('fs').readFileSync('/etc/greeting', 'utf8').trim(), __dirname, process.cwd())",
    }.items():
        (project.folder / name).parent.mkdir(exist_ok=True)
        (project.folder / name).write_text(text)
    contained(
        """
        on: push
        jobs:
          a:
            runs-on: ubuntu-latest
            container: {image: IMAGE, volumes: ["/usr:/usr:ro", "/lib:/lib:ro", "/lib64:/lib64:ro"]}
            steps:
              - {uses: ./made, id: made}
              - uses: ./js
              - run: |
                  echo "${{ steps.made.outputs.place }}"; echo kept > kept.txt
                  mkdir -p ~/.tool; echo cached > ~/.tool/x
              - uses: actions/upload-artifact@v4
                with: {name: kept, path: "${{ github.workspace }}/kept.txt"}
              - uses: actions/cache/save@v4
                with: {path: ~/.tool, key: k}
              - {uses: actions/setup-python@v5, continue-on-error: true}
              - {run: 'echo "${BASH_VERSION:+bash}"; false | true', shell: bash, continue-on-error: true}
          b:
            runs-on: ubuntu-latest
            needs: a
            steps:
              - {uses: actions/download-artifact@v4, with: {name: kept, path: got}}
              - run: cat got/kept.txt
        """
    )
    name = project.folder.name
    place = f"/__w/{name}/{name}"
    assert printed(project, 1) == ["hello"]
    assert printed(project, 2) == [f"hello {place}/js {place}"]
    assert printed(project, 3) == [f"{place}/made"]
    assert printed(project, 5) == ["Saved cache 'k' (7 bytes)"]
    assert "this job runs in a container" in printed(project, 6)[0]
    assert printed(project, 7) == ["bash"]
    assert printed(project, 8) == [f"hello {place}/js {place}"], "the post phase"
    assert printed(project, 2, "b") == ["kept"]


SLOW = """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: {image: IMAGE, volumes: [/proc:/of-host]}
    services: {s: {image: IMAGE, command: sleep 100}}
    steps:
      - run: |
          trap 'echo trapped >> log; exit 9' INT
          test -e go && exit 0
          setsid sleep 61 &
          echo begun >> log; echo here > /of-this-container
          until test -e go; do sleep 0.05; done
          echo found 1
      - run: if test -e /of-this-container; then echo in the same container; fi
      - {run: 'echo clean >> log', if: cancelled()}
"""


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def test_an_interrupted_job_cleans_up_in_its_container_and_can_be_resumed(project, engine, wait_until) -> None:
    project.write(SLOW.replace("IMAGE", engine.image))
    process = project.start("run", "w.yml", **engine.variables)
    wait_until(lambda: lines(project.folder / "log") == ["begun"])
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert lines(project.folder / "log") == ["begun", "trapped", "clean"], out
    run_id = project.skyflow("show", "--json").json["id"]
    assert engine.left_of(run_id) == []
    (project.folder / "go").touch()
    project.skyflow("resume", **engine.variables)
    assert engine.left_of(run_id) == []


@pytest.fixture
def left_alone(project, engine, wait_until) -> str:
    """The id of a run whose driver was killed in the middle of a step in a container, which lives on."""
    project.write(SLOW.replace("IMAGE", engine.image))
    process = project.start("run", "w.yml", **engine.variables)
    wait_until(lambda: lines(project.folder / "log") == ["begun"])
    process.kill()
    process.communicate()
    run_id = project.skyflow("show", "--json").json["id"]
    assert len(engine.left_of(run_id)) == 3, "the container, the service, the network"
    return run_id


def test_a_step_that_lives_on_in_a_container_is_seen_through(project, engine, left_alone) -> None:
    resumed = project.start("resume", **engine.variables)
    (project.folder / "go").touch()
    out, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, out + err
    assert lines(project.folder / "log") == ["begun"]
    assert printed(project, 1) == ["found 1"]
    assert printed(project, 2) == ["in the same container"]
    [job] = project.skyflow("show", "--json").json["jobs"]
    assert len(job["attempts"]) == 1
    assert engine.left_of(left_alone) == []


def test_a_step_that_lives_on_in_a_container_can_be_cancelled(project, engine, left_alone) -> None:
    project.skyflow("cancel", **engine.variables)
    assert lines(project.folder / "log") == ["begun", "trapped", "clean"]
    assert engine.left_of(left_alone) == []


def test_a_job_whose_container_is_gone_starts_over(project, engine, left_alone) -> None:
    names = engine.left_of(left_alone)[:2]
    engine.podman("rm", "--force", "--time", "0", *names)
    (project.folder / "go").touch()
    project.skyflow("resume", **engine.variables)
    [job] = project.skyflow("show", "--json").json["jobs"]
    assert [attempt["reason"] for attempt in job["attempts"]] == ["lost", None]
    assert engine.left_of(left_alone) == []


def test_an_interrupt_while_containers_start_leaves_nothing(project, engine, wait_until) -> None:
    slow = "--health-cmd false --health-interval 90s"
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    services:\n"
        f"      s: {{image: {engine.image}, command: sleep 100, options: {slow}}}\n    steps: [{{run: echo never}}]\n"
    )
    process = project.start("run", "w.yml", **engine.variables)
    logs = project.folder / ".skyflow/runs"
    wait_until(lambda: any("next look" in log.read_text() for log in logs.glob("*/a/1/0.log")))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert engine.left_of(project.skyflow("show", "--json").json["id"]) == []


def test_what_programs_read_of_containers_fits_the_schemas(project, contained) -> None:
    text = "on: push\njobs:\n  a: {runs-on: local, services: {s: IMAGE}, container: IMAGE, steps: [{run: pwd}]}\n"
    done = contained(text.replace("s: IMAGE", "s: {image: IMAGE, command: sleep 9}"), "--json")
    events = [json.loads(line) for line in done.out.splitlines()]
    schemas = Path(__file__).parents[2] / "schemas"
    for event in events:
        jsonschema.validate(event, json.loads((schemas / "event.schema.json").read_text()))
    assert 0 in {event.get("step") for event in events}
    jsonschema.validate(project.skyflow("show", "--json").json, json.loads((schemas / "run.schema.json").read_text()))
    assert "Initialize containers" in project.skyflow("show").out
    assert "is on this machine" in project.skyflow("logs").out


def test_without_an_engine_nothing_starts(project) -> None:
    path = project.folder / "bin"
    path.mkdir()
    for tool in ("sh", "git"):
        (path / tool).symlink_to(shutil.which(tool))
    project.write("on: push\njobs:\n  a:\n    runs-on: local\n    container: node:24\n    steps: [{run: echo}]\n")
    reason = "docker is not installed; podman is not installed"
    for command in ("run", "plan"):
        err = project.skyflow(command, "w.yml", code=5, PATH=str(path)).err
        assert f"error: job 'a' cannot run without a container engine: {reason}" in err
        assert "hint: install Docker or Podman and start it" in err
    assert not (project.folder / ".skyflow").exists()
    done = project.skyflow("validate", "w.yml", PATH=str(path))
    assert (
        f"w.yml:5:16: warning: skyflow cannot run containers on this machine: {reason} [cannot-run]"
        in done.err + done.out
    )
    named = project.skyflow("run", "w.yml", code=5, SKYFLOW_CONTAINER_ENGINE="nerdctl", PATH=str(path)).err
    assert "nerdctl is not installed" in named


def test_a_service_that_nobody_needs_costs_nothing(project) -> None:
    """A workflow without containers never looks for an engine."""
    (project.folder / "bin").mkdir()
    trap = project.folder / "bin/docker"
    trap.write_text("#!/bin/sh\ntouch asked\n")
    trap.chmod(0o755)
    project.write("on: push\njobs:\n  a:\n    runs-on: local\n    steps: [{run: echo}]\n")
    project.skyflow("run", "w.yml", PATH=f"{trap.parent}:{os.environ['PATH']}")
    assert not (project.folder / "asked").exists()
