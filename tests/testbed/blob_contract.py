"""Azure Blob Storage as Microsoft's own SDK has it: which requests there are, and what may stand in them and in answers.

azure-storage-blob is generated from the description of the service, so a header or parameter that it would not send, or
would not read, is none of the service. What stands there unconditionally has to.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import azure.storage.blob

__all__ = ["Operation", "find_operation"]

_FOLDER = Path(azure.storage.blob.__file__).parent / "_generated" / "operations"
_OPERATIONS = {
    "_block_blob_operations.py": ("upload", "stage_block", "commit_block_list"),
    "_blob_operations.py": ("download", "get_properties", "delete"),
    "_container_operations.py": ("create", "list_blob_flat_segment", "list_blob_hierarchy_segment", "submit_batch"),
}
"""What an object store needs of it."""
_ALWAYS = frozenset({
    "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "date", "host",
    "user-agent", "x-ms-date", "x-ms-return-client-request-id", "expect", "range",
})  # fmt: skip
"""What every client of HTTP or every request with a signature may have."""
_ANSWERED = frozenset({
    "content-length", "content-type", "content-range", "date", "server", "accept-ranges", "etag", "last-modified",
    "connection", "x-ms-request-id", "x-ms-version", "x-ms-error-code", "x-ms-client-request-id",
})  # fmt: skip


@dataclass(frozen=True)
class Operation:
    name: str
    verb: str
    is_of_container: bool
    constants: dict[str, str]
    parameters: frozenset[str]
    headers: frozenset[str]
    required: frozenset[str]
    answered: frozenset[str] = field(default=frozenset())

    def faults_of_request(self, headers: dict[str, str], query: dict[str, str]) -> list[str]:
        """Return what is wrong with a request; names of headers are in lower case."""
        unknown = [f"parameter {name}" for name in query if name not in self.parameters]
        unknown += [
            f"header {name}"
            for name in headers
            if name not in self.headers | _ALWAYS and not name.startswith("x-ms-meta-")
        ]
        missing = [f"missing {name}" for name in self.required if not (headers.get(name) or query.get(name))]
        return [*unknown, *missing]

    def faults_of_answer(self, headers: dict[str, str]) -> list[str]:
        """Return what is wrong with the headers of an answer: the server's own mistakes."""
        return [name for name in map(str.lower, headers) if name not in self.answered | _ANSWERED]


def find_operation(verb: str, query: dict[str, str], *, is_of_container: bool) -> Operation | None:
    """Return the operation that a request asks for, the one with most constants that fit."""
    fitting = [
        each
        for each in _KNOWN
        if (each.verb, each.is_of_container) == (verb, is_of_container)
        and all(query.get(name) == value for name, value in each.constants.items())
    ]
    hierarchical = [each for each in fitting if "delimiter" in each.required and "delimiter" in query]
    return max(hierarchical or fitting, key=lambda each: len(each.constants), default=None)


def _read() -> list[Operation]:
    found = []
    for file, names in _OPERATIONS.items():
        source = (_FOLDER / file).read_text(encoding="utf-8")
        for name in names:
            builder = _between(source, rf"^def build_{name}_request\(", r"^def |^class ")
            method = _between(source, rf"^    def {name}\(", r"^    @|^    def ")
            sent = set(re.findall(r'_headers\["([\w-]+)"\]', builder))
            always = set(re.findall(r'^    _(?:headers|params)\["([\w-]+)"\]', builder, re.MULTILINE))
            [verb] = re.findall(r'HttpRequest\(method="(\w+)"', builder)
            found.append(
                Operation(
                    name=name,
                    verb=verb,
                    is_of_container=file.startswith("_container"),
                    constants=dict(re.findall(r'_params\.pop\("(\w+)", "(\w+)"\)', builder)),
                    parameters=frozenset(re.findall(r'_params\["(\w+)"\]', builder)),
                    headers=frozenset(map(str.lower, sent)),
                    required=frozenset(map(str.lower, always)) - {"accept", "content-length"},
                    answered=frozenset(map(str.lower, re.findall(r'response_headers\["([\w-]+)"\]', method))),
                )
            )
    return found


def _between(source: str, begin: str, end: str) -> str:
    start = re.search(begin, source, re.MULTILINE)
    assert start is not None, begin
    rest = source[start.end() :]
    stop = re.search(end, rest, re.MULTILINE)
    return rest[: stop.start() if stop else len(rest)]


_KNOWN = _read()
