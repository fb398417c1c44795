import os
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.filing import shelf

DATE = datetime(2026, 3, 9, 14, 5, 6)  # noqa: DTZ001 - the zone is the caller's business
SHA = "0123456789abcdef" * 4
NAMES = st.binary(min_size=1, max_size=255).filter(
    lambda raw: b"/" not in raw and b"\0" not in raw and not raw.startswith(b".")
)
DISK_NAMES = NAMES.map(os.fsdecode)
SUFFIXES = st.sampled_from(["", ".md", ".png", ".meta.json", ".p001.md", ".png.reason.txt"])


def named(template, *, stem="scan", ext="png", inbox="receipts", pages=1):
    return shelf.stem_from(template, stem=stem, ext=ext, inbox=inbox, date=DATE, sha256=SHA, pages=pages)


# --- the template


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{stem}", "scan"),
        ("{stem}.{ext}", "scan.png"),
        ("{inbox} {stem}", "receipts scan"),
        ("{date}", "2026-03-09"),
        ("{date:%Y%m%d-%H%M%S}_{stem}", "20260309-140506_scan"),
        ("{date:%d/%m/%y}", "09-03-26"),
        ("{sha256}", SHA),
        ("{stem}-{sha256:8}", "scan-01234567"),
        ("{{{stem}}}", "{scan}"),
        ("{stem}-{pages}p", "scan-1p"),
        ("{stem}-{{x}}{pages}_{page}", "scan"),
        ("../../{stem}", "-..-scan"),
        ("..", "scan"),
        (".{stem}", "scan"),
        ("a\0b/c", "a-b-c"),
        ("", "scan"),
    ],
)
def test_a_template_becomes_a_name(template, name):
    assert named(template) == name


def test_the_ending_may_come_with_its_dot():
    assert named("{ext}", ext=".png") == "png"


@pytest.mark.parametrize(
    "template",
    [
        "{name}",
        "{}",
        "{0}",
        "{stem.__class__}",
        "{stem[0]}",
        "{stem!r}",
        "{stem:>9}",
        "{sha256:x}",
        "{sha256:0}",
        "{stem",
        "}",
        "{page}-{stem}",
        "{pages:02}",
    ],
)
def test_a_template_with_anything_else_is_refused(template):
    with pytest.raises(ValueError, match=r".+"):
        named(template)


@given(stem=DISK_NAMES)
def test_the_scans_own_stem_is_kept_byte_by_byte(stem):
    assert named("{stem}", stem=stem) == stem


@given(template=st.text(st.characters(exclude_characters="{}")), stem=st.text(), inbox=st.text())
def test_every_name_is_a_visible_file_in_its_folder(template, stem, inbox):
    name = named(f"{template}{{inbox}}{{stem}}", stem=stem, inbox=inbox)
    raw = os.fsencode(name)
    assert raw
    assert not raw.startswith(b".")
    assert b"/" not in raw
    assert b"\0" not in raw


# --- the part of a page


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        ("{stem}", ("{stem}", "")),
        ("{stem}-{pages}", ("{stem}-{pages}", "")),
        ("{stem}.p{page}", ("{stem}", ".p{page}")),
        ("{date:%Y-%m}-{stem}_{page}of{pages}", ("{date:%Y-%m}-{stem}", "_{page}of{pages}")),
        ("{pages}x{stem}-{pages}-{page}-", ("{pages}x{stem}", "-{pages}-{page}-")),
        ("a{{{stem}}}{{{page}}}", ("a{{{stem}", "}}{{{page}}}")),
        ("{page}-{stem}", ("{page}-{stem}", "")),
        ("p{page}", ("", "p{page}")),
    ],
)
def test_a_template_is_parted_behind_the_last_field_that_is_about_the_scan(template, parts):
    assert shelf.parted(template) == parts


FIELDS = ["{stem}", "{date:%Y}", "{page}", "{pages}", "{{", "}}", "-", "書", "{x!r:>3}"]


@given(st.lists(st.sampled_from(FIELDS)).map("".join))
def test_both_parts_are_the_template_again(template):
    assert "".join(shelf.parted(template)) == template


