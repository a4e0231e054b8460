"""Pure: a name that is used -> the definitions it may mean, with how sure that is and why.

Candidates have the name; what decides is where they are, seen from the use: in the same file, in the class
around it, in what the file imports (also through files that pass it on), in the same package. What is only
called the same is said to be so. Several that are as likely are all returned, and none of them is certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from posixpath import dirname

from codeindex.graph_modules import BODIES, HEADERS, family
from codeindex.graph_receivers import BARE, EXPRESSION
from codeindex.graph_values import (
    LAST_IS_NAME,
    Ancestors,
    Confidence,
    Definition,
    Link,
    Links,
    Match,
    Use,
)

DEEPEST = 4  # Files that pass a name on, one after the other.
MOST_FILES = 400  # That are looked at on such a way.
KEPT = 4096  # Variables whose classes are remembered.
LIKE = 3  # Letters that the names of a variable and of its class have to have in common.

SELF = frozenset({"self", "this", "cls", "Self", "static", "@"})
PARENT = frozenset({"super", "parent", "base"})
IMPLICIT_SELF = frozenset({"c", "csharp", "java", "ruby", "swift"})
"""Where a method of the same object is called by its bare name."""
STRICT = frozenset({"go", "javascript", "python", "rust"})
"""Where a bare name of another file has to be imported, or is of the same package."""
PACKAGES = frozenset({"csharp", "go", "java", "php", "swift"})
"""Where the files of a folder see each other without an import."""
INCLUDES = frozenset({"c", "css", "lua", "ruby", "shellscript"})
"""Where an import brings all there is, also what it got by imports itself."""


Verdict = tuple[int, Confidence, str]
"""The higher the number, the nearer."""


def no_ancestors(name: str) -> frozenset[str]:
    """Where nothing is known of classes."""
    return frozenset()


def resolve(
    use: Use, candidates: Iterable[Definition], links: Links, ancestors: Ancestors = no_ancestors
) -> tuple[Match, ...]:
    """The likeliest definitions, in the order given; none if the use means nothing of these."""
    sight = _Sight(use, links, ancestors)
    found: list[tuple[Definition, Verdict]] = []
    for it in candidates:
        if family(it.row.language) == sight.family:
            verdicts = [sight.judge(it, receiver) for receiver in use.receivers or (BARE, EXPRESSION)]
            best = max((one for one in verdicts if one is not None), default=None)
            if best is not None:
                found.append((it, best))
    highest = max((verdict[0] for _, verdict in found), default=0)
    matches = [
        Match(definition=it, confidence=verdict[1], reason=verdict[2])
        for it, verdict in found
        if verdict[0] == highest
    ]
    among = _different([it.definition for it in matches])
    if among <= 1:
        return tuple(matches)
    doubted = (Confidence.LIKELY if it.confidence is Confidence.CERTAIN else it.confidence for it in matches)
    return tuple(
        replace(it, confidence=confidence, among=among)
        for it, confidence in zip(matches, doubted, strict=True)
    )


def _different(found: Sequence[Definition]) -> int:
    """How many different things these are: overloads are one, and so are a declaration and its definition."""
    places = {(it.path, it.row.scope) for it in found}
    if family(found[0].row.language if found else "") == "c":
        bodies = {it for it in places if it[0].endswith(BODIES)}
        headers = {it for it in places if it[0].endswith(HEADERS)}
        if len(bodies) <= 1 and len({it[1] for it in headers}) <= 1 and bodies | headers == places:
            return 1
    return len(places)


class _Sight:
    """What is seen from one use."""

    def __init__(self, use: Use, links: Links, ancestors: Ancestors) -> None:
        self.family = family(use.language)
        self._use = use
        self._links = links
        self._ancestors = ancestors
        self._around = _around(use.scope)
        self._own = links(use.path)
        self._reached: dict[tuple[int, str], frozenset[str]] = {}
        self._named: dict[tuple[str, str], bool] = {}
        self._inherited: dict[tuple[str, ...], frozenset[str]] = {}
        self._explained: dict[str, list[tuple[int, str]]] = {}
        self._direct = frozenset(file for it in self._own for file in (*it.files, *(p for _, p in it.named)))

    def judge(self, it: Definition, receiver: str) -> Verdict | None:
        """How near a definition is; None if it cannot be meant."""
        if receiver == BARE:
            return self._member_by_itself(it) if it.is_member else self._bare(it)
        head, _, rest = receiver.partition(".")
        if not rest and head in SELF | PARENT:
            return self._of_self(it, parent=head in PARENT)
        if receiver == EXPRESSION:
            return self._of_something(it, "") if it.is_member else None
        return self._of_named(it, receiver)

    def _bare(self, it: Definition) -> Verdict | None:
        same_file = it.path == self._use.path
        nested = bool(it.row.scope) and self.family in ("python", "javascript")
        if nested and not (same_file and it.row.scope in self._around):
            return None
        if same_file:
            around = self._around
            depth = len(around) - around.index(it.row.scope) if it.row.scope in around else 0
            return 100 + depth, Confidence.CERTAIN, "in this file"
        for number, link in enumerate(self._own):
            brings = link.brings(self._use.name, self.family)
            all_of_it = _brings_all(link, self.family)
            if (brings or all_of_it) and it.path in self._reach(number, self._use.name):
                score = 90 if brings else 80
                return score, Confidence.CERTAIN, f"imported from {link.module}"
        if self._is_same_package(it):
            return 85, Confidence.CERTAIN, "in the same package"
        if self.family in STRICT and (self._own or self.family != "javascript"):
            brought = [one for one in self._own if one.brings(self._use.name, self.family)]
            is_ours = any(one.files or one.named for one in brought)
            return (10, Confidence.NAME, f"{brought[0].module} is imported") if is_ours else None
        return self._far(it)

    def _member_by_itself(self, it: Definition) -> Verdict | None:
        """A bare name: the class around is meant, or, in its body, what stands in it."""
        if self.family in IMPLICIT_SELF:
            return self._of_self(it, parent=False)
        in_body = it.path == self._use.path and it.row.scope == self._use.scope
        return (100, Confidence.CERTAIN, "in this class") if in_body else None

    def _of_self(self, it: Definition, *, parent: bool) -> Verdict | None:
        if not it.is_member:
            return None
        is_own = it.row.scope in self._around if it.path == self._use.path else it.owner in self._classes
        if is_own and not parent and it.owner:
            where = "of the same class"
            near = it.path == self._use.path
            return (100, Confidence.CERTAIN, where) if near else (95, Confidence.LIKELY, where)
        if is_own:
            return None
        if it.owner in self._above(self._classes):
            return 75, Confidence.LIKELY, f"inherited from {it.owner}"
        if it.path == self._use.path or self._names_class(it.owner, it.path):
            return 60, Confidence.LIKELY, f"of {it.owner}, which may be above the class"
        return self._far(it)

    def _of_named(self, it: Definition, receiver: str) -> Verdict | None:
        head, last = receiver.partition(".")[0], receiver.rpartition(".")[2]
        for number, there in self._explaining(receiver, head):
            if not (self._own[number].files or self._own[number].named):
                return None  # Of somebody else: it is not defined here.
            found = self._by_link(it, number, there, "" if last == head else last)
            if found:
                return found
        if it.owner and it.owner == last:
            if it.path == self._use.path or self._is_same_package(it):
                return 95, Confidence.CERTAIN, f"of {it.owner}"
            return 50, Confidence.LIKELY, f"of something called {it.owner}"
        return self._of_something(it, last) if it.is_member else self._of_unknown_module(it, last)

    def _explaining(self, receiver: str, head: str) -> list[tuple[int, str]]:
        """The imports that what stands before the name may be of, each with what it is over there."""
        if receiver not in self._explained:
            said = ((number, self._called(it, receiver, head)) for number, it in enumerate(self._own))
            self._explained[receiver] = [(number, there) for number, there in said if there is not None]
        return self._explained[receiver]

    def _by_link(self, it: Definition, number: int, there: str, last: str) -> Verdict | None:
        """By an import of what stands before the name: a module, a class, an object."""
        link = self._own[number]
        if it.path not in self._reach(number, self._use.name if there == "*" else there):
            return None
        is_module = there == "*" or not link.names or it.path == dict(link.named).get(there)
        if is_module and not it.is_member:
            return 95, Confidence.CERTAIN, f"of {link.module}"
        if it.owner in (there, last) and it.owner:
            return 95, Confidence.CERTAIN, f"of {it.owner}, imported from {link.module}"
        return (55, Confidence.LIKELY, f"of something in {link.module}") if it.is_member else None

    def _of_unknown_module(self, it: Definition, last: str) -> Verdict | None:
        """A function behind a name that no import explains: a file or a folder may be called so."""
        stem = it.path.rpartition("/")[2].partition(".")[0]
        if last in (stem, dirname(it.path).rpartition("/")[2]):
            return 45, Confidence.LIKELY, f"of something called {last}"
        return None

    def _of_something(self, it: Definition, variable: str) -> Verdict:
        """A method of an object whose class nobody says: its name may, and what is in sight."""
        in_sight = it.path == self._use.path or it.path in self._direct or self._is_same_package(it)
        alike = variable and _alike(variable, it.owner)
        if alike:
            return (58 if in_sight else 52), Confidence.LIKELY, f"{variable} is called like {it.owner}"
        if variable and it.owner in self._above(_called_like(variable)):
            return 51, Confidence.LIKELY, f"inherited from {it.owner}"
        if self._names_class(it.owner, it.path):
            return 48, Confidence.LIKELY, f"{it.owner} is imported"
        if in_sight:
            return 40, Confidence.NAME, "in this file" if it.path == self._use.path else "in an imported file"
        return self._far(it)

    def _far(self, it: Definition) -> Verdict:
        same = dirname(it.path) == dirname(self._use.path)
        return (20, Confidence.NAME, "in the same folder") if same else (10, Confidence.NAME, "the same name")

    def _called(self, link: Link, receiver: str, head: str) -> str | None:
        """What an import calls, over there, what the file calls so; None if it is not about it."""
        called = dict(link.called)
        if head in called:
            there = called[head].replace("::", ".").replace("\\", ".").rpartition(".")[2]
            return "*" if called[head] == "*" or not link.names else there
        if head in link.names:
            return head
        plain = link.module.replace("::", ".").replace("\\", ".").lstrip(".")
        if link.names or not plain:
            return None
        if self.family in LAST_IS_NAME:
            return link.last if head == link.last else None
        if self.family in ("go", "lua", "ruby"):
            return "*" if head == link.last else None
        is_module = receiver == plain or plain.startswith(f"{receiver}.") or receiver.startswith(f"{plain}.")
        return "*" if is_module else None

    def _reach(self, number: int, name: str) -> frozenset[str]:
        """The files that an import may bring a name from."""
        key = number, name
        if key not in self._reached:
            link = self._own[number]
            self._reached[key] = frozenset(_followed(link.files_of(name), name, self.family, self._links))
        return self._reached[key]

    def _names_class(self, owner: str, path: str) -> bool:
        """Whether the file imports a class by its name, from where it is."""
        key = owner, path
        if key not in self._named:
            self._named[key] = bool(owner) and any(
                it.brings(owner, self.family) and path in self._reach(number, owner)
                for number, it in enumerate(self._own)
            )
        return self._named[key]

    def _is_same_package(self, it: Definition) -> bool:
        return self.family in PACKAGES and dirname(it.path) == dirname(self._use.path)

    def _above(self, classes: tuple[str, ...]) -> frozenset[str]:
        if classes not in self._inherited:
            self._inherited[classes] = frozenset().union(*(self._ancestors(it) for it in classes))
        return self._inherited[classes]

    @cached_property
    def _classes(self) -> tuple[str, ...]:
        return tuple(self._use.scope.split(".")) if self._use.scope else ()


def _around(scope: str) -> list[str]:
    """The scope and those around it, innermost first, the top last."""
    parts = scope.split(".") if scope else []
    return [".".join(parts[:count]) for count in range(len(parts), -1, -1)]


def _followed(files: Iterable[str], name: str, of: str, links: Links) -> set[str]:
    """The files, and those that they pass the name on from."""
    found = set(files)
    level = list(found)
    for _ in range(DEEPEST):
        further = []
        for path in level:
            for link in links(path):
                passes_on = _brings_all(link, of) or (not link.names and of == "javascript")
                if link.brings(name, of) or passes_on:
                    further += [it for it in link.files_of(name) if it not in found]
        level = list(dict.fromkeys(further))[: MOST_FILES - len(found)]
        found.update(level)
        if not level:
            break
    return found


@lru_cache(KEPT)
def _called_like(variable: str) -> tuple[str, ...]:
    """The classes that a variable may be called after: ``old_reader`` after ``OldReader`` or ``Reader``."""
    parts = [it[:1].upper() + it[1:] for it in variable.split("_") if it]
    return ("".join(parts), parts[-1]) if parts else ()


def _brings_all(link: Link, of: str) -> bool:
    """Whether what an import brings can be named without it; a star of JavaScript is a name for all of it."""
    return of in INCLUDES or ("*" in link.names and of != "javascript")


def _alike(variable: str, owner: str) -> bool:
    """Whether a variable is called as its class is: ``reader`` and ``old_reader`` for ``Reader``."""
    one, other = (it.replace("_", "").lower() for it in (variable, owner))
    return min(len(one), len(other)) >= LIKE and (one.endswith(other) or other.endswith(one))
