"""What is read from documents, pages and settings: sections."""

from __future__ import annotations

from inline_snapshot import snapshot

from tests.codeindex.parse import check


def test_html() -> None:
    """Headings and elements with an id; what the page loads."""
    check(
        "html",
        snapshot("""\
9-13 section apples @10:13
    <section id="apples" class="big">
    -- The list.
11-11 section apples.All @11:6
    <h1>All <b>apples</b></h1>
14-14 section Pears @14:4
    <h2>Pears</h2>
5 import style.css
6 import app.js
"""),
    )


def test_css() -> None:
    """Rules by their selectors."""
    check(
        "css",
        snapshot("""\
4-4 section :root @4:0
    :root { --main-color: #fff; }
6-9 section .apples > li, #pears a:hover @7:0
    .apples > li, #pears a:hover
    -- The list.
12-12 section .apples @12:2
    .apples { display: none; }
15-15 section fade @15:11
    @keyframes fade { from { opacity: 0; } to { opacity: 1; } }
1 import base.css
2 import more.css
"""),
    )


def test_json() -> None:
    """Keys of the two outer levels."""
    check(
        "json",
        snapshot("""\
2-2 section name @2:3
    "name": "shop"
3-3 section scripts @3:3
    "scripts": { "build": "tsc", "test": "jest" }
3-3 section scripts.build @3:16
    "build": "tsc"
3-3 section scripts.test @3:32
    "test": "jest"
4-4 section list @4:3
    "list": [1, 2]
"""),
    )


def test_jsonc() -> None:
    """The same, with comments."""
    check(
        "jsonc",
        snapshot("""\
2-3 section width @3:3
    "width": 10
    -- How wide.
4-4 section nested @4:3
    "nested": { "a": { "b": 1 } }
4-4 section nested.a @4:15
    "a": { "b": 1 }
"""),
    )


def test_yaml() -> None:
    """Keys of the two outer levels, of every document."""
    check(
        "yaml",
        snapshot("""\
1-2 section name @2:0
    name: shop
    -- What it is.
3-7 section jobs @3:0
    jobs
4-6 section jobs.build @4:2
    build
7-7 section jobs.test @7:3
    "test": {a: 1}
9-9 section second @9:0
    second: 2
"""),
    )


def test_toml() -> None:
    """Tables, and the keys before them."""
    check(
        "toml",
        snapshot("""\
1-1 section title @1:0
    title = "shop"
3-6 section owner @4:1
    [owner]
    -- Who.
7-9 section tool.ruff @7:1
    [tool.ruff]
10-11 section bin @10:2
    [[bin]]
"""),
    )


def test_markdown() -> None:
    """Headings with all that is below them; no heading within code."""
    check(
        "markdown",
        snapshot("""\
4-9 section Shop @4:0
    Shop
10-21 section Use @10:3
    ## Use
18-21 section Use.Deep @18:4
    ### Deep
22-22 section End @22:3
    ## End ##
"""),
    )
