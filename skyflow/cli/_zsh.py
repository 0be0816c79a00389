"""Makes the first Tab of a zsh session complete.

zsh reads an installed script when Tab is pressed for the first time, and takes what the script does for the answer. That of
Typer only defines the function that answers, so nothing was offered until the next Tab; with these lines it calls it too.
Typer has no public place for scripts; `tests/e2e/test_completion.py` presses Tab in a real zsh.
"""

from typer import _completion_shared

__all__ = ["answer_the_first_tab"]

_ANSWER = """

if [[ $funcstack[1] == _%(prog_name)s ]]; then
  %(complete_func)s "$@"
fi
"""


def answer_the_first_tab() -> None:
    """Let the script that is shown and installed for zsh answer when it is read."""
    scripts = _completion_shared._completion_scripts  # noqa: SLF001 -- see above
    scripts["zsh"] = _completion_shared.COMPLETION_SCRIPT_ZSH + _ANSWER
