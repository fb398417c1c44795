"""Keeps each inbox listened to, proves that by canaries, and has it looked at often where events cannot be had."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropscribe import log
from dropscribe.errors import WorldWrong
from dropscribe.filing import atomic
from dropscribe.intake import canary
from dropscribe.intake.mounts import mount_of
from dropscribe.words import duration_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dropscribe.inbox_state import InboxState
    from dropscribe.jobs import Watch
    from dropscribe.values import Listened

NOT_EXPECTED = "looked at regularly: no events are expected there"


@dataclass(slots=True)
class _Mount:
    """A file system on which inboxes are listened to; `reason` is why its events are not believed, or were not."""

    proof: canary.Proof = field(default_factory=canary.Proof)
    reason: str = ""


class Watching:
    """The watches of all inboxes; used by the main thread alone."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._mounts: dict[int, _Mount] = {}
        self._listened: dict[str, Mapping[int, Listened]] = {}
        self._problems: dict[str, str] = {}

    def keep(self, state: InboxState, now: float, *, rung: bool, news: bool) -> None:
        """After a look at this inbox, which had been `rung` for or not, and found `news`: something new."""
        rules = state.rules
        if rules.watch == "poll" or (rules.watch == "auto" and state.network):
            state.watch = NOT_EXPECTED
            return
        assert state.seen is not None
        problem = self._watch.watch(rules.name, state.seen.folders) or ""
        self._take_listened(rules.name)
        if news:
            for mount in self._mounts_of(state):
                mount.proof = canary.arrived(mount.proof, rung=rung)
        self._tell_of(state, problem)
        self._apply(state, now)

    def step(self, states: Mapping[str, InboxState], now: float) -> None:
        """Judge the canaries that are out, and drop those that are due."""
        self._report_lost()
        for dev, mount in self._mounts.items():
            there = [state for name, state in states.items() if dev in self._listened.get(name, {})]
            self._judge(dev, mount, there, now)
            if canary.is_due(mount.proof, now):
                names = [
                    name for state in there if (name := self._drop(state, self._listened[state.name][dev]))
                ]
                mount.proof = canary.dropped(mount.proof, names, now)

    def wake_at(self) -> float | None:
        """When there is something to do here by itself."""
        times = (canary.wake_at(mount.proof) for mount in self._mounts.values())
        return min((time for time in times if time is not None), default=None)

    # --- what is listened to

    def _take_listened(self, inbox: str) -> None:
        listened = self._watch.listened(inbox)
        before = self._listened.get(inbox, {})
        self._listened[inbox] = listened
        for dev, folder in listened.items():
            mount = self._mounts.setdefault(dev, _Mount())
            if before.get(dev) != folder:
                self._forget_canaries(mount)
                mount.proof = canary.anew(mount.proof)
        used = {dev for those in self._listened.values() for dev in those}
        for dev in self._mounts.keys() - used:
            self._forget_canaries(self._mounts.pop(dev))

    def _mounts_of(self, state: InboxState) -> Iterator[_Mount]:
        return (self._mounts[dev] for dev in self._listened.get(state.name, {}))

    # --- canaries

    def _drop(self, state: InboxState, folder: Listened) -> str | None:
        """The name of the canary; None where none can be made, which is for parking to say, not for us."""
        if state.parked is not None:
            return None
        name = f"{canary.PREFIX}{secrets.token_hex(6)}.part"
        self._watch.expect(name)
        try:
            if folder.path != state.rules.path:
                atomic.sweep(folder.path)  # the start sweeps no subfolder
            atomic.make_and_remove(folder.path, name)
        except (WorldWrong, FileExistsError):
            self._watch.forget(name)
            return None
        return name

    def _judge(self, dev: int, mount: _Mount, there: list[InboxState], now: float) -> None:
        before = mount.proof
        heard = [name for name in before.names if self._watch.has_heard(name)]
        mount.proof = canary.judged(before, heard, now)
        for name in before.names - mount.proof.names:
            self._watch.forget(name)
        if mount.proof.deaf == before.deaf:
            return
        inboxes = ", ".join(state.name for state in there)
        if mount.proof.deaf:
            mount.reason = _not_told(self._listened[there[0].name][dev].path)
            log.step("looking instead of listening", level="warning", inboxes=inboxes, reason=mount.reason)
        else:
            log.step("listening again", inboxes=inboxes, after=mount.reason)
        for state in there:
            self._apply(state, now)
            state.next_look = now  # what came meanwhile

    def _forget_canaries(self, mount: _Mount) -> None:
        for name in mount.proof.names:
            self._watch.forget(name)

    # --- what follows

    def _tell_of(self, state: InboxState, problem: str) -> None:
        known = self._problems.get(state.name, "")
        if problem and problem != known:
            log.step("looking instead of listening", level="warning", inbox=state.name, reason=problem)
        elif known and not problem:
            log.step("listening again", inbox=state.name)
        self._problems[state.name] = problem

    def _apply(self, state: InboxState, now: float) -> None:
        reasons = (mount.reason for mount in self._mounts_of(state) if mount.proof.deaf)
        reason = self._problems.get(state.name, "") or next(reasons, "")
        seconds = min(state.rescan, canary.OFTEN)
        state.watch = f"looked at every {duration_in_words(seconds)}: {reason}" if reason else ""
        state.look_often(seconds if reason else None, now)

    def _report_lost(self) -> None:
        if times := self._watch.overflows():
            reason = "more came at once than the system keeps; everything is looked at instead"
            log.step("events were lost", times=times, reason=reason)


def _not_told(folder: Path) -> str:
    mount = mount_of(folder)
    where = f"{mount.point} ({mount.fstype})" if mount.fstype else str(folder)
    return f"the system does not tell of files that are made on {where}"
