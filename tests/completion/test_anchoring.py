"""The prompt that stays while somebody types: it says what is on screen, or it is given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completion import CompletionConfig, Spot, decide, spot_at
from completion.anchoring import (
    MOST_GROWTH,
    SURE_FACTOR,
    Anchor,
    Fit,
    Unfit,
    anchored_request,
    fit,
    new_anchor,
    prefill_request,
    stale,
    unread,
)
from models.wire import CompletionRequest, Snippet
from tests.completion.fixtures import CONFIG, CURSOR, spot_of

SMALL = replace(CONFIG, prefix_tokens=12, suffix_tokens=6, middle_tokens=20)
LINES = "".join(f"value_{it} = compute({it}, 'é😀')\n" for it in range(60))
PAIRS = {"(": ")", "[": "]", "{": "}", '"': '"'}


@dataclass
class Editor:
    """A document and a cursor, and what people and their editors do to them."""

    text: str
    cursor: int
    config: CompletionConfig

    def spot(self) -> Spot:
        return spot_at(self.text, self.cursor, path="p", language="python", config=self.config)

    def insert(self, text: str) -> None:
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)

    def type_over(self, key: str) -> None:
        """As editors do: a pair is closed at once, and a closer that is there already is stepped over."""
        if self.text[self.cursor : self.cursor + 1] == key and key in PAIRS.values():
            self.cursor += 1
        else:
            self.insert(key)
            if key in PAIRS:
                self.text = self.text[: self.cursor] + PAIRS[key] + self.text[self.cursor :]

    def backspace(self, count: int) -> None:
        start = max(self.cursor - count, 0)
        self.text = self.text[:start] + self.text[self.cursor :]
        self.cursor = start

    def jump(self, share: float) -> None:
        self.cursor = int(share * len(self.text))
        self.settle()

    def settle(self) -> None:
        """No editor has its cursor inside a line break."""
        if self.text[self.cursor - 1 : self.cursor + 1] == "\r\n":
            self.cursor -= 1

    def edit(self, share: float, text: str) -> None:
        """Somewhere else, as a tool does: the cursor stays with its text."""
        at = int(share * len(self.text))
        self.text = self.text[:at] + text + self.text[at:]
        self.cursor += len(text) if at <= self.cursor else 0


STEPS: dict[str, Callable[..., None]] = {
    "type": Editor.type_over,
    "paste": Editor.insert,
    "backspace": Editor.backspace,
    "jump": Editor.jump,
    "edit": Editor.edit,
}
SHARES = st.floats(0, 1)
STEP = st.one_of(
    st.tuples(
        st.just("type"), st.sampled_from(["a", " ", "\n", "(", ")", "[", "]", "{", "}", '"', "é", "😀"])
    ),
    st.tuples(st.just("paste"), st.sampled_from(["x = 1\n", "    ", LINES[:200], "\r\n", "()\n"])),
    st.tuples(st.just("backspace"), st.integers(1, 6)),
    st.tuples(st.just("jump"), SHARES),
    st.tuples(st.just("edit"), SHARES, st.sampled_from(["a", "\n", "import os\n", ")"])),
)


def unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def on_screen(editor: Editor, anchor: Anchor, found: Fit) -> bool:
    """Whether the parts stand around the cursor just as they are put together."""
    before, after = unix(editor.text[: editor.cursor]), unix(editor.text[editor.cursor :])
    return before.endswith(anchor.prompt + found.typed) and after.startswith(found.closers + anchor.suffix)


@given(
    st.sampled_from([LINES, LINES.replace("\n", "\r\n"), "x()\n" * 80, "", "{\n}\n"]),
    SHARES,
    st.lists(STEP, max_size=25),
    st.sampled_from([0, 2]),
    st.sampled_from([None, 8]),
)
@settings(max_examples=300)
def test_a_prompt_says_what_is_on_screen(
    text: str, share: float, steps: list[tuple[object, ...]], lines: int, tokens: int | None
) -> None:
    """Whatever is done to the document: a prompt that still answers denotes it, and others are given up.

    With windows so small that their starts move all the time.
    """
    config = replace(SMALL, anchor_lines=lines)
    with patch("completion.spot.LOOK_CHARACTERS", 120):
        editor = Editor(text=text, cursor=0, config=config)
        editor.jump(share)
        anchor = new_anchor(editor.spot(), config, tokens=tokens)
        assert isinstance(fit(anchor, editor.spot(), config), Fit)
        for name, *arguments in steps:
            STEPS[str(name)](editor, *arguments)
            editor.settle()
            found = fit(anchor, editor.spot(), config)
            if isinstance(found, Fit):
                assert on_screen(editor, anchor, found)
                assert len(found.typed) <= MOST_GROWTH * config.middle_characters
                assert not found.closers.strip().isalnum()
            else:
                anchor = new_anchor(editor.spot(), config, tokens=tokens)
                again = fit(anchor, editor.spot(), config)
                assert isinstance(again, Fit)
                assert on_screen(editor, anchor, again)


@given(
    st.sampled_from([LINES, LINES.replace("\n", "\r\n"), "x()\n" * 80, ""]),
    SHARES,
    st.text(st.sampled_from("ab (){}[]\"'\né😀"), min_size=1, max_size=50),
)
def test_typing_only_lets_the_middle_grow(text: str, share: float, keys: str) -> None:
    """The rest of the request stays byte for byte: an engine evaluates what is new, and nothing else."""
    with patch("completion.spot.LOOK_CHARACTERS", 120):
        editor = Editor(text=text, cursor=0, config=SMALL)
        editor.jump(share)
        anchor = new_anchor(editor.spot(), SMALL)
        last = request_of(editor, anchor)
        for key in keys:
            editor.type_over(key)
            request = request_of(editor, anchor)
            assert replace(request, middle=last.middle, sampling=last.sampling) == last
            assert request.middle == last.middle + key
            last = request


def request_of(editor: Editor, anchor: Anchor) -> CompletionRequest:
    spot = editor.spot()
    found = fit(anchor, spot, SMALL)
    assert isinstance(found, Fit)
    trigger = decide(spot, explicit=False, previous=None, config=SMALL)
    return anchored_request(anchor, found, trigger, SMALL, "m")


def fits(first: str, later: str, config: CompletionConfig = CONFIG, language: str = "python") -> Fit | Unfit:
    """Whether an anchor set in one document answers for another one."""
    return fit(new_anchor(spot_of(first, language, config), config), spot_of(later, language, config), config)


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        ("a\nb = ‸\nc\n", "a\nb = 12‸\nc\n", Fit(typed="b = 12", closers="")),
        ("a\nb = ‸\nc\n", "a\n‸\nc\n", Fit(typed="", closers="")),
        ("a\n‸\nc\n", "a\nf(‸)\nc\n", Fit(typed="f(", closers=")")),
        ("a\n‸\nc\n", "a\nf(x)‸\nc\n", Fit(typed="f(x)", closers="")),
        ("a\nf(‸)\nc\n", "a\nf(x)‸\nc\n", Fit(typed="f(x)", closers="")),
        ('a\nf("‸")\nc\n', 'a\nf("x"‸)\nc\n', Fit(typed='f("x"', closers=")")),
        ("a\n‸\nc\n", "a\nif (x) {\n    ‸\n}\nc\n", Fit(typed="if (x) {\n    ", closers="\n}")),
        ("a\n‸\nc\n", "a\n<b>‸</b>\nc\n", Fit(typed="<b>", closers="</b>")),
        ("a\nb\n‸\nc\n", "a\nb‸\n\nc\n", Unfit(reason="after")),
        ("a\nb‸\nc\n", "a‸\nb\nc\n", Unfit(reason="after")),
        ("a\nb‸\nc\n", "z\nb‸\nc\n", Unfit(reason="before")),
        ("a\nb‸\nc\n", "import os\na\nb‸\nc\n", Fit(typed="b", closers="")),
        ("a\nb‸\nc\n", "a\nb‸\nc\nd\n", Unfit(reason="after")),
        ("a\nf(‸) + g()\nc\n", "a\nf(x‸) + g()\nc\n", Fit(typed="f(x", closers="")),
        ("a\n‸", "a\nb‸\nc", Unfit(reason="after")),
        ("‸", "x = 1\ny‸", Fit(typed="x = 1\ny", closers="")),
        ("a\n‸\n", "a\n" + "x = 1\n" * 400 + "‸\n", Unfit(reason="before")),
        ("‸\n", "x = 1\n" * 400 + "‸\n", Unfit(reason="long")),
    ],
)
def test_what_fits(first: str, later: str, expected: Fit | Unfit) -> None:
    """Typing, backspaces into the line, and what editors close by themselves; nothing else."""
    assert fits(first, later) == expected


def test_the_nearest_of_equal_places_is_meant() -> None:
    """In a document that repeats itself the middle is what was typed, not what stood there before."""
    text = "x()\n" * 200
    anchor = new_anchor(spot_of(f"{text}{CURSOR}\n{text}"), CONFIG)
    found = fit(anchor, spot_of(f"{text}x()\nx(‸\n{text}"), CONFIG)
    assert found == Fit(typed="x()\nx(", closers="")


def test_another_document_of_the_same_text() -> None:
    """The path is part of what the model is told."""
    spot = spot_of("a\nb‸\n")
    assert fit(new_anchor(spot, CONFIG), replace(spot, path="other"), CONFIG) == Unfit(reason="elsewhere")


def test_when_a_new_anchor_is_due() -> None:
    """The old one answers until then; what cannot grow any more is given up."""
    lines = "x = 1\n"
    anchor = new_anchor(spot_of("a\n‸\nz\n"), CONFIG)

    def why(document: str, given: Anchor = anchor) -> str:
        spot = spot_of(document)
        found = fit(given, spot, CONFIG)
        assert isinstance(found, Fit)
        return stale(given, found, spot, CONFIG)

    length = CONFIG.middle_characters // len(lines)
    assert why(f"a\n{lines * length}‸\nz\n") == ""
    assert why(f"a\n{lines * (length + 1)}‸\nz\n") == "long"
    assert why("import os\na\nb‸\nz\n") == "above"
    far = f"{LINES}{LINES}{CURSOR}\n{LINES}"
    small = new_anchor(spot_of(far), CONFIG, tokens=40)
    assert why(far, small) == "small"


def test_a_small_one_is_small() -> None:
    """It is read in the time that a first answer may take, so it brings no other files along."""
    snippets = (Snippet(path="b.py", text="B = 2\n"),)
    spot = spot_of(f"{LINES}{LINES}{CURSOR}\n{LINES}")
    small = new_anchor(spot, CONFIG, snippets, "project", tokens=40)
    full = new_anchor(spot, CONFIG, snippets, "project")
    assert small.small
    assert small.characters <= 40 * 3
    assert (small.snippets, small.repository) == ((), "")
    assert not full.small
    assert (full.snippets, full.repository) == (snippets, "project")
    assert 10 * small.characters < full.characters
    assert not new_anchor(spot_of("a\nb‸\n"), CONFIG, tokens=40).small, "there is nothing more to see"


def test_what_an_engine_has_to_read() -> None:
    """A prompt shares its beginning with one that was read before; nothing behind the first difference."""
    one = new_anchor(spot_of(f"{LINES}a\n‸\n{LINES}"), CONFIG)
    down = new_anchor(spot_of(f"{LINES}a\nb\nc\n‸\n{LINES}"), CONFIG)
    assert unread(one, []) == one.characters
    assert unread(one, [one]) == 0
    assert unread(down, [one]) == len("b\nc\n") + len(down.suffix) + len("a\n") - len("a\n")
    other = replace(one, snippets=(Snippet(path="b.py", text="B = 2\n"),))
    assert unread(other, [one]) == other.characters
    assert unread(one, [other, one]) == 0
    changed = replace(one, suffix=one.suffix[:10] + "!" + one.suffix[11:])
    assert unread(changed, [one]) == len(one.suffix) - 10


@pytest.mark.parametrize("explicit", [False, True])
def test_the_request(explicit: bool) -> None:
    """Ghost text goes first, may end a half-typed word, and is dropped early when nobody would see it."""
    spot = spot_of("x = ‸")
    snippets = (Snippet(path="a.py", text="A = 1\n"), Snippet(path="b.py", text="B = 2\n"))
    trigger = decide(spot, explicit=explicit, previous=None, config=CONFIG)
    anchor = new_anchor(spot, CONFIG, snippets, "project")
    found = fit(anchor, spot, CONFIG)
    assert isinstance(found, Fit)
    request = anchored_request(anchor, found, trigger, CONFIG, "some-model")
    assert (request.model, request.path, request.repository) == ("some-model", "file", "project")
    assert (request.priority, request.heal, request.snippets) == ("typing", True, snippets)
    assert request.choices == (3 if explicit else 1)
    assert request.least_probability == SURE_FACTOR * CONFIG.confidence_threshold
    assert request.sampling.logprobs
    assert request.sampling.temperature == 0
    ahead = prefill_request(anchor, found, "some-model")
    assert (ahead.priority, ahead.sampling.max_tokens) == ("prefill", 0)
    same = ("model", "prompt", "suffix", "middle", "repository", "path", "snippets", "heal")
    assert [getattr(ahead, it) for it in same] == [getattr(request, it) for it in same]
