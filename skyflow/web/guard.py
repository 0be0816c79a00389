"""Who may look and who may act: whoever has the token, and no page of another site on their behalf.

A browser sends requests to 127.0.0.1 for any page that asks it to. The token keeps other users of the machine out, the check of
`Host` keeps out pages that have their own name point here, and a strict cookie and the check of where a request comes from
keep out pages that only guess the port. Where the host has a name that nobody else knows, other ports of this machine do not
get the cookie either (see `serve`). What changes something needs more: the browser has to say that a page of ours sends
it, and the request has to carry a second secret that only our pages know.
"""

from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from secrets import compare_digest
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard"]

_COOKIE = "skyflow-token-"
"""Before the port: cookies know no ports, and several projects may be looked at in one browser."""
_SAFE_SITES = {"same-origin", "none"}
_SAFE_METHODS = {"GET", "HEAD"}
_FORM = "application/x-www-form-urlencoded"
_MOST_FORM_BYTES = 65_536
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with `no-referrer`, browsers would not say where a form comes from
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Lets requests through to an application that may be answered.

    Args:
        app: the application.
        token: what whoever looks has to know.
        write_token: what our own forms carry as `token`, and nobody else knows.
        hosts: the names that the server is reached by, each with its port.
    """

    def __init__(self, app: ASGIApp, *, token: str, write_token: str, hosts: Collection[str]) -> None:
        self._app = app
        self._token = token
        self._write_token = write_token
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is None and scope["method"] not in _SAFE_METHODS:
            body = await _body(receive, headers)
            refusal = self._refusal_to_write(scope, headers, body)
            receive = _again(body or b"", receive)
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
            return PlainTextResponse(
                "this server has another name: open the address that `skyflow ui` has printed\n", 421
            )
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["method"] in _SAFE_METHODS and _same(given, self._token):
            # The address that was printed has done its work: from now on a cookie does, and the address is harmless.
            if headers.get("sec-fetch-site", "none") in _SAFE_SITES:
                response: Response = RedirectResponse(scope["path"], 303)
            else:  # a page has led here, and what it leads to after us gets no strict cookie: so we lead on ourselves
                response = Response(headers={"Refresh": f"0; url={scope['path']}", "Referrer-Policy": "no-referrer"})
            response.set_cookie(_cookie_name(headers), self._token, httponly=True, samesite="strict")
            return response
        if not self._is_of_ours(headers):
            return PlainTextResponse("requests of other sites are not answered\n", 403)
        if not _same(_cookie(headers), self._token):
            return PlainTextResponse("open the address that `skyflow ui` has printed; it ends in a token\n", 401)
        return None

    def _refusal_to_write(self, scope: Scope, headers: Headers, body: bytes | None) -> Response | None:
        """Return the answer to a request that may not change anything, None for one that may."""
        if scope["method"] != "POST":
            return PlainTextResponse("nothing can be changed that way\n", 405)
        if headers.get("origin") is None and headers.get("sec-fetch-site") != "same-origin":
            return PlainTextResponse("only a page of this server can change something\n", 403)
        if body is None:
            return PlainTextResponse(f"send a form of at most {_MOST_FORM_BYTES:,} bytes\n", 415)
        given = parse_qs(body.decode("latin-1")).get("token", [""])[0]
        if not _same(given, self._write_token):
            return PlainTextResponse("this page is from an earlier `skyflow ui`; load it again\n", 403)
        return None

    def _is_of_ours(self, headers: Headers) -> bool:
        """Tell whether a request comes from a page of ours, or from whoever typed its address."""
        origin = headers.get("origin")
        is_own_origin = origin is None or origin.removeprefix("http://") in self._hosts
        return is_own_origin and headers.get("sec-fetch-site", "none") in _SAFE_SITES


async def _body(receive: Receive, headers: Headers) -> bytes | None:
    """Return the form that a request carries; None if it carries something else, or too much."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return None
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] != "http.request" or len(body) > _MOST_FORM_BYTES:
            return None
        if not message.get("more_body", False):
            return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then goes on as before."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode(), other.encode())


def _cookie_name(headers: Headers) -> str:
    return _COOKIE + headers.get("host", "").rpartition(":")[2]


def _cookie(headers: Headers) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(_cookie_name(headers))
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value
