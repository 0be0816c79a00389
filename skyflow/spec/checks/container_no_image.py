"""A container has an image."""

from skyflow.model.workflow import Container
from skyflow.spec.checks.subject import Check, Phase, Subject, container_values
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]

_PREFIX = "docker://"


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        services = [service for _, service in job.services]
        for container in (*services, *((job.container,) if job.container else ())):
            if _has_no_image(container):
                hint = "for example `image: node:22`"
                findings.error(CHECK.code, container.span, "this container has no image", hint=hint)


def _has_no_image(container: Container) -> bool:
    """Tell whether there is surely no image; with any expression in it, only the run can tell."""
    if any(not value.template.is_literal for value in container_values(container)):
        return False
    if container.image is None:
        return True
    return container.image.template.text({}) == _PREFIX


CHECK = Check(
    code="container-no-image",
    summary="Every container has an image.",
    wrong="jobs:\n  test:\n    runs-on: local\n    container: {options: --cpus 1}\n    steps: [{run: make test}]\n",
    right="jobs:\n  test:\n    runs-on: local\n    steps: [{run: make test}]\n",
    run=_run,
    phase=Phase.FORM,
)
