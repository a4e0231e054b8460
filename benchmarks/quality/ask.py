"""Ask the product at each place, in all ways, through its own engine; what is known already is not asked."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from benchmarks import anchored
from benchmarks.heldout.candidate import fingerprint
from benchmarks.heldout.projects import Project
from benchmarks.heldout.shelf import ProjectShelf, standard_library
from benchmarks.quality.judge import Said
from benchmarks.quality.places import Place
from codeindex.memory.snapshot import Layer, Snapshot
from completion.cache import SuggestionCache
from completion.complete import complete
from completion.config import CompletionConfig
from completion.recall import no_memory, recall
from completion.sessions import Connect
from completion.spot import spot_at
from completion.suggestion import Suggestion
from completion.trigger import decide
from lsp_server.resolve import completion_config, model_id
from lsp_server.settings import Confidence, Settings
from models import paths, process
from models.errors import BackendError
from models.launch import Engine
from models.process import EngineOptions
from models.spec import ModelSpec
from models.wire import CompletionRequest, Sampling

OPEN = ("memory", "model", "both")
"""Each with everything shown, however unsure, to be judged by any threshold; the model is asked without the
memory's help, and both as the product asks: the memory first, the model where the memory is not sure."""
LEVELS: tuple[Literal["eager", "balanced", "quiet"], ...] = ("eager", "balanced", "quiet")
"""And the product at each of its settings, which also end an answer early."""
WAYS = (*OPEN, *LEVELS)
THREADS = 1  # More add up in another order, and some answers change with it.
PATIENCE_MS = 60_000  # A busy machine gives no other answers.
CHUNK = 40  # Places that are asked before the answers are written down.
ROOT = Path(__file__).parent.parent.parent
PRODUCT = ("completion", "models/engine", "models/wire.py", "codeindex/memory", "lsp_server/resolve.py",
           "benchmarks/heldout", "benchmarks/anchored.py", "benchmarks/quality/ask.py")  # fmt: skip

Answers = dict[str, dict[str, Said]]
"""By place and way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All answers there are, and how many places are still without."""

    answers: Answers
    missing: int


async def answers(
    spec: ModelSpec,
    chosen: Sequence[tuple[Project, Sequence[Place]]],
    prompts: Sequence[anchored.Place],
    until: float,
) -> Asked:
    """Every place's answers, and the prompts'; places that nobody has asked yet are asked ``until`` then."""
    notes = Notes(spec)
    todo = [(project, [it for it in places if it.key not in notes.known]) for project, places in chosen]
    missing = sum(len(places) for _, places in todo)
    if missing:
        library = standard_library() if any(it.language == "python" and p for it, p in todo) else ()
        async with engine(spec) as (connect, context):
            for project, places in todo:
                for place, memory in _with_memory(project, places, library):
                    if until < time.monotonic():
                        return Asked(answers=notes.known, missing=missing)
                    notes.add(place.key, await _answers(connect, spec, context, place, memory))
                    missing -= 1
                    _tell(missing)
    missing += await _prompts(spec, prompts, notes, until)
    return Asked(answers=notes.known, missing=missing)


def prompt_key(place: anchored.Place) -> str:
    """Tells the places of the prompts' comparison apart."""
    cut = place.cut
    whole = json.dumps([place.kind, cut.path, cut.before, cut.rest, cut.after])
    return "prompt " + hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:20]


def prompt_ways(spec: ModelSpec) -> tuple[str, str]:
    """The prompt that is read anew at every key, and the one whose middle begins where the card says."""
    lines = min(anchored.LINES_ABOVE, key=lambda it: abs(it - spec.anchor_lines))
    return anchored.HEALED, anchored.anchored(lines)


class Notes:
    """What was answered already, on disk, line by line: an interrupted run goes on.

    The file belongs to one model, one card and one state of the product's code: what was answered by another
    is another file.
    """

    def __init__(self, spec: ModelSpec) -> None:
        told = json.dumps([fingerprint(spec), _product(), sys.version])
        name = hashlib.sha256(told.encode()).hexdigest()[:20]
        folder = paths.cache_dir() / "benchmarks" / "quality"
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{name}.jsonl"
        self.known: Answers = {}
        for line in self._file.read_text("utf-8").split("\n") if self._file.exists() else ():
            try:
                it = json.loads(line)
            except ValueError:  # The last line of a run that was killed.
                continue
            self.known[it["place"]] = {way: Said(**said) for way, said in it["said"].items()}

    def add(self, key: str, said: Mapping[str, Said]) -> None:
        """Write down one place."""
        self.known[key] = dict(said)
        told = {"place": key, "said": {way: asdict(it) for way, it in said.items()}}
        with self._file.open("a", encoding="utf-8") as file:
            file.write("\n" * (0 < file.tell()) + json.dumps(told))


