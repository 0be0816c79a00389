"""The containers of jobs: started before the first step, looked after until they are ready, removed without a trace."""

import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skyflow.model.containers import (
    ContainerRequest,
    ContainersRequest,
    Mounts,
    StartedContainer,
    StartedContainers,
)
from skyflow.model.execution import StepRef
from skyflow.runners.containers.contained import DEFAULT_PATH, StepContainer
from skyflow.runners.containers.engine import ContainerEngine, ContainerError, variable_options
from skyflow.runners.containers.images import Patience, image_of
from skyflow.runners.containers.log import ContainerLog
from skyflow.runners.containers.options import (
    command_words,
    label_options,
    safe_name,
    user_options,
)

__all__ = ["HOME_FOLDER", "JobContainers", "StepFolders"]

HOME_FOLDER = "_github_home"
"""What the home folder of steps in a container is called among the temporary files of the attempt."""

_SYSTEMD = Path("/run/systemd/system")
_RUN_LABEL, _JOB_LABEL, _ATTEMPT_LABEL = "skyflow.run", "skyflow.job", "skyflow.attempt"
_SERVICE_LABEL = "skyflow.service"
_HOME = "/github/home"
_TEMP = "/__w/_temp"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFolders:
    """What the container of steps has of this machine: the workspace, the event, the tools; `name` is the repository's."""

    name: str
    workspace: Path
    event: Path
    tools: Path

    @property
    def inside(self) -> str:
        """The workspace, as it is in the container."""
        return f"/__w/{self.name}/{self.name}"

    def mounts(self, temp: Path) -> Mounts:
        """Return all mounts of an attempt with a folder for temporary files; they are GitHub's."""
        pairs = [
            (str(self.workspace), self.inside),
            (str(temp), _TEMP),
            (str(temp / HOME_FOLDER), _HOME),
            (str(self.tools), "/__t"),
        ]
        if self.event.exists():
            pairs.append((str(self.event), "/github/workflow/event.json"))
        return Mounts.of(pairs)


