"""A small project is judged from end to end: the real memory, the bundled model in the real engine."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks import anchored
from benchmarks.heldout.candidate import candidate, fingerprint
from benchmarks.heldout.projects import File, Project
from benchmarks.quality.__main__ import Task, judged, tell
from benchmarks.quality.ask import WAYS, Notes, answers, config_of, prompt_key, prompt_ways
from benchmarks.quality.places import KINDS, drawn
from models import registry

BODY = """export function area{0}(shape) {{
  const width = shape.right - shape.left;
  const height = shape.bottom - shape.top;
  return Math.round(width * height * {0});
}}

"""
FILES = tuple(
    File(path=f"src/area{part}.js", text="".join(BODY.format(10 * part + it) for it in range(8)))
    for part in range(3)
)
PROJECT = Project(name="shapes", language="javascript", split="heldout", files=FILES)


@pytest.mark.e2e
async def test_a_small_project_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All places are answered, an interrupted run goes on, and the same answers give the same files."""
    spec = candidate(registry.STARTER)
    prompts = tuple(anchored.places(FILES, 1, "1"))
    task = Task(chosen=tuple(drawn([PROJECT], 12, 1)), prompts=prompts)
    assert {it.kind for it in task.places} >= {"whole_line", "line_end", "closers"}

    begun = await answers(spec, task.chosen, (), until=0.0)
    assert (begun.missing, begun.answers) == (len(task.places), {})

    asked = await answers(spec, task.chosen, prompts, until=time.monotonic() + 600)
    assert asked.missing == 0
    assert set(asked.answers) == {it.key for it in task.places} | {prompt_key(it) for it in prompts}
    assert all(set(asked.answers[it.key]) == set(WAYS) for it in task.places)
    assert all(set(asked.answers[prompt_key(it)]) == set(prompt_ways(spec)) for it in prompts)

    again = await answers(spec, task.chosen, prompts, until=0.0)  # Nobody needs to be asked.
    assert again == asked

    found = judged(spec, task, asked.answers)
    random_ones = [it for it in found if it.kind not in ("whole_line", "line_end", "closers")]
    memory = [it.ways["memory"] for it in random_ones]
    assert len(memory) / 2 < sum(it.exact for it in memory)  # Nearly all of it stands there several times.
    assert any(it.ways["model"].shown for it in found)
    quiet, eager = (sum(it.ways[level].shown for it in found) for level in ("quiet", "eager"))
    assert quiet <= eager
    for it in found:
        both, quiet_one = it.ways["both"], it.ways["quiet"]
        assert not quiet_one.shown or config_of(spec, None, "quiet").chance_threshold <= quiet_one.chance
        assert both.shown or not it.ways["eager"].shown

    about = fingerprint(spec)
    for folder in ("one", "two"):
        tell(task, [(spec, asked.answers)], about, tmp_path / folder)
    tell(task, [(spec, asked.answers), (spec, asked.answers)], about, tmp_path / "against")
    told = capsys.readouterr().out
    assert "## javascript: right" in told
    assert "nan" not in told
    one = {it.name: it.read_text() for it in (tmp_path / "one").iterdir()}
    assert set(one) == {f"quality{it}.csv" for it in ("", "-thresholds", "-reliability", "-prompts")}
    assert one == {it.name: it.read_text() for it in (tmp_path / "two").iterdir()}
    assert all(it.startswith(f"# model: {spec.path.name}\n# sha256: ") for it in one.values())
    assert {it.split(",")[1] for it in one["quality.csv"].split("\n")[4:-1]} >= {"random", *KINDS[3:]}
    assert (tmp_path / "against" / "quality-against.csv").exists()


def test_a_half_written_note_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed while it writes loses that place alone."""
    monkeypatch.setenv("HEARTH_HOME", str(tmp_path))
    spec = candidate(registry.STARTER)
    notes = Notes(spec)
    notes.add("a", {})
    notes.add("b", {})
    (file,) = tmp_path.rglob("*.jsonl")
    file.write_text(file.read_text()[:-3])
    left = Notes(spec)
    assert set(left.known) == {"a"}
    left.add("c", {})
    assert set(Notes(spec).known) == {"a", "c"}


def test_a_card_lies_beside_its_file(tmp_path: Path) -> None:
    """A file is judged with its card; without one nothing of it is known, and another card is another run."""
    starter = registry.starter()
    bare, carded = tmp_path / "bare" / "new.gguf", tmp_path / "carded" / "new.gguf"
    for it in (bare, carded):
        it.parent.mkdir()
        it.write_bytes(b"GGUF")
    carded.with_name("starter.toml").write_text(registry.STARTER_CARD.read_text())
    unknown, known = candidate(str(bare)), candidate(str(carded))
    assert (unknown.chance, unknown.anchor_lines) == ({}, 0)
    assert (known.chance, known.anchor_lines) == (starter.chance, starter.anchor_lines)
    assert fingerprint(unknown)["sha256"] == fingerprint(known)["sha256"]
    assert fingerprint(unknown)["card"] != fingerprint(known)["card"]
    assert candidate(str(bare), carded.with_name("starter.toml")).chance == starter.chance
