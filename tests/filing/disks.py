"""File systems that can do less, and disks that stop, fail, forget or are meddled with."""

import errno
import itertools
import os
from collections import Counter
from dataclasses import dataclass

from dropscribe.filing.disk import Disk

OPERATIONS = tuple(name for name in vars(Disk) if not name.startswith("_"))
CHANGES = frozenset(OPERATIONS) - {
    "open_folder",
    "open_below",
    "open_old",
    "stat",
    "names",
    "space",
    "may_write",
    "read",
    "read_at",
    "open_end",
}


class Around(Disk):
    """Every operation passes through `around` on its way to the `real` disk."""

    def __init__(self, real=None):
        self.real = real or Quick()

    def around(self, operation, args):
        return getattr(self.real, operation)(*args)


def _through(operation):
    return lambda self, *args: self.around(operation, args)


for _operation in OPERATIONS:
    setattr(Around, _operation, _through(_operation))


class Quick(Disk):
    """Does not wait for the drive: stopping a process loses nothing that was written."""

    def sync(self, fd):
        os.fstat(fd)

    def sync_folder(self, folder):
        os.fstat(folder)


# --- file systems


class WithoutNoReplace(Quick):
    """NFS, most of FUSE."""

    def rename_noreplace(self, folder, name, new_folder, new_name):
        raise OSError(errno.EINVAL, "no flags here")


class WithoutLinks(WithoutNoReplace):
    """Some FUSE, SMB on macOS."""

    def link(self, folder, name, new_folder, new_name):
        raise OSError(errno.EPERM, "no links here")


class Across(Around):
    """Each folder is a file system of its own."""

    def around(self, operation, args):
        if operation in {"rename_noreplace", "rename", "link"}:
            here, there = os.fstat(args[0]), os.fstat(args[2])
            if not os.path.samestat(here, there):
                raise OSError(errno.EXDEV, "another file system")
        return super().around(operation, args)


class WithoutRights(Quick):
    """FAT, many shares: no modes, no syncing of folders."""

    def set_mode(self, fd, mode):
        raise OSError(errno.EPERM, "no modes here")

    def sync_folder(self, folder):
        raise OSError(errno.EINVAL, "folders cannot be synced")


