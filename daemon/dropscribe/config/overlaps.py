"""Inboxes that would get in each other's way, or in their own."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING

from dropscribe.config.paths import Identity, ancestry
from dropscribe.config.sources import ways
from dropscribe.config.unfit import quoted, whole_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from dropscribe.config.findings import Findings
    from dropscribe.config.positions import Key
    from dropscribe.config.values import Inbox

_ALIKE = "where small and large letters are the same, the two are one"
_DONE, _FAILED, _REVIEW, _TEXTS = ("done",), ("failed",), ("review",), ("output", "folder")


def check(inboxes: Mapping[int, Inbox], state: Path, findings: Findings) -> None:
    """Inboxes by their number in the list; what is broken already is left out of the comparison."""
    _Overlaps(inboxes, findings).check(state)


class _Overlaps:
    def __init__(self, inboxes: Mapping[int, Inbox], findings: Findings) -> None:
        self._inboxes = inboxes
        self._findings = findings
        self._roots: dict[Identity, int] = {}
        self._filed: dict[Identity, list[tuple[int, str]]] = {}

    def check(self, state: Path) -> None:
        for number, inbox in self._inboxes.items():
            self._claim(number, inbox)
        self._check_names()
        for number, inbox in self._inboxes.items():
            self._check_own_folders(number, inbox)
            self._check_folders_in_others(number, inbox)
        for number, inbox in self._inboxes.items():
            self._check_place(number, inbox)
        self._check_state(state)

    def _claim(self, number: int, inbox: Inbox) -> None:
        first = self._roots.setdefault(ancestry(inbox.path)[0], number)
        if first != number:
            words = f"expected a folder of its own, got {whole_path(inbox.path)}"
            self._findings.problem(f"{words}, which is inboxes[{first}] already", ("inboxes", number, "path"))
        for kind, folder in _filing(inbox).items():
            if not self._findings.broken(*ways(number, kind)):
                self._filed.setdefault(ancestry(folder)[0], []).append((number, kind))

    def _check_names(self) -> None:
        seen: dict[str, int] = {}
        for number, inbox in self._inboxes.items():
            first = seen.setdefault(inbox.name, number)
            at: Key = ("inboxes", number, "name")
            broken = self._findings.broken(at) or self._findings.broken(("inboxes", first, "name"))
            if first == number or broken:
                continue
            words = f"expected a name of its own, got {quoted(inbox.name)}, which is inboxes[{first}] already"
            given = self._findings.given(at, ("inboxes", number, "path"))
            self._findings.problem(words if given == at else f"{words}; add a name", given)

    def _check_own_folders(self, number: int, inbox: Inbox) -> None:
        folders = _folders(inbox)
        sound = self._sound(number, folders)
        for where in sound:
            if ancestry(folders[where])[0] == ancestry(inbox.path)[0]:
                self._refuse(number, where, "the inbox itself")
        pairs = ((_FAILED, _DONE), (_TEXTS, _FAILED), (_REVIEW, _DONE), (_REVIEW, _FAILED), (_TEXTS, _REVIEW))
        for where, other in pairs:
            if where in sound and other in sound and _are_one(folders[where], folders[other]):
                alike = ancestry(folders[where])[0] != ancestry(folders[other])[0]
                self._refuse(number, where, other[0], _ALIKE if alike else "")

    def _refuse(self, number: int, where: tuple[str, ...], other: str, hint: str = "") -> None:
        folder = _folders(self._inboxes[number])[where]
        words = f"expected another folder than {other}, got {whole_path(folder)}"
        self._findings.problem(f"{words}; {hint}" if hint else words, *ways(number, *where))

    def _check_folders_in_others(self, number: int, inbox: Inbox) -> None:
        # It may have become another folder since it was claimed, or one that cannot be looked at any more.
        if self._roots.get(ancestry(inbox.path)[0], number) != number:
            return  # two inboxes on one folder: told already
        folders = _folders(inbox)
        for where in self._sound(number, folders):
            # below its own inbox a folder is nobody else's, wherever that inbox itself lies
            other = self._innermost(folders[where])
            if other is not None and other != number:
                words = f"what is filed in {whole_path(folders[where])} would come in again"
                self._findings.problem(f"{words}: it is in {self._named(other)}", *ways(number, *where))

    def _check_place(self, number: int, inbox: Inbox) -> None:
        at: Key = ("inboxes", number, "path")
        itself, *around = ancestry(inbox.path)
        for identity in around:
            outer = self._roots.get(identity)
            if outer is not None and self._inboxes[outer].recursive:
                words = f"expected a folder outside of {self._named(outer)}, which is recursive"
                self._findings.problem(f"{words}, got {whole_path(inbox.path)}", at)
        for one, (owner, kind) in self._filed_around((itself, *around)):
            if owner != number and one in ancestry(self._inboxes[owner].path):
                continue  # told at the inbox that files there, which lies in it too
            if self._findings.broken(*ways(owner, kind)):  # told already, seen from the other side
                continue
            if owner == number:
                self._findings.problem("the inbox itself lies in this folder", *ways(number, kind))
                continue
            words = f"expected a folder outside of the {kind} folder of {self._named(owner)}"
            self._findings.problem(f"{words}, got {whole_path(inbox.path)}", at)

    def _filed_around(self, folders: Iterable[Identity]) -> Iterator[tuple[Identity, tuple[int, str]]]:
        return ((one, filed) for one in folders for filed in self._filed.get(one, ()))

    def _check_state(self, state: Path) -> None:
        if self._findings.broken(("state",)):
            return
        holder = self._innermost(state)
        if holder is not None:
            words = f"the state folder {whole_path(state)} must not lie in {self._named(holder)}"
            self._findings.problem(words, *self._state_ways(holder))

    def _state_ways(self, holder: int) -> tuple[Key, ...]:
        at: Key = ("inboxes", holder, "path")
        return (("state",), at) if self._findings.given(("state",), at) == ("state",) else (at,)

    def _innermost(self, folder: Path) -> int | None:
        """The inbox that this folder is or lies in, the nearest one where there are several."""
        around = (self._roots.get(identity) for identity in ancestry(folder))
        return next((one for one in around if one is not None), None)

    def _sound(self, number: int, folders: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
        return [where for where in folders if not self._findings.broken(*ways(number, *where))]

    def _named(self, number: int) -> str:
        inbox = self._inboxes[number]
        return f"the inbox {quoted(inbox.name)} ({inbox.path})"


def _are_one(folder: Path, other: Path) -> bool:
    """Now, or on a disk or share that does not tell `Done` from `done`."""
    if ancestry(folder)[0] == ancestry(other)[0]:
        return True
    real, real_other = os.path.realpath(folder), os.path.realpath(other)
    return _folded(real) == _folded(real_other)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _filing(inbox: Inbox) -> dict[str, Path]:
    """Where the inbox files scans to, by key; nothing ever goes to a review folder that is not used."""
    folders = {"done": inbox.done, "failed": inbox.failed}
    return folders | {"review": inbox.review} if inbox.on_check == "review" else folders


def _folders(inbox: Inbox) -> dict[tuple[str, ...], Path]:
    """Where the inbox files to, by key; an output folder that follows done is not named again."""
    folders: dict[tuple[str, ...], Path] = {(kind,): folder for kind, folder in _filing(inbox).items()}
    if inbox.output.folder != inbox.done:
        folders[_TEXTS] = inbox.output.folder
    return folders
