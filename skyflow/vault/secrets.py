"""Secrets, from wherever they are given.

Precedence, highest first: `--secret`, `--secret-file`, the environment (`SKYFLOW_SECRET_NAME`), the keyring. Within one
of these the last one counts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, final

from skyflow.errors import UsageError
from skyflow.vault.assignments import check_name, split_assignment
from skyflow.vault.dotenv import read_dotenv
from skyflow.vault.masks import masks_of

__all__ = ["SECRET_PREFIX", "Secrets", "read_secrets", "read_variables", "without_secrets"]

SECRET_PREFIX = "SKYFLOW_SECRET_"  # noqa: S105 -- the beginning of a name
"""Begins the environment variables that give secrets; steps do not see them."""


@final
class Secrets:
    """Named secrets. Their values appear in no `repr`, so that none gets into a message or a log by mistake."""

    __slots__ = ("_values",)

    _values: Final[Mapping[str, str]]

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        """Take secrets.

        Args:
            values: by name; case does not tell names apart.

        Raises:
            UsageError: a name is not one, or reserved.
        """
        self._values = {
            check_name(name, where="secrets", allow_token=True): value for name, value in (values or {}).items()
        }

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self._values)})"

    def get(self, name: str) -> str | None:
        """Return a secret by its name in upper case."""
        return self._values.get(name)

    def items(self) -> Iterable[tuple[str, str]]:
        """Return names and values."""
        return self._values.items()

    def joined_by(self, others: Mapping[str, str]) -> "Secrets":
        """Return these and others; of a name that both have, the value of these."""
        return Secrets({**dict(Secrets(others).items()), **self._values})

    @property
    def masks(self) -> tuple[str, ...]:
        """Everything to hide, longest first."""
        return masks_of(self._values.values())


def read_secrets(
    *,
    given: Sequence[str] = (),
    files: Sequence[Path] = (),
    environment: Mapping[str, str],
    ask: Callable[[str], str] | None = None,
) -> Secrets:
    """Return the secrets of options, files and the environment.

    Args:
        given: `NAME=VALUE`, or `NAME` for the environment variable of that name.
        files: `.env` files.
        environment: skyflow's own.
        ask: asks the user for a secret by its name, without showing it; None where nobody can be asked.

    Raises:
        UsageError: a name is not one, a file cannot be read, or there is no value for a name.
    """
    found = {
        check_name(name.removeprefix(SECRET_PREFIX), where=f"the variable {name}", allow_token=True): value
        for name, value in environment.items()
        if name.startswith(SECRET_PREFIX)
    }
    for file in files:
        for entry in read_dotenv(file):
            found[check_name(entry.name, where=entry.where, allow_token=True)] = entry.value
    for text in given:
        name, equals, value = text.partition("=")
        kept = check_name(name, where="--secret", allow_token=True)
        found[kept] = value if equals else _value_for(name, environment, ask)
    return Secrets(found)


def _value_for(name: str, environment: Mapping[str, str], ask: Callable[[str], str] | None) -> str:
    if name in environment:
        return environment[name]
    if ask is not None:
        return ask(name)
    raise UsageError(
        f"--secret {name}: the environment variable {name} is not set",
        hint=f"set it, or name a file with --secret-file; on a terminal --secret {name} asks for it",
    )


def read_variables(*, given: Sequence[str] = (), files: Sequence[Path] = ()) -> dict[str, str]:
    """Return the variables of options (`NAME=VALUE`) and files, the options before the files.

    Raises:
        UsageError: a name is not one, or a file cannot be read.
    """
    found: dict[str, str] = {}
    for file in files:
        for entry in read_dotenv(file):
            found[check_name(entry.name, where=entry.where)] = entry.value
    for text in given:
        name, value = split_assignment(text, option="--var")
        found[check_name(name, where="--var")] = value
    return found


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that give secrets: a step gets those its workflow hands it."""
    return {name: value for name, value in environment.items() if not name.startswith(SECRET_PREFIX)}
