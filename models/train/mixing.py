"""How often each file is drawn, so that the languages have the shares of ``sources.toml``; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from models.train.clean import SourceFile


def weights(files: Sequence[SourceFile], shares: Mapping[str, float]) -> list[float]:
    """A weight for each file: within a language its size, and all of a language together its share.

    A language without a share is not drawn; the share of one without files falls to the others.
    """
    sizes: Counter[str] = Counter()
    for it in files:
        sizes[it.language] += len(it.text)
    return [shares.get(it.language, 0.0) * len(it.text) / max(1, sizes[it.language]) for it in files]


def drawn(files: Sequence[SourceFile], shares: Mapping[str, float], characters: int) -> list[SourceFile]:
    """The first files of each language, up to its share of so many characters."""
    left = {language: share * characters for language, share in shares.items()}
    chosen: list[SourceFile] = []
    for it in files:
        if 0 < left.get(it.language, 0.0):
            left[it.language] -= len(it.text)
            chosen.append(it)
    return chosen
