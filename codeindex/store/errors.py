"""What can be wrong with the index on disk, one sentence for the user each.

```text
StoreError
├── Damaged    not what was written, or not all of it: it is built again
├── Newer      written by a newer Hearth: left alone
├── Busy       another process is writing
└── Full       no room left, or no right to write
```
"""

from __future__ import annotations


class StoreError(Exception):
    """The message is a sentence for the user; the cause is for the log."""


class Damaged(StoreError):
    """It cannot be read as an index."""


class Newer(StoreError):
    """A newer version wrote it, and may be using it."""


class Busy(StoreError):
    """Another process holds it for longer than we wait."""


class Full(StoreError):
    """It cannot be written here now."""
