"""Filing: the ledger's intent, then text, then scan, in the order in which a crash may stop them.

    intent in the ledger → texts published → scan moved (the commit) → intent fulfilled in the ledger
                                                                       → row in its collection (`collect`)

Whatever is interrupted is finished from the intent: by the next look while the scan is in its inbox, at the
next start when it has left it.
"""

from __future__ import annotations

import grp
import hashlib
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dropscribe import log
from dropscribe.collect import Collections
from dropscribe.errors import NotYet, Withdrawn, WorldWrong, world_wrong
from dropscribe.filing import atomic
from dropscribe.filing.rights import AS_THE_INBOX, rights
from dropscribe.filing.shelf import free_stem, split
from dropscribe.ledger import Intent, OutputFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dropscribe.filing.folder import Where
    from dropscribe.filing.rights import Rights, Wanted
    from dropscribe.ledger import Kind, Ledger, OpenScan, Row
    from dropscribe.values import Fingerprint

_ROUNDS = 100  # names that others took between our look and our step; more means something is badly wrong


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scan of one inbox goes: `name` is what it is to be called, with its ending, if that is free."""

    kind: Kind
    folder: Path
    name: str
    texts: Path  # the folder of what is filed with the scan
    below: Mapping[Path, Path]  # each folder here may be created, but not the one that it is below
    whole_name: bool = False  # a reason file is called after the whole name, a text after the stem


@dataclass(frozen=True, slots=True)
class Arrived:
    """A scan in its inbox, as it was read."""

    record: OpenScan
    root: Path
    fingerprint: Fingerprint
    wanted: Wanted = AS_THE_INBOX
    shared: tuple[Path, ...] = ()  # folders besides `root` in which others than this user may write

    def at(self, folder: Path | str) -> Where:
        """A folder to file to, as it is to be reached."""
        return atomic.inside(Path(folder), self.root, *self.shared)


class Filer:
    """Files one scan at a time, so that two scans of one stem never race for a name."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.collections = Collections(ledger)
        self._one_at_a_time = threading.Lock()
        self._groups_told: set[str] = set()

    def file(
        self,
        scan: Arrived,
        place: Place,
        outputs: Mapping[str, bytes],
        reason: str = "",
        row: Row | None = None,
    ) -> Path:
        """Where the scan went, with `outputs` (data by name's ending) beside it under the same stem.

        `row` is owed to its collection from then on, and not written here.
        Raises Withdrawn if the file in the inbox is no longer the one that was read; WorldWrong.
        """
        with self._one_at_a_time:
            rights = rights_of(scan.root, scan.wanted)
            for folder, root in place.below.items():
                atomic.make_folder(folder, below=scan.at(root), rights=rights)
            self._ledger.drop_intent(scan.record.id)
            for _ in range(_ROUNDS):
                intent = _plan(place, outputs, reason)
                self._ledger.intend(scan.record.id, intent, row)
                ours: list[OutputFile] = []
                try:
                    return self._carry_out(scan, intent, ours)
                except atomic.NotUniqueError:
                    self._take_back(scan.record.id, ours, scan.at)
                    place = replace(place, name=atomic.unique_name(place.name))
                except FileExistsError:
                    self._take_back(scan.record.id, ours, scan.at)
        raise AssertionError(f"no free name for {place.name} in {place.folder}")

    def finish(self, scan: Arrived) -> Path | None:
        """Carry out the intent of an earlier run, if there is one that still can be."""
        intent = self._ledger.intent(scan.record.id)
        if intent is None:
            return None
        with self._one_at_a_time:
            try:
                return self._carry_out(scan, intent, list(intent.outputs))
            except FileExistsError:
                self._take_back(scan.record.id, intent.outputs, scan.at)
                return None

    def recover(self, record: OpenScan, root: Path) -> Path | None:
        """Settle an intent whose scan has left its inbox; where it is filed, or None.

        Raises WorldWrong where that cannot be known now, NotYet while another scan is being filed.
        """
        if not self._one_at_a_time.acquire(blocking=False):
            raise NotYet("another scan is being filed")
        try:
            return self._recover(record, root)
        finally:
            self._one_at_a_time.release()

    def _recover(self, record: OpenScan, root: Path) -> Path | None:
        intent = self._ledger.intent(record.id)
        if intent is None or _is_in(root, record.name):
            return None

        def at(folder: str) -> Where:
            return atomic.inside(Path(folder), root)

        if atomic.holds(at(intent.folder), intent.name, record.sha256):
            # What stopped us may have come before the move was on disk: a power cut now must not bring it back.
            if not atomic.has_left(root, record.name):
                return None
            self._ledger.filed(record.id, at=time.time())
            return Path(intent.folder) / intent.name
        self._take_back(record.id, intent.outputs, at)
        self._ledger.withdraw(record.id, "it was taken out of the inbox", at=time.time())
        return None

    def _carry_out(self, scan: Arrived, intent: Intent, ours: list[OutputFile]) -> Path:
        """`ours` are the texts that this filing may have published; what it publishes now is added to them.

        Others with the same words may lie there: where locks hold nobody, another daemon reads the same scan.
        """
        rights = rights_of(scan.root, scan.wanted)
        for output in intent.outputs:
            folder = scan.at(output.folder)
            if output in ours and atomic.holds(folder, output.name, output.sha256):
                continue
            given = atomic.publish(folder, output.name, output.data, rights=rights)
            if output not in ours:
                ours.append(output)
            if not given:
                self._tell_of_group(scan.record.inbox, rights)
        try:
            self._move(scan, intent)
        except Withdrawn:
            self._take_back(scan.record.id, ours, scan.at)
            self._ledger.withdraw(
                scan.record.id, "it changed or left while it was being read", at=time.time()
            )
            raise
        except (NotYet, WorldWrong):
            self._leave_no_text_alone(scan, intent, ours)
            raise
        self._ledger.filed(scan.record.id, at=time.time())
        where = Path(intent.folder) / intent.name
        self._clear_old_reasons(scan, where)
        return where

    def _tell_of_group(self, inbox: str, rights: Rights) -> None:
        """Once for each inbox: a text in another group is a text all the same."""
        if rights.group is None or not rights.group_matters or inbox in self._groups_told:
            return
        self._groups_told.add(inbox)
        log.step(
            "group not given",
            level="warning",
            inbox=inbox,
            reason=f"its texts cannot be given to the group {_group(rights.group)}, which may then not use them",
            fix="make the user that runs dropscribe a member of that group, or name another group in the config",
        )

    def _clear_old_reasons(self, scan: Arrived, where: Path) -> None:
        """A scan that came back from failed/ leaves its reason there; it is over now."""
        for filed, reason in self._ledger.failures_of(scan.record.inbox, scan.record.sha256):
            if not os.path.lexists(filed) and Path(filed) != where:
                atomic.retract(scan.at(reason.folder), reason.name, reason.sha256)

    def _move(self, scan: Arrived, intent: Intent) -> None:
        folder, record = scan.at(intent.folder), scan.record
        if atomic.holds(folder, intent.name, record.sha256):
            # A crash, or a file system that replayed only half of a rename, left the scan in both places.
            atomic.remove_source(scan.root, record.name, scan.fingerprint, folder, intent.name, record.sha256)
            return
        atomic.move(scan.root, record.name, scan.fingerprint, folder, intent.name, record.sha256)

    def _leave_no_text_alone(self, scan: Arrived, intent: Intent, ours: Iterable[OutputFile]) -> None:
        """A scan that could not leave its inbox has no text elsewhere, if that can still be taken back."""
        with suppress(OSError, WorldWrong):  # the intent stays: the next look goes on from there
            if _is_in(scan.root, scan.record.name) and not _lies_at(intent):
                self._take_back(scan.record.id, ours, scan.at)

    def _take_back(self, scan_id: int, outputs: Iterable[OutputFile], at: Callable[[str], Where]) -> None:
        """Undo what was published for a filing that did not come about; the texts are still in the intent."""
        for output in outputs:
            atomic.retract(at(output.folder), output.name, output.sha256)
        self._ledger.drop_intent(scan_id)


