"""The policy to copy allows what the check asks for, and every call that the code makes."""

import json
import re
from pathlib import Path

from skyflow.provisioners.aws.account import TRIALS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "site" / "docs" / "how-to" / "prepare-a-cloud.md"
_CALL = re.compile(r"(?:ec2|pages)\.([a-z]+_[a-z_]+)\(|get_paginator\(\"([a-z_]+)\"\)")
_NO_CALLS = {"get_paginator"}


def allowed() -> set[str]:
    [policy] = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return {action for statement in json.loads(policy)["Statement"] for action in statement["Action"]}


def test_the_policy_allows_what_the_check_tries() -> None:
    assert {permission for permission, _ in TRIALS} <= allowed()


def test_the_policy_allows_every_call_of_ec2_in_the_code() -> None:
    source = "".join(file.read_text() for file in (ROOT / "skyflow" / "provisioners" / "aws").glob("*.py"))
    called = {first or second for first, second in _CALL.findall(source)} - _NO_CALLS
    wanted = {"ec2:" + "".join(word.capitalize() for word in call.split("_")) for call in called}
    wanted.discard("ec2:ListServiceQuotas")
    assert len(wanted) > 25
    assert wanted <= allowed()
