"""Each code about the form of a file is found in its wrong example, and nothing is in the right one."""

import pytest

from skyflow.errors import WorkflowInvalidError
from skyflow.spec import load_action, load_workflow
from skyflow.spec.checks.registry import CHECKS
from skyflow.spec.form_rules import FORM_RULES


def _codes(text, *, is_action):
    try:
        if is_action:
            load_action("action.yml", text)
            return set()
        loaded = load_workflow("f.yml", text=text, platform="linux", read=lambda _: None)
    except WorkflowInvalidError as error:
        return {finding.code for finding in error.diagnostics}
    return {finding.code for finding in (*loaded.findings, *loaded.refusals)}


@pytest.mark.parametrize("rule", FORM_RULES, ids=lambda rule: rule.code)
def test_the_wrong_example_is_found(rule):
    assert rule.code in _codes(rule.wrong, is_action=rule.is_action)


@pytest.mark.parametrize("rule", FORM_RULES, ids=lambda rule: rule.code)
def test_nothing_is_said_about_the_right_example(rule):
    assert _codes(rule.right, is_action=rule.is_action) == set()


def test_codes_are_in_order_and_have_one_meaning():
    codes = [rule.code for rule in FORM_RULES]
    assert codes == sorted(set(codes))
    assert not {check.code for check in CHECKS} & set(codes)
