"""An index for somebody who waits: its files, and their vectors."""

from __future__ import annotations

from pathlib import Path

from codeindex.build_report import Outcome
from codeindex.build_whole import build_whole
from codeindex.lease import take
from codeindex.protocol import Options
from codeindex.store import open_reader, store_folder
from models import registry

EMBEDDER = Path(registry.__file__).parent / "starter" / "embedder"


def project(folder: Path) -> Path:
    folder.mkdir()
    for number in range(5):
        (folder / f"part_{number}.py").write_text(
            f'def total_{number}(prices):\n    """The sum."""\n    return sum(prices)\n'
        )
    return folder


def counted(root: Path, cache: Path) -> tuple[int, int]:
    reader = open_reader(store_folder(root, cache))
    assert reader is not None
    with reader:
        counts = reader.counts()
    return counts.chunks, counts.vectors


def test_files_and_vectors(tmp_path: Path) -> None:
    """Whoever waited has both, and the second time nothing is left to do."""
    root, cache = project(tmp_path / "shop"), tmp_path / "cache"
    options = Options(embedder=str(EMBEDDER))
    assert build_whole(root, cache, options).read == 5
    chunks, vectors = counted(root, cache)
    assert 0 < vectors <= chunks
    assert build_whole(root, cache, options).outcome is Outcome.DONE
    assert counted(root, cache) == (chunks, vectors)


def test_without_an_embedder(tmp_path: Path) -> None:
    """Words alone are a whole index."""
    root, cache = project(tmp_path / "shop"), tmp_path / "cache"
    assert build_whole(root, cache, Options()).outcome is Outcome.DONE
    assert counted(root, cache)[1] == 0


def test_a_model_that_is_none(tmp_path: Path) -> None:
    """The files are there, and a sentence says what keeps the vectors away."""
    root, cache = project(tmp_path / "shop"), tmp_path / "cache"
    said: list[str] = []
    report = build_whole(root, cache, Options(embedder=str(tmp_path)), say=said.append)
    assert report.read == 5
    assert len(said) == 1
    assert counted(root, cache)[1] == 0


def test_stopped_before_the_vectors(tmp_path: Path) -> None:
    """Who stops has what was done until then; the next build does the rest."""
    root, cache = project(tmp_path / "shop"), tmp_path / "cache"
    options = Options(embedder=str(EMBEDDER))
    done: list[int] = []
    build_whole(root, cache, options, on_progress=lambda at: done.append(at.files), stop=lambda: 5 in done)
    assert counted(root, cache)[1] == 0
    build_whole(root, cache, options)
    assert 0 < counted(root, cache)[1]


def test_somebody_else_writes(tmp_path: Path) -> None:
    """Then nothing is done, and that is said."""
    root, cache = project(tmp_path / "shop"), tmp_path / "cache"
    lease = take(store_folder(root, cache))
    assert lease is not None
    with lease:
        assert build_whole(root, cache, Options()).outcome is Outcome.BUSY
    assert build_whole(tmp_path / "nowhere", cache, Options()).outcome is Outcome.NO_ROOT
