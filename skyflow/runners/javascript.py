"""JavaScript actions: which node runs them, and the variables through which an action reads its inputs."""

import re
import shutil
import subprocess
from collections.abc import Mapping

import anyio

from skyflow.model.execution import ActionRequest
from skyflow.runners.containers.contained import StepContainer

__all__ = ["OLDEST_NODE", "NodeError", "action_variables", "find_node", "find_node_inside"]

OLDEST_NODE = 16
"""Actions for node12 and node16 run on a newer one, as on GitHub; those for node20 and later mostly on this one."""

_ADVICE = "install Node.js, or use actions/setup-node before, if it is installed but not on PATH"


_ADVICE_INSIDE = "choose an image that has Node.js, such as `node:24`"


class NodeError(Exception):
    """There is no node that could run an action; the message is for the user."""


async def find_node(*, search_path: str | None) -> str:
    """Return the path of the node to run JavaScript actions with.

    Args:
        search_path: the PATH that the action will see.

    Raises:
        NodeError: there is none, or it is too old.
    """
    found = shutil.which("node", path=search_path)
    if found is None:
        raise NodeError(f"this action is written in JavaScript, and there is no 'node' on PATH: {_ADVICE}")
    try:
        done = await anyio.run_process((found, "--version"), check=False, stderr=subprocess.DEVNULL)
    except OSError as error:
        raise NodeError(f"this action is written in JavaScript, and '{found}' cannot be started: {error}") from error
    _check(found, done.stdout.decode(errors="replace").strip(), _ADVICE)
    return found


async def find_node_inside(container: StepContainer, env: Mapping[str, str]) -> str:
    """Return the name of the node of a container.

    Args:
        container: where to look.
        env: the variables that the action will see.

    Raises:
        NodeError: there is none, or it is too old.
    """
    command, environment = container.command(("node", "--version"), cwd=container.workspace, env=env)
    try:
        done = await anyio.run_process(command, check=False, stderr=subprocess.DEVNULL, env=environment)
    except OSError as error:
        raise NodeError(f"'{command[0]}' cannot be started: {error}") from error
    if done.returncode != 0:
        raise NodeError(
            f"this action is written in JavaScript, and there is no 'node' in the container of the job: {_ADVICE_INSIDE}"
        )
    _check("node", done.stdout.decode(errors="replace").strip(), _ADVICE_INSIDE)
    return "node"


def _check(found: str, printed: str, advice: str) -> None:
    version = re.match(r"v(\d+)\.", printed)
    if version is None:
        raise NodeError(f"'{found} --version' printed no version of Node.js: {advice}")
    if int(version[1]) < OLDEST_NODE:
        raise NodeError(
            f"this action is written in JavaScript and needs Node.js {OLDEST_NODE} or newer, and '{found}' is {printed}"
        )


def action_variables(request: ActionRequest) -> Mapping[str, str]:
    """Return the variables in which an action finds its inputs, and its post phase what the main phase has saved."""
    inputs = {f"INPUT_{name.replace(' ', '_').upper()}": value for name, value in request.inputs}
    return inputs | {f"STATE_{name}": value for name, value in request.state}
