"""Whether the world around an inbox is as it has to be: its folders usable, room on their disks, a sound ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropscribe.errors import WorldWrong
from dropscribe.filing import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from dropscribe.config.values import Inbox
    from dropscribe.ledger import Ledger


def check_world(rules: Inbox, state_folder: Path, ledger: Ledger) -> None:
    """Raises WorldWrong unless this inbox's scans can be taken up and moved to where they belong, now."""
    collect = rules.output.collect
    for folder in dict.fromkeys((rules.path, *_filed_to(rules), state_folder)):
        atomic.probe(atomic.inside(folder, rules.path))
    if collect is not None:
        atomic.check_collection(atomic.inside(collect.parent, rules.path), collect.name)
    check_space(rules, state_folder)
    ledger.check()


def check_space(rules: Inbox, state_folder: Path) -> None:
    """Raises WorldWrong when a disk that this inbox's scans and texts go to is nearly full."""
    for folder in dict.fromkeys((state_folder, *_filed_to(rules))):
        if atomic.free_space(atomic.inside(folder, rules.path)) < rules.free_space:
            raise WorldWrong(f"{folder}: the disk is nearly full", "free some space")


def _filed_to(rules: Inbox) -> tuple[Path, ...]:
    collect = rules.output.collect
    return rules.folders if collect is None else (*rules.folders, collect.parent)
