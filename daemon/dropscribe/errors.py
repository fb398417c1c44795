"""What can go wrong, sorted by what it demands.

    DropscribeError
    ├── UsageError            the user asked for something that cannot be (exit code 2)
    │   └── ConfigError       a configuration with problems, all of them listed
    ├── InUse                 another process has what only one can have; it may end, so trying again may help
    ├── Stopped               we were told to stop; says nothing about the scan or the host
    ├── Withdrawn             the scan is no longer in its inbox: somebody took it back
    └── Failure               one of the six kinds
        ├── NotYet            look again; counts against nobody
        │   └── Unsupported   the scan waits, visibly, until a version reads its format
        ├── BadScan           failed/ with the reason, at once
        ├── BadAnswer         the next recipe on the ladder, after the last one failed/
        ├── Unavailable       the host rests, the scan keeps its counts
        ├── Misconfigured     the inbox is parked until its host or its config changes
        └── WorldWrong        the inbox is parked before any model call, and resumes by itself

A failure is raised as its kind where the kind is known: nobody above has to guess from a status or an errno.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class DropscribeError(Exception):
    """The root of everything raised on purpose."""


class UsageError(DropscribeError):
    """A message for the user, shown without a traceback; exit code 2."""


class ConfigError(UsageError):
    """All problems of a configuration; each is one line `file:line:column: key: expected …, got …`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class InUse(DropscribeError):
    """Another process has the state folder or an inbox; a message for the user."""


class Stopped(DropscribeError):
    """Told to stop while waiting; the scan stays where it is and nothing is counted."""


class Withdrawn(DropscribeError):
    """The scan left its inbox, or another file took its name, before it could be filed."""


class Failure(DropscribeError):
    """One of the six kinds.

    `reason` is one plain sentence or clause for people, without a full stop at the end;
    `fix` says what a person can do about it, or is empty where nothing is needed.
    """

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


class NotYet(Failure):
    """The scan is still arriving: growing, busy, held open, or cut short and young."""


class Unsupported(NotYet):
    """A format that this version does not read; the scan waits until it changes or a newer version runs."""


class BadScan(Failure):
    """The scan itself cannot be read: not a picture, too large, a link."""


class BadAnswer(Failure):
    """The model's answer cannot be used; `verdict` is the short name of why."""

    def __init__(self, verdict: str, reason: str, fix: str = "") -> None:
        super().__init__(reason, fix)
        self.verdict = verdict


class Unavailable(Failure):
    """The host did not answer as a working host does.

    `suspect`: the scan itself may be the cause (a runner that died, an answer that never came). That is held
    against the scan only when the same host has since answered something else.
    `soon`: the same request may succeed within seconds (a server that restarts, a full queue).
    `evidence`: the ledger's number of the try that ended this way, once it is written down.
    `after`: seconds before which the host itself asked not to be asked again.
    """

    evidence: int | None = None
    after: float = 0.0

    def __init__(self, reason: str, fix: str = "", *, suspect: bool = False, soon: bool = False) -> None:
        super().__init__(reason, fix)
        self.suspect = suspect
        self.soon = soon


class Misconfigured(Failure):
    """This host cannot do what the inbox asks: model missing, no vision, bad option.

    `lasting`: it stays so until the model or the server is another one (an architecture that it cannot load).
    """

    def __init__(self, reason: str, fix: str = "", *, lasting: bool = False) -> None:
        super().__init__(reason, fix)
        self.lasting = lasting


class WorldWrong(Failure):
    """A folder or disk that cannot be used now: full, read-only, vanished, no rights."""


# strerror in words that tell a household what to do
_WORDS = {
    errno.ENOSPC: ("the disk is full", "free some space"),
    errno.EDQUOT: ("the disk quota is used up", "free some space or raise the quota"),
    errno.EROFS: ("the file system is read-only", "remount it writable"),
    errno.EACCES: (
        "permission denied",
        "give the user that runs dropscribe the right to read and write there",
    ),
    errno.EPERM: (
        "the operation is not permitted",
        "give the user that runs dropscribe the right to write there",
    ),
    errno.ENOENT: ("it does not exist", "mount the share or create the folder"),
    errno.EISDIR: ("expected a file, found a folder", "move it away"),
    errno.ENOTDIR: ("it is not a folder", "check the path in the config"),
    errno.EIO: ("the disk reported an input/output error", "check the disk or the share"),
    errno.ESTALE: ("the network share went away", "remount the share"),
    errno.EMFILE: ("too many files are open", "raise the limit of open files"),
    errno.ENFILE: ("too many files are open on this machine", "raise the limit of open files"),
    errno.ENAMETOOLONG: ("the name is too long for this file system", "use a shorter name"),
}


def world_wrong(error: OSError, where: object) -> WorldWrong:
    """`error` of the operating system at `where` (a path), in words a person understands."""
    words, fix = _WORDS.get(error.errno or 0, (error.strerror or str(error), ""))
    return WorldWrong(f"{where}: {words}", fix)
