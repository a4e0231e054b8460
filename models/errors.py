"""What can go wrong between us and a model, as one sentence for the user each.

BackendError
├── Unreachable   nobody answers at the address, or the connection broke
├── Overloaded    it answers, but has no room now (429, 503)
├── Refused       it understood the request and will not do it (4xx)
└── Broken        it failed, or its answer makes no sense (5xx, half a JSON)

ModelError        a model file that cannot be used; also what the engine says before it exits
"""

from __future__ import annotations


class BackendError(Exception):
    """The message is one sentence for the user; ``__cause__`` is for the log."""


class Unreachable(BackendError):
    """Nobody answers at the address, or the connection broke in the middle."""


class Overloaded(BackendError):
    """It answers, but has no room now."""


class Refused(BackendError):
    """It understood the request and will not do it."""


class Broken(BackendError):
    """It failed, or its answer makes no sense."""


class ModelError(Exception):
    """A model cannot be found, read or loaded; the message is one sentence for the user."""