@pytest.mark.parametrize(
    ("part", "page", "pages", "name"),
    [
        (".p{page}", 1, 9, ".p1"),
        (".p{page}", 1, 10, ".p01"),
        ("_{page}of{pages}", 7, 100, "_007of100"),
        ("{{{page}}}", 3, 3, "{3}"),
        ("a/b\0{page}", 3, 3, "a-b-3"),
    ],
)
def test_a_page_is_named_by_its_number_as_wide_as_the_last(part, page, pages, name):
    assert shelf.page_name(part, page, pages) == name


@pytest.mark.parametrize("part", ["{stem}", "{page!r}", "{page:03}", "{}"])
def test_the_part_of_a_page_is_about_nothing_else(part):
    with pytest.raises(ValueError, match=r".+"):
        shelf.page_name(part, 1, 1)


@given(
    stem=DISK_NAMES,
    literal=st.text(st.characters(exclude_characters="{}"), max_size=15),
    pages=st.integers(1, 120),
    used=st.sets(st.integers(1, 5)),
)
def test_a_scan_and_the_texts_of_its_pages_share_a_stem_and_sort_as_they_count(stem, literal, pages, used):
    template = f"{{stem}}{literal}{{page}}of{{pages}}"
    part = shelf.parted(template)[1]
    texts = [shelf.page_name(part, page, pages) + ".md" for page in range(1, pages + 1)]
    wanted = named(template, stem=stem, pages=pages)
    assert wanted == stem
    longest = max(texts, key=len)
    taken = {shelf.fit(stem, f"-{n}{longest}") + f"-{n}{texts[-1]}" for n in used if n > 1}
    taken |= {shelf.fit(stem, longest) + texts[0]} if 1 in used else set()
    free = shelf.free_stem(wanted, lambda one: any(one + text in taken for text in texts), [".pdf", *texts])
    names = [free + text for text in texts]
    assert not taken & set(names)
    assert sorted(names) == names
    assert len(set(names)) == pages
    for name in map(os.fsencode, names):
        assert len(name) <= shelf.LIMIT
        assert not set(name) & set(b"/\0")


# --- splitting and fitting


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("scan.png", ("scan", ".png")),
        ("scan.tar.gz", ("scan.tar", ".gz")),
        ("noext", ("noext", "")),
        ("Scan.PNG", ("Scan", ".PNG")),
        ("name.", ("name", ".")),
        ("new\nline.png", ("new\nline", ".png")),
        (
            "Invoice no. 12 of the plumber who came twice",
            ("Invoice no. 12 of the plumber who came twice", ""),
        ),
    ],
)
def test_a_name_is_split_at_its_last_dot(name, parts):
    assert shelf.split(name) == parts


@given(DISK_NAMES)
def test_stem_and_ending_are_the_name_again(name):
    stem, suffix = shelf.split(name)
    assert stem + suffix == name
    assert stem


@given(DISK_NAMES, SUFFIXES, st.integers(30, 255))
def test_a_fitted_stem_is_the_longest_start_that_fits(stem, suffix, limit):
    fitted = shelf.fit(stem, suffix, limit)
    assert stem.startswith(fitted)
    assert len(os.fsencode(fitted + suffix)) <= limit
    following = stem[: len(fitted) + 1]
    assert following == fitted or len(os.fsencode(following + suffix)) > limit


def test_a_stem_is_shortened_between_characters_not_within_one():
    assert shelf.fit("書" * 100, ".png") == "書" * 83
    assert shelf.fit("é" * 200, ".md", 9) == "ééé"


def test_where_nothing_fits_that_is_said():
    with pytest.raises(ValueError, match="no room"):
        shelf.fit("書", ".png", 6)


# --- free names


def test_names_are_counted_up_from_two():
    taken = set()
    for _ in range(20):
        taken.add(shelf.free_stem("scan", taken.__contains__, [".png", ".md"]))
    assert taken == {"scan", *(f"scan-{n}" for n in range(2, 21))}


@given(st.integers(0, 100_000))
def test_the_next_number_is_found_with_few_questions(used):
    asked = []

    def taken(stem):
        asked.append(stem)
        return (1 if stem == "scan" else int(stem.removeprefix("scan-"))) <= used

    assert shelf.free_stem("scan", taken, [".png"]) == shelf.numbered("scan", used + 1)
    assert len(asked) <= 2 * used.bit_length() + 2


