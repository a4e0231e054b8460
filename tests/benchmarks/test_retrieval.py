"""The measures of retrieval, and how documentation becomes questions."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.retrieval.annotated import Corpus, Target
from benchmarks.retrieval.documented import first_sentence, without_documentation
from benchmarks.retrieval.measure import Found, interval, mean_of_corpora, score
from benchmarks.retrieval.peers import Text, raw_bm25
from benchmarks.retrieval.sources import Source, listed
from benchmarks.retrieval.systems import OF_MODEL, TITLES, systems
from tests.codeindex.models import write_table


def found(path: str, first_line: int = 1, last_line: int = 10, characters: int = 390) -> Found:
    """A hit."""
    return Found(path=path, first_line=first_line, last_line=last_line, characters=characters)


def test_the_first_hit_is_worth_everything_and_the_second_less() -> None:
    """NDCG of one answer is by its rank alone; beyond ten it is nothing."""
    target = [Target(path="a.py")]
    assert score([found("a.py")], target).chunks == 1
    assert score([found("b.py"), found("a.py")], target).chunks == pytest.approx(1 / math.log2(3))
    assert score([found(f"{it}.py") for it in range(10)] + [found("a.py")], target).chunks == 0
    assert score([], target).reciprocal == 0


def test_a_file_that_comes_again_takes_a_rank_and_gains_nothing() -> None:
    """But among files it has one rank."""
    hits = [found("a.py"), found("a.py", 20, 30), found("b.py")]
    both = score(hits, [Target(path="a.py"), Target(path="b.py")])
    assert both.chunks == pytest.approx((1 + 1 / 2) / (1 + 1 / math.log2(3)))
    assert both.files == 1


def test_an_answer_of_some_lines_is_found_by_a_hit_on_them_alone() -> None:
    """Another place in its file is none."""
    target = [Target(path="a.py", first_line=20, last_line=25)]
    assert score([found("a.py"), found("a.py", 25, 30)], target).chunks == pytest.approx(1 / math.log2(3))
    assert score([found("a.py"), found("a.py", 25, 30)], target).reciprocal == 0.5
    assert score([found("a.py")], target).files == 1


def test_recall_counts_what_fits_into_the_tokens() -> None:
    """The hit that is over the budget is not seen, and none behind it."""
    hits = [found("b.py", characters=3_000), found("a.py", characters=3_000)]
    assert (score(hits, [Target(path="a.py")]).recall_1k, score(hits, [Target(path="a.py")]).recall_4k) == (
        0,
        1,
    )


def test_the_interval_holds_the_mean_and_is_the_same_every_time() -> None:
    """Each repository counts the same, however many questions it has."""
    values = {"a": [0.0, 1.0, 0.0, 1.0], "b": [1.0]}
    low, high = interval(values)
    assert mean_of_corpora(values) == 0.75
    assert low <= 0.75 <= high
    assert (low, high) == interval(values)


PYTHON = '''class A:
    """About A."""

    def parse(self, text):
        """Parse the header of a message. Then more."""
        return text

    def empty(self):
        """Only this stands here, and nothing else."""
'''
GO = "package a\n\n// Parse reads the header of a message.\n// And more.\nfunc Parse() int {\n\treturn 1\n}\n"


@pytest.mark.parametrize(
    ("language", "text", "sentence", "span"),
    [
        ("python", PYTHON, "Parse the header of a message", (3, 4)),
        ("go", GO, "Parse reads the header of a message", (3, 5)),
    ],
)
def test_documentation_is_taken_out_and_becomes_a_question(
    language: str, text: str, sentence: str, span: tuple[int, int]
) -> None:
    """The code that is indexed does not have the words; the answer's lines are those of what is left."""
    bare, functions = without_documentation(text, language)
    assert [(it.sentence, (it.first_line, it.last_line)) for it in functions] == [(sentence, span)]
    assert sentence not in bare
    assert "arse" in bare.split("\n")[span[0] - 1]


@pytest.mark.parametrize(
    ("text", "sentence"),
    {
        "Return the `value` of a :class:`Header`. More.": "Return the value of a Header",
        "Too short.": "",
        "Deprecated: use something else for this.": "",
        "Sends the request\nto the server\n\n@param url": "Sends the request to the server",
    }.items(),
)
def test_a_question_is_the_first_sentence_without_markup(text: str, sentence: str) -> None:
    """What is too short to ask is not asked."""
    assert first_sentence(text) == sentence


def test_repositories_are_either_for_tuning_or_for_deciding() -> None:
    """No one is in both, and both have some."""
    rows = listed()
    assert len({it["name"] for it in rows}) == len(rows)
    assert {it["split"] for it in rows} == {"tune", "decide"}


def test_an_annotated_path_is_where_it_was_in_this_version(tmp_path: Path) -> None:
    """Folders are renamed between versions."""
    source = Source(name="a", split="tune", root=tmp_path, moved={"core/": "lib/"})
    assert [source.here("core/x.rs"), source.here("core2/x.rs")] == ["lib/x.rs", "core2/x.rs"]


def test_the_raw_peer_knows_whole_words_only() -> None:
    """It is what the difference is measured to."""
    pytest.importorskip("bm25s")
    texts = ("def parse_args(x): pass", "open a connection", "close it")
    ask = raw_bm25([Text(found=found(f"{it}.py"), text=text) for it, text in enumerate(texts)])
    assert [it.path for it in ask("connection")] == ["1.py"]
    assert ask("args") == ask("") == []


def test_a_model_gets_rows_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real table is run over a real index, which stays as it was; without a model they are left out."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.py").write_text("def open_file(file):\n    return open(file)\n")
    (root / "b.py").write_text("def sort_list(list):\n    return sort(list)\n")
    corpus = Corpus(name="tiny", split="tune", root=root, questions=(), left_out=())
    model = write_table(tmp_path / "model")
    wanted = ("ours", *OF_MODEL)
    found = {title: ask("sort list") for title, ask in systems(corpus, tmp_path / "cache", wanted, model)}
    assert list(found) == [TITLES[it] for it in wanted]
    assert {hits[0].path for hits in found.values()} == {"b.py"}
    assert [it for it, _ in systems(corpus, tmp_path / "cache", wanted)] == [TITLES["ours"]]
    assert capsys.readouterr().err.count("it needs --model") == len(OF_MODEL)
