"""`python -m codeindex serve|write`: the index's service, and its writer. They speak JSON lines.

Both end with their standard input: whoever starts them holds the other end.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from codeindex.protocol import line_of, options_in


def main(arguments: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="codeindex", description="The code index.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, says in (("serve", "answer questions"), ("write", "keep the index up to date")):
        command = commands.add_parser(name, help=says)
        command.add_argument("--root", type=Path, required=True, help="the workspace's folder")
        command.add_argument("--cache", type=Path, required=True, help="Hearth's cache folder")
        command.add_argument("--options", default="{}", help="a JSON object: codeindex/protocol.py")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # It is for whoever started us.
    try:
        said = json.loads(given.options)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        parser.error("the options are not a JSON object")
    options, problems = options_in(said)
    for it in problems:
        sys.stdout.write(line_of({"event": "problem", "says": it}))
    if given.command == "write":
        from codeindex.write import main as write

        return write(given.root, given.cache, options)
    from codeindex.serve import main as serve

    return serve(given.root, given.cache, options)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(code)  # Threads that read or write must not hold up, or break, the interpreter's own end.
