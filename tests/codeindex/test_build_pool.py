"""Files are handed out in portions: each once, in order, and none that is too large a part of the work."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeindex.build_job import Setup
from codeindex.build_pool import GROUP_BYTES, GROUP_FILES, PARSER, Pool, _Groups
from codeindex.config import DEFAULTS
from codeindex.walk import FoundFile, walk
from tests.codeindex.git import make


def of_size(number: int, size: int) -> FoundFile:
    """A file as the walk finds one."""
    name = f"f{number}.py"
    return FoundFile(
        path=Path(name), relative=name, size=size, mtime_ns=1, ctime_ns=1, inode=1, language="python"
    )


@given(st.lists(st.integers(0, 3 * GROUP_BYTES), max_size=120))
def test_every_file_is_in_one_portion(sizes: list[int]) -> None:
    """Whatever their sizes: in the order given, few and little in each, a large one alone."""
    files = [of_size(number, size) for number, size in enumerate(sizes)]
    groups = _Groups(files)
    assert groups.bytes_left == sum(sizes)
    given_out: list[FoundFile] = []
    while groups.waiting:
        some = [it.found for it in groups.take()]
        assert len(some) <= GROUP_FILES
        assert len(some) == 1 or sum(it.size for it in some) <= GROUP_BYTES
        given_out += some
    assert given_out == files
    assert groups.bytes_left == 0


@pytest.mark.parametrize("started", [0, 1, 5])
def test_a_pool_reads_each_file_once(started: int, tmp_path: Path) -> None:
    """Whether its workers were there before their work or not; there are never more than there may be."""
    root = make(tmp_path / "project", {f"d{it % 3}/f{it}.py": f"def f{it}(): pass\n" for it in range(70)})
    files = list(walk(root, DEFAULTS))
    setup = Setup(folder=tmp_path / "index", config=DEFAULTS, parser=PARSER)
    with Pool(setup, jobs=2) as pool:
        pool.start(started)
        done = [it.path for it in pool.run(files)]
        assert sorted(done) == sorted(it.relative for it in files)
        assert [it.path for it in pool.run(files[:3])] == [it.relative for it in files[:3]]
        assert len(pool.workers) == 2
