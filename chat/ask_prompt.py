"""Pure: the prompt of a question in a conversation: what was sent before, as it was, then what is new.

What stands at its beginning stays the same from turn to turn, so that a model reads what is new alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from chat import condense, mentions
from chat.conversation import Conversation
from chat.pack import Packed, pack
from chat.prompts import Template, filled
from chat.types import Piece, Place, Question
from codeindex.query import STOP
from models.estimate import tokens
from models.wire import ChatMessage

ROOM = 6000  # Tokens of a prompt, where nobody knows how many it may have.
# Tokens of context for a first question: what is in it is found in 9 of 10 cases, and a laptop reads it in
# some seconds. Who can read more gets more, and so does what was asked for by name.
LEAST_CONTEXT, MOST_CONTEXT = 600, 8000
CONTEXT_SHARE = 5  # Of the room, one part in so many.
NAMED_SHARE = 2  # The same for what was asked for by name.
NEXT_SHARE = 8  # Of that, for a question that goes on from what the model has before it already.
ON_SUBJECT = 3  # The best pieces, of which one was given before, if it still is the same subject.
FEW_WORDS = 3  # A question of fewer words that mean something goes on from the one before.
MOST_BEFORE = 4  # Questions that it may go on from, back to one that stands alone.
NOWHERE = Place(path="", first_line=0, last_line=0)
ONWARD = (
    "and ",
    "but ",
    "or ",
    "so ",
    "then ",
    "also ",
    "what if ",
    "what about ",
    "how about ",
    "what else ",
)
POINTING = frozenset(
    ("it", "its", "that", "them", "there", "these", "they", "this", "those", "he", "she", "here", "one")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A prompt, and what has become of the conversation for it."""

    messages: tuple[ChatMessage, ...]
    conversation: Conversation
    """With its oldest turns condensed, if they had to be."""
    packed: Packed
    given: Mapping[int, Place]
    """What stood in the turns that are sent again."""

    @property
    def prompt(self) -> str:
        """The new turn's own message."""
        return self.messages[-1].content

    @property
    def new(self) -> Mapping[int, Place]:
        """What this turn brings, by its numbers."""
        numbers = self.packed.numbers
        return {number: place for number, place in numbers.items() if self.given.get(number) != place}


@dataclass(slots=True, kw_only=True)
class Prompt:
    """Makes the prompt for whoever is asked, and remembers the last one that it made."""

    conversation: Conversation
    question: Question
    pieces: tuple[Piece, ...]
    system: str
    example: Sequence[ChatMessage]
    given: Mapping[int, Place]
    """What the model has before it and is still so; what has changed since stands nowhere."""
    known: Mapping[int, Place]
    """What its numbers may be cited as."""
    made: Made | None = None

    @property
    def tokens_in(self) -> int:
        """About how large it is with all that is worth sending."""
        named = sum(tokens(it.text) for it in self.pieces if 1.0 < it.score)
        texts = [self.system, self.question.text, *(it.content for it in self.example)]
        history = condense.size(self.conversation.turns[self.conversation.condensed :], tokens)
        context = ROOM // CONTEXT_SHARE // (NEXT_SHARE if self._goes_on else 1)
        return sum(map(tokens, texts)) + history + named + context

    def messages(self, budget: int | None, count: Callable[[str], int]) -> tuple[ChatMessage, ...]:
        """The prompt within so many tokens: of context what there is room for, of the past what there was."""
        room = budget or ROOM
        fixed = sum(count(it.content) + condense.OVERHEAD for it in self.example) + 2 * condense.OVERHEAD
        fixed += count(self.system)
        question = condense.shortened(self.question.text, max(0, (room - fixed) // 2), count)
        left = room - fixed - count(question)
        context = min(self._wanted(room, count), left)
        conversation = condense.fitting(self.conversation, left - context, count)
        past = conversation.turns[conversation.condensed :]
        left -= condense.size(past, count) + count(conversation.summary)
        given = {number: self.given.get(number, NOWHERE) for number in conversation.given}
        is_condensed = self.conversation.condensed < conversation.condensed
        packed = pack(
            self.pieces,
            budget_tokens=max(0, min(self._wanted(room, count, anew=is_condensed), left)),
            count=count,
            given=given,
            parts=self.conversation.turns[-1].parts if self.conversation.turns else (),
            question=self.question.text,
        )
        system = self.system
        if conversation.summary:
            system = f"{system}\n\nBefore this conversation goes on, it was about:\n{conversation.summary}"
        asked = filled("{{context}}\n\n{{question}}", {"context": packed.text.rstrip(), "question": question})
        messages = (
            ChatMessage(role="system", content=system),
            *self.example,
            *condense.messages(past),
            ChatMessage(role="user", content=asked),
        )
        conversation = replace(conversation, system=system)
        self.made = Made(messages=messages, conversation=conversation, packed=packed, given=given)
        return messages

    @property
    def _goes_on(self) -> bool:
        """Whether the model has before it what the question is about, by its words or by what was found."""
        return goes_on(self.conversation, self.question) or any(
            self._is_given(it) for it in self.pieces[:ON_SUBJECT]
        )

    def _is_given(self, piece: Piece) -> bool:
        place = piece.place
        return place is not None and any(_overlap(place, it) for it in self.given.values())

    def _wanted(self, room: int, count: Callable[[str], int], *, anew: bool = False) -> int:
        """How many tokens of context are worth reading for this question."""
        usual = min(max(room // CONTEXT_SHARE, LEAST_CONTEXT), MOST_CONTEXT)
        if self._goes_on and not anew:
            usual //= NEXT_SHARE
        named = sum(count(it.text) for it in self.pieces if 1.0 < it.score and not self._is_given(it))
        return usual + min(named, room // NAMED_SHARE)


def system_of(template: Template, notes: Sequence[str]) -> str:
    """What is said to the model before everything else, with what the user has written down."""
    lines = "\n".join(f"- {it}" for it in notes)
    return filled(
        template.system, {"notes": f"The user's notes about this project:\n{lines}" if lines else ""}
    )


def example_of(template: Template) -> tuple[ChatMessage, ChatMessage]:
    """One question and answer that show the form."""
    return (
        ChatMessage(role="user", content=template.example),
        ChatMessage(role="assistant", content=template.answer),
    )


def searched(conversation: Conversation, question: Question) -> Question:
    """The question to look code up for: one that goes on is looked up together with what it goes on from."""
    if not goes_on(conversation, question):
        return question
    texts = [question.text]
    for it in conversation.turns[: -MOST_BEFORE - 1 : -1]:
        texts.append(mentions.read(it.asked)[0])
        if not _points_back(texts[-1]):
            break
    return replace(question, text="\n".join(texts))


def goes_on(conversation: Conversation, question: Question) -> bool:
    """Whether a question can be understood from the ones before it only."""
    return bool(conversation.turns) and not question.mentions and _points_back(question.text)


def _points_back(text: str) -> bool:
    words = text.lower().replace("?", " ").split()
    telling = [it for it in words if it not in STOP]
    is_onward = " ".join(words).startswith(ONWARD)
    return is_onward or len(telling) < FEW_WORDS or not POINTING.isdisjoint(words)


def _overlap(one: Place, other: Place) -> bool:
    return one.path == other.path and one.first_line <= other.last_line and other.first_line <= one.last_line
