"""Step summaries on a terminal, with the HTML that GitHub's toolkit writes them in."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from skyflow.report.html_text import html_to_markdown
from skyflow.report.step_summaries import render_summaries


def shown(markdown: str) -> list[str]:
    console = Console(file=io.StringIO(), width=60, color_system=None)
    for part in render_summaries([("job", markdown)]):
        console.print(part)
    lines = [line.strip() for line in console.file.getvalue().splitlines()]
    assert lines[0] == "Summary of job"
    return [line for line in lines[1:] if line]


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<h2>Results <code>a_b</code></h2>", "## Results `a_b`"),
        ("<p>one</p><p>two</p>", "one\n\n\n\ntwo"),
        ("<b>x</b> <em>y</em>", "**x** *y*"),
        ("2 &lt; 3 *raw* a_b", "2 \\< 3 \\*raw\\* a\\_b"),
        ('<a href="https://x.y/z">link</a> <img src="i" alt="pic">', "[link](https://x.y/z) pic"),
        ("<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>", "- a\n- b\n\n   1. c\n   2. d"),
        ('<pre lang="js"><code>a < `b`\n</code></pre>', "```js\na < `b`\n\n```"),
        ("<style>p {}</style><script>alert(1)</script>text", "text"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>a|b</td></tr></table>", "| A | B |\n|---|---|\n| a\\|b |  |"),
        ("<table></table>", ""),
        ("<b>x</b><![i](y)> z<![CDATA[c]]> end", "**x** z end"),
        ("</ul></a></pre></code><li>stray", "- stray"),
    ],
)
def test_html_becomes_markdown(html: str, markdown: str) -> None:
    assert html_to_markdown(html).strip() == markdown


@given(st.text(st.sampled_from("<>/abpiultdhr123 \n\"'=&;`|*_")))
def test_any_html_can_be_shown(html: str) -> None:
    shown(html_to_markdown(html))
    shown(html)


def test_a_summary_of_the_toolkit_is_shown_whole() -> None:
    text = (
        "<h1>Test results</h1>\n"
        "<table><tr><th>File</th><th>Result</th></tr><tr><td>foo.js</td><td>Pass</td></tr></table>\n"
        "<details><summary>Label</summary>Content</details>\n"
    )
    lines = [line for line in shown(text) if not line.startswith("─")]
    assert lines == ["Test results", "File    Result", "foo.js  Pass", "Label", "Content"]


def test_tags_within_a_line() -> None:
    assert shown("one<br>two <b>bold</b> <img alt='pic'> <!-- unseen --> <kbd>x</kbd>") == ["one", "two bold pic  x"]


def test_markdown_stays_as_it_is() -> None:
    assert shown("# Title\n\n- *a* `<b>`\n") == ["Title", "• a <b>"]
