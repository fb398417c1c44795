"""What a status says of one inbox, from what the daemon knows of it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, TypeVar

from dropscribe.inbox_state import NAMED
from dropscribe.intake.look import IN_A_FOLDER
from dropscribe.status import InboxStatus, ScanStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dropscribe.inbox_state import InboxState
    from dropscribe.intake.settle import Watched
    from dropscribe.obstacles import Obstacle, Parked

_T = TypeVar("_T")
ITS_TURN = "its turn has not come yet"
_POSTPONED = "an error that nobody foresaw ended its reading (see the log); it is tried again soon"


def status_of(
    state: InboxState, ended: Mapping[str, int], hosts: tuple[str, ...], away: str = ""
) -> InboxStatus:
    """The inbox now; `ended`: how many of its scans became done and failed today.

    `hosts` run its engine; `away` is why none of them reads now.
    """
    blocked = _blocked(state, hosts)
    folders = [name for name, why in state.seen.ignored.items() if why == IN_A_FOLDER] if state.seen else []
    counts = {
        "arriving": sum(1 for name in state.settling.arriving if name not in state.reading),
        "waiting": len(state.queued) + len(state.later),
        "kept_back": sum(1 for name in state.later if name in state.kept_back),
        "reading": len(state.reading),
        "unsupported": len(state.held) + (len(state.seen.unsupported) if state.seen else 0),
        "refused": len(state.seen.refused) if state.seen else 0,
        "folders": len(folders),
        "to_review": state.to_review,
        "incomplete": sum(1 for name, seen in state.settling.arriving.items() if _lacks(state, name, seen)),
    }
    return InboxStatus(
        name=state.name,
        path=str(state.rules.path),
        engine=state.rules.engine,
        counts=counts,
        done_today=ended.get("done", 0),
        failed_today=ended.get("failed", 0),
        done=state.ended["done"],
        failed=state.ended["failed"],
        parked=blocked.reason if blocked else "",
        fix=blocked.fix if blocked else "",
        parked_since=blocked.since if blocked else None,
        watch=state.watch,
        folders=tuple(_some(folders)),
        learned=tuple(state.learned.status()),
        pages=dict(state.pages),
        doubted=tuple(reversed(state.doubted)),
        unverified=state.why_unverified(),
        scans=tuple(_scans(state, (blocked.reason if blocked else away) or ITS_TURN)),
    )


def _lacks(state: InboxState, name: str, watched: Watched) -> bool:
    """Whether an arriving scan waits for its sender rather than for time to pass."""
    return watched.fingerprint.size == 0 or name in state.notes


def _blocked(state: InboxState, hosts: tuple[str, ...]) -> Parked | Obstacle | None:
    if state.parked is not None:
        return state.parked
    if hosts and all(host in state.obstacles for host in hosts):
        return next(iter(state.obstacles.values()))
    return None


def _arriving_because(state: InboxState, name: str) -> str:
    if state.settling.arriving[name].fingerprint.size == 0:
        return "still empty: nothing has been written into it yet"
    return "still arriving: it has not been quiet for long enough"


def _scans(state: InboxState, because: str) -> Iterator[ScanStatus]:
    for name in _some(state.reading):
        yield ScanStatus(name, "reading", state.page_of(name))
    for name in _some(name for name in state.settling.arriving if name not in state.reading):
        note = state.notes.get(name)
        reason = note.reason if note else _arriving_because(state, name)
        yield ScanStatus(name, "arriving", reason, note.fix if note else "")
    for name in _some(state.queued):
        yield ScanStatus(name, "waiting", because)
    for name in _some(state.later):
        note = state.notes.get(name)
        yield ScanStatus(name, "waiting", note.reason if note else _POSTPONED, note.fix if note else "")
    for name, why in _some_items(state.held):
        yield ScanStatus(name, "unsupported", why.reason, why.fix)
    if state.seen is not None:
        for name, reason in _some_items(state.seen.unsupported):
            yield ScanStatus(name, "unsupported", reason)
        for name, reason in _some_items(state.seen.refused):
            yield ScanStatus(name, "refused", reason)


def _some(names: Iterable[str]) -> list[str]:
    return list(itertools.islice(names, NAMED))


def _some_items(items: Mapping[str, _T]) -> list[tuple[str, _T]]:
    return list(itertools.islice(items.items(), NAMED))
