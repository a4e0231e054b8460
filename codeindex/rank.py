"""Pure: ranked lists of candidates -> one order: fused by ranks, moved by named rules, spread over files.

A rule looks at the question, the pieces and their scores so far and says for some pieces how far it holds,
from 0 to 1. A rule that lifts raises a score by that share of its number; one that lowers multiplies it with
its number. So what the lists say always counts: no rule alone brings up what they hardly found. Every step is
kept as a signal, in the order of ``RULES``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from codeindex import identifiers
from codeindex.query import Form, Place, Query
from codeindex.rank_places import is_among, places, stem_words
from codeindex.types import Kind, Signal

FLAT = 20.0  # What is added to ranks: the larger, the less the first ranks of a list stand out.


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A symbol that is defined in a piece, if its name is one that was asked for."""

    name: str
    scope: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A candidate, as far as the rules look at it."""

    id: int
    path: str
    first_line: int
    last_line: int
    name: str
    defines: tuple[Definition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The candidates of one way of searching, best first, each with what that way says of it."""

    name: str
    entries: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A candidate in its place."""

    piece: Piece
    score: float
    why: tuple[Signal, ...]


Holds = Mapping[int, float]
"""By piece, how far a rule holds: above 0, at most 1. Who is not in it is left as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What a rule looks at."""

    query: Query
    pieces: Mapping[int, Piece]
    scores: Mapping[int, float]
    matches: Mapping[int, float]
    """How well the words of a piece match, as a share of the best match."""
    places: Mapping[int, frozenset[Place]]
    """Of the pieces that are in one that answers few questions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One reason to move a piece."""

    name: str
    number: float
    """Lifts: the share of the score that is added. Lowers: the factor."""
    lifts: bool
    reason: str
    holds: Callable[[Board], Holds]


WEIGHTS: Mapping[Form, Mapping[str, float]] = {
    Form.SYMBOL: {"lexical": 1.0, "symbols": 2.0, "near": 0.5, "paths": 0.5, "dense": 0.5},
    Form.PATH: {"lexical": 0.5, "symbols": 0.5, "near": 0.2, "paths": 3.0, "dense": 0.2},
    Form.ERROR: {"lexical": 1.0, "symbols": 0.7, "near": 0.2, "paths": 1.0, "dense": 0.7},
    Form.PROSE: {"lexical": 1.0, "symbols": 0.5, "near": 0.1, "paths": 0.5, "dense": 1.0},
}
"""How much each way of searching counts for each kind of question."""


Step = tuple[str, float, float, str]
"""What becomes a signal if the piece is shown: most are not."""


def rank(
    query: Query,
    listings: Sequence[Listing],
    pieces: Mapping[int, Piece],
    rules: Sequence[Rule] | None = None,
) -> Iterator[Ranked]:
    """All candidates, best first; the same input gives the same order."""
    why: dict[int, list[Step]] = defaultdict(list)
    scores = _fused(query.form, listings, pieces, why)
    matches = _matches(listings, pieces)
    found = {key: it for key in scores if (it := places(pieces[key].path))}
    for rule in RULES if rules is None else rules:
        board = Board(query=query, pieces=pieces, scores=scores, matches=matches, places=found)
        for key, share in rule.holds(board).items():
            factor = 1 + rule.number * share if rule.lifts else rule.number**share
            scores[key] *= factor
            why[key].append((rule.name, factor, scores[key], rule.reason))
    ordered = sorted(scores, key=lambda it: (-scores[it], pieces[it].path, pieces[it].first_line, it))
    return (Ranked(piece=pieces[it], score=scores[it], why=tuple(map(_signal, why[it]))) for it in ordered)


def _signal(step: Step) -> Signal:
    name, value, score, reason = step
    return Signal(name=name, value=value, score=score, reason=reason)


def _fused(
    form: Form, listings: Sequence[Listing], pieces: Mapping[int, Piece], why: dict[int, list[Step]]
) -> dict[int, float]:
    """Reciprocal-rank fusion: by ranks, since the lists' own values cannot be compared."""
    scores: dict[int, float] = {}
    for listing in listings:
        weight = WEIGHTS[form].get(listing.name, 0.0)
        if not weight:
            continue
        for place, (key, value) in enumerate((it for it in listing.entries if it[0] in pieces), 1):
            scores[key] = scores.get(key, 0.0) + weight * FLAT / (FLAT + place)
            why[key].append((listing.name, value, scores[key], f"number {place} of the list"))
    return scores


def _matches(listings: Sequence[Listing], pieces: Mapping[int, Piece]) -> dict[int, float]:
    values = {
        key: value for it in listings if it.name == "lexical" for key, value in it.entries if key in pieces
    }
    best = max(values.values(), default=0.0)
    return {key: value / best for key, value in values.items() if 0 < value}


def _words_match(board: Board) -> Holds:
    """Ranks alone do not say whether the first is ahead by far or by a hair."""
    return {key: share for key, share in board.matches.items() if key in board.scores}


