"""`skyflow` as a process of its own, begun by a fork of one that has imported what it needs: the SDKs take seconds to import.

`Forks` is for the tests; the program is run by it, once for all tests of a session. An order comes over a connection of its
own to the program's socket: JSON with the arguments, the folder and the environment, and the file to print to. It is
answered with the id of the process, and when that has ended with how.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NoReturn, Self

__all__ = ["Fork", "Forks"]

_ORDER_BYTES = 1 << 20


class Fork:
    """One process, with what the tests use of `subprocess.Popen`."""

    def __init__(self, connection: socket.socket, output: IO[str]) -> None:
        with connection:
            self._answers = connection.makefile("r")
        self.stdout = output
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None
        self._waiting = threading.Thread(target=self._wait, daemon=True)
        self._waiting.start()

    def _wait(self) -> None:
        self.returncode = os.waitstatus_to_exitcode(int(self._answers.readline()))
        self._answers.close()

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> str:
        """Kill it, and return what it has printed that nobody has read."""
        self.send_signal(signal.SIGKILL)
        return "" if self.stdout.closed else self.communicate()[0]

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Wait for the end, and return what was printed that nobody has read.

        Raises:
            subprocess.TimeoutExpired: it has not ended in time.
        """
        printed: list[str] = []
        reading = threading.Thread(target=lambda: printed.append(self.stdout.read()), daemon=True)
        reading.start()
        for thread in (self._waiting, reading):
            thread.join(timeout)
            if thread.is_alive():
                raise subprocess.TimeoutExpired("skyflow", timeout or 0.0, "".join(printed))
        self.stdout.close()
        return "".join(printed), None


class Forks:
    """The process that forks, as a context."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "forks"

    def __enter__(self) -> Self:
        command = [sys.executable, __file__, str(self._socket)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:
            self._process.stdin.close()

    def start(
        self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], in_a_hurry: bool = False
    ) -> Fork:
        """Start `skyflow` with arguments in a folder; `in_a_hurry` with limits that are a tenth of the usual ones."""
        connection = self._connected()
        order = [list(arguments), str(folder), dict(environment), in_a_hurry]
        reads, writes = os.pipe()
        socket.send_fds(connection, [json.dumps(order).encode() + b"\n"], [writes])
        os.close(writes)
        return Fork(connection, os.fdopen(reads, "r", encoding="utf-8"))

    def _connected(self) -> socket.socket:
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self._socket))
            except (FileNotFoundError, ConnectionRefusedError):
                assert self._process.poll() is None, "the process that forks has ended"
                connection.close()
                time.sleep(0.02)  # it is importing
            else:
                return connection


def _import_all() -> None:
    """Import what runs on clouds need, and have the SDK of AWS read its descriptions once."""
    for name in (*_NEEDED, *_modules()):
        importlib.import_module(name)
    import boto3
    import botocore.loaders
    import botocore.session

    loader = botocore.loaders.Loader()
    botocore.session.create_loader = lambda _: loader
    for service in ("ec2", "ssm", "service-quotas", "sts"):
        boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


_NEEDED = ("anyio._backends._asyncio", "asyncssh", "pydantic", "ruamel.yaml", "sqlite_utils", "typer._adapters")
"""What is imported late, by skyflow or by what it uses."""
_LEFT_OUT = ("skyflow.web", "skyflow.top", "skyflow.testing", "skyflow.runners.onhost", "skyflow.runners.slurm")
"""What no test of the clouds runs into."""


def _modules() -> Iterator[str]:
    """Yield the names of all modules of skyflow that a run on a cloud may come to need."""
    import skyflow

    yield from (
        each.name
        for each in pkgutil.walk_packages(skyflow.__path__, "skyflow.", onerror=lambda _: None)
        if not each.name.startswith(_LEFT_OUT) and not each.name.endswith("__main__")
    )


def _look_often() -> None:
    """Look at what clouds and machines are doing more often than usual; how long to wait for them is as it always is."""
    from skyflow.app.machines import sweeper
    from skyflow.app.machines.rented import rental
    from skyflow.model.hosts import KeepAlive
    from skyflow.provisioners import fleet
    from skyflow.provisioners.azure.session import AzureSession
    from skyflow.provisioners.gcp.session import GcpSession

    sweeper.Patience = fleet.Patience = partial(
        fleet.Patience, first_pause=0.1, longest_pause=2.0, first_poll=0.05, poll=0.1
    )
    rental.Times = partial(rental.Times, longest_knock=0.5, notice_every=0.5)
    _reach_machines(keep_alive=KeepAlive(seconds=1.0, most_missed=3))
    for session in (GcpSession, AzureSession):
        session.__init__.__kwdefaults__["poll_seconds"] = 0.05


def _hurry() -> None:
    """Wait a tenth of the usual times for answers of clouds and machines; nothing else is different."""
    from skyflow.app.machines import sweeper
    from skyflow.model.hosts import KeepAlive
    from skyflow.provisioners import fleet
    from skyflow.provisioners.aws.session import AwsSession
    from skyflow.provisioners.azure.session import AzureSession
    from skyflow.provisioners.gcp.session import GcpSession

    sweeper.Patience = fleet.Patience = partial(
        fleet.Patience, tries=8, first_pause=0.05, longest_pause=0.5, visible_within=3.0
    )
    _reach_machines(keep_alive=KeepAlive(seconds=0.5, most_missed=2), connect_seconds=2.0)
    for session in (AwsSession, GcpSession, AzureSession):
        session.__init__.__kwdefaults__["read_seconds"] = 1.0


def _reach_machines(**changed: Any) -> None:
    from skyflow.app.machines.rented import acquiring

    host_of = acquiring.host_of
    acquiring.host_of = lambda *given: replace(host_of(*given), **changed)


def _serve(connection: socket.socket) -> None:
    """Do one order in a process of its own, and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    data, [output], _, _ = socket.recv_fds(connection, _ORDER_BYTES, 1)
    while not data.endswith(b"\n"):
        data += connection.recv(_ORDER_BYTES)
    child = os.fork()
    if child == 0:
        connection.close()
        _become_skyflow(*json.loads(data), output)
    os.close(output)
    connection.sendall(f"{child}\n".encode())
    connection.sendall(f"{os.waitpid(child, 0)[1]}\n".encode())


def _become_skyflow(
    arguments: list[str], folder: str, environment: dict[str, str], in_a_hurry: bool, output: int
) -> NoReturn:
    for standard, file in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
        os.dup2(file, standard)
    os.close(output)  # what goes on in the background would hold it open
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    if in_a_hurry:
        _hurry()
    from skyflow.cli import main as skyflow

    try:
        skyflow()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # to take apart what was imported takes as long as many a command


def main() -> None:
    _import_all()
    _look_often()
    gc.collect()
    gc.freeze()  # memory that nobody writes to is shared with the forks
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that serve
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(64)
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _serve(connection)
                os._exit(0)
            connection.close()


if __name__ == "__main__":
    main()
