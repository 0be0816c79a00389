"""The scanner of ruamel.yaml, made to take and refuse what GitHub's does.

Tabs may stand between tokens, but never as indentation; ruamel.yaml takes none outside of quotes and braces, so that a
tab in front of a comment makes a whole file unreadable. The rules are those of libyaml, which GitHub's parser has as
well. That parser also wants the further lines of a text in double quotes indented, and a blank before a comment unless
it follows `}` or a single quote; ruamel.yaml looks at neither. And where a comma follows at once, as in `{name:, if: x}`, it
takes the colon of a map in braces for one, where ruamel.yaml reads a key that ends with a colon.

What is asked most often is answered here without finding it out again.
"""

import re
from functools import cached_property
from typing import Any

from ruamel.yaml.parser import Parser
from ruamel.yaml.scanner import Scanner, ScannerError

__all__ = ["GLUED_COMMENT", "WRONG_INDENTATION", "GithubScanner", "QuickParser"]

GLUED_COMMENT = "found a comment without a blank in front of it"

WRONG_INDENTATION = "found wrong indentation in double quotes"

_INDICATORS = re.compile(r"(?:([+-])([1-9])?|([1-9])([+-])?)?(?=\t)")
_NO_COMMENT = frozenset('"],')
_BREAKS = "\r\n\x85\u2028\u2029"
_END = "\0" + _BREAKS
_SKIPPED = frozenset(" \t#\ufeff" + _BREAKS)


class GithubScanner(Scanner):
    """Takes tabs for blanks wherever no key can begin, and looks at the indentation in double quotes."""

    _outdented: Any = None  # where the first line begins that is not indented enough
    _is_next_known = False  # whether the next token is there; it stays until it is taken

    @cached_property
    def reader(self) -> Any:
        """What gives the characters; one for a text."""
        return self.loader.reader

    def check_token(self, *choices: Any) -> bool:
        """Tell whether the next token is one of some kinds, or whether there is one."""
        if not self._is_next_known:
            self._know_next()
        return bool(self.tokens) and (not choices or isinstance(self.tokens[0], choices))

    def peek_token(self) -> Any:
        """Return the next token."""
        if not self._is_next_known:
            self._know_next()
        return self.tokens[0] if self.tokens else None

    def get_token(self) -> Any:
        """Take the next token."""
        if not self._is_next_known:
            self._know_next()
        self._is_next_known = False
        if not self.tokens:
            return None
        self.tokens_taken += 1
        return self.tokens.pop(0)

    def _know_next(self) -> None:
        while self.need_more_tokens():
            self.fetch_more_tokens()
        self._is_next_known = True

    def scan_to_next_token(self) -> None:
        """Skip blanks, comments and line breaks; after a line break a key can begin, so tabs end there."""
        peek, forward = self.reader.peek, self.reader.forward
        if peek() not in _SKIPPED:
            return
        if peek() == "#" and self.reader.pointer > 0 and self.reader.buffer[self.reader.pointer - 1] in _NO_COMMENT:
            mark = self.reader.get_mark()
            raise ScannerError("while scanning a comment", mark, GLUED_COMMENT, mark)
        if self.reader.index == 0 and peek() == "\ufeff":
            forward()
        while True:
            while peek() == " " or (peek() == "\t" and (self.flow_level > 0 or not self.allow_simple_key)):
                forward()
            if peek() == "#":
                while peek() not in _END:
                    forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_plain(self) -> Any:
        """Return a plain scalar; in braces, without a colon at its end that a comma follows."""
        token = super().scan_plain()
        reader = self.reader
        if token.value[:-1] and token.value[-1] == ":" and reader.peek() == "," and self.flow_context[-1:] == ["{"]:
            for place in ("pointer", "index", "column"):
                setattr(reader, place, getattr(reader, place) - 1)
            token.value, token.end_mark = token.value[:-1], reader.get_mark()
        return token

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str] | None:
        """Return the blanks and line breaks after a part of a plain scalar; None at the end of the document."""
        del start_mark
        reader = self.reader
        length = 0
        while reader.peek(length) in {" ", "\t"}:
            length += 1
        blanks = reader.prefix(length)
        reader.forward(length)
        if reader.peek() not in _BREAKS:
            return [blanks] if blanks else []
        first = self.scan_line_break()
        self.allow_simple_key = True
        breaks: list[str] = []
        while not self._is_document_mark():
            letter = reader.peek()
            if letter == " " or (letter == "\t" and reader.column >= indent):
                reader.forward()
            elif letter in _BREAKS:
                breaks.append(self.scan_line_break())
            else:
                return ([first] if first != "\n" else [] if breaks else [" "]) + breaks
        return None

    def _is_document_mark(self) -> bool:
        reader = self.reader
        return (
            reader.column == 0
            and reader.prefix(3) in {"---", "..."}
            and (reader.peek(3) in _END or reader.peek(3) in {" ", "\t"})
        )

    def scan_flow_scalar(self, style: Any) -> Any:
        """Return a quoted scalar; one that is never closed is told as that, so indentation is looked at last."""
        self._outdented = None
        start_mark = self.reader.get_mark()
        token = super().scan_flow_scalar(style)
        if self._outdented is not None:
            context = "while scanning a double-quoted scalar"
            raise ScannerError(context, start_mark, WRONG_INDENTATION, self._outdented)
        return token

    def scan_flow_scalar_breaks(self, double: Any, start_mark: Any) -> Any:
        """Return the further line breaks after one in a quoted scalar."""
        breaks = super().scan_flow_scalar_breaks(double, start_mark)
        if double and self._outdented is None and self.reader.column <= self.indent:
            self._outdented = self.reader.get_mark()
        return breaks

    def scan_block_scalar_indicators(self, start_mark: Any) -> Any:
        """Return how a block scalar keeps its last line breaks, and its indentation, where a tab follows."""
        match = _INDICATORS.match(self.reader.prefix(3))
        if match is None:
            return super().scan_block_scalar_indicators(start_mark)
        self.reader.forward(match.end())
        keep, indentation = match[1] or match[4], match[2] or match[3]
        return keep and keep == "+", indentation and int(indentation)

    def scan_block_scalar_ignored_line(self, start_mark: Any) -> Any:
        """Skip what may follow the header of a block scalar."""
        while self.reader.peek() in {" ", "\t"}:
            self.reader.forward()
        return super().scan_block_scalar_ignored_line(start_mark)


class QuickParser(Parser):
    """Knows its scanner."""

    @cached_property
    def scanner(self) -> Any:
        """What gives the tokens; one for a text."""
        return self.loader.scanner
