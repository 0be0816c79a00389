"""Where credentials of clouds are found, without any cloud."""

from pathlib import Path

import pytest

from skyflow.app.machines.logins import find_login

CASES = {
    "aws: nothing": ("aws", {}, {}, False, "no credentials"),
    "aws: keys": ("aws", {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"}, {}, True, "AWS_ACCESS_KEY_ID"),
    "aws: half a key": ("aws", {"AWS_ACCESS_KEY_ID": "A"}, {}, False, "AWS_SECRET_ACCESS_KEY is not"),
    "aws: default": ("aws", {}, {".aws/credentials": "[default]\naws_access_key_id = A\n"}, True, "profile default"),
    "aws: sso": ("aws", {"AWS_PROFILE": "w"}, {".aws/config": "[profile w]\nsso_session = x\n"}, True, "profile w"),
    "aws: no such profile": (
        "aws",
        {"AWS_PROFILE": "w", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"},
        {".aws/config": "[profile v]\nregion = x\n"},
        False,
        "names w",
    ),
    "aws: an empty section": ("aws", {}, {".aws/credentials": "[default]\n"}, False, "no credentials"),
    "aws: no ini file": ("aws", {}, {".aws/credentials": "no section\n"}, False, "no credentials"),
    "aws: a role": (
        "aws",
        {"AWS_ROLE_ARN": "arn", "AWS_WEB_IDENTITY_TOKEN_FILE": "/token"},
        {},
        True,
        "with the token in /token",
    ),
    "aws: a container": ("aws", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://x"}, {}, True, "FULL_URI"),
    "gcp: nothing": ("gcp", {}, {}, False, "no credentials"),
    "gcp: a file that is not there": ("gcp", {"GOOGLE_APPLICATION_CREDENTIALS": "/none.json"}, {}, False, "not exist"),
    "gcp: its own": (
        "gcp",
        {},
        {".config/gcloud/application_default_credentials.json": '{"quota_project_id": "p"}'},
        True,
        "project p",
    ),
    "gcp: damaged": (
        "gcp",
        {},
        {".config/gcloud/application_default_credentials.json": "{"},
        False,
        "is not JSON",
    ),
    "azure: nothing": ("azure", {}, {}, False, "no credentials"),
    "azure: a service principal": (
        "azure",
        {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "hidden"},
        {},
        True,
        "AZURE_CLIENT_ID with AZURE_CLIENT_SECRET",
    ),
    "azure: its command line": (
        "azure",
        {},
        {".azure/azureProfile.json": '\ufeff{"subscriptions": [{"name": "Pay"}]}'},
        True,
        "subscription Pay",
    ),
    "azure: logged out": ("azure", {}, {".azure/azureProfile.json": '{"subscriptions": []}'}, False, "no credentials"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_credentials_are_found_where_the_sdk_would(tmp_path: Path, case) -> None:
    provider, variables, files, is_there, found = case
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    login = find_login(provider, {"HOME": str(tmp_path), **variables})
    assert login.is_there is is_there
    assert found in login.found
    assert "hidden" not in login.found
    assert bool(login.how) is not is_there
