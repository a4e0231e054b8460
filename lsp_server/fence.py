"""One failing feature does not take the others down, and every request gets its one answer."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from models.errors import BackendError, ModelError

logger = logging.getLogger(__name__)


def fence(
    handle: Callable[..., Coroutine[Any, Any, Any]], degraded: Any = None
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """``handle``, but what it raises is logged and ``degraded`` is the answer.

    Expected failures (no model, no engine) are one line; anything else is a bug and comes with its
    traceback. ``CancelledError`` is not an ``Exception``: it passes, and the client's cancel is answered.
    """

    @functools.wraps(handle)
    async def fenced(ls: Any, *arguments: Any) -> Any:
        try:
            return await handle(ls, *arguments)
        except (BackendError, ModelError) as exc:
            logger.warning("feature=%s degraded: %s", handle.__module__, exc)
        except Exception:
            logger.exception("feature=%s bug", handle.__module__)
        return degraded

    return fenced


def fence_now(handle: Callable[..., None]) -> Callable[..., None]:
    """The same for what must happen before the next message is read: it waits for nothing."""

    @functools.wraps(handle)
    def fenced(ls: Any, *arguments: Any) -> None:
        try:
            handle(ls, *arguments)
        except Exception:
            logger.exception("feature=%s bug", handle.__module__)

    return fenced
