"""Pure: the latencies of each way as one picture: a row per way, a dot per keystroke, time on a log scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from benchmarks.keystrokes.measured import spread

WIDTH, LEFT, RIGHT, TOP, ROW, BOTTOM = 960, 230, 40, 64, 76, 56
COLORS = ("#0b6e4f", "#5b5f66", "#b3541e", "#7a3e9d", "#1f5fa8", "#a32a4a")
TICKS = (1, 2, 5)
DOTS = 600  # Of one row at most.
GOLDEN = 0.618
SPREAD_PX = 16.0

Scale = Callable[[float], float]


def svg(title: str, rows: Mapping[str, Sequence[float]]) -> str:
    """The picture of some latencies in milliseconds, by the name of the way; rows without any stay empty."""
    values = [it for row in rows.values() for it in row if 0.0 < it]
    low, high = _decades(values or [1.0, 10.0])
    height = TOP + ROW * len(rows) + BOTTOM

    def x(ms: float) -> float:
        share = (math.log10(ms) - math.log10(low)) / (math.log10(high) - math.log10(low))
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="24" y="32" font-size="17" font-weight="600" fill="#1b1b1b">{escape(title)}</text>',
        *_axis(low, high, height, x),
    ]
    for number, (name, row) in enumerate(rows.items()):
        middle = TOP + ROW * number + ROW / 2
        color = COLORS[number % len(COLORS)]
        parts.append(
            f'<text x="{LEFT - 16}" y="{middle + 4:.1f}" text-anchor="end"'
            f' fill="#1b1b1b">{escape(name)}</text>'
        )
        parts += _row([it for it in row if 0.0 < it], middle, color, x)
    return "\n".join([*parts, "</svg>", ""])


def _axis(low: float, high: float, height: float, x: Scale) -> Iterator[str]:
    decade = low
    while decade <= high:
        for step in TICKS:
            ms = decade * step
            if high < ms:
                break
            at = x(ms)
            shade = "#c4c7cc" if step == 1 else "#e7e8ea"
            yield f'<path d="M{at:.1f} {TOP}V{height - BOTTOM}" stroke="{shade}"/>'
            yield (
                f'<text x="{at:.1f}" y="{height - BOTTOM + 20}" text-anchor="middle"'
                f' fill="#5b5f66">{ms:g}</text>'
            )
        decade *= 10
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield (
        f'<text x="{middle:.0f}" y="{height - 14}" text-anchor="middle" fill="#5b5f66">'
        "milliseconds from the key to the whole suggestion; each dot is a keystroke</text>"
    )


def _row(row: Sequence[float], middle: float, color: str, x: Scale) -> Iterator[str]:
    """The dots, a mark at the median with its value, and one at the 99th percentile."""
    known = spread(row)
    if known is None:
        yield f'<text x="{LEFT + 8}" y="{middle + 4:.1f}" fill="#5b5f66">not run</text>'
        return
    for number, ms in enumerate(row[:: 1 + len(row) // DOTS]):
        y = middle + 8 + SPREAD_PX * (number * GOLDEN % 1 * 2 - 1)  # Beside each other, never twice the same.
        yield f'<circle cx="{x(ms):.1f}" cy="{y:.1f}" r="2" fill="{color}" fill-opacity="0.25"/>'
    at = x(known.p50)
    yield f'<path d="M{at:.1f} {middle - 14:.1f}v44" stroke="{color}" stroke-width="3"/>'
    yield (
        f'<text x="{at:.1f}" y="{middle - 19:.1f}" text-anchor="middle" font-weight="600" fill="{color}">'
        f"{known.p50:.{0 if 10 <= known.p50 else 1}f}</text>"
    )
    at = x(known.p99)
    yield f'<path d="M{at:.1f} {middle - 4:.1f}v24" stroke="{color}" stroke-width="1.5"/>'
    yield f'<text x="{at + 5:.1f}" y="{middle + 0:.1f}" font-size="11" fill="{color}">p99</text>'


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """The axis' ends: powers of ten with all values between them."""
    low = 10.0 ** math.floor(math.log10(min(values)))
    high = 10.0 ** math.ceil(math.log10(max(values)))
    return low, max(high, low * 10)
