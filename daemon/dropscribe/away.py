"""Inboxes that worked before and are away when the daemon starts: a share that is not mounted is no mistake."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dropscribe.errors import Failure
from dropscribe.folders import prepare_inbox
from dropscribe.intake.mounts import mount_of
from dropscribe.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dropscribe.config.values import Inbox
    from dropscribe.inbox_state import InboxState


def known(state_folder: Path, inboxes: Iterable[Inbox]) -> frozenset[str]:
    """The names of those for which a daemon has worked before; none where the ledger cannot tell."""
    path = state_folder / "ledger.db"
    with suppress(Failure, OSError):
        if path.exists():
            ledger = Ledger(path, mend=False)
            try:
                return frozenset(inbox.name for inbox in inboxes if ledger.knows(inbox.name))
            finally:
                ledger.close()
    return frozenset()


def begin_if_back(state: InboxState) -> None:
    """Do what is done at the start, once something lies where the inbox was away: take its lock, make its folders.

    Raises WorldWrong where another daemon has taken it meanwhile.
    """
    if state.away and not is_away(state.rules):
        state.claim()
        prepare_inbox(state.rules)
        state.begin_anew(network=mount_of(state.rules.path).network)


def is_away(inbox: Inbox) -> bool:
    """Whether nothing of an inbox that is known is there: it cannot be listed, or an empty folder lies in its place.

    A folder in which anything lies is taken for the inbox, as its owner may have made it anew; so is an empty one
    where nothing that filing needs has ever been below it.
    """
    below = {folder for folder in inbox.folders if inbox.path in folder.parents}
    try:
        return bool(below) and next(iter(inbox.path.iterdir()), None) is None
    except OSError:
        return True
