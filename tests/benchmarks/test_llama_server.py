"""llama.vim's way of asking: the request is the plugin's, and a server's own timings are what is reported."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from benchmarks.keystrokes.llama_server import PREFIX_LINES, SUFFIX_LINES, LlamaServer, infill
from benchmarks.keystrokes.measured import Sample
from benchmarks.keystrokes.traces import Key, Passage
from benchmarks.keystrokes.ways import Setup

SCRIPT = """#!{python}
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert options["--cache-reuse"] == "256" and options["-c"] == "512" and options["-m"].endswith("m.gguf")
FIELDS = {{
    "input_prefix": str, "input_suffix": str, "input_extra": list, "prompt": str, "n_predict": int,
    "n_indent": int, "stop": list, "top_k": int, "top_p": float, "samplers": list, "stream": bool,
    "cache_prompt": bool, "t_max_prompt_ms": int, "t_max_predict_ms": int,
}}

class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        self.say({{"status": "ok"}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.path == "/infill" and {{it: type(body[it]) for it in body}} == FIELDS
        timings = {{"prompt_n": len(body["prompt"]), "prompt_ms": 12.5, "predicted_n": body["n_predict"]}}
        self.say({{"content": "abc", "timings": timings}})

    def say(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass

HTTPServer((options["--host"], int(options["--port"])), Server).serve_forever()
"""


def test_the_line_stands_between_prefix_and_suffix() -> None:
    """Whole lines above, the typed part of the line, its rest and the lines below."""
    body = infill("a\n  b(c)\nd", 6, 8)
    assert body["input_prefix"] == "a\n"
    assert body["prompt"] == "  b("
    assert body["input_suffix"] == "c)\nd\n"
    assert (body["n_indent"], body["n_predict"]) == (2, 8)


def test_the_window_is_the_plugins() -> None:
    """It sends so many lines on each side and no more."""
    body = infill("x\n" * 1000, 1000, 8)
    assert body["input_prefix"].count("\n") == PREFIX_LINES
    assert body["input_suffix"].count("\n") == SUFFIX_LINES + 1


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
async def test_a_server_is_started_asked_and_ended(tmp_path: Path) -> None:
    """A program that takes only what the plugin sends gets exactly that, and its timings come back."""
    binary = tmp_path / "llama-server"
    binary.write_text(SCRIPT.format(python=sys.executable))
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    setup = Setup(model=tmp_path / "m.gguf", tokens=8, context=512, threads=1, memory=False)
    way = LlamaServer(setup, binary)
    await way.start()
    try:
        await way.open(Passage(path="a.py", text="x = \n", keys=()))
        sample = await way.press(Key(at=4, insert="1", cursor=5))
        assert isinstance(sample, Sample)
        assert (sample.new, sample.produced, sample.first_ms, sample.shown) == (5, 8, 12.5, True)
        assert way.memory_mb["llama-server"] > 0
    finally:
        await way.close()
    assert not way.processes["llama-server"].is_running()
