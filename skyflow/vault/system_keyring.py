"""The system's own store of secrets, through the package `keyring`, which comes with the extra of that name."""

from collections.abc import Iterable
from importlib.util import find_spec

from skyflow.errors import UsageError

__all__ = ["ask_keyring", "service_name"]


def service_name(project_folder: str) -> str:
    """Return the name under which the keyring keeps the secrets of a project."""
    return f"skyflow/{project_folder}"


def ask_keyring(service: str, names: Iterable[str]) -> dict[str, str]:
    """Return those of the named secrets that the keyring has; none where there is no keyring.

    Raises:
        UsageError: there is a keyring, and it does not answer.
    """
    wanted = list(names)
    if not wanted or find_spec("keyring") is None:
        return {}
    import keyring  # noqa: PLC0415 -- optional, and slow to import
    from keyring.errors import KeyringError, NoKeyringError  # noqa: PLC0415

    found: dict[str, str] = {}
    try:
        for name in wanted:
            value = keyring.get_password(service, name)
            if value is not None:
                found[name] = value
    except NoKeyringError:  # the package is there, but this machine has no store that it could ask
        return {}
    except KeyringError as error:
        raise UsageError(
            f"the keyring does not answer: {type(error).__name__}",
            hint=f"unlock it, or give {wanted[0]} in another way",
        ) from error
    return found