def _is_in(root: Path, name: str) -> bool:
    """Raises WorldWrong while the inbox itself is away: it may hold the scan all the same."""
    try:
        root.stat()
    except OSError as error:
        raise world_wrong(error, root) from error
    return os.path.lexists(root / name)


def _lies_at(intent: Intent) -> bool:
    return os.path.lexists(Path(intent.folder) / intent.name)


def rights_of(root: Path, wanted: Wanted) -> Rights:
    """The rights of what is made for the inbox `root`; raises WorldWrong while that is away."""
    try:
        found = root.stat()
    except OSError as error:
        raise world_wrong(error, root) from error
    return rights(found.st_mode, found.st_gid, wanted)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _plan(place: Place, outputs: Mapping[str, bytes], reason: str) -> Intent:
    stem, suffix = split(place.name)

    def names(candidate: str) -> list[str]:
        base = candidate + suffix if place.whole_name else candidate
        return [base + ending for ending in outputs]

    def taken(candidate: str) -> bool:
        return os.path.lexists(place.folder / (candidate + suffix)) or any(
            os.path.lexists(place.texts / name) for name in names(candidate)
        )

    longest = [suffix, *(suffix + e if place.whole_name else e for e in outputs)]
    free = free_stem(stem, taken, longest)
    files = tuple(
        OutputFile(os.fspath(place.texts), name, hashlib.sha256(data).hexdigest(), data)
        for name, data in zip(names(free), outputs.values(), strict=True)
    )
    return Intent(place.kind, os.fspath(place.folder), free + suffix, reason, files)
