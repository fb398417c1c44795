import io

import pytest
from PIL import Image, ImageOps
from rich.console import Console

from dropscribe.cli.preview import UPPER_HALF, half_blocks, side_by_side
from tests.reading_pictures.scans import drawing, saved


def printed(renderable, *, width=100, colours="truecolor", **options):
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=True,
        color_system=colours,
        legacy_windows=False,
        _environ={},
        **options,
    )
    console.print(renderable)
    return out.getvalue()


def colours_of(text):
    return [(span.style.color.triplet, span.style.bgcolor.triplet) for span in text.spans]


def test_each_character_shows_two_pixels():
    image = Image.new("RGB", (2, 2))
    image.putdata([(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 9, 9)])
    text = half_blocks(image, 2, 1)
    assert text.plain == UPPER_HALF * 2
    assert colours_of(text) == [((255, 0, 0), (0, 0, 255)), ((0, 255, 0), (9, 9, 9))]


@pytest.mark.parametrize("sides", [(100, 100), (1000, 40), (40, 1000), (1, 1), (3, 500)])
@pytest.mark.parametrize(("columns", "rows"), [(40, 30), (7, 3), (1, 1)])
def test_a_picture_of_any_shape_fits_its_place(sides, columns, rows):
    lines = half_blocks(Image.new("L", sides), columns, rows).plain.split("\n")
    assert len(lines) <= rows
    assert {len(line) for line in lines} <= set(range(1, columns + 1))
    assert len({len(line) for line in lines}) == 1


def test_a_scan_stored_sideways_is_shown_upright():
    exif = Image.Exif()
    exif[274] = 6
    stored = saved(drawing().rotate(90, expand=True), "PNG", exif=exif.tobytes())
    turned = ImageOps.exif_transpose(Image.open(io.BytesIO(stored)))
    assert turned.size == (160, 120)
    assert half_blocks(stored, 40, 20) == half_blocks(drawing(), 40, 20)


def test_scan_and_text_stand_side_by_side_within_the_width():
    shown = printed(
        side_by_side(saved(drawing(), "JPEG"), "the words\nof the scan\n", "scan.jpg: a drawing", 90)
    )
    assert "the words" in shown
    assert "scan.jpg: a drawing" in shown
    assert UPPER_HALF in shown
    plain = printed(side_by_side(saved(drawing(), "JPEG"), "x", "t", 90), colours=None)
    assert {len(line) for line in plain.splitlines()} == {90}


def test_a_text_is_not_wrapped_to_make_room_for_its_scan():
    line = "You will find the ladder behind your shed, together with a jar of jelly."
    shown = printed(side_by_side(saved(drawing(), "PNG"), line, "letter.png", 80), width=80)
    assert UPPER_HALF in shown
    assert any(line in each for each in shown.splitlines())


@pytest.mark.parametrize(
    "options", [{"colours": None}, {"width": 60}, {"no_color": True}, {"colours": "standard"}], ids=str
)
def test_without_colours_or_room_there_is_the_text_alone(options):
    shown = printed(side_by_side(saved(drawing(), "PNG"), "the words of the scan", "scan", 100), **options)
    assert UPPER_HALF not in shown
    assert "the words of the scan" in shown


def test_what_was_read_is_neither_markup_nor_a_command_to_the_terminal():
    shown = printed(
        side_by_side(drawing(), "[bold red]as printed[/] \x1b]0;owned\x07", "[i]name[/i]", 100), colours=None
    )
    assert "[bold red]as printed[/]" in shown
    assert "[i]name[/i]" in shown
    assert "\x1b" not in shown
