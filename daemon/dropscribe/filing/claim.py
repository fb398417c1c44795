"""Giving a file a name without ever taking that name from another file.

    rename that refuses to replace   Linux and macOS on their own disks, FAT, exFAT, SMB on Linux
    link, then unlink                NFS and most of FUSE
    a name nobody else will hit on   where neither exists: a few FUSE file systems, SMB on macOS

Reserving the name with an empty file first would be one road for all, but a stop on it leaves an empty text.
"""

from __future__ import annotations

import errno
import os
import secrets
from typing import TYPE_CHECKING

from dropscribe.filing import shelf
from dropscribe.filing.syscalls import UNSUPPORTED

if TYPE_CHECKING:
    from dropscribe.filing.folder import Folder

# FAT says EPERM, and so does fs.protected_hardlinks for a file that is not ours.
_NO_LINKS = UNSUPPORTED | {errno.EPERM, errno.EMLINK}


class NotUniqueError(FileExistsError):
    """Here only a name that nobody else will hit on (`unique_name`) is safe from replacing another file."""


def unique_name(name: str) -> str:
    """What to call `name` where NotUniqueError was raised; another answer each time."""
    return shelf.unique(name, secrets.token_hex(6), room=f"-9999{shelf.REASON}")


def claim(folder: Folder, name: str, new_folder: Folder, new_name: str) -> None:
    """Turn `name` into `new_name`.

    Raises FileExistsError if that is taken, NotUniqueError, any other OSError; nothing is lost then: the file
    has the old name, the new one, or both.
    """
    if _renamed(folder, name, new_folder, new_name):
        return
    if _linked(folder, name, new_folder, new_name):
        new_folder.sync()  # the new name must be durable before the old one goes
        folder.remove(name)
        return
    if not shelf.is_unique(new_name):
        raise NotUniqueError(errno.EEXIST, "only a unique name is safe here", new_name)
    if new_folder.stat(new_name) is not None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new_name)
    folder.disk.rename(folder.fd, name, new_folder.fd, new_name)


def show(folder: Folder, temporary: str, name: str) -> None:
    """Give a complete hidden file its visible `name`, durably; on failure the hidden name is gone."""
    try:
        claim(folder, temporary, folder, name)
    except BaseException:
        folder.discard(temporary)
        raise
    folder.sync()


def _renamed(folder: Folder, name: str, new_folder: Folder, new_name: str) -> bool:
    try:
        folder.disk.rename_noreplace(folder.fd, name, new_folder.fd, new_name)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        return False
    return True


def _linked(folder: Folder, name: str, new_folder: Folder, new_name: str) -> bool:
    try:
        folder.disk.link(folder.fd, name, new_folder.fd, new_name)
    except OSError as error:
        if has_both_names(folder, name, new_folder, new_name):
            return True  # NFS: the reply got lost, and the repeated request found its own link (open(2))
        if error.errno not in _NO_LINKS:
            raise
        return False
    return True


def has_both_names(folder: Folder, name: str, new_folder: Folder, new_name: str) -> bool:
    """Whether one file has both names, so that one of them can go.

    Two spellings of one name, as where case does not count, are not two names: without a second link,
    unlinking one would lose the file.
    """
    old, new = folder.stat(name), new_folder.stat(new_name)
    return old is not None and new is not None and old.st_nlink > 1 and os.path.samestat(old, new)
