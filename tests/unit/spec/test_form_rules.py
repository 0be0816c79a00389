"""Each code about the form of a file is found in its wrong example, and nothing is in the right one."""

import pytest

from skyflow.errors import WorkflowInvalidError
from skyflow.spec import load_action, load_config, load_workflow
from skyflow.spec.checks.registry import CHECKS
from skyflow.spec.form_rules import FORM_RULES


def _codes(rule, text):
    try:
        if rule.file == "workflow.yml":
            loaded = load_workflow(rule.file, text=text, platform="linux", read=lambda _: None)
            return {finding.code for finding in (*loaded.findings, *loaded.refusals)}
        (load_action if rule.file == "action.yml" else load_config)(rule.file, text)
    except WorkflowInvalidError as error:
        return {finding.code for finding in error.diagnostics}
    return set()


@pytest.mark.parametrize("rule", FORM_RULES, ids=lambda rule: rule.code)
def test_the_wrong_example_is_found(rule):
    assert rule.code in _codes(rule, rule.wrong)


@pytest.mark.parametrize("rule", FORM_RULES, ids=lambda rule: rule.code)
def test_nothing_is_said_about_the_right_example(rule):
    assert _codes(rule, rule.right) == set()


def test_codes_are_in_order_and_have_one_meaning():
    codes = [rule.code for rule in FORM_RULES]
    assert codes == sorted(set(codes))
    assert not {check.code for check in CHECKS} & set(codes)