@dataclass(slots=True)
class _Job:
    """What there is of the containers of one attempt."""

    network: str = ""
    services: dict[str, str] = field(default_factory=dict)
    container: StepContainer | None = None
    is_container_wanted: bool = False
    recovered: StartedContainers | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What an engine tells of a container; `health` is empty and the interval of its check 0 without a check."""

    id: str
    labels: Mapping[str, str]
    is_running: bool
    exit_code: int
    health: str
    interval_seconds: float
    ports: tuple[tuple[str, str], ...]
    search_path: str | None


class JobContainers:
    """Starts and removes the containers of the jobs of one run.

    Everything carries labels that say which attempt at which job of which run it is for, so that it can be found by a
    process that knows nothing else.
    """

    def __init__(
        self, engine: ContainerEngine, *, run: str, folders: StepFolders, patience: Patience = Patience()
    ) -> None:
        self._engine = engine
        self._run = run
        self._folders = folders
        self._patience = patience
        # podman leaves it to systemd to run health checks; without that, it is left to us
        self._checks_health = engine.is_podman and sys.platform == "linux" and not _SYSTEMD.exists()
        self._jobs: dict[tuple[str, int], _Job] = {}

    def of(self, step: StepRef) -> StepContainer | None:
        """Return the container that a step runs in, None if it runs on the machine itself.

        Raises:
            ContainerError: it should run in one that could not be started.
        """
        job = self._jobs.get((step.job_key, step.attempt))
        if job is not None and job.container is None and job.is_container_wanted:
            raise ContainerError("the container of this job was not started")
        return job.container if job is not None else None

    async def start(
        self, step: StepRef, request: ContainersRequest, *, temp: Path, log: ContainerLog
    ) -> StartedContainers:
        """Start the containers of an attempt, and wait until its services are ready.

        Raises:
            ContainerError: that is not possible; what was started is still there, for `stop` or `remove`.
        """
        job = self._jobs[step.job_key, step.attempt] = _Job(is_container_wanted=request.container is not None)
        network = self._network(step.job_key, step.attempt)
        with log.group("Create the network of the job"):
            await self._engine.run("network", "create", *label_options(self._labels(step)), network)
            job.network = network
        container = None
        if request.container is not None:
            with log.group("Start the job container"):
                container = await self._start_container(step, request.container, job, temp, log)
        services = []
        for service in request.services:
            with log.group(f"Start the service {service.name}"):
                services.append((service.name, await self._start_service(step, service, job, log)))
        for name, identity in job.services.items():
            await self._await_ready(name, identity, log)
        return StartedContainers(
            network=network,
            container=container,
            services=tuple(services),
            mounts=self._folders.mounts(temp) if container is not None else Mounts(),
        )

    async def recover(self, attempts: Mapping[tuple[str, int], Path]) -> frozenset[tuple[str, int]]:
        """Take over what an earlier process has started for some attempts; remove everything else there is of the run.

        Args:
            attempts: their folders for temporary files.

        Returns:
            Those whose containers run; of services, those that have ended are none the worse for it.

        Raises:
            ContainerError: nothing can be found out, or something cannot be removed.
        """
        found: dict[tuple[str, int], list[_Seen]] = {}
        for identity in await self._containers_of({_RUN_LABEL: self._run}):
            seen = await self._seen(identity)
            found.setdefault((seen.labels[_JOB_LABEL], int(seen.labels[_ATTEMPT_LABEL])), []).append(seen)
        spared: set[str] = set()
        for which, containers in found.items():
            if which in attempts and all(seen.is_running or seen.labels.get(_SERVICE_LABEL) for seen in containers):
                self._jobs[which] = self._taken_over(self._network(*which), containers, attempts[which])
                spared |= {self._network(*which), *(seen.id for seen in containers)}
        await self._remove({_RUN_LABEL: self._run}, spared=spared)
        return frozenset(self._jobs)

    def recovered(self, step: StepRef) -> StartedContainers | None:
        """Return the containers of an attempt that were taken over."""
        job = self._jobs.get((step.job_key, step.attempt))
        return None if job is None else job.recovered

    async def stop(self, step: StepRef, log: ContainerLog) -> None:
        """Show what the services of an attempt printed, and remove its containers.

        Raises:
            ContainerError: something cannot be removed.
        """
        job = self._jobs.get((step.job_key, step.attempt), _Job())
        for name, identity in job.services.items():
            await self._show_log(name, identity, log)
        await self.remove(step.job_key, step.attempt)

    async def remove(self, job_key: str, attempt: int) -> None:
        """Remove the containers and the network of an attempt, if this process has started any.

        Raises:
            ContainerError: something cannot be removed.
        """
        job = self._jobs.get((job_key, attempt))
        if job is not None:
            if job.container is not None and os.geteuid() != 0:
                await job.container.empty_temp()
            await self._remove({_RUN_LABEL: self._run, _JOB_LABEL: job_key, _ATTEMPT_LABEL: str(attempt)})
            del self._jobs[job_key, attempt]

    async def remove_all(self) -> None:
        """Remove everything there is of the run, whoever has started it.

        Raises:
            ContainerError: something cannot be removed.
        """
        await self._remove({_RUN_LABEL: self._run})
        self._jobs.clear()

    @property
    def has_any(self) -> bool:
        """Whether this process has started some that are not removed yet."""
        return bool(self._jobs)

    def _taken_over(self, network: str, containers: Sequence[_Seen], temp: Path) -> _Job:
        services = [(name, seen) for seen in containers if (name := seen.labels.get(_SERVICE_LABEL, ""))]
        own = next((seen for seen in containers if not seen.labels.get(_SERVICE_LABEL)), None)
        return _Job(
            network=network,
            services={name: seen.id for name, seen in services},
            container=None if own is None else self._step_container(own, self._folders.mounts(temp)),
            is_container_wanted=own is not None,
            recovered=StartedContainers(
                network=network,
                container=None if own is None else StartedContainer(id=own.id, ports=own.ports),
                services=tuple((name, StartedContainer(id=seen.id, ports=seen.ports)) for name, seen in services),
                mounts=self._folders.mounts(temp) if own is not None else Mounts(),
            ),
        )

    def _step_container(self, seen: _Seen, mounts: Mounts) -> StepContainer:
        return StepContainer(
            engine=self._engine,
            id=seen.id,
            mounts=mounts,
            workspace=self._folders.inside,
            temp=_TEMP,
            search_path=seen.search_path or DEFAULT_PATH,
        )

    async def _start_container(
        self, step: StepRef, request: ContainerRequest, job: _Job, temp: Path, log: ContainerLog
    ) -> StartedContainer:
        mounts = self._folders.mounts(temp)
        home = temp / HOME_FOLDER
        for folder in (temp, home, self._folders.tools):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (temp, home):  # the container may run as another user
            folder.chmod(0o777)
        image = await image_of(self._engine, request, log, self._patience)
        volumes = [part for outside, inside in mounts.pairs for part in ("--volume", f"{outside}:{inside}")]
        identity = await self._create(
            step,
            request,
            job.network,
            env={"HOME": _HOME, **dict(request.env)},
            # the workspace is a folder of the user's, which must not be relabelled for SELinux
            options=["--security-opt", "label=disable", "--workdir", self._folders.inside, *volumes],
            image=["--entrypoint", "tail", image, "-f", "/dev/null"],
        )
        seen = await self._begin(identity, "the job container", log)
        job.container = self._step_container(seen, mounts)
        return StartedContainer(id=identity, ports=seen.ports)

    async def _start_service(
        self, step: StepRef, request: ContainerRequest, job: _Job, log: ContainerLog
    ) -> StartedContainer:
        image = await image_of(self._engine, request, log, self._patience)
        entrypoint, words = command_words(request)
        identity = await self._create(
            step,
            request,
            job.network,
            env=dict(request.env),
            options=["--network-alias", request.name],
            image=[*entrypoint, image, *words],
        )
        job.services[request.name] = identity
        seen = await self._begin(identity, f"the service '{request.name}'", log)
        return StartedContainer(id=identity, ports=seen.ports)

    async def _create(
        self,
        step: StepRef,
        request: ContainerRequest,
        network: str,
        *,
        env: Mapping[str, str],
        options: list[str],
        image: list[str],
    ) -> str:
        variables, inherited = variable_options({"CI": "true", **env, "GITHUB_ACTIONS": "true"})
        printed = await self._engine.run(
            "create",
            "--name",
            safe_name(network, "service" if request.name else "job", request.name),
            *label_options({**self._labels(step), _SERVICE_LABEL: request.name}),
            "--network",
            network,
            *variables,
            *options,
            *user_options(request),
            *image,
            env=inherited,
        )
        return printed.split()[-1]

    async def _begin(self, identity: str, what: str, log: ContainerLog) -> _Seen:
        await self._engine.run("start", identity)
        seen = await self._seen(identity)
        if not seen.is_running and seen.exit_code != 0:
            await self._engine.run("logs", identity, show=log.raw)
            raise ContainerError(f"{what} ended at once, with exit code {seen.exit_code}; its output is above")
        if not seen.is_running:
            log.say(f"{what} has ended already, with exit code 0")
        return seen

    async def _await_ready(self, name: str, identity: str, log: ContainerLog) -> None:
        """Wait until a service with a health check is healthy; GitHub waits for nothing else."""
        wait = self._patience.first_seconds
        while True:
            seen = await self._seen(identity)
            if seen.health == "healthy":
                log.say(f"the service {name} is healthy")
                return
            if not seen.health or (not seen.is_running and seen.exit_code == 0):
                return
            if seen.health != "starting" or not seen.is_running:
                await self._show_log(name, identity, log)
                what = seen.health if seen.is_running else f"gone, with exit code {seen.exit_code}"
                raise ContainerError(f"the service '{name}' is {what}; what it printed is above")
            if self._checks_health:
                wait = seen.interval_seconds or wait
            log.say(f"the service {name} is starting; next look in {wait:g} seconds")
            await self._patience.sleep(wait)
            if self._checks_health:
                await self._engine.ask("healthcheck", "run", identity)
            wait = min(wait * 2, self._patience.most_seconds)

    async def _seen(self, identity: str) -> "_Seen":
        return _read(json.loads(await self._engine.run("inspect", identity))[0])

    async def _show_log(self, name: str, identity: str, log: ContainerLog) -> None:
        with suppress(ContainerError), log.group(f"What the service {name} printed"):
            await self._engine.run("logs", identity, show=log.raw)

    async def _containers_of(self, labels: Mapping[str, str]) -> list[str]:
        return (await self._engine.run("ps", "--all", "--quiet", "--no-trunc", *_filters(labels))).split()

    async def _remove(self, labels: Mapping[str, str], *, spared: Collection[str] = ()) -> None:
        found = [identity for identity in await self._containers_of(labels) if identity not in spared]
        if found:
            await self._engine.ask("kill", *found)  # docker kills what it removes by force, podman waits ten seconds
            await self._engine.run("rm", "--force", "--volumes", *found)
        names = (await self._engine.run("network", "ls", "--format", "{{.Name}}", *_filters(labels))).split()
        networks = [name for name in names if name not in spared]
        if networks:
            await self._engine.run("network", "rm", *networks)

    def _network(self, job_key: str, attempt: int) -> str:
        return safe_name("skyflow", self._run, job_key, str(attempt))

    def _labels(self, step: StepRef) -> Mapping[str, str]:
        return {_RUN_LABEL: self._run, _JOB_LABEL: step.job_key, _ATTEMPT_LABEL: str(step.attempt)}


def _filters(labels: Mapping[str, str]) -> list[str]:
    return [part for name, value in labels.items() for part in ("--filter", f"label={name}={value}")]


def _read(told: Mapping[str, Any]) -> _Seen:
    state, config = told["State"], told["Config"]
    health = state.get("Health") or state.get("Healthcheck") or {}
    published = told["NetworkSettings"].get("Ports") or {}
    paths = [each.partition("=")[2] for each in config.get("Env") or () if each.startswith("PATH=")]
    return _Seen(
        id=told["Id"],
        labels=config.get("Labels") or {},
        is_running=bool(state.get("Running")),
        exit_code=int(state.get("ExitCode") or 0),
        health=str(health.get("Status") or ""),
        interval_seconds=float((config.get("Healthcheck") or {}).get("Interval") or 0) / 1e9,
        # a published port may have several addresses, but has one number
        ports=tuple((port.partition("/")[0], str(to[0]["HostPort"])) for port, to in published.items() if to),
        search_path=paths[-1] if paths else None,
    )
