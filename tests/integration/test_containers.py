"""Images that have to be fetched, from a registry on loopback that wants to know who asks."""

import base64
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from skyflow.app.clock import SystemClock
from skyflow.model.containers import ContainerRequest, ContainersRequest, StartedContainers
from skyflow.model.execution import StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder
from skyflow.runners.containers.engine import ContainerEngine, NoEngineError, find_engine
from skyflow.runners.containers.images import Patience
from skyflow.runners.containers.jobs import JobContainers, StepFolders
from skyflow.runners.local.runner import LocalRunner
from skyflow.runners.processes.process import KillLadder

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]

SETUP, STEP = StepRef("a/b.0", 1, 0), StepRef("a/b.0", 1, 1)
USER, PASSWORD = "somebody", "s3cret-word"


class Registry(ThreadingHTTPServer):
    """Serves one image, made of the layers that podman saved, to whoever has the password."""

    def __init__(self, layout: Path) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.layout = layout
        self.asked: list[str | None] = []
        self.refusals = 0
        index = json.loads((layout / "index.json").read_text())
        self.manifest = (layout / "blobs/sha256" / index["manifests"][0]["digest"].partition(":")[2]).read_bytes()


class Asked(BaseHTTPRequestHandler):
    server: Registry

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.asked.append(self.headers["Authorization"])
        if self.server.refusals:
            self.server.refusals -= 1
            return self.answer(404, b"{}")
        if self.headers["Authorization"] != "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode():
            return self.answer(401, b"{}", ("WWW-Authenticate", 'Basic realm="here"'))
        if "/manifests/" in self.path:
            return self.answer(
                200, self.server.manifest, ("Content-Type", "application/vnd.oci.image.manifest.v1+json")
            )
        if "/blobs/" in self.path:
            return self.answer(200, (self.server.layout / "blobs/sha256" / self.path.rpartition(":")[2]).read_bytes())
        return self.answer(200, b"{}")

    def answer(self, code: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(code)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(body).hexdigest()}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture
def registry(engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    layout = tmp_path / "layout"
    engine.podman("save", "--format", "oci-dir", "--output", str(layout), engine.image)
    with Registry(layout) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        configuration = tmp_path / "registries.conf"
        configuration.write_text(f'[[registry]]\nlocation = "127.0.0.1:{server.server_port}"\ninsecure = true\n')
        monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(configuration))
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def start(tmp_path: Path) -> Callable:
    """Start the containers of an attempt, look at it, stop them; returns what was waited for and shown as well."""

    async def run(
        found: ContainerEngine, request: ContainersRequest, script: str = "true"
    ) -> tuple[StepResult, StartedContainers | None, StepResult, str, list[float]]:
        waits: list[float] = []
        shown: list[str] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        folder = RunFolder(tmp_path / "run")
        folder.root.mkdir()
        folders = StepFolders(
            name="p", workspace=tmp_path, event=folder.event, tools=tmp_path / "tools"
        )  # fmt: skip
        tag = f"test-{os.getpid()}-{tmp_path.name}"
        containers = JobContainers(found, run=tag, folders=folders, patience=Patience(sleep=sleep))
        ladder = KillLadder(interrupt_seconds=0.2, terminate_seconds=0.2)
        async with LocalRunner(
            run_tag=tag,
            folder=folder,
            workspace=tmp_path,
            environment=os.environ,
            clock=SystemClock(),
            containers=containers,
            ladder=ladder,
        ) as runner:
            result, started = await runner.start_containers(SETUP, request, shown.append)
            done = await runner.run_step(STEP, StepRequest(script=script), shown.append)
            await runner.stop_containers(StepRef("a/b.0", 1, 2), shown.append)
            await runner.release("a/b.0", 1)
        return result, started, done, "".join(shown), waits

    return run


@pytest.fixture
def podman(engine, monkeypatch: pytest.MonkeyPatch) -> ContainerEngine:
    for name, value in engine.variables.items():
        monkeypatch.setenv(name, value)
    return find_engine(os.environ)


def login_files() -> list[Path]:
    return [file for file in Path("/dev/shm").iterdir() if file.name.startswith("skyflow-")]


