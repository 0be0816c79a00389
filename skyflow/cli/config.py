"""`skyflow config`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from skyflow.model.config import ProjectConfig

__all__ = ["config"]

_LINE = "\nerror: "
"""Between two problems that one error tells of."""

config = typer.Typer(help="The project's skyflow.yml: its own machines, and what it pays.", no_args_is_help=True)


@config.callback()
def _config() -> None:
    pass


@config.command()
def check(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="By default the project's skyflow.yml.")] = None,
    *,
    hosts: Annotated[
        bool, typer.Option(help="Ask every host, and login nodes of queues, whether jobs can run there.")
    ] = True,
    stores: Annotated[bool, typer.Option(help="Write, read and remove something in every store for artifacts.")] = True,
) -> None:
    """Check a skyflow.yml: its form, whether what it names is in the catalog, and whether its hosts and stores answer."""
    from skyflow.app.market.config import check_config  # noqa: PLC0415 -- start-up
    from skyflow.app.project import CONFIG_NAME, find_project  # noqa: PLC0415
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.cli._findings import print_findings  # noqa: PLC0415

    checked = check_config(file or find_project().root / CONFIG_NAME)
    print_findings(checked.findings)
    for doubt in checked.doubts:
        err(f"warning: {doubt}", style="yellow")
    config = checked.config
    counted = (
        (sum(pool.count for pool in config.pools), "machine"),
        (len(config.prices), "price rule"),
        (len(config.peerings), "line between clouds"),
        (len(config.stores), "store"),
        (len(config.actions), "action folder"),
    )
    said = [f"{number} {what if number == 1 else _plural(what)}" for number, what in counted if number]
    out(f"{checked.path.name} is valid: {', '.join(said) or 'it declares nothing'}")
    if stores and config.stores:
        _try_stores(config)
    if hosts and any(pool.hosts or pool.slurm for pool in config.pools):
        _ask_hosts(config)


def _try_stores(config: "ProjectConfig") -> None:
    """Say whether artifacts can be kept in the stores.

    Raises:
        StoreError: they cannot in one of them.
    """
    from skyflow.app.store_checks import check_stores  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.errors import StoreError  # noqa: PLC0415

    checks = check_stores(config.stores)
    for each in checks:
        if each.doubt:
            err(f"warning: store '{each.name}': {each.doubt}; data goes through this machine", style="yellow")
        if not each.problem:
            out(f"{each.name}: {each.url} can be written and read")
    broken = [f"store '{each.name}': {each.problem}" for each in checks if each.problem]
    if broken:
        raise StoreError(_LINE.join(broken))


def _ask_hosts(config: "ProjectConfig") -> None:
    """Say what the hosts answer.

    Raises:
        ProvisionError: jobs cannot run on one of them.
    """
    from skyflow.app.machines.host_checks import check_hosts  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.errors import ProvisionError  # noqa: PLC0415

    checks = check_hosts(config)
    for each in checks:
        for doubt in each.doubts:
            err(f"warning: machines '{each.pool}': {each.host} {doubt}", style="yellow")
        if each.answer:
            out(f"{each.pool}: {each.host} answers: {each.answer}")
    broken = [each for each in checks if each.problem]
    if broken:
        lines = _LINE.join(f"machines '{each.pool}': {_with_host(each.host, each.problem)}" for each in broken)
        raise ProvisionError(lines, hint="jobs go to the other hosts meanwhile" if len(broken) < len(checks) else None)


def _with_host(host: str, problem: str) -> str:
    """Say whose problem it is, once."""
    return problem if problem.startswith(host) else f"{host} {problem}"


def _plural(what: str) -> str:
    return what.replace("line", "lines", 1) if what.startswith("line") else f"{what}s"
