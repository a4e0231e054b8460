"""Give back to the system what is free already: the C library keeps it, in case it is wanted again."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress


def give_back() -> None:
    """After something large was done, and before nothing is done for a while. Takes some milliseconds."""
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # Another C library than GNU's.
            ctypes.CDLL(None).malloc_trim(0)
