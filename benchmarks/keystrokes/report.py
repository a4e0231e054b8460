"""Pure: everything that was measured -> tables for people, and JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.keystrokes.measured import Followed, Played, Sample, Spread, spread, summary

NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run of the benchmark."""

    about: Mapping[str, str]
    """Machine, model, trace, settings."""
    tokens: int
    hearth: str
    """The names of the two rows that are compared."""
    bare: str
    closed: Mapping[str, Played]
    not_run: Mapping[str, str]
    """Why a way was left out, by name."""
    real: Played | None = None
    at_once: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    """Jumps with the key right away, and"""
    dwelt: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    """with the cursor there for a moment before."""
    dwell_s: float = 0.0
    follow: Followed | None = None
    cold_s: Sequence[float] = ()


def markdown(report: Report) -> str:
    """The tables."""
    parts = ["\n".join(f"- {name}: {value}" for name, value in report.about.items())]
    parts.append("\n".join(_closed(report)))
    if report.closed:
        parts.append("\n".join(_sources(report)))
    if report.real is not None:
        parts.append("\n".join(_real(report.real)))
    if report.at_once:
        parts.append("\n".join(_jumps(report)))
    if report.follow is not None:
        parts.append("\n".join(_follow(report.follow)))
    if report.cold_s:
        seconds = ", ".join(f"{it:.2f}" for it in report.cold_s)
        parts.append(
            f"First suggestion after starting the editor, engine not running: {seconds} s (one per start)."
        )
    return "\n\n".join(parts) + "\n"


def as_json(report: Report) -> dict[str, Any]:
    """All of it, every keystroke included. No code is in it."""
    follow = report.follow
    return {
        "about": dict(report.about),
        "tokens": report.tokens,
        "closed_loop": {name: _played(it, report.tokens) for name, it in report.closed.items()},
        "bare_ratio": ratio(report),
        "not_run": dict(report.not_run),
        "real_time": None if report.real is None else _played(report.real, report.tokens),
        "jumps": {
            "at_once": {name: [asdict(it) for it in found] for name, found in report.at_once.items()},
            f"after_{report.dwell_s:g}_s": {
                name: [asdict(it) for it in found] for name, found in report.dwelt.items()
            },
        },
        "follow": None
        if follow is None
        else {
            "silent": follow.silent,
            "typed": [asdict(it) for it in follow.typed],
            "accepted": [asdict(it) for it in follow.accepted],
        },
        "cold_s": [round(it, 3) for it in report.cold_s],
    }


def ratio(report: Report) -> float | None:
    """Hearth's median for a whole answer in units of the bare steps of the same run."""
    if not {report.hearth, report.bare} <= report.closed.keys():
        return None
    ours = summary(report.closed[report.hearth].samples, report.tokens).full_ms
    bare = spread(it.ms for it in report.closed[report.bare].samples)
    return None if ours is None or bare is None else round(ours.p50 / bare.p50, 3)


def _closed(report: Report) -> Iterator[str]:
    yield "### Closed loop: every key answered before the next\n"
    yield "p50 / p90 / p99 over the keystrokes for which a model had to answer.\n"
    yield (
        f"| way | asked of keys | prompt tokens evaluated | first text, ms | answer, ms | answer of"
        f" {report.tokens} tokens, ms | p50 against bare steps | CPU s per 1,000 keys | resident MB |"
    )
    yield "|---" * 9 + "|"
    bare = report.closed.get(report.bare)
    unit = spread(it.ms for it in bare.samples) if bare else None
    for name, played in report.closed.items():
        it = summary(played.samples, report.tokens)
        against = f"{it.full_ms.p50 / unit.p50:.2f}" if it.full_ms and unit else NOTHING
        memory = ", ".join(f"{part} {mb:.0f}" for part, mb in played.memory_mb.items())
        yield (
            f"| {name} | {it.asked} of {it.keys} | {_short(it.new)} | {_short(it.first_ms)} | {_short(it.ms)}"
            f" | {_short(it.full_ms)} ({it.full_ms.count if it.full_ms else 0}) | {against}"
            f" | {_cpu(played)} | {memory} |"
        )
    for name, reason in report.not_run.items():
        yield f"| {name} | not run: {reason} |" + " |" * 7


