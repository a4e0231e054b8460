"""`Chats`: the conversations of one connection: the answers on their way, and the history behind them.

An answer works in a task of its own. Cancelling the request stops it, and so does a newer question in the
same conversation; what was said until then is kept. What chat needs is imported with the first question.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types as lsp

from chat.types import Place, Question, Selection
from lsp_server import chat_items as items
from lsp_server import chat_request
from lsp_server.chat_code import make_code
from lsp_server.chat_request import ChatRequest, Token
from lsp_server.run_place import Places
from models import paths
from models.errors import BackendError, ModelError

if TYPE_CHECKING:
    from chat.code import Code
    from chat.conversation import Conversation, Turn
    from chat.converse import Answer
    from chat.desk import Desk
    from chat.history import History
    from lsp_server.documents import Document
    from lsp_server.server import Assistant

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_REMEMBERED = 32  # Conversations whose secrets' names stay the same as long as this window is open.
TITLE = "Hearth"
FAILED = "Hearth could not answer this: the log says more."
OVERTAKEN = "A newer question has taken its place."


class Chats:
    """The conversations of one connection."""

    def __init__(self, ls: Assistant) -> None:
        self._ls = ls
        self._places = Places(ls)
        self._history: History | None = None
        self._known: OrderedDict[str, Conversation] = OrderedDict()
        self._running: dict[str, asyncio.Task[dict[str, Any]]] = {}

    @property
    def root(self) -> str:
        """The first folder of the workspace; conversations are listed by it."""
        return next(iter(self._places.folders), "")

    @property
    def code(self) -> Code:
        """The workspace's code."""
        ls = self._ls
        return make_code(ls.workbench, ls.documents, lambda: self._places.folders, self._places.problems)

    def history(self) -> History:
        """Where conversations are kept."""
        if self._history is None:
            from chat.history import History, located

            self._history = History(located(paths.data_dir()))
        return self._history

    async def in_history(self, work: Callable[[History], T], otherwise: T) -> tuple[T, str]:
        """What the history says, in a thread; or something else, and the sentence why."""
        from chat.history import NoHistory

        history = self.history()
        try:
            return await asyncio.to_thread(work, history), history.problem
        except NoHistory as exc:
            return otherwise, str(exc)

    async def answer(self, request: ChatRequest) -> dict[str, Any]:
        """Answer a question; the result as it goes over the wire."""
        conversation = await self._conversation(request)
        if isinstance(conversation, str):
            return _refused(conversation, request)
        while old := self._running.get(conversation.id):
            old.cancel()
            await asyncio.gather(old, return_exceptions=True)
            conversation = await self._conversation(request)
            if isinstance(conversation, str):
                return _refused(conversation, request)
        task = asyncio.create_task(self._answered(request, conversation))
        self._running[conversation.id] = task
        task.add_done_callback(partial(self._ended, conversation.id))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                return _refused(OVERTAKEN, request, conversation.id)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise

    def _ended(self, identity: str, task: asyncio.Task[dict[str, Any]]) -> None:
        if self._running.get(identity) is task:
            del self._running[identity]

    async def close(self) -> None:
        """Stop all answers; what was said is kept."""
        running = list(self._running.values())
        for it in running:
            it.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _conversation(self, request: ChatRequest) -> Conversation | str:
        """The conversation that goes on, or a new one."""
        from chat import converse

        if not request.conversation:
            return converse.begin(request.text, root=self.root)
        known = self._known.get(request.conversation)
        found, problem = await self.in_history(lambda it: it.get(request.conversation), None)
        if found is None:
            return known or problem or "There is no such conversation; it may have been deleted."
        return replace(found, secrets=known.secrets) if known else found

    async def _answered(self, request: ChatRequest, conversation: Conversation) -> dict[str, Any]:
        try:
            return await self._perform(request, conversation)
        except (BackendError, ModelError) as exc:
            logger.warning("chat failed: %s", exc)
            return _refused(str(exc), request, conversation.id)
        except Exception:
            logger.exception("chat bug")
            return _refused(FAILED, request, conversation.id)

    async def _perform(self, request: ChatRequest, conversation: Conversation) -> dict[str, Any]:
        from chat import asking, commands, converse

        if request.turn is not None:
            if len(conversation.turns) <= request.turn:
                return _refused("There is no such turn in this conversation.", request, conversation.id)
            is_again = not request.text.strip()
            text = request.text if not is_again else conversation.turns[request.turn].asked
            conversation, dropped = converse.resend(conversation, request.turn)
            request = replace(request, text=text)
            await self.in_history(lambda it: it.drop(conversation.id, dropped), None)
        else:
            is_again = False
        document = self._ls.documents.get(request.uri) if request.uri else None
        code = self._places.code(document) if document else self.code
        telling = _Telling(self._ls, request)
        with telling:
            telling.say("begun", conversation=conversation.id, title=conversation.title)
            if word := commands.slash_word(request.text):
                return await self._commanded(request, conversation, word, document, code, telling)
            if request.mode == "agent":
                return await self._by_agent(request, conversation, document, code, telling)
            events = converse.reply(
                self._desk(code),
                conversation,
                self._question(request, document),
                asked=request.text,
                choice=request.choice,
                keep=self._keeping(),
                sampling=converse.AGAIN if is_again else asking.SAMPLING,
            )
            return await self._follow(events, telling)

    async def _commanded(
        self,
        request: ChatRequest,
        conversation: Conversation,
        word: tuple[str, str],
        document: Document | None,
        code: Code,
        telling: _Telling,
    ) -> dict[str, Any]:
        """What came of a command with a slash; it is a turn like others."""
        from chat import commands, converse
        from lsp_server.chat_slash import Slash, perform

        command = commands.find(word[0])
        turn = converse.new_turn(request.text, task=command.task if command else "ask", path=request.uri)
        keep = self._keeping()
        await keep(conversation, turn)
        slash = Slash(
            ls=self._ls,
            word=word[0],
            rest=word[1],
            request=request,
            document=document,
            path=self._places.path_of(document.uri) if document else "",
            desk=self._desk(code),
            say=telling.say,
        )
        turn = await perform(slash, turn)
        problem = await keep(conversation, turn)
        whole = replace(conversation, turns=(*conversation.turns, turn))
        return self._result(whole, turn, (), [problem] if problem else [])

    async def _by_agent(
        self,
        request: ChatRequest,
        conversation: Conversation,
        document: Document | None,
        code: Code,
        telling: _Telling,
    ) -> dict[str, Any]:
        """What a model answers that looks around by itself; it is a turn like others."""
        from chat import converse
        from lsp_server.chat_agent import perform

        question = self._question(request, document)
        turn = converse.new_turn(request.text, task=question.task, path=question.path)
        keep = self._keeping()
        await keep(conversation, turn)
        done = await perform(
            self._ls,
            question,
            conversation,
            turn,
            desk=self._desk(code),
            choice=request.choice,
            folders=self._places.folders,
            say=telling.say,
        )
        conversation = replace(conversation, secrets=done.secrets)
        problem = await keep(conversation, done.turn)
        whole = replace(conversation, turns=(*conversation.turns, done.turn))
        return self._result(whole, done.turn, done.places, [*done.problems, *([problem] if problem else [])])

    def _desk(self, code: Code) -> Desk:
        from lsp_server.chat_desk import make_desk, problems
        from lsp_server.chat_notes import notes_of

        for it in problems(self._ls.workbench.settings):
            self._ls.reporter.warn(it)
        return make_desk(self._ls.workbench, code, notes=notes_of(self._places.folders))

    def _question(self, request: ChatRequest, document: Document | None) -> Question:
        from chat import converse

        if document is None:
            return converse.read(request.text, task=request.task)
        path = self._places.path_of(document.uri)
        return converse.read(
            request.text,
            task=request.task,
            selection=self._selection(request, document, path),
            path=path,
            language=document.language,
            problems=[it for it in self._places.problems() if it.path == path],
        )

    def _selection(self, request: ChatRequest, document: Document, path: str) -> Selection | None:
        where = request.range
        return chat_request.selection_of(document, path, where, self._ls.encoding) if where else None

    def _keeping(self) -> Callable[[Conversation, Turn], Any]:
        """Keeps each turn in the history, and its conversation here as long as it is not too long ago."""
        from chat import converse

        keep = converse.keeping(self.history())

        async def both(conversation: Conversation, turn: Turn) -> str:
            self._remember(replace(conversation, turns=(*conversation.turns, turn)))
            return await keep(conversation, turn)

        return both

    def _remember(self, conversation: Conversation) -> None:
        self._known[conversation.id] = conversation
        self._known.move_to_end(conversation.id)
        while MOST_REMEMBERED < len(self._known):
            self._known.popitem(last=False)

    async def forget(self, identity: str = "") -> None:
        """A conversation is going to be deleted, or (empty) all of them: whatever is said in them stops."""
        running = [it for name, it in self._running.items() if identity in ("", name)]
        for it in running:
            it.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for name in [identity] if identity else list(self._known):
            self._known.pop(name, None)

    async def _follow(self, events: AsyncGenerator[Any, None], telling: _Telling) -> dict[str, Any]:
        """Tell what happens as it does; the result, once it is there."""
        from chat.converse import Done, Gathered
        from chat.events import Decided, Text

        answer: Answer | None = None
        async with aclosing(events):
            async for it in events:
                match it:
                    case Gathered():
                        telling.say("gathered", places=items.place_items(it.places, self._places.uri_of))
                    case Decided():
                        telling.say("decided", **items.decision_item(it.decision))
                    case Text():
                        telling.say("text", text=it.text)
                    case Done():
                        answer = it.answer
        assert answer
        self._remember(answer.conversation)
        return self._result(answer.conversation, answer.turn, answer.places, answer.problems) | {
            "usage": items.usage_item(answer.usage)
        }

    def _result(
        self, conversation: Conversation, turn: Turn, places: Iterable[Place], problems: Iterable[str]
    ) -> dict[str, Any]:
        return {
            "conversation": conversation.id,
            "title": conversation.title,
            "turn": len(conversation.turns) - 1,
            **items.turn_item(turn),
            "places": items.place_items(places, self._places.uri_of),
            "problems": list(problems),
            "usage": None,
        }


