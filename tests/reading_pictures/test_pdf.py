import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from dropscribe.errors import BadScan
from dropscribe.reading.wanted import Limits
from dropscribe.values import Size
from tests.reading_pictures.pdfs import (
    composed_pdf,
    form_object,
    picture_object,
    scanned_pdf,
    text_pdf,
    written,
)
from tests.reading_pictures.scans import differs, drawing, opened, sent

ROOMY = Size(10**7, 5000)


def ink(image):
    """The box around what is dark."""
    return ImageOps.invert(image.convert("L")).point(lambda shade: 255 * (shade > 100)).getbbox()


def test_each_page_is_read_in_any_order(tmp_path):
    pages = [drawing().rotate(90 * turn, expand=True) for turn in range(3)]
    with opened(tmp_path, scanned_pdf(*pages)) as document:
        assert document.count == 3
        for number in (1, 2, 3, 3, 1):
            assert differs(sent(document, number)[1], pages[number - 1]) < 6


@pytest.mark.parametrize("dpi", [75, 150, 600])
def test_a_scanned_page_keeps_its_own_resolution_whatever_it_is_printed_at(tmp_path, dpi):
    with opened(tmp_path, scanned_pdf(drawing(800, 600), dpi=dpi)) as document:
        assert document.page(1).sides == (800, 600)
        assert sent(document)[1].size == (800, 600)
        assert sent(document, size=Size(10**6, 400))[1].size == (400, 300)


def test_a_drawn_page_is_rendered_as_finely_as_the_config_says(tmp_path):
    with opened(tmp_path, text_pdf("Hello"), dpi=144) as document:
        assert document.page(1).sides == (600, 400)
        assert sent(document)[1].size == (600, 400)
        assert sent(document, size=Size(10**6, 300))[1].size == (300, 200)


@pytest.mark.parametrize(("rotate", "corner"), [(0, "left top"), (90, "right top"), (180, "right bottom")])
def test_a_page_is_shown_as_its_note_of_rotation_says(tmp_path, rotate, corner):
    with opened(tmp_path, text_pdf("Hello", rotate=rotate), dpi=72) as document:
        _, shown = sent(document)
    left, top, right, bottom = ink(shown)
    assert shown.size == ((200, 300) if rotate == 90 else (300, 200))
    assert ("left" in corner) == (left + right < shown.width)
    assert ("top" in corner) == (top + bottom < shown.height)


def test_what_was_typed_into_a_form_is_drawn(tmp_path):
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] /NeedAppearances false >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Annots [4 0 R] >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [20 20 120 60] /P 3 0 R /AP << /N 5 0 R >> >>",
        b"<< /Subtype /Form /BBox [0 0 100 40] /Length 22 >>\nstream\n0 g 10 10 60 20 re f  \nendstream",
    ]
    with opened(tmp_path, written(objects), dpi=72) as document:
        assert ink(sent(document)[1]) == pytest.approx((30, 50, 90, 70), abs=2)


def test_the_text_layer_is_the_text_only_where_it_is_wanted(tmp_path):
    from dropscribe.reading.picture import prepare
    from dropscribe.reading.wanted import Steps, Wanted

    with opened(tmp_path, text_pdf("Dear Ann,\nthe boiler works.")) as document:
        read = prepare(document.page(1), Wanted(1, ROOMY), Steps(text_layer=True))
        assert read.text.split() == ["Dear", "Ann,", "the", "boiler", "works."]
        assert not read.pictures
        asked = prepare(document.page(1), Wanted(1, ROOMY), Steps())
        assert asked.text is None
        assert len(asked.pictures) == 1


def test_a_scan_without_a_text_layer_is_asked_about_even_where_text_layers_are_preferred(tmp_path):
    with opened(tmp_path, scanned_pdf(drawing())) as document:
        assert sent(document, text_layer=True)[1].size == (160, 120)


def test_a_few_letters_are_no_text_layer(tmp_path):
    with opened(tmp_path, text_pdf("p. 3")) as document:
        assert document.page(1).text == ""


def test_the_pixels_of_a_picture_are_checked_before_it_is_decoded(tmp_path):
    with (
        pytest.raises(BadScan, match="a picture on this page is 800 × 600 pixels, more than the limit"),
        opened(tmp_path, scanned_pdf(drawing(800, 600)), Limits(pixels=300_000)) as document,
    ):
        document.page(1)


