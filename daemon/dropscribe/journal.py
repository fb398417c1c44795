"""Whether a stream leads into systemd's journal, and the priorities that it takes from the beginnings of lines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3}
"""syslog's numbers, as sd-daemon(3) wants them."""


def is_journal(stream: TextIO) -> bool:
    """Whether it is the very stream that systemd has connected: what it started may have sent its own elsewhere."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file of the system's
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def with_priority(text: str, level: str) -> str:
    """Each line of `text` as one of this level."""
    return "\n".join(f"<{PRIORITY[level]}>{line}" for line in text.splitlines())
