"""Turn the fetched archives into one compressed corpus file per split, and read it back."""

from __future__ import annotations

import gzip
import json
import random
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.train import clean
from models.train.clean import SourceFile
from models.train.fetch import archive
from models.train.sources import SPLITS, Package

PROJECT_CHARACTERS = 2_000_000  # At most so much of one project, so that no project's habits rule the model.


def pack(packages: Sequence[Package], work: Path) -> None:
    """Write ``train.jsonl.gz`` and ``heldout.jsonl.gz``: cleaned, without duplicates, one file per line."""
    duplicates = clean.Duplicates()
    for split in SPLITS:
        totals: Counter[str] = Counter()
        with gzip.open(work / f"{split}.jsonl.gz", "wt", encoding="utf-8", compresslevel=6) as out:
            for package in packages:
                if package.split == split:
                    for it in _kept(package, work / "downloads", duplicates):
                        totals[it.language] += len(it.text)
                        row = {
                            "project": it.project,
                            "path": it.path,
                            "language": it.language,
                            "text": it.text,
                        }
                        out.write(json.dumps(row, ensure_ascii=False) + "\n")
        print(f"pack split={split} characters={dict(totals)}")


def read_corpus(path: Path) -> list[SourceFile]:
    """The files of a packed corpus, in the order they were written."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [SourceFile(**json.loads(line)) for line in lines]


def _kept(package: Package, downloads: Path, duplicates: clean.Duplicates) -> Iterator[SourceFile]:
    path = archive(package, downloads)
    if path is None:
        raise FileNotFoundError(
            f"{package.name} {package.version} is not downloaded; run the step 'fetch' first"
        )
    files = [(name, text) for name, text in _texts(path) if clean.language_of(name)]
    random.Random(package.name).shuffle(files)  # a large project is represented by a fair sample of its files
    budget = PROJECT_CHARACTERS
    for name, raw in files:
        text = clean.tidy(raw)
        if clean.complaint(text) or duplicates.seen(text):
            continue
        budget -= len(text)
        if budget < 0:
            return
        language = clean.language_of(name)
        assert language is not None
        yield SourceFile(project=package.name, path=name, language=language, text=text)


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """Every readable source file of a wheel or an npm archive, by its path inside."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                if clean.language_of(name) == "python":
                    yield name, wheel.read(name).decode("utf-8", "replace")
        return
    with tarfile.open(path) as bundle:
        for member in bundle:
            name = member.name.partition("/")[2]
            reader = bundle.extractfile(member) if member.isfile() and clean.language_of(name) else None
            if reader is not None:
                yield name, reader.read().decode("utf-8", "replace")
