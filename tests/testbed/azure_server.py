"""A server that speaks Azure Blob Storage: block blobs with preconditions, blocks, lists in pages, batches of deletions.

Every request has to be signed with the key of the account, as Microsoft's documentation of Shared Key and of the shared access
signature of a service says, and every request
and answer is held against what Microsoft's own SDK would send and read (`blob_contract`). A request that is none of the service's
is refused with 400 and written to standard error; an answer that is none ends with 500.

    PYTHONPATH=tests python -m testbed.azure_server -H 127.0.0.1 -p PORT
"""

import base64
import hashlib
import hmac
import logging
import re
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from testbed.blob_contract import Operation, find_operation

__all__ = ["ACCOUNT", "KEY", "BlobServer"]

ACCOUNT = "devaccount"
KEY = base64.b64encode(hashlib.sha512(b"only for tests").digest()).decode()
_VERSION = re.compile(r"20\d\d-\d\d-\d\d")
_MOST_SKEW_SECONDS = 900
_PAGE = 2
"""So few blobs come in one answer to a list, which the service may do as it likes: every client has to go on."""
_SHARED_ACCESS = frozenset({"sp", "st", "se", "sv", "sr", "sig"})
_SIGNED = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date", "if-modified-since",
    "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip
_STATUS = {
    "AuthenticationFailed": 403, "BlobAlreadyExists": 409, "BlobNotFound": 404, "ConditionNotMet": 412,
    "ContainerAlreadyExists": 409, "ContainerNotFound": 404, "InvalidBlobOrBlock": 400, "InvalidBlockList": 400,
    "InvalidHeaderValue": 400, "InvalidRange": 416, "MissingContentLengthHeader": 411, "UnsupportedHttpVerb": 405,
    "InvalidInput": 400,
}  # fmt: skip


class BlobError(Exception):
    """An answer that tells of an error, by its code."""


@dataclass
class Blob:
    data: bytes
    modified: datetime
    etag: str


