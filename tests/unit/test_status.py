import os
import socket
from pathlib import Path

from dropscribe.status import HostStatus, InboxStatus, ScanStatus, Status, StatusSocket, address, ask_daemon

STATUS = Status(
    1.5, 7, 1.0, "0.1.0",
    (InboxStatus("in", "/in", "ocr", {"waiting": 1}, 1, 2, 3, 4, scans=(ScanStatus("a\udcff", "waiting", "why"),)),),
    (HostStatus("h", "ollama", "resting", 0, 1, 2, "gone", "start it", 1.0, 2.0),),
)  # fmt: skip


def test_whoever_asks_gets_the_newest_snapshot(tmp_path):
    newest = [STATUS]
    served = StatusSocket(tmp_path, lambda: newest[0])
    assert ask_daemon(tmp_path) == STATUS
    newest[0] = Status(2.5, 7, 1.0, "0.1.0")
    assert ask_daemon(tmp_path) == newest[0]
    served.close()
    assert ask_daemon(tmp_path) is None
    assert not os.path.lexists(address(tmp_path))


def test_a_socket_left_by_a_killed_daemon_is_no_obstacle(tmp_path):
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(address(tmp_path))
    dead.close()
    assert ask_daemon(tmp_path) is None
    served = StatusSocket(tmp_path, lambda: STATUS)
    assert ask_daemon(tmp_path) == STATUS
    served.close()


def test_a_state_folder_with_a_long_path_still_answers(tmp_path):
    deep = tmp_path.joinpath(*["a rather long name of a folder"] * 6)
    deep.mkdir(parents=True)
    served = StatusSocket(deep, lambda: STATUS)
    assert ask_daemon(deep) == STATUS
    served.close()


def test_only_its_owner_may_ask(tmp_path):
    served = StatusSocket(tmp_path, lambda: STATUS)
    assert Path(address(tmp_path)).stat().st_mode & 0o077 == 0
    served.close()
