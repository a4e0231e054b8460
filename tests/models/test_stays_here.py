"""With local servers alone nothing tries to leave this machine: watched from before the first import."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from models.providers import PROVIDERS

ROOT = Path(__file__).parents[2]
HERE = re.compile(r"\('(127\.0\.0\.1|::1)', \d+.*\)|'(127\.0\.0\.1|localhost|::1)'|'[^']*/none'")


def test_no_address_but_this_machines_is_ever_tried(tmp_path: Path) -> None:
    """No connection, no look-up of a name: every local kind of server, proxies set, clouds refused."""
    keys = {it.variable: "a-key" for it in PROVIDERS.values() if it.variable}
    command = [sys.executable, "-P", "-m", "tests.models.loopback.watched", str(tmp_path)]
    environment = os.environ | keys | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    servers = set(PROVIDERS) - {"hearth"}
    assert {name: found["said"][name] for name in servers} == {name: ["Because.", ["m"]] for name in servers}
    refused = [it for it in found["said"].values() if isinstance(it, str)]
    assert any("OpenAI is not on this machine" in it for it in refused)
    assert len(servers) <= len(found["tried"])
    assert [it for it in found["tried"] if not HERE.fullmatch(it)] == []
