"""Names of secrets and variables, and the `NAME=VALUE` of options.

No message of this module repeats what was given: a value may have been put where a name belongs.
"""

import re

from skyflow.errors import UsageError

__all__ = ["TOKEN", "check_name", "split_assignment"]

TOKEN = "GITHUB_TOKEN"  # noqa: S105 -- a name, not a token
"""The one name with GitHub's prefix that can be given; it is `github.token` as well."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = "GITHUB_"


def check_name(name: str, *, where: str, allow_token: bool = False) -> str:
    """Return a name as it is kept, in upper case, since case does not tell names apart.

    Args:
        name: what was given.
        where: what the message begins with: an option, or a file and line.
        allow_token: let `GITHUB_TOKEN` pass.

    Raises:
        UsageError: it is not a name, or GitHub's own.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{where}: this is not a name",
            hint="names consist of letters, digits and '_', and do not begin with a digit",
        )
    kept = name.upper()
    if kept.startswith(_RESERVED) and not (allow_token and kept == TOKEN):
        raise UsageError(f"{where}: names that begin with {_RESERVED} are reserved, as on GitHub")
    return kept


def split_assignment(text: str, *, option: str) -> tuple[str, str]:
    """Return the two sides of `NAME=VALUE`.

    Raises:
        UsageError: there is no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{option}: expected NAME=VALUE")
    return name, value
