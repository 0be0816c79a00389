"""The built-in actions, from their registry."""

from markdown_text import code, page, table

from skyflow.actions.call import BuiltinAction, Input
from skyflow.actions.registry import BUILTINS

__all__ = ["render"]


def render() -> str:
    """Return the page."""
    parts = [
        (
            "These actions are part of skyflow: `uses: actions/checkout@v4` fetches nothing. Names are compared without "
            "regard to case. A version that is not listed here, a branch or a commit runs as the newest listed one, with a "
            "notice. An input that an action does not know gives a warning, as on GitHub; one that is *accepted* changes "
            "nothing here, whatever its value."
        ),
        (
            "Artifacts and caches are kept in the folder `artifacts` beside the state store, each content once. File modes "
            "are kept. An artifact holds the files that links lead to; a cache keeps links as they are, and times. "
            "Restoring never writes outside of the folder of a download, or the paths of a cache."
        ),
        *(part for action in BUILTINS.values() for part in _action(action)),
        "## JavaScript actions",
        (
            "An action in a folder of the workspace (`uses: ./path`) that is written in JavaScript runs with the `node` on "
            "PATH, version 16 or newer, whatever version its `action.yml` names. It finds its inputs, files and state as on "
            "GitHub: `INPUT_*`, `GITHUB_OUTPUT`, `GITHUB_ENV`, `GITHUB_PATH`, `GITHUB_STATE`, `GITHUB_STEP_SUMMARY`, and "
            "`STATE_*` in its post phase."
        ),
    ]
    return page("Built-in actions", source="`skyflow/actions`", parts=parts)


def _action(action: BuiltinAction) -> list[str]:
    majors = ", ".join(f"v{major}" for major in action.majors)
    parts = [f"## {action.name}", f"{action.summary} Versions: {majors}."]
    if action.has_post:
        parts.append(f"Its post phase runs at the end of the job, if {code(action.post_if)}.")
    rows = [(code(name), _default(item), _meaning(item)) for name, item in action.inputs.items()]
    parts.append(table(("input", "default", "meaning"), rows))
    if action.outputs:
        parts.append(table(("output", "meaning"), [(code(name), text) for name, text in action.outputs.items()]))
    return parts


def _default(item: Input) -> str:
    return "(required)" if item.is_required else code(item.default) if item.default else ""


def _meaning(item: Input) -> str:
    return f"{item.description} *Accepted.*" if item.is_ignored else item.description
