"""What several kinds of tests share.

How property tests search: the same cases each time, so that a test run says something about the change it tests.
`HYPOTHESIS_PROFILE=search` looks at new cases, and at many more of them; what it finds becomes an `@example`.

And a real container engine, with an image made here, since no registry can be reached.
"""

import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["testbed.fixtures"]

# in images of containers it is often forbidden to keep compiled modules: each of the thousand commands that are started
# here would compile all of skyflow again
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# whoever starts the tests in the background of a script, or with nohup, has these ignored, and so would all that they start
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=3_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

_TOOLS = (
    "sh cat echo env false grep head hostname httpd id ls mkdir nc ps pwd rm setsid sleep stat tail touch true wget"
)
_CONFIGURATIONS = (
    "",
    # where limits may not be raised, and control groups are of both versions
    (
        "[containers]\ndefault_ulimits = ['nofile=1024:1024', 'nproc=4096:4096']\n"
        "[engine]\nruntime = 'runc'\ncgroup_manager = 'cgroupfs'\n"
    ),
)


@dataclass(frozen=True)
class Engine:
    """A podman that works here, and the name of an image that consists of busybox."""

    image: str
    variables: dict[str, str]

    def podman(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            ("podman", *arguments), env={**os.environ, **self.variables}, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def left_of(self, run: str = "") -> list[str]:
        """Return the containers and networks that are left of a run, or of all."""
        label = f"label=skyflow.run{'=' + run if run else ''}"
        return [
            *self.podman("ps", "--all", "--format", "{{.Names}}", "--filter", label).split(),
            *self.podman("network", "ls", "--format", "{{.Name}}", "--filter", label).split(),
        ]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Find out how podman works on this machine; where it does not, tests that need it say why they are skipped."""
    busybox = shutil.which("busybox")
    if shutil.which("podman") is None or busybox is None:
        pytest.skip("podman or busybox is not installed")
    folder = tmp_path_factory.mktemp("engine")
    _write_image(folder / "image.tar", Path(busybox))
    name = f"localhost/skyflow-test-{os.getpid()}:1"
    problem = ""
    for position, text in enumerate(_CONFIGURATIONS):
        file = folder / f"{position}.conf"
        file.write_text(text)
        found = Engine(name, {"SKYFLOW_CONTAINER_ENGINE": "podman"} | ({"CONTAINERS_CONF": str(file)} if text else {}))
        environment = {**os.environ, **found.variables}
        network = f"skyflow-try-{os.getpid()}"
        commands = (
            ("import", str(folder / "image.tar"), name),
            ("network", "create", network),
            ("run", "--rm", "--network", network, name, "/bin/true"),
        )
        for command in commands:
            done = subprocess.run(("podman", *command), env=environment, capture_output=True, text=True, check=False)
            problem = "" if done.returncode == 0 else f"podman {command[0]}: {done.stderr.strip()[-300:]}"
            if problem:
                break
        subprocess.run(
            ("podman", "network", "rm", "--force", network), env=environment, capture_output=True, check=False
        )
        if not problem:
            yield found
            found.podman("rmi", "--force", name)
            return
        subprocess.run(("podman", "rmi", "--force", name), env=environment, capture_output=True, check=False)
    pytest.skip(f"podman does not work here: {problem}")


def _write_image(archive: Path, busybox: Path) -> None:
    """Write the files of an image: busybox under the names of its tools, and what a system needs besides."""
    with tarfile.open(archive, "w") as image:
        for name in ("bin", "etc", "tmp", "root"):
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            image.addfile(member)
        files = (
            ("bin/busybox", busybox.read_bytes(), 0o755),
            ("etc/greeting", b"hello\n", 0o644),
            ("etc/owner", str(os.getpid()).encode(), 0o644),  # no layer is shared with another process of the tests
        )
        for name, content, mode in files:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            image.addfile(member, io.BytesIO(content))
        for tool in _TOOLS.split():
            member = tarfile.TarInfo(f"bin/{tool}")
            member.type, member.linkname = tarfile.SYMTYPE, "busybox"
            image.addfile(member)
