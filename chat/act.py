"""Run a command: what the code itself can say, and a model's words or changes where one is set up.

Nothing is changed here. What comes of it is edits of the very version that was asked about, each of which
fits and leaves its file no worse to parse, or a sentence that says why not. A model's answer that cannot be
used is asked for once more, with the reason; then what the code itself gives is what there is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from chat import act_edits, act_parts
from chat.act_ask import Answer, has_model
from chat.act_check import checked
from chat.act_edits import Made
from chat.act_parts import Part
from chat.act_tries import Frame, Run, Tried, asking, tried
from chat.act_types import Done, Event, Outcome, Subject, Working
from chat.act_view import View, view
from chat.commands import NEEDS_MODEL, Command
from chat.desk import Desk
from chat.edits_types import Refusal, Source
from chat.events import Text
from chat.extract import PROSE
from chat.mentions import read as read_mentions
from chat.target import source_of
from chat.types import Problem

MOST_SOURCES = 6  # Files that one answer may change.
RULE = "---"


async def act(
    command: Command, subject: Subject, desk: Desk, *, instruction: str = "", choice: str = ""
) -> AsyncGenerator[Event, None]:
    """What happens, and last ``Done``. Closing the generator stops whoever is asked."""
    seen = await look(command, subject, desk)
    refusal = seen.reason if isinstance(seen, Refusal) else ""
    if command.asks and not instruction.strip():
        refusal = f"This has to be said as well: {command.asks}"
    elif not refusal and command.model == "needed" and not has_model(desk, choice):
        refusal = NEEDS_MODEL
    if refusal or isinstance(seen, Refusal):
        outcome = Outcome(command=command.name, title=command.title, refusal=refusal)
        yield Done(outcome=outcome)
        return
    if command.about == "problem" and not subject.problems:
        subject = replace(subject, problems=await _problems(subject, desk))
    run = Run(command=command, subject=subject, desk=desk, view=seen, instruction=instruction, choice=choice)
    async with aclosing(_perform(run)) as events:
        async for it in events:
            yield it


async def look(command: Command, subject: Subject, desk: Desk) -> View | Refusal:
    """The lines that it is about, of the very version that the user looked at."""
    source = await source_of(subject.path, desk.code, subject.language)
    if isinstance(source, Refusal):
        return source
    if subject.version is not None and source.version != subject.version:
        return Refusal(reason=f"`{source.path}` has changed meanwhile: ask again.")
    return view(source, await desk.code.outline(subject.path), subject, command)


async def _problems(subject: Subject, desk: Desk) -> tuple[Problem, ...]:
    """The diagnostics on these lines, as far as the editor has told of them."""
    found = await desk.code.problems(subject.path)
    return tuple(
        it for it in found if it.first_line <= subject.last_line and subject.first_line <= it.last_line
    )


async def _perform(run: Run) -> AsyncGenerator[Event, None]:
    """The part that is made from the code, and what a model makes of it."""
    command, part = run.command, None
    if command.part:
        yield Working(says="Looking at the code")
        part = await act_parts.make(
            command, run.subject, run.view, run.desk.code, instruction=run.instruction
        )
    if command.gives == "prose":
        steps = _prose(run, part)
    elif part is None or (isinstance(part, Refusal) and command.part == "imports" and run.asks_model):
        steps = _edited(run)
    elif isinstance(part, Refusal):
        yield run.done(refusal=part.reason)
        return
    elif part.fill is None or not run.asks_model:
        yield await _of_part(run, part)
        return
    else:
        steps = _filled(run, part)
    async with aclosing(steps) as events:
        async for it in events:
            yield it


async def _prose(run: Run, part: Part | Refusal | None) -> AsyncGenerator[Event, None]:
    """What a model says, above what the code itself says."""
    facts = part.markdown if isinstance(part, Part) else ""
    answer = Answer(problem=part.reason if isinstance(part, Refusal) else "")
    if run.asks_model:
        extra = {"skeleton": part.skeleton} if isinstance(part, Part) else {}
        async with aclosing(asking(run, extra)) as events:
            async for it in events:
                if isinstance(it, Answer):
                    answer = it
                else:
                    yield it
    said = answer.text.strip()
    if run.command.task == "review":
        said = act_edits.with_links(said, run.view)
    if said:
        facts = facts.removesuffix(PROSE).rstrip()
    rest = f"\n\n{RULE}\n\n{facts}" if said and facts else facts
    if rest:
        yield Text(text=rest)
    if said or facts:
        yield run.done(answer, markdown=said + rest, note=answer.problem)
    else:
        yield run.done(answer, refusal=answer.problem or "There is nothing to say about this.")


async def _edited(run: Run) -> AsyncGenerator[Event, None]:
    """The edits that a model's answer stands for."""
    sources = await _sources(run)
    says = act_edits.label(run.command, run.view.source.path)

    def read(answer: Answer) -> Made | Refusal:
        task = run.command.task
        return act_edits.proposed(answer.text, sources, task=task, says=says, finished=answer.finished)

    async with aclosing(tried(run, Frame(read=read, sources=sources))) as events:
        async for it in events:
            if not isinstance(it, Tried):
                yield it
            elif isinstance(it.made, Refusal):
                yield run.done(it.answer, refusal=it.made.reason)
            else:
                yield run.done(it.answer, edits=it.made.edits, files=it.made.files, sources=sources)


async def _filled(run: Run, part: Part) -> AsyncGenerator[Event, None]:
    """A frame from the code with a model's words in it; or the frame as it is, and why."""
    fill = part.fill
    assert fill is not None
    frame = Frame(
        read=lambda answer: fill(answer.text, answer.finished),
        sources=part.sources,
        files={it.path: it.text for it in part.files},
        extra={"skeleton": part.skeleton, "target": part.goes_to},
    )
    async with aclosing(tried(run, frame)) as events:
        async for it in events:
            if not isinstance(it, Tried):
                yield it
            elif isinstance(it.made, Refusal):
                done = await _of_part(run, part)
                note = f"{it.made.reason} This is what your code itself gives."
                yield Done(outcome=replace(done.outcome, note=f"{note} {part.note}".strip()))
            else:
                yield run.done(
                    it.answer,
                    edits=it.made.edits,
                    files=it.made.files,
                    sources=part.sources,
                    note=part.note,
                )


async def _of_part(run: Run, part: Part) -> Done:
    """What the code itself gives, if it leaves the files no worse to parse."""
    made = Made(edits=part.edits, files=part.files)
    good = await checked(made, part.sources, {it.path: it.text for it in part.files}, run.desk.code)
    if isinstance(good, Refusal):
        return run.done(refusal=good.reason)
    return run.done(
        edits=good.edits, unsure=part.unsure, files=good.files, sources=part.sources, note=part.note
    )


async def _sources(run: Run) -> dict[str, Source]:
    """What may be changed: the file that it is about, and those that are named."""
    found = {run.view.source.path: run.view.focused}
    for it in read_mentions(run.instruction)[1]:
        if it.kind == "file" and it.value not in found and len(found) < MOST_SOURCES:
            source = await source_of(it.value, run.desk.code)
            if not isinstance(source, Refusal):
                found[it.value] = source
    return found
