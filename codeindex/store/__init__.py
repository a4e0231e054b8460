"""The index on disk: SQLite is the truth, and this the only place that knows it."""

from codeindex.store.disk import store_folder
from codeindex.store.errors import StoreError
from codeindex.store.read import Reader, open_reader
from codeindex.store.rows import Indexed
from codeindex.store.write import Writer, open_writer

__all__ = ["Indexed", "Reader", "StoreError", "Writer", "open_reader", "open_writer", "store_folder"]