def test_a_huge_sheet_is_rendered_no_larger_than_wanted(tmp_path):
    with opened(tmp_path, text_pdf("Hello", media=(14_000, 14_000))) as document:
        assert sent(document, size=Size(10**6, 1000))[1].size == (1000, 1000)


def test_too_many_pages_are_a_bad_scan(tmp_path):
    data = text_pdf(*["page"] * 12)
    with pytest.raises(BadScan, match="more than 10 pages"), opened(tmp_path, data, Limits(pages=10)):
        pass


LOCKED = b"""%%PDF-1.4
1 0 obj
<< /Type /Catalog /Pages 2 0 R >>
endobj
2 0 obj
<< /Type /Pages /Kids [] /Count 0 >>
endobj
3 0 obj
<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>
endobj
trailer
<< /Root 1 0 R /Encrypt 3 0 R /ID [<00> <00>] >>
%%%%EOF
""" % (b"ab" * 32, b"cd" * 32)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (LOCKED, "this PDF is protected by a password"),
        (b"%PDF-1.7\n%%EOF\n", "this PDF is damaged: it cannot be opened"),
        (text_pdf(), "this PDF is damaged: it cannot be opened"),
    ],
)
def test_what_cannot_be_opened_is_a_bad_scan_with_its_reason(tmp_path, data, reason):
    with pytest.raises(BadScan) as caught, opened(tmp_path, data):
        pass
    assert caught.value.reason == reason


def test_white_text_on_a_dark_page_stays_white_on_dark(tmp_path):
    page = Image.new("L", (400, 300), 20)
    ImageDraw.Draw(page).text((40, 40), "Light", fill=250, font_size=60)
    with opened(tmp_path, scanned_pdf(page)) as document:
        assert sent(document)[1].convert("L").getpixel((5, 5)) < 60


SEEDS = [text_pdf("Dear Ann,\nthe boiler works.", "page two"), scanned_pdf(drawing(40, 30), drawing(30, 40))]


@settings(deadline=None, max_examples=300)
@given(
    seed=st.sampled_from(SEEDS),
    flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=8),
    cut=st.floats(0.3, 1),
)
def test_damage_ends_as_a_picture_or_as_a_reason(tmp_path_factory, seed, flips, cut):
    data = bytearray(seed[: int(len(seed) * cut)])
    for place, mask in flips:
        data[int(place * (len(data) - 1))] ^= mask
    reason = ""
    try:
        with opened(tmp_path_factory.getbasetemp(), bytes(data), Limits(pixels=300_000)) as document:
            for number in range(1, min(document.count, 3) + 1):
                assert sent(document, number, size=Size(10**5, 500))[1].mode in {"L", "RGB"}
    except BadScan as failure:
        reason = failure.reason
    assert reason.isprintable()
    assert "object at 0x" not in reason


WHOLE = b"q 300 0 0 200 0 0 cm /X0 Do Q "
STRIPS = b" ".join(b"q 300 0 0 20 0 %d cm /X%d Do Q" % (180 - 20 * n, n) for n in range(10))


def print_of(text, mode=0):
    """`text` in lines of 30 letters; mode 3 is there and not seen, as over a scan that was read before."""
    lines = " ".join(f"({text[at : at + 30]}) Tj T*" for at in range(0, len(text), 30))
    return f" BT /F1 14 Tf {mode} Tr 20 180 Td 16 TL {lines} ET".encode()


def over(picture, text, mode=0):
    """A page that `picture` fills, with print over it."""
    return composed_pdf(WHOLE + print_of(text, mode), picture_object(picture))


@pytest.mark.parametrize("sides", [(1, 1), (60, 40)])
def test_print_over_a_coarse_picture_is_rendered_as_finely_as_print(tmp_path, sides):
    with opened(tmp_path, over(Image.new("L", sides, 255), "Total 12.50"), dpi=144) as document:
        assert document.page(1).sides == (600, 400)
        assert ink(sent(document)[1]) is not None


def test_a_stamp_over_a_scan_is_not_its_text(tmp_path):
    scan = Image.new("L", (600, 400), 255)
    with opened(tmp_path, over(scan, "Signed by Ann Example with number 123456789012")) as document:
        assert document.page(1).text == ""


def test_print_over_a_scan_is_its_text_from_200_letters_on(tmp_path):
    scan = Image.new("L", (600, 400), 255)
    for letters, is_text in ((199, False), (200, True)):
        with opened(tmp_path, over(scan, "a" * letters)) as document:
            assert bool(document.page(1).text) == is_text


