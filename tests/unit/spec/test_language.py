"""What the model holds of each part of the language, and what a workflow may and may not refer to."""

import pytest

from skyflow.errors import WorkflowInvalidError
from skyflow.model.workflow import INSERT, CancelStep, InputType, ParallelStep, RunStep, UsesStep, WaitStep
from skyflow.spec import load_workflow
from skyflow.spec.workspace import reader_for, workspace_of

STEPS = "    steps: [{run: make}]\n"


def _workflow(text):
    return load_workflow("f.yml", text=text).workflow


def _job(text):
    return _workflow(f"jobs:\n  a:\n    runs-on: local\n{text}").job("a")


def _source(authored):
    return None if authored is None else authored.template.source


def test_every_kind_of_step():
    job = _job(
        "    steps:\n"
        "      - {id: server, run: make serve, background: true}\n"
        "      - {uses: actions/checkout@v4, with: {path: x}}\n"
        "      - {uses: actions/checkout@v4}\n"
        "      - {uses: ./tool}\n"
        "      - {uses: 'docker://alpine:3'}\n"
        "      - {wait: server}\n"
        "      - {wait: [server]}\n"
        "      - {wait-all: }\n"
        "      - {cancel: server, name: Stop}\n"
        "      - {parallel: [{run: a}, {uses: ./tool}]}\n"
    )
    assert [type(step) for step in job.steps] == [
        RunStep, UsesStep, UsesStep, UsesStep, UsesStep, WaitStep, WaitStep, WaitStep, CancelStep, ParallelStep,
    ]  # fmt: skip
    assert [step.key for step in job.steps] == [
        "server",
        "__actions_checkout",
        "__actions_checkout_2",
        "__self",
        "__alpine_3",
        "__wait",
        "__wait_2",
        "__wait-all",
        "__cancel",
        "__parallel",
    ]
    assert [target.job_id for target in job.steps[5].targets] == ["server"]
    assert job.steps[7].targets is None
    assert job.steps[8].target.job_id == "server"
    assert [step.key for step in job.steps[9].steps] == ["__run", "__self_2"]
    assert _source(job.steps[1].inputs[0][1]) == "x"


def test_containers_and_services():
    job = _job(
        "    container: {image: node, env: {A: b}, ports: [80], volumes: ['/a:/b'], options: -x,"
        " credentials: {username: me, password: '${{ secrets.P }}'}}\n"
        "    services: {db: {image: postgres, entrypoint: /x, command: y}, cache: redis}\n" + STEPS
    )
    container = job.container
    assert [_source(each) for each in (container.image, container.options, container.username)] == ["node", "-x", "me"]
    assert [_source(each) for each in (*container.ports, *container.volumes)] == ["80", "/a:/b"]
    assert [name for name, _ in job.services] == ["db", "cache"]
    assert [_source(service.image) for _, service in job.services] == ["postgres", "redis"]


@pytest.mark.parametrize(
    ("text", "group", "cancel"),
    [
        ("x", "x", None),
        ("'${{ github.ref }}'", "${{ github.ref }}", None),
        ("{group: y, cancel-in-progress: true}", "y", "true"),
    ],
)
def test_concurrency(text, group, cancel):
    for concurrency in (
        _job(f"    concurrency: {text}\n{STEPS}").concurrency,
        _workflow(f"concurrency: {text}\njobs: {{a: {{runs-on: x, steps: [{{run: y}}]}}}}").concurrency,
    ):
        assert (_source(concurrency.group), _source(concurrency.cancel_in_progress)) == (group, cancel)


def test_an_expression_in_place_of_a_map_is_an_entry_to_insert():
    job = _job(f"    env: ${{{{ fromJSON('{{}}') }}}}\n{STEPS}")
    assert [name for name, _ in job.env] == [INSERT]
    job = _job(f"    env: {{'${{{{  insert  }}}}': '${{{{ github }}}}', A: b}}\n{STEPS}")
    assert [name for name, _ in job.env] == [INSERT, "A"]
    assert _job(f"    strategy: ${{{{ fromJSON('{{}}') }}}}\n{STEPS}").strategy.whole is not None


