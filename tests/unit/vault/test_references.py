"""Which secrets a workflow may use."""

from dataclasses import replace

import pytest

from skyflow.expr import parse_template
from skyflow.model.workflow import Authored, CallSpec, Workflow
from skyflow.spec import load_workflow
from skyflow.vault.references import SecretReferences, secret_references


def found(text: str, *, env: str = "{}") -> SecretReferences:
    jobs = f'jobs:\n  a:\n    runs-on: local\n    env: {env}\n    steps: [{{run: "{text}"}}]\n'
    return secret_references(load_workflow("w.yml", text=f"on: push\n{jobs}").workflow)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("echo", ()),
        ("${{ secrets.A }} ${{ secrets['b'] }} ${{ secrets.a }}", ("A", "B")),
        ("${{ github.token }}", ("GITHUB_TOKEN",)),
        ("${{ format('{0}', secrets[format('{0}', secrets.A)]) }}", ("A",)),
        ("${{ github.actor }} ${{ vars.A }}", ()),
    ],
)
def test_names(text: str, names: tuple[str, ...]) -> None:
    assert found(text).names == names


@pytest.mark.parametrize("text", ["toJSON(secrets)", "secrets[vars.x]", "join(secrets.*)"])
def test_any_of_them(text: str) -> None:
    references = found(f"${{{{ {text} }}}}")
    assert references.is_open
    assert references.may_use("ANYTHING")


def test_the_whole_github_context_has_the_token() -> None:
    references = found("${{ toJSON(github) }}")
    assert references == SecretReferences(takes_github=True)
    assert references.may_use("GITHUB_TOKEN")
    assert not references.may_use("A")


def test_what_is_called_may_use_what_it_is_handed() -> None:
    job = load_workflow("w.yml", text="on: push\njobs: {a: {runs-on: local, steps: [{run: x}]}}").workflow.jobs[0]
    here = job.span

    def calling(**keys: object) -> SecretReferences:
        call = CallSpec(uses="./w.yml", span=here, **keys)
        return secret_references(Workflow(path="w.yml", source="", jobs=(replace(job, steps=(), call=call),)))

    handed = (("x", Authored(parse_template("${{ secrets.A }}"), here)),)
    assert calling(secrets=handed) == SecretReferences(("A",), takes_github=True)
    assert calling(inherit_secrets=True) == SecretReferences(is_open=True, takes_github=True)


def test_every_place_is_looked_at() -> None:
    text = """
on: push
env: {A: '${{ secrets.A }}'}
jobs:
  a:
    runs-on: local
    env: {B: '${{ secrets.B }}'}
    outputs: {o: '${{ secrets.C }}'}
    steps:
      - if: github.token != ''
        name: ${{ secrets.D }}
        run: ${{ secrets.E }}
        working-directory: ${{ secrets.F }}
        env: {G: '${{ secrets.G }}'}
        continue-on-error: ${{ secrets.H == 'x' }}
        timeout-minutes: ${{ fromJSON(secrets.I) }}
"""
    assert set(secret_references(load_workflow("w.yml", text=text).workflow).names) == {*"ABCDEFGHI", "GITHUB_TOKEN"}
