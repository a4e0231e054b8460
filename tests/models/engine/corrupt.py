"""Damage a model file in many ways and see what loading it does, each time in a process of its own.

    python -m tests.models.engine.corrupt FILE.gguf SEEDS

Prints as JSON how the processes ended: ``answer``, ``sentence`` (a ``ModelError``), or something that must
not be: an exception, a signal, ``hang``.
"""

from __future__ import annotations

import json
import os
import random
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import gguf

from models.engine.llama import Limits, Llama
from models.errors import ModelError
from models.gguf_header import read_header

NUMBERS = (0, 1, 2, 7, 64, 599, 600, 1000, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
NUMBER_TYPES = (gguf.GGUFValueType.UINT32, gguf.GGUFValueType.INT32, gguf.GGUFValueType.FLOAT32)
HANG_S = 20.0


class Damage:
    """Ways to damage one file, each a function of a random generator."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        reader = gguf.GGUFReader(path)
        self.head = min(it.field.offset for it in reader.tensors)
        self.body = int(reader.data_offset)
        self.numbers = [
            it.offset + 12 + len(it.name)
            for it in reader.fields.values()
            if it.types[-1:] and it.types[0] in NUMBER_TYPES
        ]
        tokens = reader.fields["tokenizer.ggml.tokens"]
        self.tokens = [int(tokens.parts[at].ctypes.data - reader.data.ctypes.data) for at in tokens.data]
        self.ways: tuple[Callable[[random.Random, bytearray], None], ...] = (
            self.flip,
            self.noise,
            self.blank,
            self.cut,
            self.drop,
            self.number,
            self.number,
            self.token,
        )

    def make(self, seed: int) -> bytes:
        """The file, damaged."""
        rng = random.Random(seed)
        data = bytearray(self.data)
        for _ in range(rng.choice((1, 1, 3))):
            rng.choice(self.ways)(rng, data)
        return bytes(data)

    def place(self, rng: random.Random, data: bytearray) -> int:
        """Mostly in the head, where it matters."""
        start, end = rng.choice(((0, 1200), (0, self.head), (self.head, self.body), (0, len(self.data))))
        return min(rng.randrange(start, end), len(data) - 1)

    def flip(self, rng: random.Random, data: bytearray) -> None:
        data[self.place(rng, data)] ^= 1 << rng.randrange(8)

    def noise(self, rng: random.Random, data: bytearray) -> None:
        at = self.place(rng, data)
        data[at : at + 4] = rng.randbytes(4)

    def blank(self, rng: random.Random, data: bytearray) -> None:
        at, size = self.place(rng, data), rng.choice((4, 8, 64))
        data[at : at + size] = bytes(size)

    def cut(self, rng: random.Random, data: bytearray) -> None:
        del data[self.place(rng, data) + 1 :]

    def drop(self, rng: random.Random, data: bytearray) -> None:
        at = self.place(rng, data)
        del data[at : at + rng.choice((1, 4, 8))]

    def number(self, rng: random.Random, data: bytearray) -> None:
        at = rng.choice(self.numbers)
        value = struct.pack("<f", rng.choice((-1.0, float("nan"), float("inf"), 1e30)))
        data[at : at + 4] = rng.choice((value, struct.pack("<I", rng.choice(NUMBERS))))

    def token(self, rng: random.Random, data: bytearray) -> None:
        """One token becomes like another, which llama.cpp does not survive."""
        at, other = rng.sample(self.tokens[:256], 2)
        data[at : at + 1] = data[other : other + 1]


def use(path: Path) -> str:
    """Load a file and generate one token with it."""
    try:
        read_header(path)
        llama = Llama(path, Limits(context_tokens=256, sequences=2, threads=1), lambda _: True)
        tokens = [*llama.tokenize("def f(x):\n é"), *llama.tokenize("<|im_start|>", special=True)]
        llama.evaluate(0, 0, tokens or [llama.end], outputs=1)
        token = int(llama.logits(-1).argmax())
        _ = (llama.fim, llama.bos, llama.chat_template, llama.piece(token), llama.is_end(token))
    except ModelError as exc:
        said = str(exc)
        return "sentence" if said.endswith(".") and "\n" not in said else f"no sentence: {said}"
    return "answer"


def outcome(path: Path) -> str:
    """How a process that uses a file ends."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            said = use(path)
        except BaseException as exc:
            said = repr(exc)
        os.write(writing, said.encode()[:500])
        os._exit(0)
    os.close(writing)
    end = time.monotonic() + HANG_S
    status = 0
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if end < time.monotonic():
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            return "hang"
        time.sleep(0.001)
    status = os.waitpid(pid, 0)[1]
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else said


def main() -> None:
    source, seeds = Path(sys.argv[1]), int(sys.argv[2])
    damage = Damage(source)
    path = source.with_name("damaged.gguf")
    found: Counter[str] = Counter()
    for seed in range(seeds):
        path.write_bytes(damage.make(seed))
        it = outcome(path)
        found[it if it in ("answer", "sentence") else f"{it} (seed {seed})"] += 1
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
