"""What the kernel can do for filing and Python's `os` does not offer."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import functools
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# renameat2 in Linux, renameatx_np in macOS; both take (folder, name, folder, name, flags)
_FUNCTION, _NO_REPLACE = ("renameatx_np", 4) if sys.platform == "darwin" else ("renameat2", 1)

_FLUSH_DRIVE: int | None = getattr(fcntl, "F_FULLFSYNC", None)
UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY})
"""How file systems say that they do not know an operation."""


def rename_noreplace(folder: int, name: str, new_folder: int, new_name: str) -> None:
    """Rename between two open folders; FileExistsError if the new name is taken.

    OSError with an errno of UNSUPPORTED where kernel, C library or file system cannot do it.
    """
    old, new = os.fsencode(name), os.fsencode(new_name)
    if b"\0" in old + new:
        raise ValueError("embedded null byte")
    rename = _renameat2()
    if rename is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), name, None, new_name)
    if rename(folder, old, new_folder, new, _NO_REPLACE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name, None, new_name)


@functools.cache
def _renameat2() -> Callable[[int, bytes, int, bytes, int], int] | None:
    function = getattr(ctypes.CDLL(None, use_errno=True), _FUNCTION, None)
    if function is None:
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    function.restype = ctypes.c_int
    return function  # type: ignore[no-any-return]


def fsync(fd: int) -> None:
    """Like os.fsync, and on macOS down through the drive's own cache, which fsync there leaves alone."""
    if _FLUSH_DRIVE is None:
        os.fsync(fd)
        return
    try:
        fcntl.fcntl(fd, _FLUSH_DRIVE)
    except OSError as error:
        if error.errno not in UNSUPPORTED:  # SMB shares answer ENOTSUP (golang/go#64215)
            raise
        os.fsync(fd)