@asynccontextmanager
async def engine(spec: ModelSpec) -> AsyncIterator[tuple[Connect, int]]:
    """An engine of the product's own that nobody else uses, and how much text its model takes at once."""
    with tempfile.TemporaryDirectory(prefix="hq-", ignore_cleanup_errors=True) as folder:
        place = process.Place(folder=Path(folder), log=Path(folder) / "engine.log")
        options = EngineOptions(model=model_id(spec), threads=THREADS, log_level="error")
        held = Engine(options, place=place)
        held.loads = True
        try:
            backend = await held.backend()
            nothing = CompletionRequest(
                model=model_id(spec), prompt="", sampling=Sampling(max_tokens=0), priority="background"
            )
            async with aclosing(backend.complete(nothing)) as stream:
                async for _ in stream:
                    pass
            yield held.backend, (await backend.health()).context_tokens
        finally:
            with suppress(BackendError):
                await (await held.backend()).shutdown()
            await held.close()


def config_of(spec: ModelSpec, context: int | None, level: Confidence | None = None) -> CompletionConfig:
    """The product's at a confidence level, without pauses; with none everything is shown."""
    settings = Settings(completion_confidence="balanced" if level is None else level)
    config = completion_config(settings, spec, context)
    config = replace(config, pause_ms=0, deadline_ms=PATIENCE_MS)
    return config if level is not None else replace(config, confidence_threshold=0.0, chance_threshold=0.0)


async def _answers(
    connect: Connect, spec: ModelSpec, context: int, place: Place, memory: Snapshot
) -> dict[str, Said]:
    """One place in all ways."""
    opened = config_of(spec, context)
    cut = place.cut
    spot = spot_at(cut.text, len(cut.before), path=cut.path, language=place.language, config=opened)
    trigger = decide(spot, explicit=False, previous=None, config=opened)
    if trigger.shape == "none":
        return {way: Said(text="") for way in WAYS}
    known = recall(memory, cut.path, spot, trigger)
    said = {"memory": _said(known.suggestion)}
    ways: list[tuple[str, CompletionConfig, bool]] = [("model", opened, False), ("both", opened, True)]
    ways += [(it, config_of(spec, context, it), True) for it in LEVELS]
    for way, config, is_remembered in ways:
        found = await complete(
            connect, SuggestionCache(), spot, trigger, config, model_id(spec),
            recall=(lambda _spot, _trigger: known) if is_remembered else no_memory,
        )  # fmt: skip
        said[way] = _said(found)
    return said


def _said(found: Suggestion) -> Said:
    if not found.text:
        return Said(text="", source=found.source)
    return Said(
        text=found.text,
        replace_after=found.replace_after,
        chance=round(found.chance, 6),
        source=found.source,
    )


def _with_memory(
    project: Project, places: Sequence[Place], library: tuple[Layer, ...]
) -> Iterator[tuple[Place, Snapshot]]:
    if places:
        shelf = ProjectShelf(project, library if project.language == "python" else ())
        for place in places:
            yield place, shelf.memory(place.cut)


async def _prompts(spec: ModelSpec, prompts: Sequence[anchored.Place], notes: Notes, until: float) -> int:
    """Ask anew and anchored; how many places are left."""
    todo = [it for it in prompts if prompt_key(it) not in notes.known]
    while todo and time.monotonic() < until:
        part, todo = todo[:CHUNK], todo[CHUNK:]
        asking = anchored.Asking(model=spec.path, ways=prompt_ways(spec), threads=THREADS)
        for it in await anchored.outcomes(part, asking):
            notes.add(prompt_key(it.place), {way: Said(text=text) for way, text in it.said.items()})
        _tell(len(todo))
    return len(todo)


def _product() -> str:
    """A hash of the code that answers."""
    files = [
        it
        for name in PRODUCT
        for it in ([ROOT / name] if name.endswith(".py") else sorted((ROOT / name).rglob("*.py")))
    ]
    told = hashlib.sha256()
    for it in files:
        told.update(it.read_bytes())
    return told.hexdigest()


def _tell(missing: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{missing} to go ", end="", file=sys.stderr)
