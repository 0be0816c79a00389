"""From a cloud's error code to what it means, by table: never by class, and never by HTTP status where there is a code."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from skyflow.errors import InternalError
from skyflow.model.machines import FailureKind, Machine, Scope
from skyflow.ports.provisioner import CloudError

__all__ = ["PASSED_OVER", "Failures", "first_with_room", "lost_answer", "no_credentials"]

PASSED_OVER = frozenset({FailureKind.CAPACITY, FailureKind.NOT_OFFERED, FailureKind.UNUSABLE})
"""After these in one zone, the next zone of the region is asked."""

Zone = TypeVar("Zone")

_SERVER_ERRORS = 500
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Failures:
    """The error codes of one cloud; a code in no table is permanent, unless its HTTP status says that it passes.

    `codes` says what kind of failure a code is, and how far it reaches; `said` does so for codes that mean many things, by
    patterns for `CODE: MESSAGE`. What is `auth` reaches as far as the credentials, what is `transient` passes.
    `not_set_up` has the codes of a service that was never switched on, and `hints` says what the user can do about a code.
    """

    provider: str
    codes: Mapping[FailureKind, Mapping[str, Scope]]
    auth: frozenset[str]
    transient: frozenset[str]
    said: Mapping[str, tuple[FailureKind, Scope]] = field(default_factory=dict)
    not_set_up: frozenset[str] = frozenset()
    hints: Mapping[str, str] = field(default_factory=dict)

    def error(self, code: str, message: str, *, status: int | None = None) -> CloudError:
        """Return the error to raise.

        An HTTP status that says that the server broke down is ambiguous: the call may have had its effect. Without a
        status, the error is an operation's, which is known to have failed.
        """
        kind, scope = self._meaning(code, message, status)
        return CloudError(
            f"{self.provider}: {message.strip() or code} ({code})",
            kind=kind,
            code=code,
            scope=scope,
            is_ambiguous=kind is FailureKind.TRANSIENT and status is not None and status >= _SERVER_ERRORS,
            is_set_up=code not in self.not_set_up,
            hint=self.hints.get(code),
        )

    def _meaning(self, code: str, message: str, status: int | None) -> tuple[FailureKind, Scope]:
        for kind, scopes in self.codes.items():
            if code in scopes:
                return kind, scopes[code]
        for pattern, meaning in self.said.items():
            if re.match(pattern, f"{code}: {message}", re.DOTALL):
                return meaning
        if code in self.auth:
            return FailureKind.AUTH, Scope.CLOUD
        if code in self.transient or (
            status is not None and (status >= _SERVER_ERRORS or status == _TOO_MANY_REQUESTS)
        ):
            return FailureKind.TRANSIENT, Scope.REGION
        return FailureKind.PERMANENT, Scope.REGION


def lost_answer(provider: str, error: Exception) -> CloudError:
    """Return the error for a connection that broke, or an answer that did not come or could not be read."""
    return CloudError(
        f"{provider} did not answer: {error}",
        kind=FailureKind.TRANSIENT,
        code=type(error).__name__,
        is_ambiguous=True,
        hint="check the network; whatever was asked for is written down, and `skyflow gc` removes what is left over",
    )


def no_credentials(provider: str, error: Exception, message: str, *, log_in: str) -> CloudError:
    """Return the error for a caller whom the cloud could not even know; `log_in` says what to do."""
    return CloudError(
        f"{provider}: {message}",
        kind=FailureKind.AUTH,
        code=type(error).__name__,
        scope=Scope.CLOUD,
        is_set_up=False,
        hint=f"{log_in}; skyflow keeps no credentials",
    )


def first_with_room(zones: Iterable[Zone], make: Callable[[Zone], Machine]) -> Machine:
    """Return the machine that the first zone of a region with room for it makes.

    Raises:
        CloudError: none has any, and the error is that of the whole region; one of capacity, where there was one: that may
            pass. Or a zone has failed in a way that would not be different in the next.
    """
    full: CloudError | None = None
    for zone in zones:
        try:
            return make(zone)
        except CloudError as error:
            if error.kind not in PASSED_OVER or error.scope is not Scope.ZONE:
                raise
            full = error if full is None or error.kind is FailureKind.CAPACITY else full
    if full is None:
        raise InternalError("a machine was wanted in no zone at all")
    full.scope = Scope.REGION
    raise full