def test_inputs_of_a_dispatch():
    workflow = _workflow(
        "on:\n  workflow_dispatch:\n    inputs:\n      a:\n      b: {type: choice, options: [x, 2], default: x, required: true}\n"
        "      c: {type: number, default: 3, description: How many.}\n      d: {type: boolean, default: false}\n"
        "      e: {type: environment}\n      f: {default: 1.50}\n"
        "run-name: By ${{ github.actor }}\njobs: {a: {runs-on: x, steps: [{run: y}]}}\n"
    )
    assert [(each.name, each.type, each.required, each.default) for each in workflow.dispatch] == [
        ("a", InputType.STRING, False, None),
        ("b", InputType.CHOICE, True, "x"),
        ("c", InputType.NUMBER, False, 3.0),
        ("d", InputType.BOOLEAN, False, False),
        ("e", InputType.ENVIRONMENT, False, None),
        ("f", InputType.STRING, False, "1.5"),
    ]
    assert workflow.dispatch[1].options == ("x", "2")
    assert _source(workflow.run_name) == "By ${{ github.actor }}"


@pytest.mark.parametrize("on", ["workflow_call", "[push, workflow_call]", "{workflow_call: }"])
def test_a_workflow_that_can_be_called(on):
    workflow = _workflow(f"on: {on}\njobs: {{a: {{runs-on: x, steps: [{{run: y}}]}}}}\n")
    assert workflow.call is not None
    assert workflow.call.inputs == ()


def test_a_job_that_calls_a_workflow():
    job = _workflow("jobs: {a: {uses: ./x.yml, with: {n: 3}, secrets: {T: t}}}").job("a")
    assert job.call.uses == "./x.yml"
    assert [value.template.evaluate({}) for _, value in job.call.inputs] == [3.0]
    assert [name for name, _ in job.call.secrets] == ["T"]
    assert not job.call.inherit_secrets
    assert _workflow("jobs: {a: {uses: ./x.yml, secrets: inherit}}").job("a").call.inherit_secrets


def test_called_files_are_read_below_the_workspace(tmp_path):
    home = tmp_path / "project" / ".github" / "workflows"
    home.mkdir(parents=True)
    (tmp_path / "outside.yml").write_text("on: workflow_call\njobs: {a: {runs-on: x, steps: [{run: y}]}}")
    (home / "inner.yml").write_text("on: workflow_call\njobs: {a: {runs-on: x, steps: [{run: y}]}}")
    caller = home / "caller.yml"
    caller.write_text("jobs: {a: {uses: ./.github/workflows/inner.yml}}")
    assert workspace_of(str(caller)) == tmp_path / "project"
    assert load_workflow(str(caller)).refusals == ()
    caller.write_text("jobs: {a: {uses: ./../outside.yml}}")
    with pytest.raises(WorkflowInvalidError, match="there is no file"):
        load_workflow(str(caller))


def test_what_leads_out_of_the_workspace_is_not_read(tmp_path):
    (tmp_path / "secret").write_text("x")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "file").write_text("y")
    read = reader_for(root)
    assert read("file") == b"y"
    assert [read(path) for path in ("link", "../secret", str(tmp_path / "secret"), "none", ".", "a\0b")] == [None] * 6


def test_calls_do_not_go_too_deep():
    files = {
        f"{level}.yml": f"on: workflow_call\njobs: {{a: {{uses: ./{level + 1}.yml}}}}".encode()
        for level in range(1, 12)
    }
    text = "jobs: {a: {uses: ./1.yml}}"
    with pytest.raises(WorkflowInvalidError, match="more than 10 deep"):
        load_workflow("f.yml", text=text, read=files.get)
    files["9.yml"] = b"on: workflow_call\njobs: {a: {runs-on: x, steps: [{run: y}]}}"
    assert load_workflow("f.yml", text=text, read=files.get).refusals == ()