class ShortWrites(Quick):
    def write(self, fd, data):
        return os.write(fd, data[: max(1, len(data) // 3)])


class LostReplies(WithoutNoReplace):
    """NFS repeats a request whose reply got lost, and reports how the second one ended."""

    def link(self, folder, name, new_folder, new_name):
        super().link(folder, name, new_folder, new_name)
        raise FileExistsError(errno.EEXIST, "it is there already")

    def unlink(self, folder, name):
        super().unlink(folder, name)
        raise FileNotFoundError(errno.ENOENT, "it is gone already")


class Mirror(WithoutNoReplace):
    """Every name is the one file that there is, as in one folder that is mounted twice."""

    def __init__(self, path):
        self.path = path

    def stat(self, folder, name):
        return self.path.lstat()

    def link(self, folder, name, new_folder, new_name):
        raise FileExistsError(errno.EEXIST, "it is there already")


class NewInodes(Around):
    """Some network file systems know a renamed file by another number."""

    def __init__(self):
        super().__init__()
        self.renamed = False

    def around(self, operation, args):
        result = super().around(operation, args)
        if operation == "rename_noreplace":
            self.renamed = True
        if operation == "stat" and self.renamed:
            fields = list(result)
            fields[1] += 1_000_000
            return os.stat_result(
                fields, {"st_mtime_ns": result.st_mtime_ns, "st_ctime_ns": result.st_ctime_ns}
            )
        return result


DISKS = {
    "rename": Quick,
    "link": WithoutNoReplace,
    "unique name": WithoutLinks,
    "no rights": WithoutRights,
    "lost replies": LostReplies,
    "short writes": ShortWrites,
}
ROADS = DISKS | {
    "across": Across,
    "across, link": lambda: Across(WithoutNoReplace()),
    "across, unique name": lambda: Across(WithoutLinks()),
}


# --- accidents


class Killed(BaseException):
    pass


class Stops(Around):
    """The process is killed just before its change number `at`, without doing anything on its way out."""

    def __init__(self, at, real=None):
        super().__init__(real)
        self.left = at

    def around(self, operation, args):
        if operation in CHANGES or self.left < 0:
            self.left -= 1
            if self.left < 0:
                if operation == "close":
                    os.close(*args)
                raise Killed
        return super().around(operation, args)


class Fails(Around):
    """Operation number `at` fails with `code`; with `lasting`, so does every one after it."""

    def __init__(self, at, code, *, lasting=False, real=None):
        super().__init__(real)
        self.at, self.code, self.lasting = at, code, lasting
        self.count = 0
        self.failed = ""

    def around(self, operation, args):
        number, self.count = self.count, self.count + 1
        if number == self.at or (self.lasting and number > self.at):
            self.failed = self.failed or operation
            if operation == "close":
                os.close(*args)
            raise OSError(self.code, os.strerror(self.code))
        return super().around(operation, args)


class Meddled(Around):
    """Somebody else acts just before the first of each operation named."""

    def __init__(self, real=None, **actions):
        super().__init__(real)
        self.actions = actions

    def around(self, operation, args):
        if action := self.actions.pop(operation, None):
            action()
        return super().around(operation, args)


@dataclass(eq=False)
class Change:
    """A name that appeared in a folder, or (with `ino`) went; a rename's second half `needs` its first."""

    folder: str
    name: str
    ino: int | None = None
    needs: object = None


class Forgetful(Around):
    """Knows what a power cut would undo: content that was never synced, names in folders that never were.

    The names of a folder become durable in the order in which they changed. A rename between folders never
    loses its file (what is gone there is here), but may bring it back where it was, as btrfs does.
    """

    def __init__(self, stash, folders, real=None):
        super().__init__(real)
        self.stash = stash
        stash.mkdir()
        self.folders = {(stat.st_dev, stat.st_ino): folder for folder in folders for stat in [folder.stat()]}
        self.unsynced = set()
        self.pending = []

    def around(self, operation, args):
        handle = getattr(self, f"_{operation}", None)
        return handle(*args) if handle else super().around(operation, args)

    def _open_new(self, folder, name):
        fd = super().around("open_new", (folder, name))
        self.unsynced.add(self._keep(folder, name))
        self._note(folder, name)
        return fd

    def _sync(self, fd):
        self.unsynced.discard(os.fstat(fd).st_ino)

    def _sync_folder(self, fd):
        self.pending = [change for change in self.pending if change.folder != self._folder(fd)]

    def _rename_noreplace(self, *args):
        super().around("rename_noreplace", args)
        self._renamed(*args)

    def _rename(self, *args):
        super().around("rename", args)
        self._renamed(*args)

    def _renamed(self, folder, name, new_folder, new_name):
        ino = self._keep(new_folder, new_name)
        self._note(folder, name, ino, needs=self._note(new_folder, new_name))

    def _link(self, *args):
        super().around("link", args)
        self._note(*args[2:])

    def _unlink(self, folder, name):
        ino = self._keep(folder, name)
        super().around("unlink", (folder, name))
        self._note(folder, name, ino)

    def _keep(self, folder, name):
        ino = os.stat(name, dir_fd=folder, follow_symlinks=False).st_ino
        if not (self.stash / str(ino)).exists():
            os.link(name, self.stash / str(ino), src_dir_fd=folder)
        return ino

    def _folder(self, fd):
        stat = os.fstat(fd)
        return self.folders[stat.st_dev, stat.st_ino]

    def _note(self, fd, *change, needs=None):
        self.pending.append(Change(self._folder(fd), *change, needs=needs))
        return self.pending[-1]

    def outcomes(self):
        """All the ways in which a power cut may strike now: how many changes each folder, by name, keeps."""
        counts = Counter(change.folder.name for change in self.pending)
        return [
            dict(zip(counts, kept, strict=True))
            for kept in itertools.product(*(range(count + 1) for count in counts.values()))
        ]

    def cut(self, kept):
        for ino in self.unsynced:
            os.truncate(self.stash / str(ino), 0)
        for change in reversed(self._lost(kept)):
            path = change.folder / change.name
            if change.ino is None:
                path.unlink()
            else:
                path.hardlink_to(self.stash / str(change.ino))

    def _lost(self, kept):
        left = Counter(kept)
        lost = []
        for change in self.pending:
            if left[change.folder.name] > 0 and change.needs not in lost:
                left[change.folder.name] -= 1
            else:
                left[change.folder.name] = 0
                lost.append(change)
        return lost


class Lying(Forgetful):
    """Says that it has synced one kind of thing, and has not."""

    def __init__(self, *args, about, **kwargs):
        super().__init__(*args, **kwargs)
        self.about = about

    def _sync(self, fd):
        if self.about != "content":
            super()._sync(fd)

    def _sync_folder(self, fd):
        if self.about != "names":
            super()._sync_folder(fd)