@given(DISK_NAMES, st.sets(st.integers(1, 300)), st.lists(SUFFIXES, min_size=1))
def test_a_free_stem_is_free_fits_and_is_the_same_each_time(stem, used, suffixes):
    longest = max(suffixes, key=len)
    taken = {shelf.fit(stem, f"-{n}{longest}") + f"-{n}" for n in used if n > 1}
    taken |= {shelf.fit(stem, longest)} if 1 in used else set()
    free = shelf.free_stem(stem, taken.__contains__, suffixes)
    assert free not in taken
    assert all(len(os.fsencode(free + suffix)) <= shelf.LIMIT for suffix in suffixes)
    assert shelf.free_stem(stem, taken.__contains__, suffixes) == free


@given(DISK_NAMES, st.sampled_from(["0123456789ab", "ffffffffffff"]))
def test_a_unique_name_keeps_its_ending_fits_with_its_reason_and_is_known_for_one(name, token):
    unique = shelf.unique(name, token, shelf.REASON)
    assert shelf.is_unique(unique)
    assert shelf.is_unique(unique + shelf.REASON)
    assert shelf.is_unique(shelf.numbered(shelf.split(unique)[0], 2))
    assert shelf.split(unique)[1] == shelf.split(name)[1]
    assert len(os.fsencode(unique + shelf.REASON)) <= shelf.LIMIT


@pytest.mark.parametrize(
    "name", ["a.png", "a-2.png", "a-0123456789.png", "a-0123456789abcd.png", "0123456789ab.png"]
)
def test_an_ordinary_name_is_not_taken_for_a_unique_one(name):
    assert not shelf.is_unique(name)


# --- what a model wrote, as a part of a name


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("Rewe Markt GmbH", "Rewe Markt GmbH"),
        ("  M\u0075\u0308ller\n&\tSons ", "M\u00fcller & Sons"),
        ("../../etc/passwd", "etc-passwd"),
        ("/", "unknown"),
        ("..", "unknown"),
        ("", "unknown"),
        ("-rf", "rf"),
        (".bashrc", "bashrc"),
        ("a\0b\x1b[31mc", "a b [31mc"),
        ("invoice\u202egpj.exe", "invoice gpj.exe"),
        ('C:\\temp\\*?"<>|', "C--temp"),
        ("12/31/2026", "12-31-2026"),
        ("CON", "CON_"),
        ("nul.txt", "nul_.txt"),
        ("Lpt1", "Lpt1_"),
        ("console", "console"),
        ("x" * 300, "x" * 60),
        ("\u00e4" * 300, "\u00e4" * 30),
        ("x" * 59 + ". tail", "x" * 59),
        ("\ud800", "unknown"),
        ("\u200b\u2066", "unknown"),
    ],
)
def test_what_a_model_wrote_becomes_a_harmless_part_of_a_name(said, part):
    assert shelf.from_answer(said) == part


@given(st.text(max_size=120))
def test_whatever_a_model_writes_it_never_chooses_a_path(said):
    part = shelf.from_answer(said)
    assert part
    assert shelf.from_answer(part) == part
    assert len(part.encode()) <= 61  # an underscore behind a device's name
    assert not set(part) & set('/\\:*?"<>|\0')
    assert part[0] not in " .-"
    assert part[-1] not in " .-"
    assert part.isprintable()


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_name_made_of_answers_is_the_name_of_one_visible_file(one, other):
    answers = {"a": one, "b": other}
    name = shelf.stem_from(
        "{field:a}{field:b}", stem="s", ext="png", inbox="in", date=DATE, sha256="0" * 64, answer=answers.get
    )
    assert "/" not in name
    assert not name.startswith(".")
    assert name.partition(".")[0].casefold() not in {"con", "prn", "aux", "nul", "com1", "lpt1"}


def test_devices_are_only_looked_for_where_a_model_has_a_say():
    made = shelf.stem_from("{stem}", stem="con", ext="png", inbox="in", date=DATE, sha256="0" * 64)
    assert made == "con"
