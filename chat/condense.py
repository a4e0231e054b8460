"""Pure: what of a long conversation is sent: the last turns as they were, the oldest in a few sentences.

No model is needed for that: of each turn the question stays, the beginning of the answer, and the places it
names. It is done in large steps, as each of them changes the beginning of all that follows, which a model has
to read again then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from chat.conversation import Conversation, Turn
from models.wire import ChatMessage

Count = Callable[[str], int]

OVERHEAD = 8  # Tokens around each message, whatever the template.
KEPT_SHARE = 0.5  # Of the room, for what is left as it was: so the next turns do not condense again.
SUMMARY_SHARE = 0.2  # Of the room.
LONGEST_ASKED = 200  # Characters, in a summary.
LONGEST_SAID = 300
LONGEST_SHOWN = 1200  # Of an answer that no model gave and one has to read now.

_FENCE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)[^\n]*$\n?", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]\n]*)\]\([^)\n]*\)")
_NUMBER = re.compile(r" ?\[\d[\d ,;–-]*\]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def messages_of(turn: Turn) -> tuple[ChatMessage, ChatMessage]:
    """A turn as it was sent; one that no model has seen, in as few words as it can be understood from."""
    if turn.prompt:
        return _pair(turn.prompt, turn.said)
    return _pair(turn.asked, _cut(_LINK.sub(r"\1", turn.shown), LONGEST_SHOWN))


def messages(turns: Sequence[Turn]) -> tuple[ChatMessage, ...]:
    """Turns as they are sent."""
    return tuple(it for turn in turns for it in messages_of(turn))


def size(turns: Sequence[Turn], count: Count) -> int:
    """How many tokens turns take."""
    return sum(count(it.content) + OVERHEAD for it in messages(turns))


def fitting(conversation: Conversation, room: int, count: Count) -> Conversation:
    """The conversation, with as many of its oldest turns condensed as have to be to fit into the room."""
    first = conversation.condensed
    sizes = [size((it,), count) for it in conversation.turns]
    summary = conversation.summary
    if sum(sizes[first:]) + count(summary) <= room:
        return conversation
    kept = KEPT_SHARE * room
    while first < len(sizes) and kept < sum(sizes[first:]):
        first += 1
    summary = summarized(conversation.turns[:first], int(SUMMARY_SHARE * room), count)
    return replace(conversation, condensed=first, summary=summary)


def summarized(turns: Sequence[Turn], room: int, count: Count) -> str:
    """What turns were about, within so many tokens: of the latest the most, of the oldest nothing at last."""
    lines: list[str] = []
    left = room
    for turn in reversed(turns):
        asked = _cut(" ".join(turn.asked.split()), LONGEST_ASKED)
        for line in (f"- Asked: {asked} Answered: {_gist(turn)}", f"- Asked: {asked}"):
            cost = count(line) + 1
            if cost <= left:
                lines.append(line)
                left -= cost
                break
        else:
            break
    return "\n".join(reversed(lines))


def shortened(text: str, room: int, count: Count) -> str:
    """A text within so many tokens: its beginning and its end, where what matters mostly stands."""
    if count(text) <= room:
        return text
    low, high = 0, len(text)
    while 1 < high - low:
        middle = (low + high) // 2
        low, high = (middle, high) if count(_without_middle(text, middle)) <= room else (low, middle)
    return _without_middle(text, low) if 0 < low else ""


def _without_middle(text: str, size: int) -> str:
    head = (size + 1) // 2
    return f"{text[:head]}\n…\n{text[len(text) - (size - head) :]}"


def _gist(turn: Turn) -> str:
    """The beginning of an answer, without its code; and the places that it names."""
    text = turn.shown or turn.said
    paths = dict.fromkeys(it[1].partition("#")[0] for it in re.finditer(r"\]\(([^)\n]+)\)", text))
    words = " ".join(_NUMBER.sub("", _LINK.sub(r"\1", _FENCE.sub("", text))).split())
    said = _cut(_SENTENCE.split(words)[0] if words else "nothing.", LONGEST_SAID)
    places = ", ".join(list(paths)[:3])
    return f"{said} ({places})" if places else said


def _pair(asked: str, said: str) -> tuple[ChatMessage, ChatMessage]:
    # A template may refuse a turn that says nothing, as of an answer that was stopped at once.
    return ChatMessage(role="user", content=asked), ChatMessage(role="assistant", content=said or "…")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
