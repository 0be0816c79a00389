"""moto's S3, which lets one of many at once create an object, as S3 does: moto looks first and writes then."""

import logging
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["creating_in_turn", "main"]

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def creating_in_turn(app: Application) -> Application:
    """Return an application that takes requests to create what is not there one after the other."""
    turn = threading.Lock()

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if "HTTP_IF_NONE_MATCH" not in environ:
            return app(environ, start)
        with turn:
            return list(app(environ, start))

    return answer


def main() -> None:
    """Serve until killed."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = creating_in_turn(DomainDispatcherApplication(create_backend_app))
    make_server("127.0.0.1", int(sys.argv[-1]), app, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
