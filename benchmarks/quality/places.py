"""Where suggestions are judged: random places, lines not begun, line ends, and brackets an editor closed."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from benchmarks.anchored import line_end
from benchmarks.heldout.cuts import Cut, cuts
from benchmarks.heldout.measures import share
from benchmarks.heldout.projects import File, Project
from completion.brackets import lex
from completion.languages import CLOSER_OF, language_of
from completion.trigger import MAY_FOLLOW

PlaceKind = Literal["in_word", "at_border", "line_start", "whole_line", "line_end", "closers"]
RANDOM: tuple[PlaceKind, ...] = ("in_word", "at_border", "line_start")
"""The kinds that a random character falls into, as often as it does."""
EXTRA: tuple[PlaceKind, ...] = ("whole_line", "line_end", "closers")
"""Drawn apart: a line still to be begun, with the cursor at the margin; the end of a line whose next one is
still to be written; a place between brackets that are closed behind the cursor already."""
KINDS = (*RANDOM, *EXTRA)
EVERY_EXTRA = 4  # A fourth as many of each as random places.
TRIES = 50  # Draws for one place between brackets.


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cursor in a real file, and what really stands there."""

    language: str
    project: str
    kind: PlaceKind
    cut: Cut
    """``rest`` is all that the line goes on with, closers behind the cursor included; at a line's end it is
    the next line. Only with closers does ``after`` have something on the cursor's line."""

    @property
    def line_before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.cut.before[self.cut.before.rfind("\n") + 1 :]

    @property
    def line_after(self) -> str:
        """What stands behind the cursor on its line."""
        return self.cut.after.partition("\n")[0]

    @property
    def truth(self) -> str:
        """The real file."""
        between = "\n" if self.kind == "line_end" else ""
        return self.cut.before + between + self.cut.rest + self.cut.after[len(self.line_after) :]

    @property
    def key(self) -> str:
        """Tells this place from all others, and from the same one in another version of the file."""
        parts = [self.language, self.project, self.kind, self.cut.path]
        whole = json.dumps([*parts, self.cut.before, self.cut.rest, self.cut.after])
        return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:20]


def drawn(found: Sequence[Project], count: int, seed: int) -> Iterator[tuple[Project, list[Place]]]:
    """``count`` random places and a fourth as many of each extra kind, spread over the projects."""
    for number, project in enumerate(found):
        mine = share(number, len(found), count)
        more = share(number, len(found), count // EVERY_EXTRA)
        chosen = [(it.kind, it) for it in cuts(project.files, mine, _chance(seed, project))]
        places = [
            Place(language=project.language, project=project.name, kind=kind, cut=cut)
            for kind, cut in (*chosen, *_extra(project, more, seed))
        ]
        yield project, places


def _extra(project: Project, count: int, seed: int) -> Iterator[tuple[PlaceKind, Cut]]:
    """So many of each kind, as far as there are any."""
    files = project.files
    for cut in cuts(files, count, _chance(seed, project, "whole_line"), whole_lines=True):
        yield "whole_line", cut
    ends, brackets = (_chance(seed, project, it) for it in ("line_end", "closers"))
    for _ in range(count):
        if (ended := line_end(files, ends)) is not None:
            yield "line_end", ended
    for _ in range(count):
        if (found := between_brackets(files, project.language, brackets)) is not None:
            yield "closers", found


def _chance(seed: int, project: Project, kind: str = "") -> random.Random:
    """One for each kind, so that of more places the first ones are the same as of fewer."""
    return random.Random(f"{seed} {project.name} {kind}".rstrip())


def between_brackets(files: Sequence[File], language: str, rng: random.Random) -> Cut | None:
    """A random place in brackets that the line closes: these closers, and the end of the line, are there.

    So it is where an editor has closed what was opened, or where somebody changes what is in the brackets.
    """
    for _ in range(TRIES):
        cut = next(cuts(files, 1, rng), None)
        if cut is None:
            return None
        line = cut.before[cut.before.rfind("\n") + 1 :]
        lexed = lex(line, language_of(language))
        closers = "".join(CLOSER_OF[it.text] for it in reversed(lexed.opens))
        at = cut.rest.rfind(closers)
        behind = cut.rest[at:]
        if closers and not lexed.inside and cut.rest[: max(at, 0)].strip() and MAY_FOLLOW.fullmatch(behind):
            return replace(cut, after=behind + cut.after)
    return None
