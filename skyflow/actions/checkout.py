"""`actions/checkout`: nothing to do, since the workspace is the project itself."""

from skyflow.actions.call import ActionCall, ActionFailure, BuiltinAction, Input
from skyflow.model.execution import StepResult

__all__ = ["CHECKOUT"]


async def _perform(call: ActionCall) -> StepResult:
    here = call.env.get("GITHUB_REPOSITORY", "")
    wanted = call.text("repository")
    if wanted and wanted.lower() != here.lower():
        raise ActionFailure(
            f"'{wanted}' is not checked out: the workspace is the folder skyflow runs in, which is '{here}'. "
            f"Fetch it yourself: run: git clone https://github.com/{wanted}"
        )
    known = {call.env.get(name, "") for name in ("GITHUB_REF", "GITHUB_REF_NAME", "GITHUB_SHA")}
    if call.text("ref") and call.text("ref") not in known:
        call.annotate(
            "warning",
            f"'ref: {call.text('ref')}' is not checked out: steps see the files of the workspace as they are "
            f"({call.env.get('GITHUB_REF') or 'no branch'})",
        )
    if call.text("path") not in {"", ".", "./"}:
        call.annotate(
            "warning",
            f"nothing is put in 'path: {call.text('path')}': steps find the files in the workspace, {call.workspace}",
        )
    call.print(f"Nothing to check out: steps run in the project folder as it is, {call.workspace}")
    outputs = (("ref", call.env.get("GITHUB_REF", "")), ("commit", call.env.get("GITHUB_SHA", "")))
    return StepResult(exit_code=0, outputs=outputs)


def _ignored(description: str) -> Input:
    return Input(description, is_ignored=True)


CHECKOUT = BuiltinAction(
    name="actions/checkout",
    summary="Does nothing and says so: a run takes place in the project folder, with the files as they are.",
    majors=(1, 2, 3, 4, 5, 6),
    perform=_perform,
    inputs={
        "repository": Input("The repository; the step fails if it is another than this one."),
        "ref": Input("Branch, tag or commit; a warning if it is another than the current one."),
        "path": Input("Where to put the files; a warning if it is not the workspace."),
        "token": _ignored("Access token."),
        "ssh-key": _ignored("SSH key."),
        "ssh-known-hosts": _ignored("Known hosts."),
        "ssh-strict": _ignored("Whether host keys are checked."),
        "ssh-user": _ignored("User for SSH."),
        "persist-credentials": _ignored("Whether the token stays in the configuration of Git."),
        "clean": _ignored("Whether files that Git does not know are removed; they never are."),
        "filter": _ignored("Partial clone."),
        "sparse-checkout": _ignored("Patterns of files to check out."),
        "sparse-checkout-cone-mode": _ignored("How these patterns are meant."),
        "fetch-depth": _ignored("How many commits to fetch; the history is what the project folder has."),
        "fetch-tags": _ignored("Whether to fetch tags."),
        "show-progress": _ignored("Whether to show progress."),
        "lfs": _ignored("Whether to fetch large files."),
        "submodules": _ignored("Whether to check out submodules."),
        "set-safe-directory": _ignored("Whether Git is told to trust the folder."),
        "github-server-url": _ignored("Which GitHub."),
        "allow-unsafe-pr-checkout": _ignored("Whether a fork's pull request may be checked out."),
    },
    outputs={"ref": "The current branch or tag.", "commit": "The current commit."},
)
