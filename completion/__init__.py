"""Ghost text: from a spot in a document to a suggestion worth showing."""
# ruff: noqa: I001  # The modules stand in the order in which to read them.

from completion.config import CompletionConfig
from completion.spot import Spot, spot_at
from completion.trigger import Edit, Trigger, decide
from completion.suggestion import Suggestion
from completion.cache import SuggestionCache
from completion.latest import Latest
from completion.complete import complete

__all__ = [
    "CompletionConfig",
    "Edit",
    "Latest",
    "Spot",
    "Suggestion",
    "SuggestionCache",
    "Trigger",
    "complete",
    "decide",
    "spot_at",
]
