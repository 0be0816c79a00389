"""GitHub's labels mean this machine, even those that name another operating system."""

from skyflow.spec.checks.subject import Check, Subject
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import find
from skyflow.spec.runs_on import labels_of

__all__ = ["CHECK"]

_SYSTEMS = {"windows-": ("win32", "Windows"), "macos-": ("darwin", "macOS")}


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        node = find(subject.root, ("jobs", job.id, "runs-on"))
        for label in labels_of(node) if node is not None else ():
            for prefix, (platform, system) in _SYSTEMS.items():
                if label.key.lower().startswith(prefix) and subject.platform != platform:
                    message = f"'{label.key}' is {system}, but the job runs on this machine, which is not"
                    findings.warning(CHECK.code, label.span, message)


CHECK = Check(
    code="runs-on-other-system",
    summary="A job that asks for Windows or macOS runs on this machine all the same.",
    wrong="jobs:\n  build:\n    runs-on: windows-latest\n    steps: [{run: make}]\n",
    right="jobs:\n  build:\n    runs-on: ubuntu-latest\n    steps: [{run: make}]\n",
    run=_run,
)
