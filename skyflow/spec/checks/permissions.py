"""A called workflow gets no more permissions than its caller has, where the caller says what it has.

What GitHub grants without `permissions` is a setting of the repository, so without them nothing can be said.
"""

from collections.abc import Iterator, Mapping

from skyflow.spec.nodes import MappingNode, Node, ScalarNode, find

__all__ = ["excessive_permissions"]

_LEVELS = {"none": 0, "read": 1, "write": 2}
_NAMES = tuple(_LEVELS)
_EVERY = "*"


def excessive_permissions(caller: Node, job_id: str, callee: Node) -> Iterator[str]:
    """Yield a message for each place of the called workflow that asks for more than the calling job may have."""
    allowed = _levels(find(caller, ("jobs", job_id, "permissions"))) or _levels(find(caller, ("permissions",)))
    if allowed is None:
        return
    asked = _levels(find(callee, ("permissions",)))
    excess = _excess(asked, allowed)
    if excess is not None:
        yield f"the called workflow asks for '{excess}', more than this job has"
    jobs = find(callee, ("jobs",))
    for name in jobs.entries if isinstance(jobs, MappingNode) else ():
        excess = _excess(_levels(find(callee, ("jobs", name, "permissions"))), allowed)
        if excess is not None:
            yield f"job '{name}' of the called workflow asks for '{excess}', more than this job has"


def _levels(node: Node | None) -> Mapping[str, int] | None:
    """Return the level of each scope; `*` is that of all others."""
    if isinstance(node, ScalarNode):
        return {_EVERY: _LEVELS[node.key.removesuffix("-all")]} if node.key in {"read-all", "write-all"} else None
    if not isinstance(node, MappingNode):
        return None
    levels = {_EVERY: 0}
    for name, value in node:
        if isinstance(value, ScalarNode) and value.key in _LEVELS:
            levels[name] = _LEVELS[value.key]
    return levels


def _excess(asked: Mapping[str, int] | None, allowed: Mapping[str, int]) -> str | None:
    """Return the first scope that is asked for and not allowed, with its level."""
    for name, level in (asked or {}).items():
        if level > allowed.get(name, allowed[_EVERY]):
            scope = "all scopes" if name == _EVERY else name
            return f"{scope}: {_NAMES[level]}"
        if name == _EVERY and any(level > other for other in allowed.values()):
            return f"all scopes: {_NAMES[level]}"
    return None
