"""Bring an index up to date for somebody who waits for all of it: the files first, then the vectors."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from codeindex.build import Judge, open_site
from codeindex.build_report import BuildReport, OnProgress, Outcome, unheard
from codeindex.protocol import Options
from codeindex.write_idle import Idle


def build_whole(
    root: Path,
    cache: Path,
    options: Options,
    *,
    on_progress: OnProgress = unheard,
    stop: Judge = lambda: False,
    say: Callable[[str], None] = lambda sentence: None,
) -> BuildReport:
    """What was done with the files. Raises what ``codeindex.build.build`` does.

    ``say`` is told what keeps vectors from being made, in a sentence. Stopped meanwhile, the files are in the
    index, and the rest is made the next time.
    """
    if not root.is_dir():
        return BuildReport(outcome=Outcome.NO_ROOT)
    with open_site(root, cache, options.config) as site:
        if site is None:
            return BuildReport(outcome=Outcome.BUSY)
        processors = options.jobs or os.cpu_count() or 1
        idle = Idle(site, options.embedder, processors, say)
        try:
            report = site.build(on_progress=on_progress, stop=stop)
            while report.outcome is Outcome.DONE and idle.wants() and not stop():
                if not idle.embed((), stop):
                    break
        finally:
            idle.close()
        return report