async def test_an_image_is_fetched_with_credentials_that_nobody_else_sees(
    engine, registry, podman, start, tmp_path
) -> None:
    spy = tmp_path / "podman"
    spy.write_text(f'#!/bin/sh\nfor a; do echo "$a" >> {tmp_path}/spied; done\nexec {podman.program} "$@"\n')
    spy.chmod(0o755)
    spied = ContainerEngine(str(spy), podman.is_podman, podman.environment)
    image = f"127.0.0.1:{registry.server_port}/some/thing:1"
    request = ContainerRequest(
        name="", image=image, username=USER, password=PASSWORD, env=(("TOKEN", "another-secret"),)
    )
    registry.refusals = 2  # one for each of the two questions that podman begins with
    try:
        result, started, done, shown, waits = await start(
            spied, ContainersRequest(container=request), f"echo {PASSWORD} $TOKEN; cat /etc/greeting"
        )
    finally:
        engine.podman("rmi", "--force", image, check=False)
    assert result.exit_code == 0, result
    assert started is not None
    assert done.exit_code == 0
    assert waits == [1.0], "it was asked for twice"
    assert "once more in 1 seconds" in shown
    assert "*** another-secret\nhello\n" in shown, "the password is hidden"
    arguments = (tmp_path / "spied").read_text()
    assert "pull" in arguments
    assert PASSWORD not in arguments
    assert "another-secret" not in arguments
    assert base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode() not in arguments
    assert [file for file in tmp_path.rglob("*") if file.is_file() and PASSWORD.encode() in file.read_bytes()] == []
    assert login_files() == []


async def test_an_image_that_cannot_be_fetched_is_asked_for_three_times(engine, registry, podman, start) -> None:
    image = f"127.0.0.1:{registry.server_port}/some/thing:1"
    request = ContainerRequest(name="", image=image, username=USER, password="wrong-word")
    result, started, done, shown, waits = await start(podman, ContainersRequest(container=request))
    assert waits == [1.0, 5.0]
    assert started is None
    assert result.not_started is not None
    assert result.not_started.startswith(f"the image {image} cannot be fetched: `podman pull` failed:")
    assert "unauthorized" in result.not_started or "authentication required" in result.not_started, result.not_started
    assert done.not_started == "the container of this job was not started"
    assert "wrong-word" not in shown
    assert engine.left_of(f"test-{os.getpid()}") == []


async def test_a_container_of_another_user_can_write_the_files_of_its_steps(engine, podman, start) -> None:
    request = ContainerRequest(name="", image=engine.image, options="--user 1234")
    script = "id -u; echo a=1 >> $GITHUB_OUTPUT; touch ~/x $RUNNER_TEMP/y"
    _, _, done, shown, _ = await start(podman, ContainersRequest(container=request), script)
    assert "\n1234\n" in shown
    assert done.outputs == (("a", "1"),)


