"""Reads Jenkins' declarative pipelines, and says what Jenkins would not take of one.

Jenkins itself is in no package index, so this is its grammar written down once more: which sections and directives a block
may hold, which it must, and how often, by the chapter "Pipeline Syntax" of its handbook and by the schema that its editor
uses (`ast-schema.json` of the pipeline-model-definition plugin). Tokens are Pygments' for Groovy. What steps are called and
take depends on the plugins that are installed; that they are calls is all that is looked at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, groupby

from pygments.lexers import GroovyLexer
from pygments.token import Comment, Error, Whitespace

__all__ = ["Block", "mistakes", "read"]

_DIRECTIVES = {"agent", "environment", "options", "post", "tools"}
_MAY: Mapping[str, set[str]] = {
    "": {"pipeline"},
    "pipeline": {*_DIRECTIVES, "libraries", "parameters", "stages", "triggers"},
    "stages": {"stage"},
    "parallel": {"stage"},
    "matrix": {*_DIRECTIVES, "axes", "excludes", "stages", "when"},
    "stage": {*_DIRECTIVES, "failFast", "input", "matrix", "parallel", "stages", "steps", "when"},
    "post": {
        *("aborted", "always", "changed", "cleanup", "failure"),
        *("fixed", "regression", "success", "unstable", "unsuccessful"),
    },
}
"""What each block may hold; the others hold calls: steps, options and the like."""
_MUST = {"": {"pipeline"}, "pipeline": {"agent", "stages"}, "matrix": {"axes", "stages"}}
_OF_A_STAGE = {"steps", "stages", "parallel", "matrix"}
_MANY = {"stage"}


@dataclass
class Block:
    """A statement: its first word, what stands between that and a brace or the end of its line, and what is in the braces."""

    name: str
    arguments: list[str] = field(default_factory=list)
    inner: "list[Block] | None" = None


def read(text: str) -> Block:
    """Return a nameless block with all that a file holds.

    Raises:
        ValueError: it is no sequence of statements with closed braces.
    """
    return Block("", inner=list(_statements(_tokens(text), depth=0)))


def mistakes(block: Block) -> Iterator[str]:
    """Say what Jenkins would not take of a block and of those inside."""
    where, inner = block.name or "the file", block.inner
    if block.name in _MAY and inner is not None:
        names = [each.name for each in inner]
        yield from (f"{where} may not hold {name}" for name in names if name not in _MAY[block.name])
        yield from (f"{where} lacks {name}" for name in _MUST.get(block.name, set()) if name not in names)
        for name, same in groupby(sorted(names)):
            if len(list(same)) > 1 and name not in _MANY:
                yield f"{where} has {name} twice"
        if block.name == "stage" and len(_OF_A_STAGE & set(names)) != 1:
            yield f"a stage has one of {', '.join(sorted(_OF_A_STAGE))}"
    if block.name in {"stages", "parallel", "steps", "post", *_MAY["post"]} and not inner:
        yield f"{where} is empty"
    if block.name == "stage" and (len(block.arguments) != 3 or not _is_text(block.arguments[1])):
        yield "a stage has a name in brackets"
    if block.name == "agent" and not (inner or block.arguments in (["any"], ["none"])):
        yield "an agent is any, none, or a block"
    for each in inner or ():
        if block.name in {"steps", *_MAY["post"]} and not (each.arguments or each.inner):
            yield f"{each.name} is no call"
        yield from mistakes(each)


def _is_text(token: str) -> bool:
    return len(token) > 2 and token[0] == token[-1] and token[0] in "'\""


def _tokens(text: str) -> Iterator[str]:
    for kind, value in GroovyLexer().get_tokens(text):
        if kind in Error:
            raise ValueError(f"{value!r} is no Groovy")
        if "\n" in value and kind in Whitespace:
            yield "\n"
        elif kind not in Whitespace and kind not in Comment:
            yield value


def _statements(tokens: Iterator[str], *, depth: int) -> Iterator[Block]:
    """Return the statements up to the brace that closes them, or at depth 0 to the end."""
    now: Block | None = None
    for token in chain(tokens, [None]):
        if token in {"\n", ";", "}", None}:
            if now is not None:
                yield now
            now = None
        elif now is None:
            now = Block(_word(token))
        elif token == "{":
            now.inner = list(_statements(tokens, depth=depth + 1))
        else:
            now.arguments.append(token)
        if token in {"}", None}:
            if (depth > 0) != (token == "}"):
                raise ValueError("a brace is closed that was not opened" if token else "a brace is not closed")
            return


def _word(token: str) -> str:
    if not token.isidentifier():
        raise ValueError(f"a statement begins with {token!r}")
    return token
