"""Which program runs a script: GitHub's built-in shells and custom command lines with `{0}`."""

import shlex
import shutil
from dataclasses import dataclass, replace

__all__ = ["Shell", "ShellError", "find_shell", "shell_choices", "shell_inside"]

_BUILT_IN = {
    "bash": ("bash --noprofile --norc -e -o pipefail {0}", ".sh"),
    "sh": ("sh -e {0}", ".sh"),
    "python": ("python {0}", ".py"),
    "pwsh": ("pwsh -command \". '{0}'\"", ".ps1"),
    "powershell": ("powershell -command \". '{0}'\"", ".ps1"),
    "cmd": ('cmd /D /E:ON /V:OFF /S /C "CALL \\"{0}\\""', ".cmd"),
}
_AROUND = {
    ".ps1": (
        "$ErrorActionPreference = 'stop'\n",
        "\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }\n",
    ),
    ".cmd": ("@echo off\n", ""),
}
"""What GitHub puts before and after a script, so that it stops at the first error."""


class ShellError(Exception):
    """The shell is not valid, or not on this machine; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Shell:
    """A command line whose `{0}` stands for the script file, and how that file is written."""

    words: tuple[str, ...]
    suffix: str
    before: str = ""
    after: str = ""

    def command(self, script_path: str) -> list[str]:
        """Return the command line that runs a script file."""
        return [word.replace("{0}", script_path) for word in self.words]


def find_shell(name: str | None, *, search_path: str | None) -> Shell:
    """Resolve a `shell:` value on this machine; None means bash if there is one, else sh.

    GitHub gives an unset shell the arguments of `sh` (`bash -e`, without pipefail); so do we.

    Args:
        name: a built-in name, a command line with `{0}`, or None.
        search_path: the PATH that the step will see.

    Raises:
        ShellError: neither a built-in name nor a command line with `{0}`, or the program is not on this machine.
    """
    choices = shell_choices(name)
    for shell in choices:
        found = shutil.which(shell.words[0], path=search_path)
        if found is not None:
            return replace(shell, words=(found, *shell.words[1:]))
    raise ShellError(f"the shell '{choices[-1].words[0]}' is not on PATH of this machine")


def shell_choices(name: str | None) -> tuple[Shell, ...]:
    """Return what a `shell:` value may mean; the first whose program is on a machine is what it means there.

    Raises:
        ShellError: neither a built-in name nor a command line with `{0}`.
    """
    if name is None:
        return replace(_shell("bash -e {0}"), suffix=".sh"), replace(_shell("sh -e {0}"), suffix=".sh")
    shell = _shell(name)
    if name.lower() == "python":  # Debian ships no `python`
        return shell, replace(shell, words=("python3", *shell.words[1:]))
    return (shell,)


def shell_inside(name: str | None) -> Shell:
    """Resolve a `shell:` value for a container, whose programs are not looked for; None means sh, as on GitHub.

    Raises:
        ShellError: neither a built-in name nor a command line with `{0}`.
    """
    return _shell(name or "sh")


def _shell(name: str) -> Shell:
    if name.lower() in _BUILT_IN:
        line, suffix = _BUILT_IN[name.lower()]
    elif "{0}" in name:
        line, suffix = name, ""
    else:
        known = ", ".join(_BUILT_IN)
        raise ShellError(f"'{name}' is not a shell: write one of {known}, or a command line that contains {{0}}")
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise ShellError(f"the shell '{name}' cannot be split into words: {error}") from error
    before, after = _AROUND.get(suffix, ("", ""))
    return Shell(words=tuple(words), suffix=suffix, before=before, after=after)
