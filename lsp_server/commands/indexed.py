"""What the commands about the code index share: find it, bring it up to date, say what is wrong with it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from lsp_server.cli import FAILED, INTERRUPTED
from lsp_server.commands.folders import chosen_or_here, project_of

if TYPE_CHECKING:
    from rich.console import Console

    from codeindex.build_report import BuildReport, OnProgress, Progress
    from codeindex.protocol import Options
    from codeindex.search_rerank import Reranking
    from codeindex.store import Reader

Result = TypeVar("Result")
BEGINS_S = 0.4  # A build that is over sooner shows no bar: it would only flash.

Root = Annotated[
    Path | None,
    typer.Option("--root", metavar="FOLDER", help="The project; without it, that of the folder you are in."),
]
AsIs = Annotated[bool, typer.Option("--as-is", help="Ask the index as it is, without a look at the files.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A project and where its index is."""

    root: Path
    folder: Path
    cache: Path
    options: Options


def place_of(root: Path | None) -> Place:
    """The project that was typed or that we are in, by the user's settings."""
    from codeindex.protocol import options_in
    from codeindex.store import store_folder
    from lsp_server.index import options_of
    from lsp_server.wiring import Workbench
    from models import paths

    if not os.environ.get("HEARTH_DEBUG"):  # What matters is said in sentences; the causes are for a log.
        logging.getLogger("codeindex").addHandler(logging.NullHandler())
    try:
        Path.cwd()
    except OSError:
        fail("The folder you are in is not there any more.")
    if root is None and project_of(Path.cwd()) is None and Path.cwd() in (Path.home(), Path("/")):
        fail("This folder is no project; go to one, or name its folder.")
    folder = chosen_or_here(root)
    if not folder.is_dir():
        raise typer.BadParameter(f"{str(folder)!r} is no folder.", param_hint="ROOT")
    said = options_of(Workbench(builds=False).settings)
    if said is None:
        fail("The setting index.enabled is false: nothing is indexed.")
    cache = paths.cache_dir()
    top = Path(os.path.realpath(folder))
    return Place(root=top, folder=store_folder(top, cache), cache=cache, options=options_in(said)[0])


def fail(sentence: str, code: int = FAILED) -> NoReturn:
    """End with one sentence."""
    warn(sentence)
    raise typer.Exit(code)


def warn(sentence: str) -> None:
    """Say it beside the output."""
    typer.echo(f"hearth: {sentence}", err=True)


@contextmanager
def plainly() -> Iterator[None]:
    """Within it, what is wrong with an index is one sentence."""
    from codeindex.build_pool import NoWorker
    from codeindex.store import StoreError

    try:
        yield
    except (StoreError, NoWorker) as problem:
        fail(str(problem))


def built(place: Place, *, quiet: bool = False, is_all: bool = False) -> BuildReport:
    """Bring it up to date, vectors too. Ctrl-C ends it soon, and keeps what was done. Raises StoreError.

    ``is_all``: nothing comes after it but to say what was done.
    """
    from codeindex.build_whole import build_whole

    with _bar(quiet) as tell:
        report = interruptible(
            lambda stop: build_whole(
                place.root, place.cache, place.options, on_progress=tell, stop=stop, say=warn
            ),
            is_all=is_all,
        )
    if report.notice:
        warn(report.notice)
    return report


def interruptible(work: Callable[[Callable[[], bool]], Result], *, is_all: bool = False) -> Result:
    """Do it in a thread that is asked to stop at Ctrl-C; at the second one, nobody waits for it any more.

    Signals are blocked in the thread, and so in the processes it starts: those end when the work does.
    ``is_all``: nothing comes after it but to say what was done, and that is said: a later Ctrl-C is too late.
    """
    stop, finished = threading.Event(), threading.Event()
    done: list[Result] = []
    failed: list[BaseException] = []

    def run() -> None:
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            done.append(work(stop.is_set))
        except BaseException as problem:
            failed.append(problem)
        finally:
            finished.set()

    def interrupted(*_: object) -> None:
        if stop.is_set() and not finished.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.getsignal(signal.SIGINT)
    # Else whoever started us wants it ignored, or this is not where signals arrive.
    heeds = callable(before) and threading.current_thread() is threading.main_thread()
    if heeds:
        signal.signal(signal.SIGINT, interrupted)
    try:
        threading.Thread(target=run, name="work", daemon=True).start()
        while not finished.is_set():
            finished.wait(0.1)  # Not the thread's join: interrupted, that takes the thread for ended.
    finally:
        if heeds:
            signal.signal(signal.SIGINT, signal.SIG_IGN if is_all and finished.is_set() else before)
    if failed:
        raise failed[0]
    return done[0]


