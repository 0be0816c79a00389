"""Every benchmark, beside its peers and against its targets, in one process tree: `python tests/bench [PART...]`.

Installs the peers that a package index has, each into an environment of its own below `--cache`; lets all take turns; and keeps
what was found in `site/results/benchmarks.json`, of which `python site/gen/build.py` makes the page on benchmarks. The suites
that hold skyflow to its own targets follow, each a program that can be run by itself; what they find is kept in `targets.json`.
A part is kept with its own machine, day and load, so that one can be measured anew when the machine is calm.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from against import AGAINST, Field
from peers import CHECKER, PEERS, SKYPILOT, Tool, installed
from planning import on_problems, on_the_catalog
from recorded import RESULTS, keep, of_now
from validating import validation

Part = Callable[[argparse.Namespace, Path], dict[str, Any]]


def _against(benchmark: Callable[[Field], dict[str, Any]]) -> Part:
    def part(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
        tools, absent = {}, {}
        for peer in PEERS:
            tool = installed(peer, options.cache)
            if isinstance(tool, Tool):
                tools[peer.name] = tool
            else:
                absent[peer.name] = tool
        found = benchmark(Field(tools, _rounds(options), folder))
        return {**found, "tools": {name: _told(tool) for name, tool in tools.items()}, "absent": absent}

    return part


def _rounds(options: argparse.Namespace) -> int:
    return options.rounds or 5


def _told(tool: Tool) -> dict[str, str]:
    return {"version": tool.version, "source": tool.source}


def _validation(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    checker = installed(CHECKER, options.cache)
    if not isinstance(checker, Tool):
        raise SystemExit(f"check-jsonschema {checker}")
    return {**validation(checker, _rounds(options), folder), "tools": {checker.name: _told(checker)}}


def _problems(options: argparse.Namespace, _: Path) -> dict[str, Any]:
    skypilot = installed(SKYPILOT, options.cache)
    found = on_problems(options.instances, options.cache, skypilot)
    tools = {"skypilot": _told(skypilot)} if isinstance(skypilot, Tool) else {}
    return {**found, "tools": tools, "absent": {} if tools else {"skypilot": skypilot}}


def _on_the_catalog(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return on_the_catalog(_rounds(options), folder)


def _against_targets(script: str) -> Part:
    def part(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
        into = folder / "figures.json"
        rounds = () if options.rounds is None else ("--rounds", str(options.rounds))
        command = (sys.executable, str(Path(__file__).parent / script), *rounds, "--json", str(into))
        if subprocess.run(command, check=False).returncode:
            raise SystemExit(f"tests/bench/{script} did not end as it should; what was kept before is still there")
        return {"script": f"tests/bench/{script}", "figures": json.loads(into.read_text())}

    return part


BESIDE_PEERS: Mapping[str, Part] = {
    **{benchmark.__name__: _against(benchmark) for benchmark in AGAINST},
    "validation": _validation,
    "problems": _problems,
    "on_the_catalog": _on_the_catalog,
}
TARGETS: Mapping[str, Part] = {
    name: _against_targets(script)
    for name, script in (
        ("costs", "run.py"),
        ("engine", "engine.py"),
        ("planner", "planner/run.py"),
        ("machines", "machines.py"),
        ("clouds", "clouds.py"),
        ("live_page", "live_page.py"),
        ("limits", "limits.py"),
    )
}
KEPT_IN: Mapping[str, Mapping[str, Part]] = {"benchmarks.json": BESIDE_PEERS, "targets.json": TARGETS}


def _repository(folder: Path) -> Path:
    """Make a folder that is a git repository with a commit, which act wants."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    who = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "Begin"], cwd=folder, check=True)
    return folder


def main() -> None:
    """Measure all parts, or those named, and keep what was found."""
    names = [*BESIDE_PEERS, *TARGETS]
    parser = argparse.ArgumentParser(
        prog="python tests/bench", description="Every benchmark, its peers and its targets."
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these, of {', '.join(names)}")
    parser.add_argument(
        "--rounds", type=int, help="how often each is run, in turn with the others; by default what it needs"
    )
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "skyflow-bench", help="where peers are")
    parser.add_argument("--instances", type=Path, help="a folder of placement problems, in place of ours from seeds")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(names):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    for file, parts in KEPT_IN.items():
        for name, part in parts.items():
            if options.parts and name not in options.parts:
                continue
            with tempfile.TemporaryDirectory() as above:
                folder = _repository(Path(above) / "project")
                began = of_now()
                print(f"{name}: load {began.load}", flush=True)
                keep(file, name, began, part(options, folder))
    print(f"kept in {RESULTS}; `python site/gen/build.py --only pages` writes the page")


if __name__ == "__main__":
    main()
