"""Rows of numbers -> CSV files to commit, and Markdown to read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.quality.tables import Row, columns

QUALITY = ("exact", "similarity", "first_token", "coverage", "precision")
NOISE = ("repeats", "breaks_syntax", "left_open", "worse_than_nothing")
PLAIN = ("similarity",)
"""Not shares, and so not in percent."""


def csv_text(rows: Sequence[Row], about: Mapping[str, str]) -> str:
    """The rows below what they depend on; the same rows give the same text."""
    text = io.StringIO()
    for name, value in about.items():
        text.write(f"# {name}: {value}\n")
    writer = csv.DictWriter(text, columns(rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(folder: Path, tables: Mapping[str, Sequence[Row]], about: Mapping[str, str]) -> None:
    """One file for each table that has rows."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        if rows:
            (folder / f"{name}.csv").write_text(csv_text(rows, about), "utf-8")


def quality(rows: Sequence[Row]) -> Iterator[str]:
    """How often it is right, and how often it is in the way, by language; every kind is in the file."""
    for language in dict.fromkeys(it["language"] for it in rows):
        mine = [it for it in rows if it["language"] == language and _is_told(it)]
        for title, names in (("right", QUALITY), ("in the way, of what is shown", NOISE)):
            part = mine if names is QUALITY else [it for it in mine if names[0] in it]
            yield f"\n## {language}: {title}\n"
            yield from markdown(part, ("kind", "way", "n"), names)


def _is_told(row: Row) -> bool:
    """All of random places; of a kind alone what both say and what is shown of it."""
    return row["kind"] == "random" or row["way"] in ("both", "balanced")


def thresholds(rows: Sequence[Row]) -> Iterator[str]:
    """Precision and coverage by the least chance that is shown."""
    for language in dict.fromkeys(it["language"] for it in rows):
        yield f"\n## {language}: random places, by the least chance that is shown\n"
        mine = [it for it in rows if it["language"] == language]
        yield from markdown(mine, ("way", "setting", "threshold", "n"), ("precision", "coverage"))


def reliability(rows: Sequence[Row]) -> Iterator[str]:
    """The calibration errors; their bins are in the file."""
    yield "\n## How reliable the chance is (expected calibration error, random places)\n"
    yield "| language | way | source | lines | said | right | error |"
    yield "|---" * 7 + "|"
    for it in rows:
        if it["chance"] == "all":
            names = ("language", "way", "source", "n", "said", "right", "error")
            yield "| " + " | ".join(str(it[name]) for name in names) + " |"


def prompts(rows: Sequence[Row]) -> Iterator[str]:
    """Prompts that are read anew at every key, and anchored ones."""
    yield "\n## The prompt: read anew at the cursor, or anchored above it\n"
    yield from markdown(rows, ("kind", "way", "n"), ("exact", "similarity"))


def against(rows: Sequence[Row]) -> Iterator[str]:
    """What the model has more than the other one."""
    yield "\n## More than the other model, at the same places\n"
    yield from markdown(
        rows, ("language", "kind", "way", "n"), ("exact", "similarity", "coverage"), signed=True
    )


def markdown(
    rows: Sequence[Row], keys: Sequence[str], names: Sequence[str], *, signed: bool = False
) -> Iterator[str]:
    """A table of values with their intervals."""
    yield "| " + " | ".join((*keys, *(it.replace("_", " ") for it in names))) + " |"
    yield "|---" * (len(keys) + len(names)) + "|"
    for row in rows:
        is_signed = signed or " - " in str(row.get("way", ""))
        cells = [str(row.get(it, "")) for it in keys]
        cells += [_cell(row, name, "+" if is_signed else "") for name in names]
        yield "| " + " | ".join(cells) + " |"


def _cell(row: Row, name: str, sign: str) -> str:
    values = [row.get(it, "") for it in (name, f"{name}_low", f"{name}_high")]
    if not all(isinstance(it, float) for it in values):
        return ""
    form = f"{sign}.3f" if name in PLAIN else f"{sign}.1%"
    value, low, high = (format(it, form) for it in values)
    return f"{value} ({low} to {high})"
