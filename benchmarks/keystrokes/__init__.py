"""Replay typing through the real language server, and through its peers; `python -m benchmarks.keystrokes`.

In the order to read: what is typed (`traces`), what a keystroke costs (`measured`), who answers (`ways`), how
the keys are played (`runs`), what comes out (`report`, `plot`).
"""
