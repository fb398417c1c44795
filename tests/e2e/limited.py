"""The daemon with less than others have: python -m tests.e2e.limited LIMIT VERB …

`max_inotify_watches=3`, `max_inotify_instances=0`: so few of them, in a user namespace of its own. `rights`: none but
those that files give, even to root. Ends with 77 where that is not to be had here.
"""

import ctypes
import os
import runpy
import sys
from pathlib import Path

NOT_HERE = 77
_NEW_USER_NAMESPACE = 0x10000000
_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


def _called(result):
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def limit(name, value):
    user, group = os.geteuid(), os.getegid()
    _called(_libc.unshare(_NEW_USER_NAMESPACE))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    Path("/proc/sys/user", name).write_text(value)


def without_rights(arguments):
    if os.geteuid() == 0:
        for right in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            _called(_libc.prctl(_PR_CAPBSET_DROP, right, 0, 0, 0))
    os.execv(sys.executable, [sys.executable, "-m", "dropscribe", *arguments])  # noqa: S606


if __name__ == "__main__":
    wanted = sys.argv.pop(1)
    try:
        if wanted == "rights":
            without_rights(sys.argv[1:])
        limit(*wanted.split("="))
    except (OSError, AttributeError) as error:
        print(f"not here: {error}", file=sys.stderr)
        sys.exit(NOT_HERE)
    runpy.run_module("dropscribe", run_name="__main__", alter_sys=True)
