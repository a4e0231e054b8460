"""Learn the numbers of ``completion/memory``: weights of occurrences, ranks of lines, their chance.

Three small problems, each on what the one before it leaves: which occurrences tell the next piece, which of
the candidate lines is right, and how often the best one is. Projects that are fitted to are judged nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.heldout.answers import Asked, open_config, spot_of
from completion.memory import beam, coefficients, predict, rank, weigh
from completion.memory.evidence import Source
from completion.memory.question import PIECE, Question, question_at

Array = npt.NDArray[np.float64]
Loss = Callable[[Array], tuple[float, Array]]

FILE = Path(coefficients.__file__)
STEPS_PER_LINE = 6  # Pieces of the true line that teach; later ones follow from them.
ITERATIONS = 1500
RATE = 0.05
EDITED = 0.25
"""What documents that were edited last count more than open ones: ``python -m benchmarks.recency``."""
DECAY = 1e-3
"""Of squared weights: what the data does not tell stays near zero."""
NAMES = {
    "WEIGHTS": "One for each of ``weigh.NAMES``.",
    "ORDERS": "By how many whole pieces agree.",
    "RANK": "One for each of ``rank.NAMES``.",
    "CONFIDENCE": "One for each of ``rank.CONFIDENCE_NAMES``.",
}


def fit(places: Iterable[Asked]) -> None:
    """Fit all, and write ``coefficients.py``."""
    questions = [(it, question_at(it.memory, spot_of(it, open_config()), path=it.cut.path)) for it in places]
    groups = [step for it, question in questions for step in steps(it, question)]
    weights = minimize(choice_loss(groups), len(weigh.NAMES) + weigh.ORDERS)
    weights[Source.EDITED] = weights[Source.OPEN] + EDITED  # Held-out projects do not tell who edited what.
    use(WEIGHTS=weights[: len(weigh.NAMES)], ORDERS=weights[len(weigh.NAMES) :])

    lines = [found for it, question in questions if (found := _lines(it, question))[0]]
    use(RANK=minimize(choice_loss(lines), len(rank.NAMES)))

    best = [row for found in lines if (row := _best(*found)) is not None]
    use(CONFIDENCE=minimize(logistic_loss(best), len(rank.CONFIDENCE_NAMES)))
    _write()
    print(f"fit places={len(questions)} steps={len(groups)} lines={len(lines)} shown={len(best)}")


def steps(it: Asked, question: Question) -> Iterator[tuple[list[list[float]], list[bool]]]:
    """For each piece of the true line: the features of those who vote, and who is right."""
    near = it.memory.near(question.context, path=question.path, line=question.line, limit=predict.LIMIT)
    live = [
        (vote, weigh.features(question, vote.occurrence), PIECE.findall(vote.line))
        for vote in weigh.votes(question, near)
    ]
    rest = it.cut.rest.strip() if question.free else it.cut.rest
    for depth, piece in enumerate(PIECE.findall(rest.encode() + b"\n")[:STEPS_PER_LINE]):
        live = [(vote, values, pieces) for vote, values, pieces in live if depth < len(pieces)]
        right = [pieces[depth] == piece for _, _, pieces in live]
        if any(right) and not all(right):
            yield [values + _order(vote.order + depth) for vote, values, _ in live], right
        live = [it for it, is_right in zip(live, right, strict=True) if is_right]


def _order(order: int) -> list[float]:
    values = [0.0] * weigh.ORDERS
    values[min(order, weigh.ORDERS - 1)] = 1.0
    return values


def _lines(it: Asked, question: Question) -> tuple[list[list[float]], list[bool]]:
    """The features of each candidate line, and which one is right."""
    found, asked = predict.candidates_at(it.memory, question)
    rest = it.cut.rest.strip().encode()
    right = [line.text.lstrip(b"\x01\x02").strip() == rest for line in found]
    return rank.rows_of(question, found, asked), right


def _best(rows: list[list[float]], right: list[bool]) -> tuple[list[float], bool] | None:
    """The features of the best line's confidence, and whether it is right; nothing is no suggestion."""
    scores = [math.fsum(a * b for a, b in zip(coefficients.RANK, row, strict=True)) for row in rows]
    order = sorted(range(len(rows)), key=lambda it: -scores[it])
    shares = np.exp(np.array(scores) - max(scores))
    lead = scores[order[0]] - scores[order[1]] if len(order) > 1 else 0.0
    row = rows[order[0]]
    if row[rank.NAMES.index("nothing")]:
        return None
    return rank.confidence_row(row, float(shares[order[0]] / shares.sum()), lead), right[order[0]]


def choice_loss(groups: Sequence[tuple[list[list[float]], list[bool]]]) -> Loss:
    """Minus the log-probability of the right ones under a softmax within each group."""
    told = [(rows, right) for rows, right in groups if any(right) and not all(right)]
    x = np.array([row for rows, _ in told for row in rows])
    hit = np.array([it for _, right in told for it in right])
    sizes = np.array([len(right) for _, right in told])
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))

    def loss(weights: Array) -> tuple[float, Array]:
        scores = x @ weights
        scores -= np.repeat(np.maximum.reduceat(scores, starts), sizes)
        mass = np.exp(scores)
        shares = mass / np.repeat(np.add.reduceat(mass, starts), sizes)
        of_right = np.add.reduceat(shares * hit, starts)
        gradient = x.T @ (shares - shares * hit / np.repeat(of_right, sizes))
        return -float(np.log(of_right).mean()), gradient / len(sizes)

    return loss


def logistic_loss(rows: Sequence[tuple[list[float], bool]]) -> Loss:
    x = np.array([row for row, _ in rows])
    y = np.array([right for _, right in rows], np.float64)

    def loss(weights: Array) -> tuple[float, Array]:
        scores = x @ weights
        value = float(np.mean(np.logaddexp(0, scores) - y * scores))
        return value, x.T @ (1 / (1 + np.exp(-scores)) - y) / len(y)

    return loss


def minimize(loss: Loss, size: int) -> Array:
    """Adam on all of the data: slow, and it needs nothing but a gradient."""
    weights, mean, square = np.zeros(size), np.zeros(size), np.zeros(size)
    value = 0.0
    for step in range(1, ITERATIONS + 1):
        value, gradient = loss(weights)
        gradient += 2 * DECAY * weights
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        rate = RATE * min(1.0, 2 * (1 - step / (ITERATIONS + 1)))
        weights -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-9)
    print(f"loss={value:.4f}")
    return weights


def use(**numbers: Sequence[float] | Array) -> None:
    """Let the product's code compute with them from here on."""
    for name, values in numbers.items():
        setattr(coefficients, name, tuple(round(float(it), 3) + 0.0 for it in values))
    beam.use_orders(coefficients.ORDERS)


def _write() -> None:
    lines = [
        '"""The learned numbers of the project memory: written by ``python -m benchmarks.memory --fit``."""\n'
    ]
    for name, meaning in NAMES.items():
        values: Any = getattr(coefficients, name)
        lines.append(f"{name} = (")
        rows = [values[at : at + 12] for at in range(0, len(values), 12)]
        lines += [f"    *({', '.join(map(str, it))}{',' * (len(it) == 1)})," for it in rows]
        lines.append(f')\n"""{meaning}"""')
    FILE.write_text("\n".join(lines) + "\n", "utf-8")
