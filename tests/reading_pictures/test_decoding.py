"""Decoding in a process of its own: what comes back, and what happens when it does not."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from dropscribe.errors import BadScan, Stopped
from dropscribe.reading.decoding import Broke, Decoding
from dropscribe.reading.wanted import Limits, Steps, Wanted
from dropscribe.stop import Stop
from dropscribe.values import Size
from tests.e2e.harness import until
from tests.reading_pictures.scans import drawing, saved

SIZE = Size(10**6, 1000)

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux shows its processes")


@pytest.fixture
def stop():
    return Stop()


@pytest.fixture
def decoding(stop):
    decoding = Decoding(2, stop)
    yield decoding
    decoding.rest()
    assert not children()


def children():
    """The processes that this one has started and that still run."""
    found = []
    for thread in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # of a thread or process that ends just now
            found += [int(one) for one in (thread / "children").read_text().split() if state(one) != "Z"]
    return found


def state(process):
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def scan(tmp_path, data, name="scan"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def pages_of(tmp_path, count):
    first, *others = [drawing() for _ in range(count)]
    return scan(tmp_path, saved(first, "TIFF", save_all=True, append_images=others))


def test_pages_come_back_as_pictures(tmp_path, decoding):
    path = pages_of(tmp_path, 3)
    assert decoding.pages(path, Steps(), Limits()) == 3
    prepared = decoding.page(path, Wanted(2, SIZE), Steps(), Limits())
    assert [(p.format, p.width, p.height) for p in prepared.pictures] == [("PNG", 160, 120)]
    assert prepared.text is None


def test_one_process_is_kept_warm_and_lets_go_of_a_scan_when_told(tmp_path, decoding):
    path = pages_of(tmp_path, 2)
    for number in (1, 2):
        decoding.page(path, Wanted(number, SIZE), Steps(), Limits())
    (process,) = children()

    def holds():
        return str(path) in {str(fd.readlink()) for fd in Path(f"/proc/{process}/fd").iterdir()}

    assert holds()
    decoding.forget(path)
    assert not holds()
    decoding.pages(path, Steps(), Limits())
    assert children() == [process]


def test_a_bad_scan_comes_back_with_its_reason_and_costs_nothing_else(tmp_path, decoding):
    with pytest.raises(BadScan, match="its content is text"):
        decoding.pages(scan(tmp_path, b"no picture"), Steps(), Limits())
    (before,) = children()
    assert decoding.pages(pages_of(tmp_path, 2), Steps(), Limits()) == 2
    assert children() == [before]


def test_a_scan_that_needs_more_memory_than_allowed_is_a_bad_scan(tmp_path, decoding):
    path = scan(tmp_path, saved(Image.new("RGB", (9000, 9000)), "PNG"))
    with pytest.raises(BadScan) as caught:
        decoding.page(path, Wanted(1, SIZE), Steps(), Limits(memory=128_000_000))
    assert caught.value.reason == "decoding it needs more memory than the limit of 128 MB"
    assert "limits.memory" in caught.value.fix
    assert decoding.page(path, Wanted(1, SIZE), Steps(), Limits()).pictures


def test_a_scan_that_takes_too_long_is_a_bad_scan_and_ends_with_its_process(tmp_path, decoding):
    path = scan(tmp_path, saved(Image.effect_noise((4000, 4000), 90), "PNG", compress_level=1))
    with pytest.raises(BadScan, match="decoding it took longer than"):
        decoding.page(path, Wanted(1, SIZE), Steps(), Limits(seconds=0.05))
    assert not children()


def test_a_process_that_is_killed_meanwhile_is_told_as_that_and_the_next_one_starts(tmp_path, decoding):
    path = scan(tmp_path, saved(Image.effect_noise((4000, 4000), 90), "PNG", compress_level=1))
    decoding.pages(path, Steps(), Limits())
    (process,) = children()
    busy = threading.Thread(
        target=lambda: (until(lambda: state(process) == "R", "work"), os.kill(process, 9))
    )
    busy.start()
    with pytest.raises(Broke, match="SIGKILL"):
        decoding.page(path, Wanted(1, SIZE), Steps(), Limits())
    busy.join()
    assert decoding.pages(path, Steps(), Limits()) == 1


def test_a_process_that_died_while_it_was_idle_is_nobodys_fault(tmp_path, decoding):
    path = pages_of(tmp_path, 2)
    decoding.pages(path, Steps(), Limits())
    (process,) = children()
    os.kill(process, signal.SIGKILL)
    until(lambda: os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT | os.WNOHANG), "its end")
    assert decoding.pages(path, Steps(), Limits()) == 2


def test_a_stop_ends_the_work_at_once(tmp_path, stop, decoding):
    path = scan(tmp_path, saved(Image.effect_noise((4000, 4000), 90), "PNG", compress_level=1))
    decoding.pages(path, Steps(), Limits())
    (process,) = children()
    teller = threading.Thread(target=lambda: (until(lambda: state(process) == "R", "work"), stop.set()))
    teller.start()
    with pytest.raises(Stopped):
        decoding.page(path, Wanted(1, SIZE), Steps(), Limits())
    teller.join()
    assert not children()


def test_signals_for_everybody_do_not_end_it(tmp_path, decoding):
    path = pages_of(tmp_path, 2)
    decoding.pages(path, Steps(), Limits())
    (process,) = children()
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(process, number)
    assert decoding.page(path, Wanted(1, SIZE), Steps(), Limits()).pictures
    assert children() == [process]


def test_no_more_processes_than_allowed_work_at_once(tmp_path, decoding):
    path = pages_of(tmp_path, 2)
    seen = []

    def work():
        for _ in range(3):
            decoding.page(path, Wanted(1, SIZE), Steps(), Limits())
            seen.append(len(children()))

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= max(seen) <= 2


@pytest.mark.parametrize(
    ("kind", "options", "known"),
    [("JPEG", {"quality": 90}, True), ("PNG", {}, True), ("JPEG", {"progressive": True}, False)],
)
def test_how_much_of_a_cut_picture_arrived_is_told_as_well_as_it_can_be(
    tmp_path, decoding, kind, options, known
):
    data = saved(Image.effect_noise((400, 400), 90), kind, **options)
    path = scan(tmp_path, data[: len(data) * 4 // 10])
    words = decoding.arrived(path, kind, Limits())
    if known:
        assert words.startswith(f"{path.stat().st_size:,} of about ")
        about = int(words.partition("of about ")[2].split()[0].replace(",", ""))
        assert about == pytest.approx(len(data), rel=0.15)
    else:
        assert words == ""


def test_of_a_picture_above_the_limit_it_is_not_told_for_it_is_not_decoded(tmp_path, decoding):
    data = saved(Image.effect_noise((400, 400), 90), "PNG")
    path = scan(tmp_path, data[: len(data) // 2])
    assert decoding.arrived(path, "PNG", Limits(pixels=160_000)) != ""
    assert decoding.arrived(path, "PNG", Limits(pixels=159_999)) == ""


def test_a_fault_of_the_program_is_told_in_one_line(tmp_path, decoding):
    with pytest.raises(Broke) as caught:
        decoding.page(pages_of(tmp_path, 2), Wanted(1, SIZE, turn=45), Steps(), Limits())
    assert caught.value.how.startswith("dropscribe met a fault of its own in picture.py, line ")
    assert caught.value.how.isprintable()
