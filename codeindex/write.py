"""The writer of a workspace's index: it builds, follows what changes, and gives way to everything else.

One process per workspace, by the lease. It takes notifications on its standard input and ends with it; it
may be ended at any moment: what it had committed stays, and the next writer does the rest.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from codeindex.build import Options as BuildOptions
from codeindex.build import Site
from codeindex.build_job import SELDOM
from codeindex.build_pool import NoWorker
from codeindex.build_report import BuildReport, Outcome, Progress
from codeindex.lease import Lease, take
from codeindex.protocol import Options, State, Told, told_json
from codeindex.protocol_asks import Notice
from codeindex.store import StoreError, store_folder
from codeindex.store.disk import move_aside_in
from codeindex.store.errors import Busy, Damaged, Full
from codeindex.walk import walk_at
from codeindex.watch import Changes, Watch
from codeindex.write_idle import Idle
from codeindex.write_talk import Inbox, Voice, listen

logger = logging.getLogger(__name__)

DONE, BUSY, CANNOT = 0, 3, 4
"""Exit codes: standard input is closed; another process has the lease; a sentence has said why it cannot."""
NICE = 10
REST_S = 5.0
"""After so long without a change only one worker is kept."""
LOOK_S, POLL_S, POLL_REST = 600.0, 3.0, 20.0
"""All files are looked at once in so many seconds; or, where the system does not tell what changes, in so
many, but not more often than every so many times as long as a look takes."""
AGAIN_S = 10.0
"""How often a long build is begun again because something was saved: that is then read first."""
RETRY_S = 30.0
REBUILT = "The index was damaged; it was moved aside and is being built again."
GONE = "The folder is not there any more; its index is kept."


class Write:
    """What is to be done, and what is being done. All of it on the main thread, but for the inbox."""

    def __init__(self, root: Path, cache: Path, options: Options, voice: Voice) -> None:
        self.inbox = Inbox()
        self._root = Path(os.path.realpath(root))
        self._folder = store_folder(root, cache)
        self._options = options
        self._voice = voice
        self._paths: set[str] = set()
        self._everything = True
        self._urgent = False
        self._check = False
        self._paused = False
        self._open: tuple[str, ...] = ()
        self._building = 0.0
        """When the build that runs began."""
        self._look_cost = 0.0
        self._looked = 0.0

    def run(self) -> int:
        """Work until standard input ends; the exit code."""
        try:
            lease = take(self._folder)
        except OSError as error:
            self._voice.problem(f"The index cannot be written: {error.strerror or error}.")
            return CANNOT
        if lease is None:
            return BUSY
        with lease:
            return self._follow(lease)

    def _follow(self, lease: Lease) -> int:
        watch = Watch(self._root, self.inbox.put, self._voice.problem) if self._options.watch else None
        if watch is not None:
            watch.begun(1.0)
        try:
            while not self.inbox.ended:
                try:
                    self._with_site(watch)
                except (Busy, Full) as problem:  # It may pass.
                    self._fail(problem)
                    self._wait(RETRY_S)
                except Damaged:
                    self._check = self._everything = True
        except (StoreError, NoWorker, OSError) as problem:
            self._fail(problem)
            return CANNOT
        finally:
            if watch is not None:
                watch.close()
        return DONE

    def _with_site(self, watch: Watch | None) -> None:
        """Work with the index until it is to be opened again."""
        options = BuildOptions(jobs=self._options.jobs)
        site = Site(self._root, self._folder, self._options.config, options)
        processors = self._options.jobs or os.cpu_count() or 1  # We give way to everybody else.
        idle = Idle(site, self._options.embedder, processors, self._voice.problem)
        try:
            quiet_since, rested = time.monotonic(), False
            while not self.inbox.ended:
                if self._check and not self._sound(site):
                    return
                if self._step(site):
                    quiet_since, rested = time.monotonic(), False
                    continue
                quiet = time.monotonic() - quiet_since
                if not self._paused and idle.wants():  # At once: it ends as soon as something comes.
                    if idle.embed(self._open, self._is_wanted):
                        self._tell(State.READY, site)
                    self._drain(0.0)
                    continue
                if REST_S <= quiet and not rested:
                    site.rest()
                    idle.rest()
                    rested = True
                idle.collect(quiet, self._is_wanted)
                if self._look_every(watch) <= time.monotonic() - self._looked:
                    self._everything = True
                self._drain(1.0)
        finally:
            idle.close()
            site.close()

    def _step(self, site: Site) -> bool:
        """Do what waits; whether there was anything."""
        self._drain(0.0)
        if self._paused or not (self._everything or self._paths):
            return False
        if self._everything:
            self._build(site)
            return True
        paths, self._paths, self._urgent = sorted(self._paths), set(), False
        report = site.update([self._root / it for it in paths])
        if report.outcome is Outcome.NO_ROOT:
            self._fail(GONE)
        self._heard(report)
        self._tell(State.READY, site)
        return True

    def _build(self, site: Site) -> None:
        paths, self._paths, self._urgent = self._paths, set(), False
        self._everything = False
        self._building = began = time.monotonic()
        try:
            report = site.build(
                first=[*sorted(paths), *self._open],
                on_progress=self._on_progress(site),
                stop=self._is_to_stop,
                paused=self._is_paused,
            )
        except BaseException:
            self._everything = True
            raise
        self._looked = time.monotonic()
        self._heard(report)
        if report.outcome is Outcome.NO_ROOT:
            self._fail(GONE)
            self._wait(1.0)
            return
        if report.outcome is Outcome.STOPPED:
            self._everything = True
            return
        self._note(site, State.READY)
        self._tell(State.READY, site)
        if not report.read:
            self._look_cost = self._looked - began
            self._warm(site)

    def _on_progress(self, site: Site) -> Callable[[Progress], None]:
        def on_progress(it: Progress) -> None:
            self._note(site, State.BUILDING, it)
            told = Told(
                state=State.BUILDING,
                generation=it.generation,
                read=it.files,
                total=it.total,
                seconds_left=it.seconds_left,
            )
            self._voice.say(told_json(told))

        return on_progress

    def _warm(self, site: Site) -> None:
        """Have a worker ready, that has read a file: the first save finds it so."""
        newest = max(
            (it for it in site.writer.known().items() if it[1].hash),
            key=lambda it: it[1].mtime_ns,
            default=None,
        )
        if newest is not None:
            site.warm(list(walk_at(self._root, newest[0], self._options.config))[:1])

    def _sound(self, site: Site) -> bool:
        """Whether the index agrees with itself; if not, it is moved aside."""
        self._check = False
        if not site.writer.verify(words=False):
            return True
        site.close()
        move_aside_in(self._folder)
        self._voice.problem(REBUILT)
        self._everything = True
        return False

    def _heard(self, report: BuildReport) -> None:
        if report.notice:
            self._voice.problem(report.notice)

    def _note(self, site: Site, state: State, it: Progress | None = None) -> None:
        """Leave a note in the index for those who read it and do not hear us."""
        said = {"state": state.value}
        if it is not None:
            said |= {"read": str(it.files), "total": str(it.total), "left": str(it.seconds_left or "")}
        site.writer.set_meta("progress", json.dumps(said))

    def _tell(self, state: State, site: Site) -> None:
        state = State.PAUSED if self._paused else state
        self._voice.say(told_json(Told(state=state, generation=site.writer.generation())))

    def _fail(self, problem: object) -> None:
        self._voice.problem(str(problem))
        self._voice.say(told_json(Told(state=State.FAILED)))

    def _look_every(self, watch: Watch | None) -> float:
        if watch is not None and not watch.polls:
            return LOOK_S
        return max(POLL_S, POLL_REST * self._look_cost)

    def _is_to_stop(self) -> bool:
        """Whether a build is to be ended: for good, or to begin anew with what was just saved."""
        self._drain(0.0)
        late = self._building + AGAIN_S < time.monotonic()
        return self.inbox.ended or self._check or (self._urgent and late)

    def _is_paused(self) -> bool:
        self._drain(0.0)
        return self._paused

    def _is_wanted(self) -> bool:
        """Whether what can wait has to."""
        return self.inbox.ended or not self.inbox.is_empty()

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self.inbox.ended and (left := end - time.monotonic()) > 0:
            self._drain(left)

    def _drain(self, seconds: float) -> None:
        """Take in all that has come, after waiting so long for the first of it."""
        item = self.inbox.take(seconds)
        while item is not None:
            if isinstance(item, Changes):
                self._paths |= item.paths
                self._everything |= item.everything
            else:
                self._obey(item)
            item = self.inbox.take(0.0)

    def _obey(self, notice: Notice) -> None:
        match notice.method:
            case "saved" | "changed":
                self._paths |= set(notice.paths)
                self._urgent |= notice.method == "saved"
            case "open":
                self._open = notice.paths
            case "pause" | "resume":
                self._paused = notice.method == "pause"
                self._voice.say(told_json(Told(state=State.PAUSED if self._paused else State.BUILDING)))
                self._everything |= not self._paused
            case "rescan":
                self._everything = True
            case "check":
                self._check = True


def main(root: Path, cache: Path, options: Options) -> int:
    """Be the writer; the exit code."""
    if hasattr(os, "nice"):
        os.nice(max(0, NICE - os.nice(0)))
    gc.freeze()
    gc.set_threshold(*SELDOM)
    voice = Voice()
    write = Write(root, cache, options, voice)
    listen(write.inbox)
    return write.run()
