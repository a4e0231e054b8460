"""`hearth/chat…`: questions and answers, the conversations that were kept, and what has left this machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from lsp_server.chat_request import value
from lsp_server.server import Assistant

if TYPE_CHECKING:
    from chat.history import Found, Listed

USUAL, MOST = 50, 1000  # Conversations, decisions, requests.
MOST_SUGGESTED = 20
FAILED = "Hearth could not do this: the log says more."
NOTHING = {"markdown": "", "isWhole": False, "problem": FAILED}
Form = Literal["markdown", "json"]
FORMATS: dict[str, Form] = {"markdown": "markdown", "json": "json"}


async def handle(ls: Assistant, params: Any) -> dict[str, Any]:
    """`hearth/chat`: answer a question; what happens is told as it does, to who has brought a token."""
    from lsp_server import chat_request

    await ls.until_settled()
    request = chat_request.read(params)
    if isinstance(request, str):
        return {"markdown": "", "isWhole": False, "problem": request}
    return await ls.chats.answer(request)


async def history(ls: Assistant, params: Any) -> dict[str, Any]:
    """`hearth/chatHistory`: the conversations, the latest first; or those with these words."""
    from lsp_server import chat_items

    limit, query = _limit(params), value(params, "query", str)
    nothing: tuple[Found, ...] = ()
    none: tuple[Listed, ...] = ()
    if query:
        found, problem = await ls.chats.in_history(lambda it: it.search(query, limit=limit), nothing)
        return {"conversations": [chat_items.found_item(it) for it in found], "problem": problem}
    root = "" if value(params, "all", bool) else ls.chats.root
    listed, problem = await ls.chats.in_history(lambda it: it.list(root=root, limit=limit), none)
    return {"conversations": [chat_items.listed_item(it) for it in listed], "problem": problem}


async def open_(ls: Assistant, params: Any) -> dict[str, Any]:
    """`hearth/chatOpen`: all of a conversation."""
    from lsp_server import chat_items

    identity = value(params, "conversation", str) or ""
    found, problem = await ls.chats.in_history(lambda it: it.get(identity), None)
    if found is None:
        return {"conversation": None, "problem": problem or "There is no such conversation."}
    return {"conversation": chat_items.conversation_item(found), "problem": problem}


async def rename(ls: Assistant, params: Any) -> dict[str, Any]:
    """`hearth/chatRename`: give a conversation a name."""
    identity, title = value(params, "conversation", str) or "", value(params, "title", str) or ""
    is_done, problem = await ls.chats.in_history(lambda it: it.rename(identity, title), False)
    return {"isRenamed": is_done, "problem": problem}


async def delete(ls: Assistant, params: Any) -> dict[str, Any]:
    """`hearth/chatDelete`: forget a conversation, or all of them where that is said."""
    identity = value(params, "conversation", str) or ""
    if value(params, "all", bool):
        await ls.chats.forget()
        count, problem = await ls.chats.in_history(lambda it: it.delete_all(), 0)
    elif identity:
        await ls.chats.forget(identity)
        count, problem = await ls.chats.in_history(lambda it: int(it.delete(identity)), 0)
    else:
        return {"deleted": 0, "problem": "There is nothing to delete: conversation must be its id."}
    return {"deleted": count, "problem": problem}


async def export(ls: Assistant, params: Any) -> dict[str, Any]:
    """`hearth/chatExport`: a conversation as Markdown or JSON."""
    identity, said = value(params, "conversation", str) or "", value(params, "format", str) or "markdown"
    form: Form | None = FORMATS.get(said)
    if form is None:
        return {"text": None, "problem": f"format is one of {', '.join(FORMATS)}."}
    text, problem = await ls.chats.in_history(lambda it: it.export(identity, form), None)
    if text is None:
        problem = problem or "There is no such conversation."
    return {"text": text, "problem": problem}


async def suggest(ls: Assistant, params: Any) -> dict[str, Any]:
    """`hearth/chatSuggest`: what the word before the cursor may become: a command, or something named."""
    from chat import commands, mentions

    await ls.until_settled()
    text = value(params, "text", str) or ""
    word = text.split()[-1] if text and not text[-1].isspace() else ""
    if word.startswith("/") and text.strip() == word:
        typed = word[1:].lower()
        rows = [*commands.rows(), *(it.command for it in ls.recipes.now().all)]
        items = [
            {"label": it.slash, "detail": it.title, "documentation": it.says}
            for it in rows
            if it.name.startswith(typed)
        ]
    elif word.startswith("@"):
        code, typed = ls.chats.code, word[1:].rpartition(":")[2]
        files, symbols = await asyncio.gather(
            code.files(typed, limit=MOST_SUGGESTED), code.symbols(typed, limit=MOST_SUGGESTED)
        )
        names = [it.row.name for it in symbols]
        found = mentions.suggest(word, files, names, limit=MOST_SUGGESTED)
        items = [{"label": it, "detail": "", "documentation": ""} for it in found]
    else:
        items = []
    return {"items": items, "word": word if items else ""}


async def why(ls: Assistant, params: Any) -> dict[str, Any]:
    """`hearth/why`: the last decisions of all windows, the newest first."""
    from chat.why import decisions
    from lsp_server import chat_items
    from models import paths

    found = await asyncio.to_thread(decisions, paths.data_dir(), limit=_limit(params))
    return {"decisions": [chat_items.noted_item(it) for it in found]}


async def sent(ls: Assistant, params: Any) -> dict[str, Any]:
    """`hearth/sent`: what has left this machine, the newest first; or the very text of one request."""
    from chat import sent as kept
    from lsp_server import chat_items
    from models import paths

    where, name = kept.folder(paths.data_dir()), value(params, "name", str)
    if name is not None:
        body = await asyncio.to_thread(kept.body, where, name)
        problem = "" if body is not None else "There is no such request; it may have been cleared."
        return {"body": None if body is None else body.decode("utf-8", "replace"), "problem": problem}
    entries = await asyncio.to_thread(kept.entries, where)
    return {"entries": [chat_items.sent_item(it) for it in entries[: _limit(params)]], "problem": ""}


async def clear_sent(ls: Assistant, params: Any) -> dict[str, Any]:
    """`hearth/clearSent`: forget what was sent."""
    from chat import sent as kept
    from models import paths

    where = kept.folder(paths.data_dir())
    try:
        return {"cleared": await asyncio.to_thread(kept.clear, where), "problem": ""}
    except OSError as exc:
        return {"cleared": 0, "problem": f"What was sent cannot be cleared in {where} ({exc.strerror})."}


def _limit(params: Any) -> int:
    limit = value(params, "limit", int)
    return min(limit, MOST) if limit is not None and 0 < limit else USUAL