async def test_what_a_container_leaves_of_others_is_removed_from_inside(engine, podman, tmp_path, monkeypatch) -> None:
    """With docker, files that root wrote in a container are not ours to remove."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    temp = tmp_path / "temp"
    folders = StepFolders(name="p", workspace=tmp_path, event=tmp_path / "none", tools=tmp_path / "tools")
    containers = JobContainers(podman, run=f"test-{os.getpid()}-{tmp_path.name}", folders=folders)
    log = SimpleNamespace(group=lambda _: nullcontext(), say=str, raw=bytes)
    request = ContainersRequest(container=ContainerRequest(name="", image=engine.image))
    await containers.start(SETUP, request, temp=temp, log=log)
    (temp / "_github_home" / ".cache").mkdir()
    (temp / ".hidden").touch()
    await containers.stop(SETUP, log)
    assert list(temp.iterdir()) == []
    assert engine.left_of(f"test-{os.getpid()}-{tmp_path.name}") == []


async def test_what_cannot_be_removed_is_told_and_fails_no_job(engine, podman, tmp_path) -> None:
    program = tmp_path / "podman"
    program.write_text(
        f'#!/bin/sh\ntest "$1" = rm && {{ echo "Error: busy" >&2; exit 2; }}\nexec {podman.program} "$@"\n'
    )
    program.chmod(0o755)
    stubborn = ContainerEngine(str(program), podman.is_podman, podman.environment)
    run, folder, shown = f"test-{os.getpid()}-{tmp_path.name}", RunFolder(tmp_path / "run"), []
    folders = StepFolders(name="p", workspace=tmp_path, event=folder.event, tools=tmp_path / "tools")
    containers = JobContainers(stubborn, run=run, folders=folders)
    async with LocalRunner(
        run_tag=run,
        folder=folder,
        workspace=tmp_path,
        environment=os.environ,
        clock=SystemClock(),
        containers=containers,
    ) as runner:
        request = ContainersRequest(container=ContainerRequest(name="", image=engine.image))
        await runner.start_containers(SETUP, request, shown.append)
        result = await runner.stop_containers(SETUP, shown.append)
        assert result.exit_code == 0
        assert "##[warning]`podman rm` failed: busy" in "".join(shown)
        program.write_text(f'#!/bin/sh\nexec {podman.program} "$@"\n')
        await runner.release(SETUP.job_key, SETUP.attempt)
    assert engine.left_of(run) == []


DOCKER = r"""#!/bin/sh
# Answers as docker 28 does, where podman answers otherwise; it runs nothing.
printf '%s|' "$@" >> LOG; echo "${TOKEN:+TOKEN }${DOCKER_HOST:+$DOCKER_HOST}" >> LOG
case "$*" in
  "--version") echo "Docker version 28.2.2, build e6534b4" ;;
  "version "*) echo 28.2.2 ;;
  "image inspect "*) echo "Error: No such image" >&2; exit 1 ;;
  "context inspect "*) echo unix:///run/user/1/docker.sock ;;
  "--config "*" pull "*) cp "$2/config.json" LOG.auth; stat -c %a "$2" "$2/config.json" >> LOG.auth; echo "Status: Downloaded newer image" ;;
  "create "*) echo c0ffee ;;
  "inspect c0ffee")
    n=$(cat LOG.looks 2>/dev/null || echo 0); echo $((n + 1)) > LOG.looks
    status=starting; [ "$n" -ge 3 ] && status=healthy
    cat <<END
[{"Id": "c0ffee", "State": {"Running": true, "ExitCode": 0, "Health": {"Status": "$status"}},
  "Config": {"Env": ["PATH=/opt/bin:/bin"], "Healthcheck": {"Test": ["CMD", "x"], "Interval": 10000000000}},
  "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}, {"HostIp": "::", "HostPort": "32768"}], "81/tcp": null}}}]
END
    ;;
  "ps "*) echo c0ffee ;;
esac
"""


async def test_docker_is_spoken_to_as_docker(start, tmp_path, monkeypatch) -> None:
    """Stands in for docker, which has no engine where the tests run: only for what differs on its command line."""
    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin/docker"
    stand_in.write_text(DOCKER.replace("LOG", str(tmp_path / "log")))
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}:{os.environ['PATH']}")
    found = find_engine(os.environ)
    assert (found.program, found.is_podman) == (str(stand_in), False)
    service = ContainerRequest(
        name="web", image="web:1", username=USER, password=PASSWORD, env=(("TOKEN", "t"), ("PATH", "/x"))
    )
    result, started, _, shown, waits = await start(found, ContainersRequest(services=(service,)))
    assert result.exit_code == 0, shown
    assert started is not None
    assert started.services[0][1].ports == (("80", "32768"),)
    assert waits == [0.5, 1.0], "docker itself runs the check, podman may leave it to us"
    said = (tmp_path / "log").read_text()
    assert PASSWORD not in said
    assert "|pull|docker.io/library/web:1|unix:///run/user/1/docker.sock\n" in said
    [create] = [line for line in said.splitlines() if line.startswith("create|")]
    assert "--env|TOKEN|" in create
    assert create.endswith("|TOKEN ")
    assert "--env|PATH=/x|" in create, "a variable that docker would take to be its own"
    assert "healthcheck" not in said
    auths, *modes = (tmp_path / "log.auth").read_text().splitlines()[0].partition("}}700")
    assert modes[0] == "}}700"
    assert json.loads(auths + "}}") == {
        "auths": {"https://index.docker.io/v1/": {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}}
    }


def test_an_engine_that_does_not_answer_says_why(tmp_path, monkeypatch) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n")
    docker.chmod(0o755)
    with pytest.raises(NoEngineError) as caught:
        find_engine({"PATH": str(tmp_path)})
    assert str(caught.value) == (
        "docker does not answer (Cannot connect to the Docker daemon); podman is not installed"
    )
