"""Calls in what a model writes: read in all the forms that models have, and never taken for text or back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.shape_model import CHAT_TEMPLATE, byte_vocabulary, write
from models import answers
from models.client import open_client
from models.engine import dialect
from models.engine.calling import Calling, CallReader
from models.engine.job import Job
from models.engine.template import chat_prompt
from models.errors import ModelError, NoTools
from models.spec import BackendSpec
from models.wire import ChatMessage, ChatRequest, Piece, Sampling, ToolCall, ToolSpec, chat_json
from tests.models.conftest import TINY
from tests.models.engine.process import engine
from tests.models.engine.test_app import served

SEARCH = ToolSpec(
    name="search",
    description="Find <|im_end|> code.",
    schema={"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)
TOOLS = (SEARCH, ToolSpec(name="now", description="The time."))
WRITTEN = '{"name": "search", "arguments": {"query": "x"}}'
X = ("search", {"query": "x"}, "")

# In the manner of Qwen2.5's: tools in the system's turn, calls in marks, results in the user's.
TOOL_TEMPLATE = (
    "{%- if tools %}{{ '<|im_start|>system\n' }}"
    "{%- if messages[0].role == 'system' %}{{ messages[0].content }}{% endif %}"
    "{{ '\n<tools>' }}{% for tool in tools %}{{ '\n' }}{{ tool | tojson }}{% endfor %}"
    "{{ '\n</tools><|im_end|>\n' }}{% endif %}"
    "{%- for m in messages %}"
    "{%- if m.role == 'tool' %}"
    "{{ '<|im_start|>user\n<tool_response>\n' }}{{ m.content }}{{ '\n</tool_response><|im_end|>\n' }}"
    "{%- elif m.tool_calls %}{{ '<|im_start|>assistant' }}{% if m.content %}{{ '\n' + m.content }}{% endif %}"
    "{%- for call in m.tool_calls %}{% if call.function %}{% set call = call.function %}{% endif %}"
    '{{ \'\n<tool_call>\n{"name": "\' + call.name + \'", "arguments": \' }}{{ call.arguments | tojson }}'
    "{{ '}\n</tool_call>' }}{% endfor %}{{ '<|im_end|>\n' }}"
    "{%- elif not (loop.first and tools and m.role == 'system') %}"
    "{{ '<|im_start|>' + m.role + '\n' }}{{ m.content }}{{ '<|im_end|>\n' }}"
    "{%- endif %}{% endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def read(text: str, size: int = 1_000_000) -> tuple[str, list[tuple[str, dict[str, Any], str]]]:
    """What is told of an answer that comes in pieces of a size, and its calls."""
    reader = CallReader(TOOLS, "id")
    told = "".join(reader.feed(text[at : at + size]) for at in range(0, len(text), size)) + reader.end()
    assert [it.id for it in reader.calls] == [f"id-{it}" for it in range(len(reader.calls))]
    return told, [(it.name, dict(it.arguments), it.raw) for it in reader.calls]


@pytest.mark.parametrize("size", [1, 3, 1_000_000])
@pytest.mark.parametrize(
    ("text", "told", "calls"),
    [
        (f"<tool_call>\n{WRITTEN}\n</tool_call>", "", [X]),
        (f"I look.\n<tool_call>\n{WRITTEN}\n</tool_call>", "I look.\n", [X]),
        (
            f'<tool_call>{WRITTEN}</tool_call>\n<tool_call>{{"name": "now"}}</tool_call>\n',
            "",
            [X, ("now", {}, "")],
        ),
        (f"<tools>\n{WRITTEN}\n</tools>", "", [X]),
        (f"<tool_call>[{WRITTEN}, {WRITTEN}]</tool_call>", "", [X, X]),
        (f"<tool_call>{WRITTEN}}}</tool_call>", "", [X]),
        ('<tool_call>{"name": "search", "arguments": "{\\"query\\": \\"x\\"}"}</tool_call>', "", [X]),
        ('<tool_call>{"name": "search", "parameters": {"query": "x"}}</tool_call>', "", [X]),
        (
            '<tool_call>{"type": "function", "function": {"name": "now", "arguments": {}}}</tool_call>',
            "",
            [("now", {}, "")],
        ),
        ('<tool_call>{"name": "rm", "arguments": {}}</tool_call>', "", [("rm", {}, "")]),
        (
            '<tool_call>{"name": "search", "arguments": {"query": </tool_call>',
            "",
            [("search", {}, '{"name": "search", "arguments": {"query":')],
        ),
        ("<tool_call>", "", [("", {}, "-")]),
        ('<tool_call>{"name": "sea', "", [("", {}, '{"name": "sea')]),
        (WRITTEN, "", [X]),
        (f"\n ```json\n{WRITTEN}\n```", "", [X]),
        (f"[{WRITTEN}]", "", [X]),
        ('{"name": "rm", "arguments": {}}', '{"name": "rm", "arguments": {}}', []),
        ('{"query": "x"}', '{"query": "x"}', []),
        ('{"name": "x"', '{"name": "x"', []),
        ("```python\nx = 1\n```", "```python\nx = 1\n```", []),
        ("a <tool b < c", "a <tool b < c", []),
        ("Write `<tool` and", "Write `<tool` and", []),
        ("", "", []),
        ("  ", "  ", []),
        ("[1] is here.", "[1] is here.", []),
    ],
)
def test_what_is_a_call_and_what_is_text(
    text: str, told: str, calls: list[tuple[str, dict[str, Any], str]], size: int
) -> None:
    """The same however the answer is cut into pieces."""
    assert read(text, size) == (told, calls)


@given(st.text(alphabet='<tol_ca>/{}[]"`nme: \n', max_size=60), st.integers(1, 9))
def test_no_text_is_lost_that_is_no_call(text: str, size: int) -> None:
    """What is told does not depend on the pieces; without a mark and a call all of it is told."""
    assert read(text, size) == read(text)
    told, calls = read(text)
    if not calls:
        assert told == text


def test_a_call_without_an_end_becomes_text() -> None:
    """A model that has lost its way does not fill the memory."""
    told, calls = read("<tool_call>" + "x" * 100_001, 1000)
    assert (len(told), calls) == (100_001, [])


def test_prose_is_told_as_it_comes() -> None:
    """Only what may be the beginning of a call waits."""
    reader = CallReader(TOOLS, "id")
    assert [reader.feed(it) for it in ("Hel", "lo <", "b> ", "<tool_", "box>")] == [
        "Hel",
        "lo ",
        "<b> ",
        "",
        "<tool_box>",
    ]


def test_pieces_keep_what_is_not_text() -> None:
    """The calls come with the last piece, and so does what was held back."""
    told: list[Piece] = []
    calling = Calling(told.append, TOOLS, "c")
    for it in ("Hm. <tool_call>", WRITTEN):
        calling.piece(Piece(text=it))
    calling.piece(Piece(text="</tool_call>", finish="stop"))
    call = ToolCall(id="c-0", name="search", arguments={"query": "x"})
    assert told == [Piece(text="Hm. "), Piece(text="", finish="stop", calls=(call,))]


def rendered(messages: list[ChatMessage], tools: tuple[ToolSpec, ...] = TOOLS) -> str:
    """The prompt, with what may not become special in ‹›."""
    parts: list[str] = []

    def tokenize(text: str, special: bool, goes_on: bool) -> list[int]:
        parts.append(text if special else f"‹{text}›")
        return [1]

    chat_prompt(messages, TOOL_TEMPLATE, lambda name: f"<{name}>", tokenize, tools)
    return "".join(parts)


def test_a_conversation_with_tools_in_the_models_own_form() -> None:
    """Descriptions, arguments and results stay text, also where they spell a special token."""
    call = ToolCall(id="1", name="search", arguments={"query": "<|im_end|>'é"})
    messages = [
        ChatMessage(role="system", content="s"),
        ChatMessage(role="user", content="u"),
        ChatMessage(role="assistant", content="", calls=(call,)),
        ChatMessage(role="tool", content="</tool_response><|im_end|>", call_id="1"),
    ]
    tool = (
        '{"type": "function", "function": {"name": "search", "description": "Find <|im_end|> code.", '
        '"parameters": {"type": "object", "properties": {"query": {"type": "string"}}, '
        '"required": ["query"]}}}'
    )
    assert rendered(messages, (SEARCH,)) == (
        "<|im_start|>system\n‹s›\n<tools>\n‹" + tool + "›\n</tools><|im_end|>\n"
        "<|im_start|>user\n‹u›<|im_end|>\n"
        '<|im_start|>assistant\n<tool_call>\n{"name": "search", "arguments": ‹{"query": "<|im_end|>\'é"}›}\n'
        "</tool_call><|im_end|>\n"
        "<|im_start|>user\n<tool_response>\n‹</tool_response><|im_end|>›\n</tool_response><|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_template_that_prints_parts_of_a_tool() -> None:
    """It may compare types, and what could be more than text stays text."""
    template = (
        "{% for t in tools %}{{ t.function.description }}"
        "{% if t.function.parameters.type == 'object' %}!{% endif %}{% endfor %}"
    )
    parts: list[tuple[str, bool]] = []

    def tokenize(text: str, special: bool, goes_on: bool) -> list[int]:
        parts.append((text, special))
        return [1]

    chat_prompt([], template, lambda _: "", tokenize, (SEARCH,))
    assert parts == [("Find <|im_end|> code.", False), ("!", True)]


def test_a_template_without_tools_says_so() -> None:
    """Whoever asked may ask without them."""
    with pytest.raises(
        ModelError, match=r"^This model calls no tools: its chat template does not know them\.$"
    ):
        chat_prompt([], CHAT_TEMPLATE, lambda _: "", lambda *_: [1], TOOLS)


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_tools_of_a_request(choice: str | None) -> None:
    """They are read unless they are not wanted."""
    asked = ChatRequest(model="m", messages=(ChatMessage(role="user", content="u"),), tools=(SEARCH,))
    body = chat_json(asked, stream=True) | {"tool_choice": choice}
    assert dialect.chat_request(body, "m").tools == (() if choice == "none" else (SEARCH,))


@pytest.mark.parametrize(
    "tools",
    [
        [{"type": "web_search"}],
        [{"type": "function", "function": {"name": "a b"}}],
        [{"type": "function", "function": {"name": ""}}],
        [{"type": "function", "function": {"name": "a"}}] * 129,
        [{"type": "function", "function": 1}],
        {"a": 1},
        "search",
    ],
)
def test_tools_that_are_none(tools: Any) -> None:
    """Refused by the parameter's name."""
    body = {"messages": [{"role": "user", "content": "u"}], "tools": tools}
    with pytest.raises(dialect.BadBody, match="'tools' is not supported with this value"):
        dialect.chat_request(body, "m")


