"""Asking a service for JSON or text over HTTPS, patiently: too many requests and passing faults are tried again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage, IncompleteRead
from types import MappingProxyType
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from skyflow._util.foreign_json import read_json
from skyflow.errors import CatalogError
from skyflow.model.units import format_gb

__all__ = ["Web"]

_TRIES = 6
_FIRST_WAIT_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 60.0
_TIMEOUT_SECONDS = 60.0
_MOST_BYTES = 2 * 10**9
"""Several times as much as the longest price list has; memory is not given away to whoever answers without end."""
_AGAIN = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Web:
    """Fetches what services say; `sleep` waits so many seconds, and `tell` hears why."""

    sleep: Callable[[float], None]
    tell: Callable[[str], None] = lambda _: None

    def json(self, url: str, headers: Mapping[str, str] = MappingProxyType({})) -> Any:
        """Return the answer to a GET.

        Raises:
            CatalogError: the service refuses, stays unreachable, or its answer is not JSON. The message does not repeat
                the query, which may hold a key.
        """
        content = self._answer(url, {"Accept": "application/json", **headers})
        try:
            return read_json(content)
        except ValueError:
            raise CatalogError(f"{_shown(url)} answered something that is not JSON") from None

    def text(self, url: str) -> str:
        """Return the answer to a GET as text; else as `json`."""
        try:
            return self._answer(url, {}).decode()
        except UnicodeDecodeError:
            raise CatalogError(f"{_shown(url)} answered something that is not text") from None

    def _answer(self, url: str, headers: Mapping[str, str]) -> bytes:
        where = _shown(url)
        if urlsplit(url).scheme not in {"http", "https"}:
            raise CatalogError(f"{where} is no web address")
        wait = _FIRST_WAIT_SECONDS
        for attempt in range(1, _TRIES + 1):
            try:
                return _once(url, headers)
            except HTTPError as error:
                error.close()
                if error.code not in _AGAIN or attempt == _TRIES:
                    raise CatalogError(
                        f"{where} answered {error.code} {_phrase(error.code)}", hint=_hint(error.code)
                    ) from None
                wait, why = _asked_wait(error) or wait, f"answered {error.code} {_phrase(error.code)}"
            except (OSError, HTTPException) as error:  # also while the answer is read, which may break off
                why = f"cannot be reached: {getattr(error, 'reason', None) or error}"
                if attempt == _TRIES:
                    raise CatalogError(f"{where} {why}", hint="is there a network?") from None
            self.tell(f"{where} {why}; asking again in {wait:g} s")
            self.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        raise AssertionError  # the loop returns or raises


def _once(url: str, headers: Mapping[str, str]) -> bytes:
    request = Request(url, headers={"User-Agent": "skyflow", **headers})  # noqa: S310 -- the scheme was looked at
    with build_opener(_Redirects).open(request, timeout=_TIMEOUT_SECONDS) as answer:
        content: bytes = answer.read(_MOST_BYTES + 1)
        if answer.length and len(content) <= _MOST_BYTES:
            raise IncompleteRead(content, answer.length)
    if len(content) > _MOST_BYTES:
        raise CatalogError(f"{_shown(url)} answered with more than {format_gb(_MOST_BYTES / 10**9)}")
    return content


class _Redirects(HTTPRedirectHandler):
    """Goes where a service leads, without our keys where that is another one, and never from https to http."""

    def redirect_request(  # noqa: PLR0917 -- as the base class wants it
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        there = super().redirect_request(req, fp, code, msg, headers, newurl)
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if after.scheme not in {before.scheme, "https"}:
            raise CatalogError(f"{_shown(req.full_url)} leads to {_shown(newurl)}, which is not followed")
        if there is not None and before[:2] != after[:2]:
            for name in set(there.headers) - {"User-agent", "Accept"}:
                there.remove_header(name)
        return there


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


def _phrase(code: int) -> str:
    return HTTPStatus(code).phrase if code in HTTPStatus._value2member_map_ else ""


def _hint(code: int) -> str | None:
    if code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST}:
        return "is the key right, and may it be used for this?"
    return None


def _asked_wait(error: HTTPError) -> float | None:
    asked = error.headers.get("Retry-After", "") if error.headers else ""
    return min(float(asked), _LONGEST_WAIT_SECONDS) if asked.isdigit() else None
