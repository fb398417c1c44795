"""Whether another program has a file open for writing, asked of the kernel by a read lease (Linux)."""

from __future__ import annotations

import errno
import fcntl
import signal
import sys

if sys.platform == "linux":

    def held_for_writing(fd: int) -> bool | None:
        """Whether the regular file open (only for reading) as `fd` is open for writing anywhere, if known.

        None where the file is another user's and we lack CAP_LEASE, or the file system has no leases.
        Meaningless on network file systems, where a refusal only says that the server granted nothing.
        """
        try:
            # A writer that comes while we hold the lease is announced by SIGIO, which kills; SIGURG does not.
            fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            return True if error.errno == errno.EAGAIN else None
        # That writer waits in its open() until here.
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return False

else:

    def held_for_writing(fd: int) -> bool | None:  # noqa: ARG001
        """None: only Linux can be asked."""
        return None
