"""Take a training to another machine: weights in small parts, and a part of the corpus.

A lent machine takes and returns little at a time. So the checkpoint travels as bfloat16 weights and
counters, in parts; average and optimizers stay behind (their memory is a few dozen steps long). The corpus
travels as one of several shares of about the same size, each with whole projects.
"""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import torch

from models.train.pack import read_corpus
from models.train.train import COUNTERS

PART_BYTES: Final = 15 * 1024 * 1024
PARTS: Final = "trunk.part-*"


def pack_trunk(trunk: Path, folder: Path, *, part_bytes: int = PART_BYTES) -> list[Path]:
    """Write the checkpoint's weights and counters as ``trunk.part-00`` and so on; older parts go."""
    state: dict[str, Any] = torch.load(trunk, map_location="cpu", weights_only=True)
    light = {
        "model": {name: it.bfloat16() for name, it in state["model"].items()},
        "shape": state["shape"],
    } | {counter: state.get(counter, 0) for counter in COUNTERS}
    written = io.BytesIO()
    torch.save(light, written)
    content = written.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(PARTS):
        old.unlink()
    parts = []
    for number, first in enumerate(range(0, len(content), part_bytes)):
        parts.append(folder / f"trunk.part-{number:02}")
        parts[-1].write_bytes(content[first : first + part_bytes])
    print(f"carry parts={len(parts)} bytes={len(content)} tokens={light['tokens']}")
    return parts


def unpack_trunk(folder: Path, trunk: Path) -> None:
    """Put the parts together to a checkpoint that training goes on from; nothing is replaced.

    Raises ``FileExistsError`` where a checkpoint is already, ``FileNotFoundError`` without parts.
    """
    if trunk.exists():
        raise FileExistsError(f"{trunk} is there already: move it away first.")
    parts = sorted(folder.glob(PARTS))
    if not parts:
        raise FileNotFoundError(f"{folder} holds no {PARTS}.")
    content = b"".join(it.read_bytes() for it in parts)
    state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    state["model"] = {name: it.float() for name, it in state["model"].items()}
    partial = trunk.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(trunk)
    print(f"carry tokens={state['tokens']} parts={len(parts)}")


def share_corpus(corpus: Path, folder: Path, *, shares: int) -> list[Path]:
    """Write the corpus as so many files ``train-N.jsonl.gz``: a project stands in one of them as a whole."""
    files = read_corpus(corpus)
    sizes: Counter[str] = Counter()
    for it in files:
        sizes[it.project] += len(it.text)
    filled, places = [0] * shares, {}
    for project, size in sizes.most_common():  # The largest first, each to the emptiest share.
        places[project] = filled.index(min(filled))
        filled[places[project]] += size
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"train-{number}.jsonl.gz" for number in range(shares)]
    for number, path in enumerate(paths):
        with gzip.open(path, "wt", encoding="utf-8", compresslevel=9) as out:
            for it in files:
                if places[it.project] == number:
                    row = {"project": it.project, "path": it.path, "language": it.language, "text": it.text}
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
        print(f"carry file={path.name} characters={filled[number]} bytes={path.stat().st_size}")
    return paths
