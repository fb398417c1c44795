import hashlib
import os
import resource
import signal
import socket
import stat
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.errors import BadScan, Failure, NotYet, Stopped, Unsupported, Withdrawn, WorldWrong
from dropscribe.intake.look import LookRules, look
from dropscribe.intake.take import take
from dropscribe.stop import Stop
from dropscribe.values import Fingerprint
from tests.intake.pictures import encoded, noise, scan
from tests.intake.rights import only_where_rights_count
from tests.intake.test_look import STRANGE, open_descriptors

JPEG = scan("JPEG")


class Bench:
    """An inbox and a spool."""

    def __init__(self, folder):
        self.inbox = folder / "in"
        self.spool = folder / "spool"
        self.inbox.mkdir(parents=True)
        self.spool.mkdir()
        self.stop = Stop()

    def put(self, name, data=JPEG):
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return self.seen(name)

    def seen(self, name):
        return Fingerprint.of((self.inbox / name).lstat())

    def take(self, name, expected=None, *, limit=10_000_000, lease=True, young=True, any_links=False):
        if expected is None:
            expected = self.seen(name)
        return take(
            self.inbox, name, expected, self.spool,
            limit=limit, lease=lease, young=young, stop=self.stop, any_links=any_links,
        )  # fmt: skip

    def refused(self, kind, name, expected=None, **options):
        """The failure that taking up `name` ends in, after which nothing is left behind."""
        before = open_descriptors()
        with pytest.raises(kind) as caught:
            self.take(name, expected, **options)
        assert not list(self.spool.iterdir())
        assert open_descriptors() == before
        assert type(caught.value) is kind
        return caught.value.reason if isinstance(caught.value, Failure) else str(caught.value)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_a_scan_is_copied_and_its_inbox_left_as_it_was(bench):
    expected = bench.put("a.jpg")
    taken = bench.take("a.jpg")
    assert taken.path.read_bytes() == JPEG
    assert taken.path.parent == bench.spool
    assert taken.path.name.startswith(".")
    assert stat.S_IMODE(taken.path.stat().st_mode) == 0o600
    assert taken.sha256 == hashlib.sha256(JPEG).hexdigest()
    assert taken.fingerprint == expected == bench.seen("a.jpg")
    assert taken.kind == "JPEG"
    assert (bench.inbox / "a.jpg").read_bytes() == JPEG


def test_names_may_be_anything_a_disk_can_hold(bench):
    names = [*STRANGE, *(f"folder\n\udcff/{name}" for name in STRANGE)]
    for name in names:
        bench.put(name)
    seen = look(bench.inbox, LookRules(recursive=True), ()).seen
    assert seen.keys() == set(names)
    for name, expected in seen.items():
        assert bench.take(name, expected).path.read_bytes() == JPEG


def test_the_same_scan_can_be_taken_up_twice_at_once(bench):
    bench.put("a.jpg")
    assert bench.take("a.jpg").path != bench.take("a.jpg").path


def test_a_scan_larger_than_one_read_is_copied_whole(bench):
    data = encoded(noise(1200), format="PNG")
    assert len(data) > 3 << 20
    bench.put("a.png", data)
    assert bench.take("a.png").path.read_bytes() == data


def test_content_and_not_the_ending_tells_the_format(bench):
    bench.put("a.jpg", scan("PNG"))
    bench.put("b.pdf", scan("TIFF"))
    bench.put("SCAN", scan("WEBP"))
    assert [bench.take(name).kind for name in ("a.jpg", "b.pdf", "SCAN")] == ["PNG", "TIFF", "WEBP"]


def test_a_pictures_name_with_strange_content_is_taken_up_for_its_reader_to_judge(bench):
    bench.put("a.jpg", b"this is no picture at all, but a text")
    assert bench.take("a.jpg").kind is None


def test_no_ending_and_strange_content_is_left_where_it_is(bench):
    bench.put("README", b"this is no picture at all, but a text")
    reason = bench.refused(Unsupported, "README", young=False)
    assert reason == "its content is no format of scans; it is left where it is"


def test_documents_and_photos_are_taken_up_by_their_content(bench):
    bench.put("a.pdf", b"%PDF-1.7 and so on\n%%EOF")
    bench.put("c.jpg", scan("PNG"))
    assert [bench.take(name).kind for name in ("a.pdf", "c.jpg")] == ["PDF", "PNG"]