class _Telling:
    """What a client is told while an answer is made: its pieces, and a bar, if it has asked for them."""

    def __init__(self, ls: Assistant, request: ChatRequest) -> None:
        self._ls = ls
        self._request = request

    def __enter__(self) -> None:
        if self._request.bar is not None:
            self._send(self._request.bar, {"kind": "begin", "title": TITLE, "cancellable": False})

    def __exit__(self, *failure: object) -> None:
        if self._request.bar is not None:
            self._send(self._request.bar, {"kind": "end"})

    def say(self, kind: str, **more: Any) -> None:
        """One thing that has happened."""
        if self._request.stream is not None:
            self._send(self._request.stream, {"kind": kind, **more})
        message = more.get("reason") or (more.get("text") if kind == "working" else "")
        if self._request.bar is not None and message:
            self._send(self._request.bar, {"kind": "report", "message": message})

    def _send(self, token: Token, value: dict[str, Any]) -> None:
        self._ls.protocol.notify(lsp.PROGRESS, lsp.ProgressParams(token=token, value=value))


def _refused(reason: str, request: ChatRequest, conversation: str = "") -> dict[str, Any]:
    """There is no answer."""
    return {
        "conversation": conversation or request.conversation,
        "turn": None,
        "asked": request.text,
        "markdown": "",
        "tier": "extractive",
        "isWhole": False,
        "problem": reason,
        "places": [],
        "problems": [],
        "usage": None,
    }
