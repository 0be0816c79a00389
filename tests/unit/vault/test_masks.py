"""The shapes in which a secret is recognised."""

from hypothesis import given
from hypothesis import strategies as st

from skyflow.vault.masks import masks_of


def hide(text: str, *secrets: str) -> str:
    for mask in masks_of(secrets):
        text = text.replace(mask, "***")
    return text


@given(st.text(min_size=1).filter(str.strip), st.text())
def test_a_secret_and_its_lines_are_hidden(secret: str, around: str) -> None:
    shown = hide(f"{around}\x00{secret}\x00{around}", secret)
    assert "*" in secret or secret not in shown
    for line in secret.replace("\r", "\n").split("\n"):
        assert not line.strip() or line.strip() in masks_of([secret])


def test_what_expressions_make_of_a_secret_is_hidden() -> None:
    masks = masks_of(['it\'s "x"\ny'])
    assert 'it\'s \\"x\\"\\ny' in masks
    assert "it''s \"x\"\ny" in masks
    assert 'it\\\'s "x"\\ny' in masks  # between quotes, as messages name what a function was given


def test_longest_come_first_and_blanks_are_left_alone() -> None:
    masks = masks_of(["ab\n\n  abc\n ", " ", "", "x"])
    assert list(masks) == sorted(masks, key=lambda mask: (-len(mask), mask))
    assert "" not in masks
    assert {"ab", "abc", "x"} <= set(masks)
    assert masks_of(["", " \n"]) == ()
