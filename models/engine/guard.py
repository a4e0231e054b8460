"""Let only those in who know the token: for loopback TCP, which any user of the machine can reach."""

from __future__ import annotations

import hmac

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from models.engine.dialect import error_json


class BearerGuard:
    """Answers 401 unless the request brings the token. The comparison takes the same time for any guess."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                response = JSONResponse(
                    error_json("The token is missing or wrong.", "authentication_error", 401), 401
                )
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)
