"""Run a module while standard input is open: `python -m lsp_server.leash MODULE ARGUMENTS…`.

Whoever started us holds the other end. However it ends, the pipe closes, and we end too.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading

LET_GO = 1  # The exit code.


def main() -> None:
    """Run the module with the rest of the arguments."""
    threading.Thread(target=_watch, name="leash", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _watch() -> None:
    while os.read(0, 1):
        pass
    os._exit(LET_GO)


if __name__ == "__main__":
    main()
