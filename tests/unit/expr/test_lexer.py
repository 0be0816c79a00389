import pytest

from skyflow.expr.lexer import Token, TokenKind, is_keyword, scan


def kinds(text):
    return [(token.kind.name, token.text) for token in scan(text)]


def test_kinds_depend_on_the_place():
    assert kinds("f ( a.b , .5 )[*].true && !null") == [
        ("FUNCTION", "f"),
        ("OPEN_CALL", "("),
        ("CONTEXT", "a"),
        ("DOT", "."),
        ("PROPERTY", "b"),
        ("COMMA", ","),
        ("LITERAL", ".5"),
        ("CLOSE", ")"),
        ("OPEN_INDEX", "["),
        ("WILDCARD", "*"),
        ("CLOSE", "]"),
        ("DOT", "."),
        ("PROPERTY", "true"),
        ("OPERATOR", "&&"),
        ("NOT", "!"),
        ("LITERAL", "null"),
    ]


def test_values_and_offsets():
    assert list(scan(" ('it''s')")) == [
        Token(TokenKind.OPEN_GROUP, "(", 1),
        Token(TokenKind.LITERAL, "'it''s'", 2, "it's"),
        Token(TokenKind.CLOSE, ")", 9),
    ]
    assert next(scan("  12")).end == 4


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("a b c", "b"),
        ("1 'open (", "'open ("),
        ("(]) 1", "]"),
        ("a, b", ","),
        ("1 =x 2", "=x"),
        ("a.b@c.d", "b@c"),
        ("@ 1", "@"),
    ],
)
def test_nothing_comes_after_an_unexpected_token(text, last):
    *_, token = scan(text)
    assert (token.kind, token.text) == (TokenKind.UNEXPECTED, last)


@pytest.mark.parametrize("text", ["a", "_", "A-1_b", "null"])
def test_keywords(text):
    assert is_keyword(text)


@pytest.mark.parametrize("text", ["", "1a", "-a", "a b", "é", "a.b", "a\n"])
def test_no_keywords(text):
    assert not is_keyword(text)
