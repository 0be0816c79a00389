"""Which secrets a workflow names, found without running it."""

from collections.abc import Iterator
from dataclasses import dataclass

from skyflow._util.field_names import field_names
from skyflow.diagnostics import Span
from skyflow.expr import Reference, Template, referenced
from skyflow.model.workflow import CallSpec, UsesStep, Workflow
from skyflow.vault.assignments import TOKEN

__all__ = ["SecretReferences", "secret_references"]

_DEPTH_OF_A_NAME = 2
_LEAVES = frozenset({Span, bool, float, int, str, type(None)})
"""What nothing is below of; most of a workflow is that."""


@dataclass(frozen=True, slots=True)
class SecretReferences:
    """The secrets that a workflow may use.

    `names` are those it names, in upper case. With `is_open` it may use any other as well:
    `toJSON(secrets)`, `secrets[matrix.name]`, `secrets: inherit`. With `takes_github` it may look at the whole `github`
    context, of which the token is a part.
    """

    names: tuple[str, ...] = ()
    is_open: bool = False
    takes_github: bool = False

    def may_use(self, name: str) -> bool:
        """Tell whether the value of a secret can matter."""
        return self.is_open or name in self.names or (self.takes_github and name == TOKEN)


def secret_references(workflow: Workflow) -> SecretReferences:
    """Return the secrets that the expressions of a workflow refer to."""
    names: dict[str, None] = {}
    is_open = takes_github = False
    for part in _parts(workflow):
        match part:
            case CallSpec(inherit_secrets=inherit):
                is_open = is_open or inherit
                takes_github = True  # what is called may look at `github.token`
            case UsesStep():
                takes_github = True
            case Template(expr=expr):
                for context, name in map(_path, referenced(expr)):
                    if context == "secrets" and name is not None:
                        names[name] = None
                    elif (context, name) == ("github", "TOKEN"):
                        names[TOKEN] = None
                    is_open = is_open or (context, name) == ("secrets", None)
                    takes_github = takes_github or (context, name) == ("github", None)
    return SecretReferences(tuple(names), is_open, takes_github)


def _path(reference: Reference) -> tuple[str, str | None]:
    """Return a context, and what is taken of it in upper case, or None where only the evaluation can tell."""
    context = (reference.path[0] or "").lower()
    name = reference.path[1] if len(reference.path) >= _DEPTH_OF_A_NAME else None
    return context, None if name is None else name.upper()


def _parts(value: object) -> Iterator[Template | CallSpec | UsesStep]:
    """Yield every template below a part of the model, and everything that runs what is written elsewhere.

    It looks at whatever fields there are, so that no key of the language can be forgotten here.
    """
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, Template):
            yield part
        elif isinstance(part, tuple):
            pending.extend(reversed(part))
        else:
            if isinstance(part, CallSpec | UsesStep):
                yield part
            fields = [getattr(part, name) for name in reversed(field_names(part))]
            pending.extend(field for field in fields if type(field) not in _LEAVES)
