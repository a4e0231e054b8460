"""The parser, failing the way a grammar may, for the processes that have to live with that."""

from __future__ import annotations

import os
import time

from codeindex.parse import parse
from codeindex.types import Parsed


def fails(text: str, language: str) -> Parsed:
    """Dies of some texts, never ends with others; without syntax only of those that say so."""
    if "dies always" in text or (language and "dies of it" in text):
        os.abort()
    while language and "never ends" in text:
        time.sleep(1)
    return parse(text, language)


def broken(text: str, language: str) -> Parsed:
    """Raises, as no parser should."""
    raise RuntimeError(f"{language} of {len(text)} characters")


def slow(text: str, language: str) -> Parsed:
    """Takes its time, so that something can happen meanwhile."""
    time.sleep(0.02)
    return parse(text, language)
