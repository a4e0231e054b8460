"""What the editor's handlers leave for the memory: which document has changed, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lsp_server.documents import Document

DocumentState = Literal["open", "saved", "closed"]
"""``saved``: closed, and the same as the file that the editor has written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A document that has changed, in whatever way; its text is looked at when somebody asks."""

    document: Document
    state: DocumentState
