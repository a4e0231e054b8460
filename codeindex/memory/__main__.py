"""`python -m codeindex.memory sync`: bring a workspace's memory up to date, and say so line by line.

Each line on standard output is a JSON object: one for every step, the last one with the outcome. The process
gives way to everything else on the machine, and may be ended at any moment.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from codeindex.memory.config import DEFAULTS
from codeindex.memory.sync import sync

NICE = 10


def main(arguments: list[str]) -> int:
    """The exit code: 0 done, or left to another process; 1 failed."""
    parser = argparse.ArgumentParser(prog="codeindex.memory", description="The project memory.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("sync", help="bring it up to date")
    command.add_argument("--root", type=Path, required=True, help="the workspace's folder")
    command.add_argument("--cache", type=Path, required=True, help="Hearth's cache folder")
    command.add_argument("--project-bytes", type=int, default=DEFAULTS.project_bytes)
    command.add_argument("--dependency-bytes", type=int, default=DEFAULTS.dependency_bytes)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    if hasattr(os, "nice"):
        os.nice(NICE)
    config = replace(DEFAULTS, project_bytes=given.project_bytes, dependency_bytes=given.dependency_bytes)
    try:
        report = sync(given.root, given.cache, config, os.environ, lambda it: _say(asdict(it)))
    except OSError as error:
        _say({"outcome": "failed", "says": f"The memory cannot be written: {error.strerror or error}."})
        return 1
    _say(asdict(report))
    return 0


def _say(line: dict[str, Any]) -> None:
    """Write a line at once. When nobody listens any more, the work is still worth doing."""
    try:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