def _sources(report: Report) -> Iterator[str]:
    played = report.closed[report.hearth]
    yield "| answered from | keys | shown | ms, p50 / p90 / p99 | prompt tokens evaluated |"
    yield "|---" * 5 + "|"
    for source in ("anchor", "cold", "untold", "cache", "memory", "none"):
        found = [it for it in played.samples if it.source == source]
        if found:
            new = spread(it.new for it in found if it.new is not None)
            yield (
                f"| {source} | {len(found)} | {sum(it.shown for it in found)}"
                f" | {_short(spread(it.ms for it in found), 1)} | {_short(new)} |"
            )
    first = ", ".join(f"{it.ms:.0f} ms ({it.new} tokens)" for it in played.first)
    yield ""
    yield f"The first key of each document is not among them: {first}."
    if played.evaluated is not None:
        told = sum(it.new or 0 for it in played.samples + played.first)
        yield (
            f"Prompt tokens evaluated for answers: {told}; in all, with what was read ahead:"
            f" {played.evaluated}."
        )


def _real(played: Played) -> Iterator[str]:
    keys = len(played.samples)
    answered = spread(it.ms for it in played.samples if it.in_time)
    shown = spread(it.ms for it in played.samples if it.shown)
    per_key = "" if played.evaluated is None or not keys else f"{played.evaluated / keys:.1f}"
    yield "### Real time: newer keys cancel older requests\n"
    yield (
        "| keys | answered before the next key | with text | answered, ms | with text, ms"
        " | prompt tokens evaluated per key | CPU s per 1,000 keys | resident MB |"
    )
    yield "|---" * 8 + "|"
    memory = ", ".join(f"{part} {mb:.0f}" for part, mb in played.memory_mb.items())
    yield (
        f"| {keys} | {_share(answered, keys)} | {_share(shown, keys)} | {_short(answered)} | {_short(shown)}"
        f" | {per_key} | {_cpu(played)} | {memory} |"
    )


def _jumps(report: Report) -> Iterator[str]:
    yield "### After a jump inside the open file: time to the first suggestion\n"
    yield (
        "| way | at once, ms p50 / p90 / p99 | tokens evaluated"
        f" | cursor there for {report.dwell_s:g} s, ms | tokens evaluated |"
    )
    yield "|---" * 5 + "|"
    for name, samples in report.at_once.items():
        cells = []
        for found in (samples, report.dwelt.get(name, ())):
            asked = [it for it in found if it.source != "none"]
            new = spread(it.new for it in asked if it.new is not None)
            cells += [_short(spread(it.ms for it in asked)), _short(new)]
        yield f"| {name} | {' | '.join(cells)} |"


def _follow(follow: Followed) -> Iterator[str]:
    yield "### Following what is shown\n"
    percentiles = "ms p50 / p90 / p99"
    yield f"| keystrokes | number | without the engine | those, {percentiles} | most | all, {percentiles} |"
    yield "|---" * 6 + "|"
    for name, samples in (("typing the suggestion", follow.typed), ("after accepting it", follow.accepted)):
        cached = [it.ms for it in samples if it.source == "cache"]
        share = f" ({len(cached) / len(samples):.0%})" if samples else ""
        known = spread(cached)
        most = f"{known.most:.1f}" if known else NOTHING
        yield (
            f"| {name} | {len(samples)} | {len(cached)}{share} | {_short(known, 1)} | {most}"
            f" | {_short(spread(it.ms for it in samples), 1)} |"
        )
    if follow.silent:
        yield f"\nAt {follow.silent} places nothing was shown that could be followed."


def _played(played: Played, tokens: int) -> dict[str, Any]:
    return {
        "summary": summary(played.samples, tokens).json(),
        "cpu_s": round(played.cpu_s, 3),
        "memory_mb": played.memory_mb,
        "evaluated": played.evaluated,
        "first": [asdict(it) for it in played.first],
        "samples": [asdict(it) for it in played.samples],
    }


def _cpu(played: Played) -> str:
    keys = len(played.samples) + len(played.first)
    return f"{played.cpu_s / keys * 1000:.0f}" if keys else NOTHING


def _share(known: Spread | None, keys: int) -> str:
    return f"{(known.count if known else 0) / keys:.0%}" if keys else NOTHING


def _short(known: Spread | None, digits: int = 0) -> str:
    return known.short(digits) if known else NOTHING