@dataclass
class Container:
    blobs: dict[str, Blob] = field(default_factory=dict)
    blocks: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Those that were sent and not put together yet, by the name of their blob."""


class BlobServer:
    """One account in memory."""

    def __init__(self) -> None:
        self.containers: dict[str, Container] = {}
        self._lock = threading.Lock()
        self._changes = 0

    def __call__(self, environ: dict[str, object], start: object) -> Iterable[bytes]:
        request = Request(environ)
        if request.path.startswith("/moto-api"):  # whoever started us asks whether we are there
            return Response("{}")(environ, start)
        response = self.answer(_Asked.of(request))
        return response(environ, start)

    def answer(self, asked: "_Asked") -> Response:
        operation = find_operation(asked.verb, asked.query, is_of_container=not asked.blob)
        if operation is None:
            return _error("UnsupportedHttpVerb")
        try:
            _check(asked, operation)
            with self._lock:
                response = getattr(self, f"do_{operation.name}")(asked)
        except BlobError as error:
            response = _error(str(error))
        response.headers["x-ms-version"] = asked.headers.get("x-ms-version", "")
        response.headers["x-ms-request-id"] = "00000000-0000-0000-0000-000000000000"
        if faults := operation.faults_of_answer(dict(response.headers)):
            sys.stderr.write(f"answer to {operation.name}: {faults}\n")
            return Response(status=500)
        return response

    def do_create(self, asked: "_Asked") -> Response:
        if asked.container in self.containers:
            raise BlobError("ContainerAlreadyExists")
        self.containers[asked.container] = Container()
        return self._changed(self._stamp(b""), 201)

    def do_upload(self, asked: "_Asked") -> Response:
        container = self._container(asked)
        _check_conditions(asked, container.blobs.get(asked.blob))
        blob = container.blobs[asked.blob] = self._stamp(asked.data)
        container.blocks.pop(asked.blob, None)
        return self._changed(blob, 201)

    def do_stage_block(self, asked: "_Asked") -> Response:
        number = asked.query["blockid"]
        blocks = self._container(asked).blocks.setdefault(asked.blob, {})
        try:
            decoded = base64.b64decode(number, validate=True)
        except ValueError:
            raise BlobError("InvalidInput") from None
        if len(decoded) > 64 or any(len(other) != len(number) for other in blocks):
            raise BlobError("InvalidBlobOrBlock")
        blocks[number] = asked.data
        return Response(status=201)

    def do_commit_block_list(self, asked: "_Asked") -> Response:
        container = self._container(asked)
        _check_conditions(asked, container.blobs.get(asked.blob))
        blocks = container.blocks.get(asked.blob, {})
        named = [(each.tag, each.text or "") for each in ET.fromstring(asked.data)]
        if any(tag not in {"Latest", "Uncommitted"} or number not in blocks for tag, number in named):
            raise BlobError("InvalidBlockList")
        blob = container.blobs[asked.blob] = self._stamp(b"".join(blocks[number] for _, number in named))
        container.blocks.pop(asked.blob, None)
        return self._changed(blob, 201)

    def do_download(self, asked: "_Asked") -> Response:
        blob = self._blob(asked)
        _check_conditions(asked, blob)
        wanted = asked.headers.get("x-ms-range") or asked.headers.get("range")
        response = Response(blob.data, status=200, content_type="application/octet-stream")
        if wanted:
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
            if found is None:
                raise BlobError("InvalidHeaderValue")
            first, last = int(found[1]), min(int(found[2] or len(blob.data)), len(blob.data) - 1)
            if first >= len(blob.data):
                raise BlobError("InvalidRange")
            response = Response(blob.data[first : last + 1], status=206, content_type="application/octet-stream")
            response.headers["Content-Range"] = f"bytes {first}-{last}/{len(blob.data)}"
        return self._described(response, blob)

    def do_get_properties(self, asked: "_Asked") -> Response:
        blob = self._blob(asked)
        response = Response(status=200, content_type="application/octet-stream")
        response.headers["Content-Length"] = str(len(blob.data))
        return self._described(response, blob)

    def do_delete(self, asked: "_Asked") -> Response:
        self._blob(asked)
        del self._container(asked).blobs[asked.blob]
        response = Response(status=202)
        response.headers["x-ms-delete-type-permanent"] = "true"
        return response

    def do_list_blob_flat_segment(self, asked: "_Asked") -> Response:
        return self._list(asked)

    def do_list_blob_hierarchy_segment(self, asked: "_Asked") -> Response:
        return self._list(asked)

    def do_submit_batch(self, asked: "_Asked") -> Response:
        """Delete several blobs; every part is a request of its own with a signature of its own."""
        found = re.fullmatch(r"multipart/mixed; boundary=(\S+)", asked.headers.get("content-type", ""))
        if found is None:
            raise BlobError("InvalidHeaderValue")
        parts = asked.data.split(f"--{found[1]}".encode())[1:-1]
        answers = []
        for part in parts:
            head, _, inner = part.strip().partition(b"\r\n\r\n")
            number = re.search(rb"Content-ID: *(\d+)", head, re.IGNORECASE)
            if b"application/http" not in head.lower() or number is None:
                raise BlobError("InvalidInput")
            answers.append((number[1].decode(), self._one_of_batch(inner.decode())))
        lines = []
        for number, response in answers:
            lines += ["--answers", "Content-Type: application/http", f"Content-ID: {number}", ""]
            lines += [f"HTTP/1.1 {response.status}", *(f"{name}: {value}" for name, value in response.headers)]
            lines += ["", response.get_data(as_text=True)]
        body = "\r\n".join([*lines, "--answers--", ""])
        return Response(body, status=202, content_type="multipart/mixed; boundary=answers")

    def _one_of_batch(self, text: str) -> Response:
        first, *lines = text.split("\r\n")
        verb, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}
        asked = _Asked.parse(verb, target, headers, b"")
        operation = find_operation(verb, asked.query, is_of_container=False)
        if operation is None or operation.name != "delete":
            return _error("InvalidInput")
        try:
            _check(asked, operation, is_part=True)
            return self.do_delete(asked)
        except BlobError as error:
            return _error(str(error))

    def _list(self, asked: "_Asked") -> Response:
        prefix, delimiter = asked.query.get("prefix", ""), asked.query.get("delimiter", "")
        blobs = {name: blob for name, blob in self._container(asked).blobs.items() if name.startswith(prefix)}
        entries: dict[str, Blob | None] = {}
        for name, blob in sorted(blobs.items()):
            inner, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
            entries[f"{prefix}{inner}{delimiter}" if found else name] = None if found else blob
        rest = [name for name in entries if name >= asked.query.get("marker", "")]
        shown = rest[: min(_PAGE, int(asked.query.get("maxresults", _PAGE)))]
        parts = "".join(_entry(name, entries[name]) for name in shown)
        after = rest[len(shown)] if len(rest) > len(shown) else ""
        body = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f'<EnumerationResults ServiceEndpoint="http://127.0.0.1/" ContainerName="{escape(asked.container)}">'
            f"<Prefix>{escape(prefix)}</Prefix><Blobs>{parts}</Blobs><NextMarker>{escape(after)}</NextMarker>"
            "</EnumerationResults>"
        )
        return Response(body, status=200, content_type="application/xml")

    def _container(self, asked: "_Asked") -> Container:
        if asked.container not in self.containers:
            raise BlobError("ContainerNotFound")
        return self.containers[asked.container]

    def _blob(self, asked: "_Asked") -> Blob:
        blob = self._container(asked).blobs.get(asked.blob)
        if blob is None:
            raise BlobError("BlobNotFound")
        return blob

    def _stamp(self, data: bytes) -> Blob:
        self._changes += 1
        return Blob(data, datetime.now(UTC).replace(microsecond=0), f'"0x{self._changes:015X}"')

    def _changed(self, blob: Blob, status: int) -> Response:
        response = Response(status=status)
        response.headers["ETag"] = blob.etag
        response.headers["Last-Modified"] = format_datetime(blob.modified, usegmt=True)
        return response

    def _described(self, response: Response, blob: Blob) -> Response:
        response.headers["ETag"] = blob.etag
        response.headers["Last-Modified"] = format_datetime(blob.modified, usegmt=True)
        response.headers["x-ms-blob-type"] = "BlockBlob"
        response.headers["Accept-Ranges"] = "bytes"
        return response


@dataclass(frozen=True)
class _Asked:
    """A request; `target` is its path as it was sent, without the query."""

    verb: str
    target: str
    query: dict[str, str]
    headers: dict[str, str]
    data: bytes

    @classmethod
    def of(cls, request: Request) -> "_Asked":
        headers = {name.lower(): value for name, value in request.headers.items()}
        return cls.parse(request.method, str(request.environ["RAW_URI"]), headers, request.get_data())

    @classmethod
    def parse(cls, verb: str, raw: str, headers: dict[str, str], data: bytes) -> "_Asked":
        target, _, query = raw.partition("?")
        return cls(verb, target, dict(parse_qsl(query, keep_blank_values=True)), headers, data)

    @property
    def container(self) -> str:
        return self._names[1] if len(self._names) > 1 else ""

    @property
    def blob(self) -> str:
        return self._names[2] if len(self._names) > 2 else ""

    @property
    def _names(self) -> list[str]:
        return [unquote(name) for name in self.target.removeprefix("/").split("/", 2)]


def _check(asked: _Asked, operation: Operation, *, is_part: bool = False) -> None:
    """Refuse what the service would; for a part of a batch, the version of the whole holds."""
    if "sig" in asked.query:
        _check_shared_access(asked)
        rest = {name: value for name, value in asked.query.items() if name not in _SHARED_ACCESS}
        _refuse_faults(asked, operation.faults_of_request({"x-ms-version": asked.query["sv"], **asked.headers}, rest))
        return
    headers = {"x-ms-version": "2023-11-03", **asked.headers} if is_part else asked.headers
    faults = operation.faults_of_request(headers, asked.query)
    if not _VERSION.fullmatch(headers.get("x-ms-version", "")):
        faults.append("x-ms-version")
    if asked.verb in {"PUT", "POST"} and "content-length" not in asked.headers:
        raise BlobError("MissingContentLengthHeader")
    if operation.name == "upload" and asked.headers.get("x-ms-blob-type") != "BlockBlob":
        faults.append("x-ms-blob-type")
    _refuse_faults(asked, faults)
    said = asked.headers.get("x-ms-date") or asked.headers.get("date")
    if said is None or abs((parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()) > _MOST_SKEW_SECONDS:
        raise BlobError("AuthenticationFailed")
    if asked.headers.get("authorization") != f"SharedKey {ACCOUNT}:{_signature(asked)}":
        raise BlobError("AuthenticationFailed")


def _refuse_faults(asked: _Asked, faults: list[str]) -> None:
    if faults:
        sys.stderr.write(f"request {asked.verb}: {faults}\n")
        raise BlobError("InvalidHeaderValue")


def _check_shared_access(asked: _Asked) -> None:
    """Refuse a signature that is not for this blob, verb and time: learn.microsoft.com/rest/api/storageservices/create-service-sas."""
    query = asked.query
    resource = f"/blob/{ACCOUNT}/{asked.container}/{asked.blob}"
    fields = [query.get(name, "") for name in ("sp", "st", "se")] + [resource]
    fields += [query.get(name, "") for name in ("si", "sip", "spr", "sv", "sr", "snapshot", "ses")]
    fields += [query.get(name, "") for name in ("rscc", "rscd", "rsce", "rscl", "rsct")]
    signature = hmac.digest(base64.b64decode(KEY), "\n".join(fields).encode(), "sha256")
    now = datetime.now(UTC)
    begins, ends = (datetime.fromisoformat(query[name]) for name in ("st", "se"))
    needed = {"GET": "r", "PUT": "w"}.get(asked.verb, "?")
    if (
        query["sig"] != base64.b64encode(signature).decode()
        or not begins - timedelta(seconds=_MOST_SKEW_SECONDS) <= now < ends
        or needed not in query["sp"]
        or query["sr"] != "b"
    ):
        raise BlobError("AuthenticationFailed")


def _signature(asked: _Asked) -> str:
    """Return what a request is signed with: learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key."""
    headers = dict(asked.headers)
    if headers.get("content-length") == "0":
        headers["content-length"] = ""
    if "x-ms-date" in headers:
        headers["date"] = ""
    own = sorted(name for name in headers if name.startswith("x-ms-"))
    lines = [asked.verb, *(headers.get(name, "") for name in _SIGNED), *(f"{name}:{headers[name]}" for name in own)]
    query = "".join(f"\n{name.lower()}:{asked.query[name]}" for name in sorted(asked.query, key=str.lower))
    text = "\n".join([*lines, f"/{ACCOUNT}{asked.target}{query}"])
    return base64.b64encode(hmac.digest(base64.b64decode(KEY), text.encode(), "sha256")).decode()


def _check_conditions(asked: _Asked, blob: Blob | None) -> None:
    if asked.headers.get("if-none-match") == "*" and blob is not None:
        raise BlobError("BlobAlreadyExists" if asked.verb == "PUT" else "ConditionNotMet")
    wanted = asked.headers.get("if-match")
    if wanted and (blob is None or wanted not in {"*", blob.etag}):
        raise BlobError("ConditionNotMet")


def _entry(name: str, blob: Blob | None) -> str:
    if blob is None:
        return f"<BlobPrefix><Name>{escape(name)}</Name></BlobPrefix>"
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties>"
        f"<Last-Modified>{format_datetime(blob.modified, usegmt=True)}</Last-Modified><Etag>{escape(blob.etag)}</Etag>"
        f"<Content-Length>{len(blob.data)}</Content-Length><Content-Type>application/octet-stream</Content-Type>"
        "<BlobType>BlockBlob</BlobType></Properties></Blob>"
    )


def _error(code: str) -> Response:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    response = Response(body, status=_STATUS[code], content_type="application/xml")
    response.headers["x-ms-error-code"] = code
    return response


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"


def main() -> None:
    """Serve until killed."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    make_server("127.0.0.1", int(sys.argv[-1]), BlobServer(), threaded=True, request_handler=_Handler).serve_forever()


if __name__ == "__main__":
    main()