def test_a_link_is_never_followed(bench, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(JPEG)
    (bench.inbox / "a.jpg").symlink_to(tmp_path / "secret.jpg")
    expected = Fingerprint.of((tmp_path / "secret.jpg").stat())
    assert bench.refused(BadScan, "a.jpg", expected) == "it is a link; links are not read"


def test_a_linked_folder_is_never_followed(bench, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.jpg").write_bytes(JPEG)
    (bench.inbox / "sub").symlink_to(tmp_path / "elsewhere")
    expected = Fingerprint.of((tmp_path / "elsewhere/a.jpg").stat())
    with pytest.raises((Withdrawn, BadScan)):
        bench.take("sub/a.jpg", expected)
    assert not list(bench.spool.iterdir())


@pytest.mark.parametrize(("mode", "taken"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_a_hard_link_is_taken_up_only_where_everybody_may_read_the_file_anyway(bench, tmp_path, mode, taken):
    (tmp_path / "secret.jpg").write_bytes(JPEG)
    (tmp_path / "secret.jpg").chmod(mode)
    (bench.inbox / "a.jpg").hardlink_to(tmp_path / "secret.jpg")
    if taken:
        assert bench.take("a.jpg").path.read_bytes() == JPEG
    else:
        assert "a hard link" in bench.refused(NotYet, "a.jpg")
        assert "a hard link" in bench.refused(NotYet, "a.jpg", young=False)
        (tmp_path / "secret.jpg").unlink()
        assert bench.take("a.jpg").path.read_bytes() == JPEG


def test_a_second_name_from_a_move_that_was_stopped_is_no_obstacle(bench, tmp_path):
    bench.put("a.jpg")
    (bench.inbox / "a.jpg").chmod(0o600)
    (tmp_path / "done.jpg").hardlink_to(bench.inbox / "a.jpg")
    assert bench.take("a.jpg", any_links=True).sha256


@pytest.mark.parametrize("name", ["../a.jpg", "sub/../../a.jpg", "/a.jpg", "./a.jpg"])
def test_no_name_leads_out_of_the_inbox(bench, tmp_path, name):
    (tmp_path / "a.jpg").write_bytes(JPEG)
    with pytest.raises(ValueError, match="not a folder inside an inbox"):
        bench.take(name, Fingerprint.of((tmp_path / "a.jpg").stat()))


def test_what_is_no_file_is_not_waited_for(bench):
    os.mkfifo(bench.inbox / "pipe.jpg")
    (bench.inbox / "folder.jpg").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(bench.inbox / "socket.jpg"))
    assert bench.refused(BadScan, "pipe.jpg") == "it is a pipe, not a file"
    assert bench.refused(BadScan, "folder.jpg") == "it is a folder, not a file"
    assert bench.refused(BadScan, "socket.jpg") == "it is a socket or a device, not a file"


def test_a_scan_that_has_gone_was_withdrawn(bench):
    expected = bench.put("sub/a.jpg")
    (bench.inbox / "sub/a.jpg").unlink()
    assert bench.refused(Withdrawn, "sub/a.jpg", expected) == "it is no longer there"
    (bench.inbox / "sub").rmdir()
    bench.refused(Withdrawn, "sub/a.jpg", expected)
    (bench.inbox / "sub").write_bytes(b"now a file")
    bench.refused(Withdrawn, "sub/a.jpg", expected)


def test_an_inbox_that_has_gone_is_the_worlds_fault(bench):
    expected = bench.put("a.jpg")
    bench.inbox.rename(bench.inbox.with_name("elsewhere"))
    assert "it does not exist" in bench.refused(WorldWrong, "a.jpg", expected)


@pytest.mark.parametrize("change", ["append", "replace", "touch", "chmod"])
def test_a_scan_that_is_not_what_it_was_is_not_taken_up(bench, change):
    expected = bench.put("a.jpg")
    path = bench.inbox / "a.jpg"
    if change == "append":
        path.write_bytes(JPEG + b"\n")
    elif change == "replace":
        bench.put("b.jpg")
        (bench.inbox / "b.jpg").rename(path)
    elif change == "touch":
        os.utime(path, (0, 0))
    else:
        path.chmod(0o640)
    if change == "chmod" and bench.seen("a.jpg") == expected:
        pytest.skip("the clock of this file system is too coarse")
    assert bench.refused(NotYet, "a.jpg", expected) == "it changed after it had settled"


class ChangesWhileCopied(Stop):
    """Told between two reads whether to stop; uses the moment to change the scan."""

    def __init__(self, change):
        super().__init__()
        self.change = change

    def check(self):
        self.change()


@pytest.mark.parametrize("change", ["grow", "shrink", "touch"])
def test_a_scan_that_changes_while_it_is_copied_is_not_taken_up(bench, change):
    data = encoded(noise(1200), format="PNG")
    bench.put("a.png", data)
    path = bench.inbox / "a.png"
    act = {
        "grow": lambda: path.write_bytes(data + b"more"),
        "shrink": lambda: os.truncate(path, 2 << 20),
        "touch": lambda: os.utime(path, (0, 0)),
    }[change]
    bench.stop = ChangesWhileCopied(act)
    assert bench.refused(NotYet, "a.png") == "it changed while it was being read"


def test_a_stop_ends_the_copying_and_leaves_nothing_behind(bench):
    bench.put("a.jpg")
    bench.stop.set()
    bench.refused(Stopped, "a.jpg")


def test_a_scan_beyond_the_limit_is_not_read(bench):
    with (bench.inbox / "a.png").open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(10_000_000_000)
    reason = bench.refused(BadScan, "a.png", limit=50_000_000)
    assert reason == "the file has 10 GB, more than the limit of 50 MB"
    reason = bench.refused(BadScan, "a.png", limit=9_999_999_999)
    assert reason == "the file has 10,000,000,000 bytes, more than the limit of 9,999,999,999 bytes"


def test_a_scan_at_the_limit_is_read(bench):
    bench.put("a.jpg")
    bench.refused(BadScan, "a.jpg", limit=len(JPEG) - 1)
    assert bench.take("a.jpg", limit=len(JPEG))


@pytest.mark.parametrize("data", [JPEG[:-2], bytes(3000), scan("PNG")[:500]])
def test_a_scan_that_is_not_whole_is_waited_for_while_it_is_young_and_taken_up_as_that_when_it_is_old(
    bench, data
):
    bench.put("a.jpg", data)
    waited_for = bench.refused(NotYet, "a.jpg", young=True)
    assert bench.take("a.jpg", young=False).cut_short == waited_for


def test_an_empty_scan_is_waited_for_while_it_is_young_and_bad_when_it_is_old(bench):
    bench.put("a.jpg", b"")
    assert bench.refused(NotYet, "a.jpg", young=True) == bench.refused(BadScan, "a.jpg", young=False)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked")
def test_a_scan_that_another_program_holds_open_is_waited_for_where_that_can_be_told(bench):
    bench.put("a.jpg")
    with (bench.inbox / "a.jpg").open("ab"):
        reason = bench.refused(NotYet, "a.jpg", lease=True)
        assert reason == "another program still has it open for writing"
        assert bench.take("a.jpg", lease=False).sha256
    assert bench.take("a.jpg", lease=True).sha256


@only_where_rights_count
def test_a_scan_without_permission_is_waited_for_and_the_reason_says_what_to_do(bench):
    expected = bench.put("a.jpg")
    (bench.inbox / "a.jpg").chmod(0)
    expected = bench.seen("a.jpg")
    with pytest.raises(NotYet) as caught:
        bench.take("a.jpg", expected)
    assert caught.value.reason == "there is no permission to read it"
    assert "right to read" in caught.value.fix


def test_a_spool_that_somebody_removed_is_made_again(bench):
    bench.put("a.jpg")
    bench.spool.rmdir()
    assert bench.take("a.jpg").sha256


def test_a_spool_that_cannot_be_is_the_worlds_fault(bench):
    bench.put("a.jpg")
    bench.spool.rmdir()
    bench.spool.write_bytes(b"a file")
    with pytest.raises(WorldWrong):
        bench.take("a.jpg")
    bench.spool.unlink()
    bench.spool.mkdir()


def test_a_full_disk_is_the_worlds_fault_and_leaves_nothing_behind(bench):
    """A limit on file sizes stands in for the full disk: what it refuses arrives the same way."""
    bench.put("a.png", encoded(noise(1200), format="PNG"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        reason = bench.refused(WorldWrong, "a.png")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert os.fspath(bench.spool) in reason


@given(st.binary(max_size=200), st.booleans(), st.sampled_from(["a.jpg", "b.tif", "c.png", "SCAN", "e.bmp"]))
def test_whatever_a_file_holds_it_is_copied_exactly_or_refused_with_a_reason(
    tmp_path_factory, data, young, name
):
    bench = Bench(tmp_path_factory.mktemp("bench"))
    bench.put(name, data)
    try:
        taken = bench.take(name, young=young)
    except (NotYet, BadScan):
        assert not list(bench.spool.iterdir())
    else:
        assert taken.path.read_bytes() == data
