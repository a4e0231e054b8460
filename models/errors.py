"""What can go wrong between us and a model, as one sentence for the user each.

BackendError
├── Unreachable   nobody answers at the address, or the connection broke
├── Overloaded    it answers, but has no room now (429, 503)
├── Refused       it understood the request and will not do it (4xx)
│   ├── NoKey     there is no key, or the server does not take it (401, 403)
│   ├── NoModel   the server has no such model, or no such address (404)
│   ├── NoTools   it answers, but cannot call tools
│   └── TooLong   the conversation does not fit the model (413, some 400)
└── Broken        it failed, or its answer makes no sense (5xx, half a JSON)

ModelError        a model file that cannot be used; also what the engine says before it exits
"""

from __future__ import annotations


class BackendError(Exception):
    """The message is one sentence for the user; ``__cause__`` is for the log."""

    def __init__(
        self, message: str = "", *, passes: bool = False, wait_s: float | None = None, parameter: str = ""
    ) -> None:
        super().__init__(message)
        self.passes = passes
        """Whether the same question may well be answered a moment later."""
        self.wait_s = wait_s
        """How long the server asks to wait before."""
        self.parameter = parameter
        """The parameter of the request that the server does not take."""


class Unreachable(BackendError):
    """Nobody answers at the address, or the connection broke in the middle."""


class Overloaded(BackendError):
    """It answers, but has no room now."""


class Refused(BackendError):
    """It understood the request and will not do it."""


class NoKey(Refused):
    """There is no key, or the server does not take it."""


class NoModel(Refused):
    """The server has no such model, or no such address."""


class NoTools(Refused):
    """It answers, but cannot call tools: the same question without them may well be answered."""


class TooLong(Refused):
    """The conversation does not fit the model."""


class Broken(BackendError):
    """It failed, or its answer makes no sense."""


class ModelError(Exception):
    """A model cannot be found, read or loaded; the message is one sentence for the user."""