OF_KIND: Mapping[Kind, float] = {
    Kind.CLASS: 1.0,
    Kind.INTERFACE: 1.0,
    Kind.TYPE: 0.95,
    Kind.ENUM: 0.95,
    Kind.FUNCTION: 0.9,
    Kind.MACRO: 0.85,
    Kind.METHOD: 0.8,
    Kind.CONSTANT: 0.7,
    Kind.VARIABLE: 0.6,
    Kind.MODULE: 0.5,
    Kind.SECTION: 0.3,
}
"""How much of a definition it is: whoever asks for `Session` means the class, not a variable of that name."""
OTHER_CASE = 0.4
OTHER_SCOPE = 0.5
MANY_DEFINITIONS = 4  # From here on a name is everybody's (`new`, `close`), and its definition says less.


def _definition(board: Board) -> Holds:
    """The definition of a name that is asked for; in prose, names are what a question is about, not for."""
    if board.query.form is Form.PROSE:
        return {}
    spread: dict[str, int] = defaultdict(int)
    for key in board.scores:
        for it in board.pieces[key].defines:
            spread[it.name] += 1
    holds = {}
    for key in board.scores:
        share = max((_defined(it, board.query, spread) for it in board.pieces[key].defines), default=0.0)
        if share:
            holds[key] = share
    return holds


def _defined(definition: Definition, query: Query, spread: Mapping[str, int]) -> float:
    best = 0.0
    for it in query.names:
        if it.name.lower() != definition.name.lower():
            continue
        share = OF_KIND[definition.kind]
        if it.name != definition.name:
            share *= OTHER_CASE
        if it.scope and it.scope.split(".")[-1].lower() not in definition.scope.lower().split("."):
            share *= OTHER_SCOPE
        if query.form is not Form.SYMBOL:
            share *= min(1.0, MANY_DEFINITIONS / spread[definition.name])
        best = max(best, share)
    return best


def _named_for_it(board: Board) -> Holds:
    """A definition whose name is made of words of the question."""
    holds = {}
    for key in board.scores:
        words = set(identifiers.split(board.pieces[key].name))
        if words and all(is_among(it, board.query.terms) for it in words):
            holds[key] = min(1.0, len(words) / 2)
    return holds


def _file_stem(board: Board) -> Holds:
    """A file that is called like what is asked for."""
    shares = {path: _stem_share(path, board.query.terms) for path in _paths(board)}
    return {key: share for key in board.scores if (share := shares[board.pieces[key].path])}


def _stem_share(path: str, terms: tuple[str, ...]) -> float:
    words = stem_words(path)
    return sum(is_among(it, terms) for it in words) / len(words)


def _coherence(board: Board) -> Holds:
    """The best piece of a file of which more pieces were found."""
    sums: dict[str, float] = defaultdict(float)
    best: dict[str, int] = {}
    for key in sorted(board.scores, key=lambda it: (-board.scores[it], it)):
        path = board.pieces[key].path
        sums[path] += board.scores[key]
        best.setdefault(path, key)
    top = max(sums.values(), default=0.0)
    return {best[path]: total / top for path, total in sums.items() if top}


def _in(place: Place) -> Callable[[Board], Holds]:
    def holds(board: Board) -> Holds:
        if place in board.query.wants:
            return {}
        return {key: 1.0 for key, found in board.places.items() if place in found}

    return holds


def _repeated(board: Board) -> Holds:
    """The pieces of a file behind its best one."""
    seen: dict[str, int] = defaultdict(int)
    holds = {}
    for key in sorted(board.scores, key=lambda it: (-board.scores[it], it)):
        path = board.pieces[key].path
        if seen[path]:
            holds[key] = float(seen[path])
        seen[path] += 1
    return holds


def _paths(board: Board) -> set[str]:
    return {board.pieces[it].path for it in board.scores}


RULES: tuple[Rule, ...] = (
    Rule(
        name="match",
        number=4.0,
        lifts=True,
        reason="how well its words match, by the best",
        holds=_words_match,
    ),
    Rule(
        name="name", number=0.6, lifts=True, reason="its name is made of words asked for", holds=_named_for_it
    ),
    Rule(name="definition", number=3.0, lifts=True, reason="defines what is asked for", holds=_definition),
    Rule(
        name="stem", number=0.25, lifts=True, reason="its file is called like the question", holds=_file_stem
    ),
    Rule(name="tests", number=0.4, lifts=False, reason="a test", holds=_in(Place.TESTS)),
    Rule(name="docs", number=0.6, lifts=False, reason="documentation", holds=_in(Place.DOCS)),
    Rule(name="examples", number=0.5, lifts=False, reason="an example", holds=_in(Place.EXAMPLES)),
    Rule(name="generated", number=0.5, lifts=False, reason="generated", holds=_in(Place.GENERATED)),
    Rule(name="compat", number=0.5, lifts=False, reason="for compatibility", holds=_in(Place.COMPAT)),
    Rule(name="vendored", number=0.5, lifts=False, reason="somebody else's code", holds=_in(Place.VENDORED)),
    Rule(name="coherence", number=1.0, lifts=True, reason="more of its file was found", holds=_coherence),
    Rule(name="repeated", number=0.9, lifts=False, reason="its file has a better piece", holds=_repeated),
)
"""In this order."""
