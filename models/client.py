"""What chat asks of a model server, whichever it is, and how one is opened."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Protocol

from models.errors import Refused
from models.spec import BackendSpec
from models.wire import ChatRequest, Piece

if TYPE_CHECKING:  # What follows imports httpx, which takes a quarter of a second.
    from models.exchange import Before, Limits
    from models.retry import Patience


class Client(Protocol):
    """One model server. Its methods raise only what ``models.errors`` lists."""

    spec: BackendSpec

    def chat(self, request: ChatRequest, before: Before | None = None) -> AsyncGenerator[Piece, None]:
        """Stream the answer to a conversation; ``aclose()`` cancels and closes the connection.

        ``before`` is told the address and the very bytes of each request before they are sent, also of one
        that is sent again; what it raises stops the sending, and reaches the caller as it is.
        """
        ...

    async def models(self) -> tuple[str, ...]:
        """The names of the models that it has."""
        ...

    def count(self, text: str) -> int:
        """How many tokens a text takes: at most so many, for asking nobody."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


def open_client(
    spec: BackendSpec,
    *,
    cloud_allowed: bool = False,
    limits: Limits | None = None,
    patience: Patience | None = None,
) -> Client:
    """A client for this server. Nothing is sent before the first question.

    Raises ``Refused`` for a server that is not on this machine, unless ``cloud_allowed`` is literally true.
    """
    if not spec.is_local and cloud_allowed is not True:
        title = spec.name or "The model server"
        raise Refused(f"{title} is not on this machine, and your settings do not allow the cloud.")
    if spec.dialect == "anthropic":
        from models.anthropic import Anthropic

        return Anthropic(spec, limits=limits, patience=patience)
    from models.backend import Backend

    return Backend(spec, limits=limits, patience=patience)
