"""Bytes that once broke something, or are likely to, and cuts and changes of them: see `targets.py`."""

import time

import pytest
from fuzz.targets import CORPUS, LIMIT_SECONDS, TARGETS, seeds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PIECES = [
    b"",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\t",
    b"9" * 400,
    b"1e999",
    b"NaN",
    b"[" * 2_000,
    b"{" * 2_000,
]
EVERYWHERE = [*PIECES, b"'", b'"', b"&a ", b"*a", b"<<", b"::", b"${{", b"}}", b"\\", b"-1", b"null", b"x" * 70_000]


def tried(name, data):
    begun = time.process_time()
    TARGETS[name].run(data)
    assert time.process_time() - begun < LIMIT_SECONDS


def test_every_target_has_a_corpus_and_every_corpus_a_target():
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_in_the_corpus_breaks_its_target(name):
    for data in [*sorted(PIECES), *(file.read_bytes() for file in sorted((CORPUS / name).iterdir()))]:
        tried(name, data)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_no_change_of_it_does(name, data):
    known = sorted(seeds(name), key=len)[:40]
    text = data.draw(st.sampled_from(known))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        upto = data.draw(st.integers(at, min(len(text), at + 12)))
        text = text[:at] + data.draw(st.sampled_from(EVERYWHERE)) + text[upto:]
    tried(name, text)
