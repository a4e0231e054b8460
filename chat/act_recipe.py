"""Run a command of the user's own: its steps, one after the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import takewhile

from chat import act_edits, recipes
from chat.act import look
from chat.act_ask import Answer, has_model
from chat.act_edits import Made
from chat.act_tries import Frame, Run, Tried, tried
from chat.act_types import Done, Event, Outcome, Subject, Working
from chat.act_view import values
from chat.cite import link
from chat.commands import NEEDS_MODEL
from chat.desk import Desk
from chat.edits_types import Refusal, Source
from chat.events import Text
from chat.prompts import Template, fenced, filled
from chat.recipes import Apply, Check, Prompt, Recipe, Retrieve, Step
from chat.target import at, source_of
from chat.types import Piece, Place
from codeindex.languages import language_of
from codeindex.types import Hit

LONGEST_FILE = 400  # lines of a file that is fetched whole


@dataclass(slots=True)
class _Work:
    """What the steps so far have found and heard."""

    run: Run
    pieces: list[Piece] = field(default_factory=list)
    answer: Answer = field(default_factory=Answer)
    made: Made = field(default_factory=Made)
    sources: Mapping[str, Source] = field(default_factory=dict)


async def act_recipe(
    recipe: Recipe, subject: Subject, desk: Desk, *, instruction: str = ""
) -> AsyncGenerator[Event, None]:
    """What happens, and last ``Done``. Closing the generator stops whoever is asked."""
    command = recipe.command
    seen = await look(command, subject, desk)
    refusal = seen.reason if isinstance(seen, Refusal) else ""
    if command.asks and not instruction.strip():
        refusal = f"This has to be said as well: {command.asks}"
    elif not refusal and command.model == "needed" and not has_model(desk, recipe.choice):
        refusal = NEEDS_MODEL
    if refusal or isinstance(seen, Refusal):
        yield Done(outcome=Outcome(command=command.name, title=command.title, refusal=refusal))
        return
    work = _Work(
        Run(
            command=command,
            subject=subject,
            desk=desk,
            view=seen,
            instruction=instruction,
            choice=recipe.choice,
        )
    )
    for number, step in enumerate(recipe.steps):
        if isinstance(step, Retrieve):
            yield Working(says="Looking at the code")
            work.pieces += await _retrieved(step, work)
        elif isinstance(step, Prompt):
            async with aclosing(_prompted(step, recipe.steps[number + 1 :], work)) as events:
                async for it in events:
                    yield it
                    if isinstance(it, Done):
                        return
    yield _done(work)


def _done(work: _Work) -> Done:
    run, made = work.run, work.made
    if made.edits or made.files:
        return run.done(work.answer, edits=made.edits, files=made.files, sources=work.sources)
    markdown = work.answer.text.strip() or _listed(work.pieces)
    refusal = "" if markdown else "Nothing was found."
    return run.done(work.answer, markdown=markdown, refusal=refusal, note=work.answer.problem)


async def _prompted(step: Prompt, behind: Sequence[Step], work: _Work) -> AsyncGenerator[Event, None]:
    """Ask, and once more if the answer is not as the steps behind want it; ``Done`` if it never is."""
    checks = list(takewhile(lambda it: isinstance(it, Check), behind))
    is_applied = isinstance(next(iter(behind[len(checks) :]), None), Apply)
    run = replace(
        work.run,
        command=replace(work.run.command, gives="edits" if is_applied else "prose"),
        template=Template(system=step.system, example="", answer="", question=step.text),
        pieces=tuple(work.pieces),
        tokens=step.tokens,
    )
    sources = {run.view.source.path: run.view.focused}
    read = partial(_read, run, sources, [it for it in checks if isinstance(it, Check)])
    frame = Frame(read=read, sources=sources, extra={"answer": work.answer.text})
    async with aclosing(tried(run, frame)) as events:
        async for it in events:
            if not isinstance(it, Tried):
                if not isinstance(it, Text) or run.command.gives == "prose":
                    yield it
                continue
            work.answer, work.sources = it.answer, sources
            if isinstance(it.made, Refusal):
                yield run.done(it.answer, refusal=it.made.reason)
            else:
                work.made = it.made


def _read(run: Run, sources: Mapping[str, Source], checks: Sequence[Check], answer: Answer) -> Made | Refusal:
    """What an answer becomes: nothing but words, unless it is to be applied."""
    for check in checks:
        if wrong := recipes.failing(check, answer.text):
            return Refusal(reason=wrong)
    if run.command.gives == "prose":
        return Made()
    says = act_edits.label(run.command, run.view.source.path)
    return act_edits.proposed(
        answer.text, sources, task=run.command.task, says=says, finished=answer.finished
    )


async def _retrieved(step: Retrieve, work: _Work) -> list[Piece]:
    run, code = work.run, work.run.desk.code
    path, name = run.view.source.path, run.subject.name
    if step.query:
        known = values(run.view, run.command, instruction=run.instruction, problems=run.subject.problems)
        query = filled(step.query, {**known, "selected": run.view.selected, "code": run.view.text})
        return [_piece(it) for it in await code.search(query, limit=step.limit, paths=step.paths)]
    if step.files:
        found = [it for pattern in step.files for it in await code.files(pattern, limit=step.limit)]
        pieces = [await _file(it, run) for it in dict.fromkeys(found)]
        return [it for it in pieces if it is not None][: step.limit]
    if step.what == "diff":
        text = await code.diff()
        return [Piece(place=None, text=text, title="What has changed", kind="diff")] if text else []
    if step.what == "problems":
        problems = await code.problems(path)
        return [
            Piece(
                place=Place(path=it.path, first_line=it.first_line, last_line=it.last_line),
                text=it.message,
                kind="problem",
            )
            for it in problems[: step.limit]
        ]
    if step.what == "outline":
        rows = await code.outline(path)
        lines = [f"{it.first_line}: {it.signature or it.name}" for it in rows]
        text = "\n".join(lines)
        return [Piece(place=None, text=text, title=f"Outline of {path}", kind="outline")] if lines else []
    asked = code.callers if step.what == "callers" else code.callees
    row = at(await code.outline(path), run.subject.first_line, name)
    if row is None:
        return []
    calls = await asked(row.name, path=path, line=row.line, limit=step.limit)
    return [
        Piece(
            place=Place(path=it.path, first_line=it.line, last_line=it.line),
            text=it.text,
            title=it.name,
            language=language_of(it.path.rpartition("/")[2]),
        )
        for it in calls
    ]


async def _file(path: str, run: Run) -> Piece | None:
    source = await source_of(path, run.desk.code)
    if isinstance(source, Refusal) or not source.text.strip():
        return None
    lines = source.text.rstrip("\n").split("\n")[:LONGEST_FILE]
    place = Place(path=path, first_line=1, last_line=len(lines))
    return Piece(place=place, text="\n".join(lines), title=path, language=source.language, score=1.5)


def _piece(hit: Hit) -> Piece:
    return Piece(
        place=Place(path=hit.path, first_line=hit.first_line, last_line=hit.last_line),
        text=hit.text,
        title=hit.name,
        signature=hit.signature,
        doc=hit.doc,
        language=hit.language,
        score=min(1.0, hit.score),
    )


def _listed(pieces: Sequence[Piece]) -> str:
    """What was found, for recipes that only look."""
    parts = []
    for it in pieces:
        title = link(it.place) if it.place else it.title
        parts.append(f"{title}\n\n{fenced(it.text, it.language or ('diff' if it.kind == 'diff' else ''))}")
    return "\n\n".join(parts)
