"""Who may look: whoever has the token, from this machine, and no page of another site on their behalf.

A browser sends requests to 127.0.0.1 for any page that asks it to. The token keeps other users of the machine out, the check of
`Host` keeps out pages that have their own name point here, and a strict cookie and the check of where a request comes from
keep out pages that only guess the port.
"""

from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from secrets import compare_digest
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard"]

_COOKIE = "skyflow-token"
_SAFE_SITES = {"same-origin", "none"}
_SAFE_METHODS = {"GET", "HEAD"}
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Lets requests through to an application that may be answered; `hosts` are the names that it is reached by."""

    def __init__(self, app: ASGIApp, *, token: str, hosts: Collection[str]) -> None:
        self._app = app
        self._token = token
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the answer to a request that does not get through, None for one that does."""
        if headers.get("host", "") not in self._hosts:
            return PlainTextResponse("this server is not known by that name\n", 421)
        if scope["method"] not in _SAFE_METHODS:
            return PlainTextResponse("nothing can be changed here\n", 405)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if self._is_token(
            given
        ):  # of the address that was printed: from now on a cookie does, and the address is harmless
            response = RedirectResponse(scope["path"], 303)
            response.set_cookie(_COOKIE, self._token, httponly=True, samesite="strict")
            return response
        if not self._is_of_ours(headers):
            return PlainTextResponse("requests of other sites are not answered\n", 403)
        if not self._is_token(_cookie(headers)):
            return PlainTextResponse("open the address that `skyflow ui` has printed; it ends in a token\n", 401)
        return None

    def _is_of_ours(self, headers: Headers) -> bool:
        """Tell whether a request comes from a page of ours, or from whoever typed its address."""
        origin = headers.get("origin")
        is_own_origin = origin is None or origin.removeprefix("http://") in self._hosts
        return is_own_origin and headers.get("sec-fetch-site", "none") in _SAFE_SITES

    def _is_token(self, text: str) -> bool:
        return compare_digest(text.encode(), self._token.encode())


def _cookie(headers: Headers) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value
