"""What was read of a scan, page by page; pure."""

from __future__ import annotations

from dataclasses import dataclass

from dropscribe.words import shown


@dataclass(frozen=True, slots=True)
class PageText:
    """What was read of one page; `text` is empty where the page has none, `note` is a remark for people.

    `unread`: the page could not be read, and `note` says why; its text is not used.
    """

    number: int
    text: str
    note: str = ""
    unread: bool = False


def remark(page: PageText) -> str:
    """What is to be said of the page, on one line without a full stop; empty where there is nothing."""
    note = shown(" ".join(page.note.split())).removesuffix(".")
    if not page.unread:
        return note
    return f"could not be read: {note}" if note else "could not be read"
