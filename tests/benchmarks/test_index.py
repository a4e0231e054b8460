"""The index's benchmark measures what comes along, and says what each number should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import index, index_graph, index_measures
from codeindex.embed import open_embedder


def test_the_embedder_is_the_one_in_the_box(tmp_path: Path) -> None:
    """Without a word about it, and not one that was made for measuring."""
    assert index.model_of(tmp_path, str(index.BUNDLED)) == index.BUNDLED
    assert open_embedder(index.BUNDLED).dimensions == 256


def test_another_embedder_can_be_given(tmp_path: Path) -> None:
    """A folder is taken as it is; a random one is made."""
    assert index.model_of(tmp_path, "some/folder") == Path("some/folder")


def test_each_number_stands_beside_its_target(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads the table sees at once what falls short."""
    index.table({"cold: lines/s": 61_234.5, "cold: files": 3, "embedder": "mine"})
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.split()[-3:] == ["61,234", ">=", "60,000"]
    assert second.split() == ["cold:", "files", "3.00"]
    assert third.split() == ["embedder", "mine"]


def test_targets_are_of_what_is_measured(tmp_path: Path) -> None:
    """A name that is measured no more would be a target that nobody sees."""
    parts = [
        Path(it).read_text("utf-8")
        for it in (index.__file__, index_measures.__file__, index_graph.__file__)
        if it
    ]
    for name in index.TARGETS:
        stem = name.removeprefix("with vectors: ").removesuffix(": p50 ms").removesuffix(": p95 ms")
        known = [stem, stem.replace("10,000", "{MANY_FILES:,}"), stem.partition(": bytes")[0]]
        known += [stem.replace(it, "{name}") for it in ("service", "writer", "helper")]
        known += [stem.replace(it, "{method}") for it in ("callers", "callees")]
        known += [stem.removeprefix("query, ")]
        assert any(f'"{it}' in part for it in known for part in parts), name


def test_the_disk_is_measured_of_a_real_index(tmp_path: Path) -> None:
    """From a folder of source to the numbers of a cold start: all there, and none of them zero."""
    root = tmp_path / "project"
    root.mkdir()
    for number in range(30):
        (root / f"m{number}.py").write_text(f"def find_{number}(x):\n    return x + {number}\n" * 20)
    found = index_measures.cold(root, tmp_path / "cache")
    assert found["cold: files"] == 30
    assert all(isinstance(it, int | float) and 0 < it for it in found.values())
    rested = found["disk: bytes per byte of source, after a rest"]
    assert isinstance(rested, float)
    assert rested <= float(found["disk: bytes per byte of source, at once"])
