"""Turn the fetched archives into one compressed corpus file per split, and read it back.

First every package is cleaned by itself and kept in ``cleaned``, so that a later call does only what changed.
Then the splits are written: the held-out projects first, and of the others nothing that stands in those.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

from models.train import archives, clean, decontaminate, licences
from models.train.clean import SourceFile
from models.train.fetch import archive
from models.train.sources import LANGUAGES, Package

PROJECT_CHARACTERS = 2_000_000  # At most so much of one project, so that no project's habits rule the model.
SPARE = 1.5  # Times as much is cleaned, since some of it turns out to be somebody else's.
WORKERS = 2
FEW = 32  # Packages; for fewer, more processes cost more than they save.
UNREAD: Final = frozenset({"package missing", "package damaged"})
RULES: Final = (clean, archives, licences, decontaminate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """The files of one package that are worth learning from, and why the others are not."""

    files: tuple[SourceFile, ...]
    dropped: Counter[str]
    benchmark: tuple[str, ...] = ()
    """Paths that have a benchmark's text in them."""


def pack(packages: Sequence[Package], work: Path) -> None:
    """Write ``heldout.jsonl.gz``, ``train.jsonl.gz`` and ``pack.json``, which counts kept and dropped."""
    held: set[int] = set()
    told: dict[str, object] = {}
    for split in ("heldout", "train"):
        chosen = [it for it in packages if it.split == split]
        counts, dropped, benchmark = _write_split(chosen, work, split, held)
        told[split] = {"kept": counts, "dropped": dropped, "benchmark": benchmark}
        print(f"pack split={split} kept={counts} dropped={dropped} benchmark={benchmark}")
    (work / "pack.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def read_corpus(path: Path) -> list[SourceFile]:
    """The files of a packed corpus, in the order they were written."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [SourceFile(**json.loads(line)) for line in lines]


def cleaned(package: Package, work: Path) -> Cleaned:
    """What of a package is worth learning from; read from ``cleaned`` if the rules are still the same."""
    name = re.sub(r"[^\w.-]", "-", package.name)
    kept = work / "cleaned" / f"{name}-{_fingerprint(package)}.jsonl.gz"
    if kept.exists():
        return _read_cleaned(kept)
    made = _clean(package, work / "downloads")
    if UNREAD & made.dropped.keys():
        return made  # a later download may bring it
    kept.parent.mkdir(exist_ok=True)
    partly = kept.with_suffix(".part")
    with gzip.open(partly, "wt", encoding="utf-8", compresslevel=1) as out:
        out.write(json.dumps([made.dropped, made.benchmark]) + "\n")
        for it in made.files:
            out.write(_row(it))
    partly.replace(kept)
    return made


def _all_cleaned(packages: Sequence[Package], work: Path) -> Iterator[Cleaned]:
    if len(packages) < FEW:
        yield from (cleaned(it, work) for it in packages)
        return
    with ProcessPoolExecutor(WORKERS) as pool:
        yield from pool.map(partial(cleaned, work=work), packages)


def _write_split(
    packages: Sequence[Package], work: Path, split: str, held: set[int]
) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]], list[str]]:
    """Held-out files leave their lines in ``held``; no other file may consist of such lines."""
    duplicates = clean.Duplicates()
    counts: dict[str, Counter[str]] = {"files": Counter(), "characters": Counter(), "projects": Counter()}
    dropped: dict[str, Counter[str]] = {}
    benchmark: list[str] = []
    with gzip.open(work / f"{split}.jsonl.gz", "wt", encoding="utf-8", compresslevel=6) as out:
        for package, made in zip(packages, _all_cleaned(packages, work), strict=True):
            reasons = dropped.setdefault(package.language, Counter())
            reasons.update(made.dropped)
            benchmark += [f"{package.name}: {path}" for path in made.benchmark]
            spoken: set[str] = set()
            for it in _kept(made.files, split, held, duplicates, reasons):
                out.write(_row(it))
                spoken.add(it.language)
                counts["files"][it.language] += 1
                counts["characters"][it.language] += len(it.text)
            counts["projects"].update(spoken)
    return counts, dropped, benchmark


def _kept(
    files: Iterable[SourceFile],
    split: str,
    held: set[int],
    duplicates: clean.Duplicates,
    dropped: Counter[str],
) -> Iterator[SourceFile]:
    budget = PROJECT_CHARACTERS
    for it in files:
        lines = clean.telling_lines(it.text)
        if split == "heldout":
            held.update(lines)  # of all its files, the ones that are too many as well
        elif clean.repeats(lines, held, clean.COPIED_SHARE):
            dropped["copy of held-out"] += 1
            continue
        if budget < len(it.text):
            dropped["enough of this project"] += 1
        elif duplicates.seen(it.text):
            dropped["duplicate"] += 1
        else:
            budget -= len(it.text)
            yield it


def _clean(package: Package, downloads: Path) -> Cleaned:
    """Read, refuse and tidy; a package that is not there or not readable is told, and gives nothing."""
    path = archive(package, downloads)
    if path is None:
        print(f"pack: {package.name} {package.version} is not downloaded, so it is left out")
        return Cleaned(files=(), dropped=Counter({"package missing": 1}))
    wanted = LANGUAGES[package.language]
    try:
        content = archives.read(path, lambda name: clean.language_of(name) in wanted)
    except archives.BadArchive as exc:
        print(f"pack: {exc}; it is left out")
        return Cleaned(files=(), dropped=Counter({"package damaged": 1}))
    if not licences.permissive(content.licence):
        print(f"pack: {package.name} names the licence {content.licence!r} itself, so it is left out")
        return Cleaned(
            files=(), dropped=Counter({"package's licence": len(content.files) + content.not_free})
        )
    return _clean_files(package, list(content.files), content.not_free)


def _clean_files(package: Package, files: list[tuple[str, str]], not_free: int) -> Cleaned:
    random.Random(package.name).shuffle(files)  # a large project is represented by a fair sample of its files
    dropped = Counter({"licence": not_free} if not_free else {})
    kept: list[SourceFile] = []
    benchmark: list[str] = []
    budget = SPARE * PROJECT_CHARACTERS
    for name, raw in files:
        language = clean.language_of(name)
        assert language is not None
        text = clean.tidy(raw)
        if budget < 0:
            dropped["enough of this project"] += 1
        elif reason := _objection(raw, text, language):
            dropped[reason] += 1
        elif decontaminate.contaminated(text, _benchmark()):
            dropped["benchmark"] += 1
            benchmark.append(name)
        else:
            budget -= len(text)
            kept.append(SourceFile(project=package.name, path=name, language=language, text=text))
    return Cleaned(files=tuple(kept), dropped=dropped, benchmark=tuple(benchmark))


def _objection(raw: str, text: str, language: str) -> str | None:
    if licences.COPYLEFT.search(raw[: clean.HEAD * 3]):
        return "licence"
    if clean.generated(raw):
        return "generated"
    if clean.another_language(text, language):
        return "C++"
    return clean.complaint(text)


@cache
def _benchmark() -> frozenset[str]:
    return decontaminate.load_hashes()


@cache
def _rules() -> bytes:
    texts = [Path(str(it.__file__)).read_bytes() for it in RULES]
    return b"".join([*texts, decontaminate.HASHES.read_bytes()])


def _fingerprint(package: Package) -> str:
    """Of the pin and of the rules, but not of the split."""
    pin = f"{package.name}@{package.version}/{package.language}/{package.origin}".encode()
    return hashlib.blake2b(pin + _rules(), digest_size=8).hexdigest()


def _row(it: SourceFile) -> str:
    return json.dumps(asdict(it), ensure_ascii=False) + "\n"


def _read_cleaned(path: Path) -> Cleaned:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        dropped, benchmark = json.loads(next(lines))
        files = tuple(SourceFile(**json.loads(line)) for line in lines)
    return Cleaned(files=files, dropped=Counter(dropped), benchmark=tuple(benchmark))
