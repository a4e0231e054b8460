"""Keep a benchmark's problems out of the corpus, known by hashes of their word sequences only.

    python -m models.train.decontaminate problems.txt

Reads lines ``number|the problem's signature and first sentences`` and writes ``benchmark.txt`` beside this
module: one-way hashes, so that the repository does not hold the problems either. Every second sequence of
nine words is kept; a text that has ten words in a row in common with a problem is therefore always found.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

HASHES: Final = Path(__file__).with_name("benchmark.txt")
WORD: Final = re.compile(r"\w+")
WORDS = 9  # In a row: shorter sequences stand in honest docstrings, longer ones miss a changed word.
STEP = 2  # Every second sequence is kept.
DIGITS = 12  # Hexadecimal; 48 bits: not one false alarm is to be expected in 100 million sequences.


def words(text: str) -> list[str]:
    """The words of a text, without case and punctuation."""
    return WORD.findall(text.lower())


def sequences(text: str, step: int = 1) -> Iterator[str]:
    """The hash of every ``step``-th sequence of words of a text."""
    found = words(text)
    for start in range(0, len(found) - WORDS + 1, step):
        yield _hash(found[start : start + WORDS])


def hashes_of(problems: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What to look for, by problem; a problem of fewer words cannot be known by them."""
    return {name: tuple(sequences(text, STEP)) for name, text in problems.items()}


def load_hashes(path: Path = HASHES) -> frozenset[str]:
    """What no file of the corpus may contain."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(it for line in lines if not line.startswith("#") for it in line.split(":")[1].split())


def contaminated(text: str, known: frozenset[str]) -> bool:
    """Whether a text has a sequence of words in common with a problem."""
    found = words(text)
    starts = range(len(found) - WORDS + 1)
    return any(_hash(found[start : start + WORDS]) in known for start in starts)


def written(hashes: Mapping[str, Iterable[str]]) -> str:
    """The file that is committed: its header says what it covers."""
    rows = {name: tuple(found) for name, found in hashes.items()}
    none = [name for name, found in rows.items() if not found]
    head = (
        f"# HumanEval, {len(rows) - len(none)} problems: {', '.join(_runs(rows))}.\n"
        f"# By problem, the first {DIGITS} digits of BLAKE2b of every second sequence of {WORDS} words\n"
        "# of the signature and the docstring's first sentences, in lower case and without punctuation.\n"
        "# Made by `python -m models.train.decontaminate`; the texts are not kept.\n"
    )
    if none:
        head += f"# Too short to be known: {', '.join(none)}.\n"
    return head + "".join(f"{name}: {' '.join(found)}\n" for name, found in rows.items() if found)


def _hash(sequence: list[str]) -> str:
    return hashlib.blake2b(" ".join(sequence).encode(), digest_size=DIGITS // 2).hexdigest()


def _runs(names: Iterable[str]) -> list[str]:
    """Numbers in a row as ``0 to 163``."""
    runs: list[list[int]] = []
    for number in sorted(map(int, names)):
        if runs and runs[-1][1] + 1 == number:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [f"{first} to {last}" if first < last else str(first) for first, last in runs]


def main(source: Path) -> None:
    """Write the hashes of the problems that stand in a file outside of the repository."""
    rows = (line.partition("|") for line in source.read_text(encoding="utf-8").splitlines() if line)
    hashes = hashes_of({name: text for name, _, text in rows})
    HASHES.write_text(written(hashes), encoding="utf-8")
    print(f"decontaminate problems={len(hashes)} sequences={sum(map(len, hashes.values()))}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m models.train.decontaminate problems.txt")
    main(Path(sys.argv[1]))
