"""A folder on the way of the walk: which rules hold in it, and whether the next folder or file is left out.

The walk and the look at one file go through the same steps here, so that they cannot disagree.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from codeindex.config import WalkConfig
from codeindex.gitconfig import is_submodule
from codeindex.gitignore import byte_text
from codeindex.ignores import Ignores, ignored, ignores_above, ignores_within
from codeindex.include import brings_in, leads_to, read_include
from codeindex.secret import FOLDERS as SECRETS
from codeindex.skip import MARKERS, NEVER, VERSIONS, Reason, reason_of_folder, reason_of_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder that is entered."""

    relative: str
    """From the root, with a slash behind; empty for the root."""
    absolute: str
    """As byte text, with a slash behind."""
    ignores: Ignores | None
    included: bool = False
    """Whether the user's patterns brought it in, or a folder above it."""
    only: bool = False
    """Whether it is left out, and entered only for what the user's patterns bring in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Something that is left out."""

    reason: Reason
    relative: str
    """The folder or the file that the reason is about."""
    says: str = ""
    """More about it, if the reason alone does not say enough."""


def place_of_root(top: str, ignores: Ignores | None) -> Place:
    """Where every walk begins."""
    return Place(relative="", absolute=byte_text(top).rstrip("/") + "/", ignores=ignores)


def inner_place(place: Place, name: str, config: WalkConfig) -> Place | Left:
    """The folder of this name in a place, as far as its path says; its own rules come later."""
    relative = place.relative + name
    absolute = place.absolute + byte_text(name)
    include = read_include(config.include)
    said = brings_in(include, relative, folder=True)
    included = place.included if said is None else said
    never = reason_of_folder(name)
    left: Left | None = None
    if never and (NEVER.get(name) == VERSIONS or name in SECRETS):
        return Left(reason=Reason.FOLDER, relative=relative, says=never)
    if never and said is not True:
        left = Left(reason=Reason.FOLDER, relative=relative, says=never)
    elif (place.only and not included) or (
        not included and place.ignores is not None and ignored(place.ignores, absolute, folder=True)
    ):
        left = Left(reason=Reason.IGNORED, relative=relative)
    if left is not None and not leads_to(include, relative):
        return left
    return Place(
        relative=f"{relative}/",
        absolute=f"{absolute}/",
        ignores=place.ignores,
        included=included and left is None,
        only=left is not None,
    )


def place_inside(place: Place, path: str, has: Callable[[str], bool], config: WalkConfig) -> Place | Left:
    """The same folder, judged by what lies in it: ``has`` says whether something of a name does."""
    relative = place.relative.rstrip("/")
    include = read_include(config.include)
    if brings_in(include, relative, folder=True):
        return place
    left = None
    if marker := next((it for it in MARKERS if has(it)), ""):
        left = Left(
            reason=Reason.FOLDER, relative=relative, says=f"{MARKERS[marker]}, as {marker} in it says"
        )
    elif not config.submodules and has(".git") and is_submodule(path):
        left = Left(reason=Reason.SUBMODULE, relative=relative)
    if left is None:
        return place
    return replace(place, only=True, included=False) if leads_to(include, relative) else left


def is_included(place: Place, relative: str, config: WalkConfig) -> bool:
    """Whether the user's patterns bring a file in."""
    said = brings_in(read_include(config.include), relative, folder=False)
    return place.included if said is None else said


def reason_of_file(
    place: Place, path: str, relative: str, config: WalkConfig, *, included: bool
) -> Reason | None:
    """Why a file in a place is left out, by its path. Patterns bring in no secret, and no data."""
    reason = reason_of_name(relative, config)
    if included and reason in (Reason.GENERATED, Reason.MINIFIED):
        return None
    if reason is not None or included:
        return reason
    name = byte_text(os.path.basename(path))
    if place.only or (
        place.ignores is not None and ignored(place.ignores, place.absolute + name, folder=False)
    ):
        return Reason.IGNORED
    return None


def place_of(top: str, relative: str, config: WalkConfig) -> Place | Left:
    """The folder of one file, step by step from the root, or what on the way leaves it out."""
    folders = relative.split("/")[:-1]
    if config.max_depth < len(folders):
        return Left(
            reason=Reason.OUTSIDE, relative=relative, says=f"more than {config.max_depth} folders deep"
        )
    ignores = ignores_within(ignores_above(top, os.environ, []), top, None, os.environ, [])
    place = place_of_root(top, ignores)
    here = top
    for name in folders:
        here = os.path.join(here, name)
        inner = inner_place(place, name, config)
        if isinstance(inner, Left):
            return inner
        inside = place_inside(inner, here, lambda it, at=here: os.path.lexists(os.path.join(at, it)), config)  # type: ignore[misc]
        if isinstance(inside, Left):
            return inside
        place = replace(
            inside, ignores=inside.ignores and ignores_within(inside.ignores, here, None, os.environ, [])
        )
    return place
