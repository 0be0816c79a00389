"""What the findings mean that are about the form of a file, each with an example; the checks have theirs beside them."""

from dataclasses import dataclass

__all__ = ["FORM_RULES", "FormRule"]

_RIGHT = "jobs:\n  build:\n    runs-on: local\n    steps: [{run: make}]\n"
_JOB = "  build: {runs-on: local, steps: [{run: make}]}\n"


@dataclass(frozen=True, slots=True)
class FormRule:
    """One code: `wrong` is found and `right` is not; both are whole files, of the kind that their name says."""

    code: str
    summary: str
    wrong: str | bytes
    right: str = _RIGHT
    file: str = "workflow.yml"


FORM_RULES = (
    FormRule(
        "action-kind",
        "`runs.using` of an action is not a kind of action.",
        wrong="runs:\n  using: ruby\n  main: main.rb\n",
        right="runs:\n  using: node20\n  main: main.js\n",
        file="action.yml",
    ),
    FormRule(
        "action-name",
        "`actions` in `skyflow.yml` names no action of another repository, or one that is built in.",
        wrong="actions: {setup-uv: ../setup-uv}\n",
        right="actions: {astral-sh/setup-uv: ../setup-uv}\n",
        file="skyflow.yml",
    ),
    FormRule(
        "bad-quantity",
        "A duration, an amount or a size cannot be read.",
        wrong="jobs:\n  build:\n    resources: {memory: 16 gigs}\n    steps: [{run: make}]\n",
        right="jobs:\n  build:\n    resources: {memory: 16GiB}\n    steps: [{run: make}]\n",
    ),
    FormRule(
        "cannot-run",
        "Warning: the workflow is valid, but skyflow refuses to run it; the hint says what to do instead.",
        wrong="jobs:\n  build:\n    runs-on: local\n    steps:\n      - uses: docker://alpine:3\n",
    ),
    FormRule(
        "clouds-excluded",
        "`runs-on` and `resources.clouds` leave no provider to run on.",
        wrong="jobs:\n  build:\n    runs-on: local\n    resources: {clouds: [aws]}\n    steps: [{run: make}]\n",
        right="jobs:\n  build:\n    runs-on: sky\n    resources: {clouds: [aws]}\n    steps: [{run: make}]\n",
    ),
    FormRule(
        "expression",
        "An expression does not parse, or names something that does not exist at its place.",
        wrong="jobs:\n  build:\n    runs-on: local\n    steps:\n      - run: echo ${{ steps.a.outputs[ }}\n",
        right="jobs:\n  build:\n    runs-on: local\n    steps:\n      - run: echo ${{ github.ref }}\n",
    ),
    FormRule(
        "expression-not-allowed",
        "There is an expression where none is allowed.",
        wrong="name: Build ${{ format('{0}', 3) }}\njobs:\n" + _JOB,
        right="name: Build\nrun-name: Build ${{ github.ref }}\njobs:\n" + _JOB,
    ),
    FormRule("file-empty", "The file holds nothing.", wrong="# to be written\n"),
    FormRule(
        "file-not-text",
        "The file is not UTF-8 text.",
        wrong=b"name: M\xfcller\njobs:\n" + _JOB.encode(),
        right="name: M\N{LATIN SMALL LETTER U WITH DIAERESIS}ller\njobs:\n" + _JOB,
    ),
    FormRule(
        "file-too-large",
        "The file is larger than a workflow may be.",
        wrong=_RIGHT + "# and so on\n" * 100_000,
    ),
    FormRule(
        "no-effect",
        "Hint: a key of GitHub's is accepted and changes nothing.",
        wrong="permissions: read-all\njobs:\n" + _JOB,
    ),
    FormRule(
        "peering-ends",
        "A line of `skyflow.yml` is not between two different clouds.",
        wrong="peering:\n  - between: [aws, aws]\n    price: $0.01\n",
        right="peering:\n  - between: [aws, gcp]\n    price: $0.01\n",
        file="skyflow.yml",
    ),
    FormRule(
        "pool-hosts",
        "The hosts of machines in `skyflow.yml` are not as many as these, belong to others as well, or there are none.",
        wrong="machines:\n  rack: {kind: ssh, cpus: 8, memory: 32GiB, hosts: [node1, node1]}\n",
        right="machines:\n  rack: {kind: ssh, cpus: 8, memory: 32GiB, hosts: [node1, node2]}\n",
        file="skyflow.yml",
    ),
    FormRule(
        "pool-slurm",
        "Machines in `skyflow.yml` that are no Slurm partition say what is asked of one.",
        wrong="machines:\n  rack: {kind: ssh, cpus: 8, memory: 32GiB, slurm: {partition: gpu}}\n",
        right="machines:\n  rack: {kind: slurm, cpus: 8, memory: 32GiB, slurm: {partition: gpu}}\n",
        file="skyflow.yml",
    ),
    FormRule(
        "price-rule",
        "A price rule of `skyflow.yml` has neither a price nor a discount, or both.",
        wrong="prices:\n  - cloud: aws\n",
        right="prices:\n  - {cloud: aws, discount: 15%}\n",
        file="skyflow.yml",
    ),
    FormRule("schema-missing-key", "A required key is missing.", wrong="jobs:\n  build:\n    steps: [{run: make}]\n"),
    FormRule(
        "schema-unknown-key",
        "A key is not known at its place.",
        wrong="jobs:\n  build:\n    runs-on: local\n    step: [{run: make}]\n    steps: [{run: make}]\n",
    ),
    FormRule(
        "schema-wrong-value",
        "A value is of the wrong type, or not one of those allowed.",
        wrong="jobs:\n  build:\n    runs-on: local\n    steps: make\n",
    ),
    FormRule(
        "store-place",
        "A store of `skyflow.yml` is nowhere, at a place where it cannot be, or the same as another.",
        wrong="stores:\n  virginia: {url: 's3://my-bucket/my-project'}\n",
        right="stores:\n  virginia: {url: 's3://my-bucket/my-project', region: aws/us-east-1}\n",
        file="skyflow.yml",
    ),
    FormRule(
        "yaml-alias",
        "An alias points nowhere, at itself, or at too much.",
        wrong="env: {FILES: *.txt}\njobs:\n" + _JOB,
        right="env: {FILES: '*.txt'}\njobs:\n" + _JOB,
    ),
    FormRule("yaml-documents", "The file holds more than one YAML document.", wrong=_RIGHT + "---\n" + _RIGHT),
    FormRule("yaml-duplicate-key", "A key is in a map twice.", wrong="jobs:\n" + _JOB + _JOB),
    FormRule(
        "yaml-key",
        "A key of a map is not plain text.",
        wrong="env:\n  ? [A, B]\n  : c\njobs:\n" + _JOB,
        right="env:\n  A: c\n  B: c\njobs:\n" + _JOB,
    ),
    FormRule(
        "yaml-syntax",
        "The file is not YAML.",
        wrong="jobs:\n  build:\n    runs-on: local\n    steps: [{run: make]\n",
    ),
    FormRule(
        "yaml-tag",
        "A YAML tag is not known, or does not fit its value; on a list or a map it is only a warning.",
        wrong="jobs:\n  build:\n    runs-on: local\n    if: !cancelled()\n    steps: [{run: make}]\n",
        right="jobs:\n  build:\n    runs-on: local\n    if: ${{ !cancelled() }}\n    steps: [{run: make}]\n",
    ),
    FormRule(
        "yaml-too-deep",
        "Lists and maps are nested too deeply.",
        wrong="env: " + "[" * 60 + "]" * 60 + "\njobs:\n" + _JOB,
    ),
    FormRule(
        "yaml-too-many-nodes",
        "The file holds more values than a workflow may; aliases count every time.",
        wrong="x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n"
        + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 5)),
    ),
)
"""In the order of their codes."""
