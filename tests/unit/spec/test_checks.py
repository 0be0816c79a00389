"""Each check finds its wrong example, and has nothing to say about the right one."""

import pytest

from skyflow.diagnostics import Severity
from skyflow.errors import WorkflowInvalidError
from skyflow.spec import load_workflow
from skyflow.spec.checks.registry import CHECKS


def _codes(text):
    try:
        found = load_workflow("f.yml", text=text, platform="linux", read=lambda _: None).findings
    except WorkflowInvalidError as error:
        found = error.diagnostics
    return {finding.code for finding in found}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_the_wrong_example_is_found(check):
    assert _codes(check.wrong) == {check.code}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_nothing_is_said_about_the_right_example(check):
    assert _codes(check.right) == set()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_the_summary_is_a_sentence(check):
    assert check.summary.endswith(".")
    assert check.summary[0].isupper() or check.summary[0] == "`"


def test_codes_are_unique():
    assert len({check.code for check in CHECKS}) == len(CHECKS)


def _chain(length, *, closed):
    """Return a workflow of jobs that need each other in a row, beside a job that can begin."""
    jobs = [f"  j{n}: {{needs: [j{n - 1}], runs-on: local, steps: [{{run: x}}]}}\n" for n in range(1, length)]
    first = f"  j0: {{needs: [{f'j{length - 1}' if closed else ''}], runs-on: local, steps: [{{run: x}}]}}\n"
    return "jobs:\n  s: {runs-on: local, steps: [{run: x}]}\n" + first + "".join(jobs)


def test_a_long_chain_of_jobs_is_no_cycle():
    assert _codes(_chain(1100, closed=False)) == set()


def test_a_long_cycle_is_named_whole():
    with pytest.raises(WorkflowInvalidError) as caught:
        load_workflow("f.yml", text=_chain(1100, closed=True))
    findings = caught.value.diagnostics
    assert len(findings) == 1100
    assert findings[0].message.count("->") == 1100
    assert findings[0].span.line == 3


def test_a_cycle_does_not_depend_on_the_order_of_needs():
    one = "jobs:\n  s: {runs-on: local, steps: [{run: x}]}\n  b: {needs: c, runs-on: local, steps: [{run: x}]}\n  c: {needs: [a, b], runs-on: local, steps: [{run: x}]}\n"
    rest = "  a: {runs-on: local, steps: [{run: x}]}\n"
    messages = []
    for text in (one + rest, (one + rest).replace("[a, b]", "[b, a]")):
        with pytest.raises(WorkflowInvalidError) as caught:
            load_workflow("f.yml", text=text)
        messages.append([finding.message for finding in caught.value.diagnostics])
    circle = "these jobs need each other in a circle: "
    assert messages[0] == messages[1] == [f"{circle}b -> c -> b", f"{circle}c -> b -> c"]


def test_a_macos_label_is_right_on_macos():
    text = "jobs:\n  a: {runs-on: macos-14, steps: [{run: x}]}\n"
    assert load_workflow("f.yml", text=text, platform="darwin").findings == ()
    (finding,) = load_workflow("f.yml", text=text, platform="linux").findings
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("kind", "is_risky"),
    [("string", True), ("boolean", False), ("number", False), ("choice, options: [a, b]", False)],
)
def test_an_input_of_few_values_is_no_script_injection(kind, is_risky):
    text = f"""\
on: {{workflow_dispatch: {{inputs: {{Level: {{type: {kind}}}}}}}}}
jobs: {{a: {{runs-on: local, steps: [{{run: 'echo ${{{{ inputs.level }}}} ${{{{ github.event.inputs.level }}}}'}}]}}}}
"""
    assert _codes(text) == ({"script-injection"} if is_risky else set())
    called = "on: {workflow_call: {inputs: {level: {type: string}}}, " + text.removeprefix("on: {")
    assert _codes(called) == {"script-injection"}