@contextmanager
def asked(root: Path | None, *, as_is: bool, quiet: bool) -> Iterator[tuple[Place, Reader]]:
    """The index to ask, brought up to date first: by us, or by the editor that is at it anyway."""
    from codeindex.build_report import Outcome
    from codeindex.store import StoreError, open_reader
    from codeindex.store.errors import Newer
    from codeindex.store.read import why_not

    place = place_of(root)
    with plainly():
        if not as_is:
            try:
                outcome = built(place, quiet=quiet).outcome
            except Newer:
                raise
            except (StoreError, OSError) as problem:  # What there is can be asked all the same.
                if open_reader(place.folder) is None:
                    raise
                warn(f"{_sentence(problem)} It is asked as it is.")
                outcome = Outcome.BUSY
            if outcome is Outcome.STOPPED:
                raise typer.Exit(INTERRUPTED)
        reader = open_reader(place.folder)
        if reader is None:
            from codeindex.lease import holder

            if holder(place.folder) is not None:
                fail("Another process has just begun to build this index; ask again in a moment.")
            said = why_not(place.folder)
            fail(f"{said} hearth index build makes one." if "no index" in said else said)
        with reader:
            yield place, reader


def dense_of(place: Place, reader: Reader) -> Any:
    """Whoever knows which chunks mean nearly the same; None without a model, or without its vectors."""
    if not place.options.embedder:
        return None
    from codeindex.embed import open_embedder
    from codeindex.embed_near import ByMeaning
    from codeindex.vectors import Vectors
    from models.errors import ModelError

    try:
        embedder = open_embedder(Path(place.options.embedder), threads=place.options.threads)
        near = ByMeaning(embedder, Vectors(embedder.model, embedder.dimensions))
        near.refresh(reader)
    except ModelError as problem:
        warn(str(problem))
        return None
    return near


def reranking_of(place: Place) -> Reranking | None:
    """Whoever reads the first hits once more; None without a model for that."""
    if not place.options.reranker:
        return None
    from codeindex.embed import open_reranker
    from codeindex.search_rerank import Reranking
    from models.errors import ModelError

    try:
        reranker = open_reranker(Path(place.options.reranker), threads=place.options.threads)
    except ModelError as problem:
        warn(str(problem))
        return None
    return Reranking(reranker, lambda problem: warn(str(problem)))


def console() -> Console:
    """Where answers are printed: with colors in a terminal, plain and never broken into lines elsewhere."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    return Console(highlight=False, soft_wrap=True, markup=False, emoji=False, no_color=not is_terminal)


def megabytes(size: int) -> str:
    """A size as people say it."""
    return f"{size / 1e6:.1f} MB"


def _sentence(problem: BaseException) -> str:
    if isinstance(problem, OSError):
        return f"The index cannot be brought up to date: {problem.strerror or problem}."
    return str(problem)


@contextmanager
def _bar(quiet: bool) -> Iterator[OnProgress]:
    """A bar on standard error, if somebody watches, with an estimate of what is left."""
    with _Bar() if sys.stderr.isatty() and not quiet else nullcontext(lambda _: None) as tell:
        yield tell


class _Bar:
    """Comes up when a build takes longer than a moment, and goes away at its end."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("Indexing"), BarColumn(), TextColumn("{task.fields[says]}"))
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=1, says="")
        self._shown = False

    def __enter__(self) -> Callable[[Progress], None]:
        """Nothing is shown yet."""
        return self._tell

    def __exit__(self, *_: object) -> None:
        """Clean up."""
        if self._shown:
            self._bar.stop()

    def _tell(self, at: Progress) -> None:
        if not self._shown and (BEGINS_S < at.seconds or at.files == 0 < at.total - 500):
            self._shown = True
            self._bar.start()
        left = "" if at.seconds_left is None else f", {at.seconds_left:.0f} s left"
        speed = f", {at.lines / at.seconds:,.0f} lines/s" if at.seconds else ""
        says = f"{at.files:,} of {at.total:,} files{speed}{left}"
        self._bar.update(self._task, total=max(1, at.total), completed=at.files, says=says)
