"""What can be wrong with the memory's files. Readers go on without; the next sync makes them new.

```text
ShelfError
├── Damaged    not what was written, or not all of it
└── Newer      written by a newer Hearth: left alone
```
"""

from __future__ import annotations


class ShelfError(Exception):
    """The message is a sentence for the user; the cause is for the log."""


class Damaged(ShelfError):
    """A file is not there, not whole, or says what it cannot say."""


class Newer(ShelfError):
    """A newer version of Hearth wrote this, and may be using it."""
