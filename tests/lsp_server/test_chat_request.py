"""What an editor may say to `hearth/chat`, in whatever shape, and what it means."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types as lsp

from lsp_server.chat_request import ChatRequest, read, selection_of
from lsp_server.documents import Document


def said(**params: Any) -> Any:
    """Parameters as the library hands them over."""
    return SimpleNamespace(**params)


def test_all_that_can_be_said() -> None:
    """Each in its place."""
    where = said(start=said(line=1, character=2), end=said(line=3, character=0))
    found = read(
        said(
            text="Why?", conversation="c", turn=2, task="explain", choice="local", selection=where,
            textDocument=said(uri="file:///a.py"), partialResultToken="p", workDoneToken=7,
        )
    )  # fmt: skip
    assert found == ChatRequest(
        text="Why?",
        conversation="c",
        turn=2,
        task="explain",
        choice="local",
        uri="file:///a.py",
        range=lsp.Range(start=lsp.Position(1, 2), end=lsp.Position(3, 0)),
        stream="p",
        bar=7,
    )


@pytest.mark.parametrize(
    "params",
    [None, [], said(), said(text=""), said(text="  \n"), said(text=7), said(text=None, conversation="c")],
)
def test_nothing_to_answer(params: Any) -> None:
    """A sentence, whatever the shape."""
    assert read(params) == "There is nothing to answer: text must say something."


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ({"turn": -1, "conversation": "c"}, "turn counts"),
        ({"turn": 0}, "turn counts"),
        ({"task": "dance"}, "There is no task 'dance'"),
        ({"text": "x" * 1_000_001}, "longer than"),
    ],
)
def test_what_makes_no_sense(rest: dict[str, Any], says: str) -> None:
    """A sentence says what."""
    found = read(said(**({"text": "Why?"} | rest)))
    assert isinstance(found, str)
    assert says in found


@pytest.mark.parametrize(
    "rest",
    [
        {"turn": True},
        {"selection": said(start=said(line=-1, character=0), end=said(line=0, character=0))},
        {"selection": said(start=said(line="1", character=0), end=None)},
        {"textDocument": "file:///a.py"},
        {"partialResultToken": 1.5, "workDoneToken": []},
        {"choice": 5, "conversation": None},
    ],
)
def test_what_is_of_the_wrong_type_is_not_said(rest: dict[str, Any]) -> None:
    """The question is answered without it."""
    assert read(said(text="Why?", **rest)) == ChatRequest(text="Why?")


def test_another_answer_needs_no_words() -> None:
    """A turn alone asks it again."""
    assert read(said(conversation="c", turn=0)) == ChatRequest(text="", conversation="c", turn=0)


@pytest.mark.parametrize(
    ("start", "end", "lines"),
    [
        ((0, 0), (1, 0), (1, 1)),
        ((0, 2), (1, 1), (1, 2)),
        ((1, 0), (2, 3), (2, 3)),
        ((1, 1), (1, 1), None),
        ((2, 0), (1, 0), None),
    ],
)
def test_the_lines_of_a_selection(
    start: tuple[int, int], end: tuple[int, int], lines: tuple[int, int] | None
) -> None:
    """Whole lines; one that ends before a line's first column does not mean that line."""
    document = Document("file:///a.py", "python", 5, "one\r\ntwo\r\nthree")
    where = lsp.Range(start=lsp.Position(*start), end=lsp.Position(*end))
    found = selection_of(document, "a.py", where, "utf-16")
    if lines is None:
        assert found is None
        return
    assert found
    assert (found.first_line, found.last_line, found.version) == (*lines, 5)
    assert found.text == "\n".join(["one", "two", "three"][lines[0] - 1 : lines[1]]) + "\n"