def test_a_stamp_over_a_scan_in_strips_is_not_its_text(tmp_path):
    strips = [picture_object(Image.new("L", (600, 40), 255))] * 10
    with opened(
        tmp_path, composed_pdf(STRIPS + print_of("Received by fax on 5 May, page 3"), *strips)
    ) as document:
        assert document.page(1).text == ""


def test_unseen_print_over_a_scan_is_its_text_and_does_not_make_it_larger(tmp_path):
    data = over(Image.new("L", (600, 400), 255), "what the scanner has read " * 10, mode=3)
    with opened(tmp_path, data, dpi=200) as document:
        assert "what the scanner has read" in document.page(1).text
        assert document.page(1).sides == (600, 400)


@pytest.mark.parametrize("width", [600, 2400])
def test_a_scan_in_strips_keeps_its_own_resolution(tmp_path, width):
    strips = [picture_object(Image.new("L", (width, width // 15), 200))] * 10
    with opened(tmp_path, composed_pdf(STRIPS, *strips), dpi=200) as document:
        assert document.page(1).sides == (width, width * 2 // 3)


@pytest.mark.parametrize("base", [(1, 1), (300, 200)])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_coarse_picture_behind_a_fine_mask_is_rendered_as_finely_as_print(tmp_path, base, layers):
    mask = Image.new("L", (1200, 800), 0)
    ImageDraw.Draw(mask).text((100, 100), "Total 12.50", fill=255, font_size=60)
    paper, ink_ = Image.new("L", (300, 200), 255), Image.new("L", base, 0)
    if layers == 1:
        things = [picture_object(ink_, b"/SMask 7 0 R"), picture_object(mask)]
    else:
        things = [picture_object(paper), picture_object(ink_, b"/SMask 8 0 R"), picture_object(mask)]
    content = b" ".join(b"q 300 0 0 200 0 0 cm /X%d Do Q" % layer for layer in range(layers))
    with opened(tmp_path, composed_pdf(content, *things), dpi=144) as document:
        assert document.page(1).sides == (600, 400)
        assert ink(sent(document)[1]) is not None


def test_a_fine_picture_on_a_coarse_one_is_not_lost_in_it(tmp_path):
    content = WHOLE + b"q 60 0 0 40 20 20 cm /X1 Do Q"
    pictures = [picture_object(Image.new("L", sides, 200)) for sides in ((300, 200), (240, 160))]
    with opened(tmp_path, composed_pdf(content, *pictures), dpi=144) as document:
        assert document.page(1).sides == (600, 400)


@pytest.mark.parametrize(("place", "sides"), [(b"300 0 0 200", (360, 240)), (b"60 0 0 40", (600, 400))])
def test_a_picture_inside_a_form_covers_what_the_form_covers(tmp_path, place, sides):
    content = b"q %s 0 0 cm /X0 Do Q" % place
    form = form_object(b"/X0 Do", b"7")
    data = composed_pdf(content, form, picture_object(Image.new("L", (360, 240), 90)))
    with opened(tmp_path, data, dpi=144) as document:
        assert document.page(1).sides == sides


@pytest.mark.parametrize("stamp", [b"", print_of("page 3")])
def test_a_page_whose_picture_cannot_be_decoded_is_not_blank(tmp_path, stamp):
    broken = picture_object(drawing(600, 400), data=b"this is no JPEG")
    with (
        pytest.raises(BadScan, match="a picture on this page is damaged"),
        opened(tmp_path, composed_pdf(WHOLE + stamp, broken)) as document,
    ):
        sent(document)


def test_a_picture_that_nothing_is_seen_of_is_no_damage(tmp_path):
    unseen = picture_object(drawing(60, 40).convert("L"), b"/SMask 7 0 R")
    mask = picture_object(Image.new("L", (60, 40), 0))
    with opened(tmp_path, composed_pdf(WHOLE + print_of("Dear Ann"), unseen, mask)) as document:
        assert ink(sent(document)[1]) is not None


def test_a_word_that_is_parted_at_the_end_of_a_line_keeps_its_hyphen(tmp_path):
    with opened(tmp_path, text_pdf("Paid to a well-\nknown baker")) as document:
        assert document.page(1).text == "Paid to a well-\nknown baker"


def test_letters_that_a_font_does_not_explain_are_no_text(tmp_path):
    codes = "".join(f"\\{code:03o}" for code in range(1, 32))
    with opened(tmp_path, text_pdf(codes + "and a few letters")) as document:
        assert document.page(1).text == ""
