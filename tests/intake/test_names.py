import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.intake.names import why_ignored, why_not_entered, why_unsupported

TEXT = st.text(st.characters(codec=None), max_size=40)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".scan.jpg", "hidden"),
        ("._scan.jpg", "hidden"),
        (".pending-1700000000-IMG_1.jpg", "hidden"),
        (".syncthing.scan.jpg.tmp", "hidden"),
        (".dropscribe-5f3a", "a temporary file of dropscribe"),
        ("scan.jpg.reason.txt", "a reason file of dropscribe"),
        ("scan.jpg.part", "still being transferred (*.part)"),
        ("SCAN.JPG.FILEPART", "still being transferred (*.filepart)"),
        ("scan.jpg.1a2b3c4d.partial", "still being transferred (*.partial)"),
        ("scan.jpg.ocTransferId123.part", "still being transferred (*.part)"),
        ("scan.jpg-chunking-1-2-3", "still being transferred (*-chunking-*-*-*)"),
        ("~syncthing~scan.jpg.tmp", "still being transferred (*.tmp)"),
        ("Unconfirmed 1.crdownload", "still being transferred (*.crdownload)"),
        ("~$letter.png", "a working copy of another program (~$*)"),
        ("#scan.jpg#", "a working copy of another program (#*#)"),
        ("4913", "a working copy of another program (4913)"),
        ("THUMBS.DB", "a system file (Thumbs.db)"),
        ("Icon\r", "a system file (Icon\r)"),
        ("SYNOFILE_THUMB_M.jpg", "a system file (SYNOFILE_THUMB*)"),
        ("@eaDir/scan.jpg", "in a system folder (@eaDir)"),
        ("a/.stversions/scan.jpg", "in a hidden folder"),
    ],
)
def test_what_no_person_put_there_is_left_alone_and_the_reason_names_the_rule(name, reason):
    assert why_ignored(name) == reason


@pytest.mark.parametrize(
    "name",
    [
        "scan.jpg", "SCN_0001.JPG", "a/b/scan.tiff", "-rf.png", "scan", "4913.png", "part.jpg",
        "scan.part.jpg", "tmp/scan.jpg", "scan.sync-conflict-20240101-120000-ABCDEFG.jpg",
        "letter (conflicted copy).png",
        "line\nbreak.jpg", "\udcff\udcfe.png", "\N{PEDESTRIAN}.png", "x" * 251 + ".jpg", " .jpg",
    ],
)  # fmt: skip
def test_what_a_person_put_there_is_not(name):
    assert why_ignored(name) is None


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("#recycle", "in a system folder (#recycle)"),
        ("$recycle.bin", "in a system folder ($RECYCLE.BIN)"),
        ("a/lost+found", "in a system folder (lost+found)"),
        (".Trash-1000", "in a hidden folder"),
        ("a/.git/b", "in a hidden folder"),
        ("letters", None),
        ("done", None),
    ],
)
def test_folders_of_the_system_are_not_entered(folder, reason):
    assert why_not_entered(folder) == reason


def test_an_ignored_folder_is_not_entered_and_what_lies_in_it_is_ignored():
    assert why_not_entered("a/Private", ignore=["private"]) == "ignored by the config (private)"
    assert why_ignored("a/Private/x.jpg", ignore=["private"]) == "ignored by the config (private)"


def test_a_glob_without_a_slash_means_one_component_and_one_with_a_slash_the_whole_name():
    assert why_ignored("ab/yz.jpg", ignore=["a*z.jpg"]) is None
    assert why_ignored("ab/yz.jpg", ignore=["ab/*.jpg"]) == "ignored by the config (ab/*.jpg)"
    assert why_ignored("c/ab/yz.jpg", ignore=["ab/*.jpg"]) is None


def test_patterns_are_what_must_fit():
    assert why_ignored("a/Scan_1.JPG", patterns=["scan_*"]) is None
    assert why_ignored("a/img_1.jpg", patterns=["scan_*"]) == "does not match patterns"
    assert why_ignored("a/img_1.jpg", patterns=["scan_*", "a/*"]) is None
    assert why_ignored("scan.jpg", patterns=[]) == "does not match patterns"


def test_a_composed_letter_in_the_config_fits_a_decomposed_one_on_the_disk():
    assert why_ignored("Entwu\N{COMBINING DIAERESIS}rfe/x.jpg", ignore=["Entwürfe"])


def test_the_ending_says_what_may_be_a_scan_and_no_ending_leaves_it_to_the_content():
    assert not any(map(why_unsupported, ["a.jpg", "a.TIFF", "a.pdf", "a.heic", "SCAN0001"]))
    assert why_unsupported("notes.DOCX") == "*.docx is no format of scans; it is left where it is"


@given(TEXT, st.lists(TEXT, max_size=3), st.lists(TEXT, max_size=3))
def test_no_name_and_no_glob_is_too_strange(name, patterns, ignore):
    why_ignored(name, patterns=patterns, ignore=ignore)
    why_not_entered(name, ignore=ignore)
    why_unsupported(name)


@given(TEXT)
def test_hidden_stays_hidden_whatever_the_config_says(name):
    assert why_ignored("." + name.replace("/", ""), patterns=["*", ".*"])
