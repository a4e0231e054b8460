"""Long conversations: the last turns as they were, the oldest in a few sentences, within the room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat.condense import KEPT_SHARE, SUMMARY_SHARE, fitting, messages_of, shortened, size, summarized
from chat.conversation import Conversation, Turn
from models.estimate import tokens


def turn(number: int, words: int = 100, shown: str = "") -> Turn:
    """A turn of about so many words."""
    said = "word " * words
    asked = f"Question {number}?"
    prompt = f"[{number}] a.py\n{said}\n{asked}"
    return Turn(id=str(number), at=0.0, asked=asked, prompt=prompt, said=said, shown=shown or said)


def talk(*turns: Turn) -> Conversation:
    """Of these turns."""
    return Conversation(id="c", turns=turns)


def test_what_fits_stays_as_it_is() -> None:
    """Nothing is condensed while there is room."""
    conversation = talk(turn(1), turn(2))
    assert fitting(conversation, 10_000, tokens) is conversation


@given(st.lists(st.integers(0, 300), min_size=1, max_size=12), st.integers(0, 3000))
def test_what_is_left_fits(sizes: list[int], room: int) -> None:
    """Turns that are sent, and the sentences for the others; if something had to go, there is room again."""
    conversation = talk(*(turn(number, words) for number, words in enumerate(sizes)))
    found = fitting(conversation, room, tokens)
    rest = size(found.turns[found.condensed :], tokens)
    assert found.turns == conversation.turns
    if found is not conversation:
        assert rest <= KEPT_SHARE * room
        assert tokens(found.summary) <= SUMMARY_SHARE * room
        assert fitting(found, room, tokens) is found
    else:
        assert rest <= room


def test_it_grows_in_large_steps() -> None:
    """After condensing several turns come before it is done again: each time the model reads all anew."""
    conversation, changes = talk(), 0
    for number in range(60):
        grown = talk(*conversation.turns, turn(number))
        grown = Conversation(
            id="c", turns=grown.turns, condensed=conversation.condensed, summary=conversation.summary
        )
        conversation = fitting(grown, 4000, tokens)
        changes += conversation.condensed != grown.condensed
    assert 0 < changes <= 60 // 5


def test_what_a_summary_says() -> None:
    """Question, first sentence without code and numbers, and places; of the latest turns first."""
    shown = (
        "It adds up [src/cart.py#L1-L9](src/cart.py#L1-L9) [1]. More of it.\n\n"
        "```python\nsecret_code()\n```\n"
    )
    said = summarized([turn(1, shown=shown)], 200, tokens)
    assert said == "- Asked: Question 1? Answered: It adds up src/cart.py#L1-L9. (src/cart.py)"
    assert summarized([turn(1, shown="```\nx\n```")], 200, tokens).endswith("Answered: nothing.")
    both = [turn(1, shown="One."), turn(2, shown="Two.")]
    last = "- Asked: Question 2? Answered: Two."
    assert summarized(both, tokens(last) + 1, tokens) == last
    assert summarized(both, 0, tokens) == ""


def test_a_turn_without_a_model() -> None:
    """Its links become names, and it is cut."""
    it = Turn(id="t", at=0.0, asked="Where?", shown="[a.py:3](a.py#L3) " + "x" * 5000)
    asked, said = messages_of(it)
    assert (asked.role, asked.content, said.role) == ("user", "Where?", "assistant")
    assert said.content.startswith("a.py:3 xxx")
    assert len(said.content) == 1200


@given(st.text(max_size=400), st.integers(0, 100))
def test_shortened_fits(text: str, room: int) -> None:
    """Beginning and end stay; what fits stays as it is."""
    found = shortened(text, room, tokens)
    assert tokens(found) <= room
    if tokens(text) <= room:
        assert found == text
    elif found:
        assert found.startswith(text[0])
