"""The rights of the files and folders that filing makes, so that people on a share can use them; pure."""

from __future__ import annotations

import stat
from dataclasses import dataclass

_READ_WRITE = 0o666
_EACH_CLASS = (0o700, 0o070, 0o007)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the config says: the `mode` of files and the number of their `group`; None is the inbox's own."""

    mode: int | None = None
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Rights:
    """`file` and `folder` are modes, `group` is a number, None for the one that the file system gives.

    `asked`: the config names the group. The inbox's own yields to a folder that hands on its group (setgid).
    """

    file: int = 0o640
    folder: int = 0o750
    group: int | None = None
    asked: bool = False

    def group_in(self, folder_mode: int) -> int | None:
        """The group for what is made in a folder of this mode."""
        return None if folder_mode & stat.S_ISGID and not self.asked else self.group

    @property
    def group_matters(self) -> bool:
        """Whether somebody misses something where the group cannot be given."""
        return self.asked or bool((self.file >> 3) & ~self.file & 0o7)


PRIVATE = Rights()
AS_THE_INBOX = Wanted()


def rights(inbox_mode: int, inbox_group: int, wanted: Wanted) -> Rights:
    """Who may read and write the inbox may do so with what lies in it, unless the config says otherwise."""
    group = inbox_group if wanted.group is None else wanted.group
    asked = wanted.group is not None
    if wanted.mode is None:
        return Rights(inbox_mode & _READ_WRITE | 0o600, inbox_mode & 0o777 | 0o700, group, asked)
    return Rights(wanted.mode, folder_mode(wanted.mode), group, asked)


def folder_mode(file_mode: int) -> int:
    """The mode of a folder for files of this mode: who has any right to them may enter it; we may do all."""
    enter = sum(0o111 & each for each in _EACH_CLASS if file_mode & each)
    return file_mode & _READ_WRITE | enter | 0o700
