"""Where the credentials of each cloud are found, without using them: environment variables and the files of its tools.

The order is that of each SDK. What only the network could tell (the metadata service of a machine in a cloud) is not asked.
"""

import configparser
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Login", "find_login"]

_AWS_HOW = "`aws configure`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


@dataclass(frozen=True, slots=True)
class Login:
    """Where credentials were found; or why nowhere, and then `how` to log in."""

    found: str
    how: str = ""

    @property
    def is_there(self) -> bool:
        """Whether there are any."""
        return not self.how


def find_login(provider: str, environment: Mapping[str, str]) -> Login:
    """Return where the credentials of a cloud would come from.

    Raises:
        KeyError: there is no such cloud.
    """
    return _FINDERS[provider](environment)


def _aws(environment: Mapping[str, str]) -> Login:
    return _aws_variables(environment) or _aws_profile(environment)


def _aws_variables(environment: Mapping[str, str]) -> Login | None:
    if environment.get("AWS_ACCESS_KEY_ID") and not _profile_in(environment):
        if environment.get("AWS_SECRET_ACCESS_KEY"):
            return Login("AWS_ACCESS_KEY_ID")
        return Login("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not", _AWS_HOW)
    if environment.get("AWS_WEB_IDENTITY_TOKEN_FILE") and environment.get("AWS_ROLE_ARN"):
        return Login(f"AWS_ROLE_ARN, with the token in {environment['AWS_WEB_IDENTITY_TOKEN_FILE']}")
    return None


def _aws_profile(environment: Mapping[str, str]) -> Login:
    """Look for a profile, else for what containers are told."""
    folder = _home(environment) / ".aws"
    credentials = Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or folder / "credentials")
    config = Path(environment.get("AWS_CONFIG_FILE") or folder / "config")
    profile = _profile_in(environment)
    name = profile or "default"
    for path, sections in ((credentials, {name}), (config, {name, f"profile {name}"})):
        if _has_section(path, sections):
            return Login(f"profile {name} in {path}")
    for variable in ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        if environment.get(variable):
            return Login(variable)
    missing = f"AWS_PROFILE names {profile}, which is in neither {credentials} nor {config}"
    return Login(missing if profile else "no credentials", _AWS_HOW)


def _profile_in(environment: Mapping[str, str]) -> str | None:
    return environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE")


def _has_section(path: Path, names: set[str]) -> bool:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        return False
    return any(parser.has_section(name) and parser.options(name) for name in names)


def _gcp(environment: Mapping[str, str]) -> Login:
    how = "`gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name a key file"
    named = environment.get("GOOGLE_APPLICATION_CREDENTIALS")
    folder = Path(environment.get("CLOUDSDK_CONFIG") or _home(environment) / ".config" / "gcloud")
    path = Path(named) if named else folder / "application_default_credentials.json"
    if not path.is_file():
        wanted = f"GOOGLE_APPLICATION_CREDENTIALS names {path}, which does not exist" if named else "no credentials"
        return Login(wanted, how)
    said = _read_json(path)
    if not isinstance(said, dict):
        return Login(f"{path} is not JSON", how)
    project = environment.get("GOOGLE_CLOUD_PROJECT") or said.get("project_id") or said.get("quota_project_id")
    return Login(f"{path}{f', project {project}' if project else ''}")


def _azure(environment: Mapping[str, str]) -> Login:
    how = "`az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
    if environment.get("AZURE_TENANT_ID") and environment.get("AZURE_CLIENT_ID"):
        ways = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE")
        way = next((name for name in ways if environment.get(name)), None)
        if way:
            return Login(f"AZURE_CLIENT_ID with {way}")
    path = Path(environment.get("AZURE_CONFIG_DIR") or _home(environment) / ".azure") / "azureProfile.json"
    said = _read_json(path)
    names = [str(each.get("name")) for each in said.get("subscriptions", ())] if isinstance(said, dict) else []
    if names:
        return Login(f"{path}, {'subscription ' + names[0] if len(names) == 1 else f'{len(names)} subscriptions'}")
    return Login("no credentials", how)


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))  # the command line of Azure writes a byte order mark
    except (OSError, ValueError):
        return None


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or "/")


_FINDERS: Mapping[str, Callable[[Mapping[str, str]], Login]] = {"aws": _aws, "gcp": _gcp, "azure": _azure}
