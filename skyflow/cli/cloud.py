"""`skyflow cloud check` and `skyflow cloud init`."""

import json
from typing import Annotated

import typer

from skyflow.cli._options import JsonOption

__all__ = ["cloud"]

cloud = typer.Typer(
    name="cloud",
    help="Look at cloud accounts and prepare them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RegionOption = Annotated[
    str | None, typer.Option("--region", metavar="REGION", help="Which region.  [default: that of your configuration]")
]


@cloud.command()
def check(
    clouds: Annotated[
        list[str] | None, typer.Argument(metavar="CLOUD", help="aws, gcp, azure; by default all.")
    ] = None,
    *,
    region: RegionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell whether machines could be made: credentials, permissions, network, quotas, and what to fix.

    Nothing is changed. Ends with 5 if no cloud is fit, or one that you named is not.
    """
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.machines.cloud_setup import check_clouds  # noqa: PLC0415
    from skyflow.cli._console import draw, out  # noqa: PLC0415
    from skyflow.errors import ProvisionError, UsageError  # noqa: PLC0415
    from skyflow.model.checks import Verdict  # noqa: PLC0415
    from skyflow.report.checks import render_results, results_to_json  # noqa: PLC0415

    if region and len(clouds or ()) != 1:
        raise UsageError("--region is for one cloud", hint="name the cloud, for example `skyflow cloud check aws`")
    unfit: list[str] = []
    answers: list[object] = []
    fit = 0
    for provider, where, results in check_clouds(clouds or [], SystemClock(), region=region):
        if any(each.verdict is Verdict.FAILED for each in results):
            unfit.append(provider)
        else:
            fit += 1
        if as_json:
            answers.append({"provider": provider, "region": where or None, "results": results_to_json(results)})
        else:
            draw(render_results(provider, results, of=where))
    if as_json:
        out(json.dumps(answers, indent=2, ensure_ascii=False))
    if unfit and (clouds or not fit):
        raise ProvisionError(f"no machine could be made in {', '.join(unfit)}")


@cloud.command()
def init(
    cloud_name: Annotated[str, typer.Argument(metavar="CLOUD", help="aws, gcp or azure.")],
    *,
    region: RegionOption = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove what was prepared instead.")] = False,
) -> None:
    """Prepare the network pieces that machines need, or remove them; what is there already stays as it is."""
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.machines.cloud_setup import prepare_cloud  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415

    prepare_cloud(cloud_name, SystemClock(), out, region=region, remove=remove)
