"""What a command gives without a model, and the frame that a model's words go into.

The parts themselves are made elsewhere (``docstrings``, ``scaffold``, ``rename``, …); here they become one
kind of value.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chat import act_edits, act_tests, docstrings, explain, extract, imports, rename, scaffold
from chat.act_edits import Made, frame_of
from chat.act_types import Subject
from chat.act_view import View
from chat.code import Code
from chat.commands import NEEDS_MODEL, Command
from chat.edits_types import Edit, NewFile, Refusal, Source
from chat.imports_known import missing_name
from chat.prompts import fenced
from chat.target import Target, source_of
from chat.types import Mention, Question, Selection
from codeindex.languages import language_of
from codeindex.types import SymbolRow

LINK = re.compile(r"\[([^\]\n]+)\]\([^)\n]*\)")
LONGEST_FACTS = 2_000  # characters of what is known that go into a prompt
MOST_ROWS = 60  # definitions of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is made from the code alone."""

    markdown: str = ""
    edits: tuple[Edit, ...] = ()
    unsure: tuple[Edit, ...] = ()
    """What has to be looked at before it is made."""
    files: tuple[NewFile, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    """What the edits are edits of."""
    note: str = ""
    skeleton: str = ""
    """As it goes into a prompt."""
    goes_to: str = ""
    """The file that it is for."""
    fill: Callable[[str, bool | None], Made | Refusal] | None = None
    """Puts an answer into it, told whether that came to its end; ``None``: nothing is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a part is made of."""

    command: Command
    subject: Subject
    view: View
    code: Code
    instruction: str

    @property
    def target(self) -> Target:
        """The place, as the parts know it."""
        it = self.subject
        return Target(path=it.path, line=it.first_line, name=it.name, language=self.view.source.language)


async def make(
    command: Command, subject: Subject, view: View, code: Code, *, instruction: str = ""
) -> Part | Refusal:
    """The part of a command that the code itself gives."""
    order = Order(command=command, subject=subject, view=view, code=code, instruction=instruction)
    return await MAKERS[command.part](order)


async def _docstrings(order: Order) -> Part | Refusal:
    """Documentation with gaps, which a model's comment may fill."""
    found = await docstrings.skeleton(order.target, order.code)
    if isinstance(found, Refusal):
        return found
    source = order.view.source
    if moved := _moved(found, source):
        return moved
    says = act_edits.label(order.command, source.path)
    part = Part(edits=found, sources={source.path: source})
    frame = frame_of(source, found)
    if frame is None:
        return part

    def fill(answer: str, finished: bool | None) -> Made | Refusal:
        return act_edits.commented(answer, frame, source, says)

    return replace(part, skeleton=fenced(frame.comment, source.language), goes_to=source.path, fill=fill)


async def _scaffold(order: Order) -> Part | Refusal:
    """Tests that are skipped until somebody fills them in; a model may."""
    found = await scaffold.scaffold(order.target, order.code)
    if isinstance(found, Refusal):
        return found
    language = language_of(found.path.rpartition("/")[2])
    note = f"Written for {found.framework}."
    if (new := found.new) is not None:
        return Part(
            files=(new,),
            note=note,
            skeleton=fenced(new.text, language),
            goes_to=new.path,
            fill=lambda answer, finished: act_tests.new_file(answer, finished, new, language),
        )
    own = order.view.source
    source = own if own.path == found.path else await source_of(found.path, order.code)
    if isinstance(source, Refusal):
        return source
    if moved := _moved(found.edits, source):
        return moved
    added = "\n\n".join(it.new_text.strip("\n") for it in found.edits)
    return Part(
        edits=found.edits,
        sources={source.path: source},
        note=note,
        skeleton=fenced(added, language),
        goes_to=found.path,
        fill=lambda answer, finished: act_tests.more(answer, finished, source, found),
    )


async def _explain(order: Order) -> Part | Refusal:
    """The facts of a definition; of other lines, what is found of them."""
    if not order.view.is_definition:
        return await _summary(order)
    found = await explain.facts(order.target, order.code)
    if isinstance(found, Refusal):
        return await _summary(order)
    text = explain.markdown(found).rstrip()
    return Part(markdown=f"{text}\n\n{extract.PROSE}", skeleton=LINK.sub(r"\1", text)[:LONGEST_FACTS])


async def _imports(order: Order) -> Part | Refusal:
    """The import of an unknown name; the likeliest, where several are possible."""
    unknown = next((it for it in order.subject.problems if missing_name(it.message)), None)
    if unknown is None:
        return Refusal(reason=NEEDS_MODEL)
    source = order.view.source
    found = await imports.fixes(unknown, order.code, language=source.language)
    if isinstance(found, Refusal):
        return found
    first, others = found[0], [f"`{it.says}`" for it in found[1:]]
    if moved := _moved(first.edits, source):
        return moved
    note = f"`{first.says}`, {first.why}."
    if others:
        note += f" Also possible: {', '.join(others)}."
    return Part(edits=act_edits.named(first.edits, first.says), sources={source.path: source}, note=note)


async def _rename(order: Order) -> Part | Refusal:
    """A new name wherever the old one stands; what is not certain is to be looked at."""
    target = replace(order.target, name=order.subject.name or order.subject.word)
    found = await rename.rename(target, order.instruction.strip(), order.code)
    if isinstance(found, Refusal):
        return found
    own = order.view.source
    sources = {own.path: own}
    for path in dict.fromkeys(it.path for it in (*found.edits, *found.to_confirm)):
        source = own if path == own.path else await source_of(path, order.code)
        if isinstance(source, Refusal):
            return source
        sources[path] = source
        if moved := _moved((*found.edits, *found.to_confirm), source):
            return moved
    unsure = tuple(replace(it, says=f"{it.says}, if it is the same") for it in found.to_confirm)
    return Part(edits=found.edits, unsure=unsure, sources=sources, note=found.says)


async def _summary(order: Order) -> Part | Refusal:
    """What the code itself says of a file, or of some lines."""
    view, command = order.view, order.command
    path = view.source.path
    selection = Selection(
        path=path,
        language=view.source.language,
        first_line=view.first_line,
        last_line=view.last_line,
        text=view.text,
        version=view.source.version,
    )
    question = Question(
        text=order.instruction or f"{command.title} {path}",
        task=command.task,
        mentions=() if view.selected else (Mention(kind="file", value=path),),
        selection=selection if view.selected else None,
        path=path,
        language=view.source.language,
        problems=order.subject.problems,
    )
    found = await extract.answer(question, order.code)
    rows = await order.code.outline(path)
    return Part(markdown=found.markdown, skeleton=defined(rows))


def defined(rows: Sequence[SymbolRow]) -> str:
    """What a file defines, a line each, for a prompt."""
    shown = [it for it in rows if not it.scope or it.scope.count(".") < 1][:MOST_ROWS]
    lines = [
        f"- {it.kind.value} `{it.signature or it.name}`{f': {_first(it.doc)}' if it.doc else ''}"
        for it in shown
    ]
    return "\n".join(lines)[:LONGEST_FACTS]


def _first(doc: str) -> str:
    return doc.strip().partition("\n")[0]


def _moved(found: Iterable[Edit], source: Source) -> Refusal | None:
    """Whether the edits are of another version than the one that was asked about."""
    if any(it.path == source.path and it.version != source.version for it in found):
        return Refusal(reason=f"`{source.path}` has changed meanwhile: ask again.")
    return None


MAKERS: Mapping[str, Callable[[Order], Awaitable[Part | Refusal]]] = {
    "docstrings": _docstrings,
    "explain": _explain,
    "imports": _imports,
    "rename": _rename,
    "scaffold": _scaffold,
    "summary": _summary,
}
