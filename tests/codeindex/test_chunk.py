"""How a text falls into chunks: every line with words in exactly one, of sizes that make sense."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codeindex.chunk import LARGE, SMALL, TARGET, Block, Lines, by_look, chunks
from codeindex.types import Chunk, Kind, Symbol

LINES = st.lists(
    st.sampled_from(["", "", "  ", "a = 1", "    b", "\tc", "}", "x" * 300, "  " + "y " * 90]), max_size=40
)


def check_tiles(lines: list[str], found: tuple[Chunk, ...]) -> None:
    """In order, without overlaps, and nothing but blank lines between them."""
    covered = [line for it in found for line in range(it.first_line, it.last_line + 1)]
    assert covered == sorted(set(covered))
    assert {at for at, line in enumerate(lines, 1) if line.strip()} <= set(covered)
    assert all(lines[it.first_line - 1].strip() and lines[it.last_line - 1].strip() for it in found)


def spans(found: tuple[Chunk, ...]) -> list[tuple[int, int, str]]:
    return [(it.first_line, it.last_line, it.name) for it in found]


def symbol(name: str, first: int, last: int, kind: Kind = Kind.FUNCTION, scope: str = "") -> Symbol:
    return Symbol(
        name=name, kind=kind, scope=scope, first_line=first, last_line=last, line=first, column=0,
        signature=f"{kind} {name}", doc="", parent=None,
    )  # fmt: skip


def body(weight: int, width: int = 50) -> list[str]:
    """Lines of this weight together."""
    return ["x" * width] * (weight // width)


@st.composite
def trees(draw: st.DrawFn, first: int, last: int, depth: int = 3) -> tuple[list[Block], list[Symbol]]:
    """Any blocks within these lines, some of them symbols; siblings may overlap, as in a syntax tree."""
    blocks: list[Block] = []
    symbols: list[Symbol] = []
    for _ in range(draw(st.integers(0, 3)) if first <= last else 0):
        start = draw(st.integers(first, last))
        end = draw(st.integers(start, last))
        children: list[Block] = []
        own = None
        if draw(st.booleans()):
            own = len(symbols)
            symbols.append(symbol("s", start, end, draw(st.sampled_from(Kind))))
        if depth:
            children, inner = draw(trees(start, end, depth - 1))
            children = [_shifted(it, len(symbols)) for it in children]
            symbols += inner
        blocks.append(
            _shifted(Block(first_line=start, last_line=end, symbol=own, children=tuple(children)), 0)
        )
    return blocks, symbols


def _shifted(block: Block, by: int) -> Block:
    own = None if block.symbol is None else block.symbol + by
    children = tuple(_shifted(it, by) for it in block.children)
    return Block(first_line=block.first_line, last_line=block.last_line, symbol=own, children=children)


@given(st.data())
def test_any_lines_with_any_blocks_are_tiled(data: st.DataObject) -> None:
    """Whatever a syntax tree says of the lines, none is lost and none is there twice."""
    lines = data.draw(LINES)
    blocks, symbols = data.draw(trees(1, len(lines)))
    check_tiles(lines, chunks(Lines(lines), blocks, symbols))


@given(st.text(max_size=2000))
def test_any_text_is_tiled(text: str) -> None:
    """Without any syntax, too."""
    lines = text.split("\n")
    check_tiles(lines, chunks(Lines(lines), (), ()))


@given(LINES)
def test_without_syntax_no_chunk_is_large_that_can_be_split(lines: list[str]) -> None:
    """Only a single line may be larger."""
    weighed = Lines(lines)
    for it in chunks(weighed, (), ()):
        assert it.first_line == it.last_line or weighed.weight(it.first_line, it.last_line) <= LARGE


def test_a_blank_text_has_no_chunks() -> None:
    """There is nothing to be found in it."""
    assert chunks(Lines([]), (), ()) == ()
    assert chunks(Lines(["", "  ", "\t"]), (), ()) == ()


def test_a_function_is_a_chunk() -> None:
    """One that is not small is a chunk of its own, under its name."""
    lines = [*body(300), "", *body(400)]
    symbols = (symbol("one", 1, 6), symbol("two", 8, 15))
    blocks = [
        Block(first_line=it.first_line, last_line=it.last_line, symbol=at) for at, it in enumerate(symbols)
    ]
    found = chunks(Lines(lines), blocks, symbols)
    assert spans(found) == [(1, 6, "one"), (8, 15, "two")]
    assert [it.defines for it in found] == [(0,), (1,)]
    assert [it.signature for it in found] == ["function one", "function two"]


def test_small_functions_share_a_chunk() -> None:
    """By themselves they say too little; the chunk is named for none of them, but defines all."""
    lines = ["x" * 30] * 6
    symbols = tuple(symbol(name, 2 * at + 1, 2 * at + 2) for at, name in enumerate("abc"))
    blocks = [
        Block(first_line=it.first_line, last_line=it.last_line, symbol=at) for at, it in enumerate(symbols)
    ]
    (found,) = chunks(Lines(lines), blocks, symbols)
    assert (found.first_line, found.last_line, found.name, found.defines) == (1, 6, "", (0, 1, 2))


def test_a_long_function_is_split_along_its_statements() -> None:
    """Its first part has its name; the others say what they are in; no statement is cut."""
    lines = ["def long():", *body(3000)]
    statements = tuple(Block(first_line=at, last_line=at + 3) for at in range(2, 62, 4))
    symbols = (symbol("long", 1, 61, scope="Shop"),)
    block = Block(first_line=1, last_line=61, symbol=0, children=statements)
    found = chunks(Lines(lines), [block], symbols)
    assert [it.name for it in found] == ["long", "", ""]
    assert [it.scope for it in found] == ["Shop", "Shop.long", "Shop.long"]
    assert {it.signature for it in found} == {"function long"}
    assert all((it.last_line - 1) % 4 == 0 for it in found)
    weighed = Lines(lines)
    assert all(weighed.weight(it.first_line, it.last_line) <= TARGET for it in found)


def class_of(*members: int) -> tuple[list[str], list[Block], tuple[Symbol, ...]]:
    """A class with a head of one line, members of these weights and a line that closes it."""
    lines = ["class A {"]
    symbols = [symbol("A", 1, 1, Kind.CLASS)]
    children = []
    for at, weight in enumerate(members, 1):
        first = len(lines) + 1
        lines += body(weight)
        symbols.append(symbol(f"m{at}", first, len(lines), Kind.METHOD, "A"))
        children.append(Block(first_line=first, last_line=len(lines), symbol=at))
    lines.append("}")
    symbols[0] = symbol("A", 1, len(lines), Kind.CLASS)
    whole = Block(first_line=1, last_line=len(lines), symbol=0, children=tuple(children))
    return lines, [whole], tuple(symbols)


def test_a_small_class_is_one_chunk() -> None:
    """Its members say more together."""
    lines, blocks, symbols = class_of(200, 200)
    assert spans(chunks(Lines(lines), blocks, symbols)) == [(1, 10, "A")]


def test_a_class_is_its_head_and_its_members() -> None:
    """Each can be found by its own name; the closing bracket stays with the last."""
    lines, blocks, symbols = class_of(500, 300)
    found = chunks(Lines(lines), blocks, symbols)
    assert spans(found) == [(1, 1, "A"), (2, 11, "m1"), (12, 18, "m2")]
    assert [it.scope for it in found] == ["", "A", "A"]


def test_nothing_is_put_together_across_a_class() -> None:
    """The end of one class and the head of the next are different things, however small."""
    lines, blocks, symbols = class_of(700, 100)
    again = [f"{it}" for it in lines]
    shift = len(lines)
    more = tuple(
        symbol(it.name + "2", it.first_line + shift, it.last_line + shift, it.kind, it.scope)
        for it in symbols
    )
    (block,) = blocks
    children = tuple(
        Block(first_line=it.first_line + shift, last_line=it.last_line + shift, symbol=(it.symbol or 0) + 3)
        for it in block.children
    )
    second = Block(first_line=1 + shift, last_line=2 * shift, symbol=3, children=children)
    found = chunks(Lines(lines + again), [block, second], symbols + more)
    assert not [it for it in found if it.first_line <= shift < it.last_line]


def test_crumbs_stay_beside_what_they_are_near() -> None:
    """A short constant before a function goes with it, and does not take its name."""
    lines = ["LIMIT = 1", *body(500)]
    symbols = (symbol("LIMIT", 1, 1, Kind.CONSTANT), symbol("run", 2, 11))
    blocks = [
        Block(first_line=it.first_line, last_line=it.last_line, symbol=at) for at, it in enumerate(symbols)
    ]
    (found,) = chunks(Lines(lines), blocks, symbols)
    assert (found.name, found.defines) == ("run", (0, 1))
    assert SMALL < LARGE


def test_paragraphs_without_syntax() -> None:
    """A text in no known language falls apart between paragraphs, outer ones first."""
    lines = ["a", "", "  b", "", "c"]
    assert [(it.first_line, it.last_line) for it in by_look(Lines(lines), 1, 5)] == [(1, 3), (5, 5)]
