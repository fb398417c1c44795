"""Every file operation of filing, one method each: where tests stop the process or break the disk."""

from __future__ import annotations

import os

from dropscribe.filing import syscalls

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a FIFO must not block us
_END = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Disk:
    """The real one. `folder` and `fd` are open descriptors; a name is one component in its folder."""

    def open_folder(self, name: str) -> int:
        return os.open(name, _FOLDER)

    def open_below(self, folder: int, name: str) -> int:
        """Not through a link."""
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)

    def open_linked(self, folder: int, target: str) -> int:
        """The folder to which a link in `folder` leads."""
        return os.open(target, _FOLDER, dir_fd=folder)

    def read_link(self, folder: int, name: str) -> str:
        return os.readlink(name, dir_fd=folder)

    def open_old(self, folder: int, name: str) -> int:
        return os.open(name, _OLD, dir_fd=folder)

    def open_new(self, folder: int, name: str) -> int:
        return os.open(name, _NEW, 0o600, dir_fd=folder)

    def open_end(self, folder: int, name: str) -> int:
        """An old file, to be added to and read."""
        return os.open(name, _END, dir_fd=folder)

    def stat(self, folder: int, name: str) -> os.stat_result:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def names(self, folder: int) -> list[str]:
        return os.listdir(folder)

    def may_write(self, folder: int) -> bool:
        return os.access(".", os.W_OK | os.X_OK, dir_fd=folder)

    def space(self, folder: int) -> os.statvfs_result:
        return os.fstatvfs(folder)

    def read(self, fd: int, size: int) -> bytes:
        return os.read(fd, size)

    def read_at(self, fd: int, size: int, start: int) -> bytes:
        return os.pread(fd, size, start)

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def write(self, fd: int, data: memoryview) -> int:
        return os.write(fd, data)

    def set_mode(self, fd: int, mode: int) -> None:
        os.fchmod(fd, mode)

    def set_owner(self, fd: int, user: int, group: int) -> None:
        """-1 leaves one of the two as it is."""
        os.fchown(fd, user, group)

    def set_times(self, fd: int, accessed: int, modified: int) -> None:
        os.utime(fd, ns=(accessed, modified))

    def sync(self, fd: int) -> None:
        syscalls.fsync(fd)

    def sync_folder(self, folder: int) -> None:
        syscalls.fsync(folder)

    def close(self, fd: int) -> None:
        os.close(fd)

    def rename_noreplace(self, folder: int, name: str, new_folder: int, new_name: str) -> None:
        syscalls.rename_noreplace(folder, name, new_folder, new_name)

    def rename(self, folder: int, name: str, new_folder: int, new_name: str) -> None:
        """Replaces whatever has the new name."""
        os.rename(name, new_name, src_dir_fd=folder, dst_dir_fd=new_folder)

    def link(self, folder: int, name: str, new_folder: int, new_name: str) -> None:
        os.link(name, new_name, src_dir_fd=folder, dst_dir_fd=new_folder, follow_symlinks=False)

    def unlink(self, folder: int, name: str) -> None:
        os.unlink(name, dir_fd=folder)

    def make_folder(self, folder: int, name: str, mode: int) -> None:
        """The umask takes rights from `mode`."""
        os.mkdir(name, mode, dir_fd=folder)


DISK = Disk()
