"""A server that speaks the XML API of Google Cloud Storage, for clients such as obstore that speak nothing else of it.

The API is S3's with other names for headers and with generations instead of entity tags, so moto's S3 does the work behind a
filter that renames. What the filter does not know is refused rather than passed on: a request with a header of S3's own,
or with a precondition other than "there is no such object", is no request that Google would answer like S3.

    PYTHONPATH=tests python -m testbed.gcs_server -H 127.0.0.1 -p PORT
"""

import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any

from testbed.s3_server import creating_in_turn

__all__ = ["gcs_app"]

_Environ = dict[str, Any]
_Start = Callable[..., Any]
_TO_S3 = {
    "HTTP_X_GOOG_COPY_SOURCE": "HTTP_X_AMZ_COPY_SOURCE",
    "HTTP_X_GOOG_METADATA_DIRECTIVE": "HTTP_X_AMZ_METADATA_DIRECTIVE",
}
_NEW_ONLY = "0"
"""The generation that an object has which is not there."""


def gcs_app(s3: Callable[[_Environ, _Start], Iterable[bytes]]) -> Callable[[_Environ, _Start], Iterable[bytes]]:
    """Return an application that answers as Google does, from one that answers as S3 does."""

    def app(environ: _Environ, start: _Start) -> Iterable[bytes]:
        foreign = [name for name in environ if name.startswith("HTTP_X_AMZ_")]
        generation = environ.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", None)
        if foreign or generation not in {None, _NEW_ONLY}:
            start("400 Bad Request", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return [b""]
        for google, amazon in _TO_S3.items():
            if google in environ:
                environ[amazon] = environ.pop(google)
        if generation == _NEW_ONLY:
            environ["HTTP_IF_NONE_MATCH"] = "*"
        environ["HTTP_AUTHORIZATION"] = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3"

        def answer(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            named = [(name.lower().replace("x-amz-", "x-goog-"), value) for name, value in headers]
            return start(status, [*named, ("x-goog-generation", "1")], *rest)

        return s3(environ, answer)

    return app


def main() -> None:
    """Serve until killed."""
    from moto.moto_server.werkzeug_app import create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    make_server(
        "127.0.0.1", int(sys.argv[-1]), gcs_app(creating_in_turn(create_backend_app("s3"))), threaded=True
    ).serve_forever()


if __name__ == "__main__":
    main()
