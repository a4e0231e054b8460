"""Log to standard error, `key=value`, and never the user's code above DEBUG."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(levelname).1s %(name)s %(message)s"
FOREIGN = ("pygls", "httpx", "httpcore", "asyncio", "lsprotocol")


class WithoutContent(logging.Filter):
    """Libraries put whole messages, and with them the user's code, into their log lines.

    Above DEBUG such a line is reduced to where it comes from and which kind of error it is about.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true; the record is changed in place."""
        if record.levelno > logging.DEBUG and record.name.split(".")[0] in FOREIGN:
            kind = record.exc_info[0] if record.exc_info else None
            record.msg = f"in={record.funcName}" + (f" error={kind.__name__}" if kind else "")
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def start(level: str = "warning") -> None:
    """Log from now on; asking again only changes the level."""
    root = logging.getLogger()
    if not any(isinstance(it, _Handler) for it in root.handlers):
        handler = _Handler()
        handler.addFilter(WithoutContent())
        handler.setFormatter(logging.Formatter(FORMAT))
        root.addHandler(handler)
    set_level(level)


def set_level(level: str) -> None:
    """``debug`` shows everything; else libraries are heard only about errors: a late cancel is none."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    for name in FOREIGN:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.ERROR)


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]  # the stream is always standard error
    """Ours, so that it is installed once."""

    def handleError(self, record: logging.LogRecord) -> None:
        """An editor that closed our standard error does not want to hear it."""