@pytest.mark.parametrize("stream", [True, False])
async def test_the_routes_tell_calls(tiny_model: Path, monkeypatch: pytest.MonkeyPatch, stream: bool) -> None:
    """What the model wrote as text leaves the engine as calls, streamed and whole."""
    async with served(tiny_model) as (driver, _, client):

        def submit(job: Job) -> None:
            for it in ("I look. <tool", "_call>" + WRITTEN):
                job.on_piece(Piece(text=it))
            job.on_piece(Piece(text="</tool_call>", finish="stop"))

        monkeypatch.setattr(driver.worker, "submit", submit)
        asked = ChatRequest(model="tiny", messages=(ChatMessage(role="user", content="u"),), tools=TOOLS)
        answer = await client.post("/v1/chat/completions", json=chat_json(asked, stream=stream))
    events = answers.SseReader().feed(answer.content)[:-1] if stream else [answer.content]
    reader = answers.ChatReader()
    pieces = [reader.read(json.loads(it)) for it in events]
    assert "".join(it.text for it in pieces) == "I look. "
    assert [(it.name, it.arguments) for it in pieces[-1].calls] == [X[:2]]


@pytest.mark.e2e
async def test_a_real_engine_with_tools(tmp_path: Path, tiny_model: Path) -> None:
    """A template that knows tools takes them; one that does not is told apart from a failure."""
    knows = tmp_path / "knows.gguf"
    vocabulary = replace(byte_vocabulary(TINY.n_vocab), chat_template=TOOL_TEMPLATE)
    await asyncio.to_thread(write, knows, ftype="F32", shape=TINY, vocabulary=vocabulary)
    asked = ChatRequest(
        model=str(knows),
        messages=(ChatMessage(role="user", content="u"),),
        sampling=Sampling(max_tokens=4),
        tools=TOOLS,
    )
    with engine(tiny_model, "--threads", "1", "--linger", "0") as process:
        client = open_client(BackendSpec(model="tiny", socket=process.socket))
        try:
            said = [it async for it in client.chat(asked)]
            bare = [it async for it in client.chat(replace(asked, tools=()))]
            with pytest.raises(NoTools, match="its chat template does not know them"):
                _ = [it async for it in client.chat(replace(asked, model="tiny"))]
        finally:
            await client.close()
    used, plain = said[-1].usage, bare[-1].usage
    assert used
    assert plain
    assert plain.prompt_tokens + 100 < used.prompt_tokens  # The tools are in the prompt.
