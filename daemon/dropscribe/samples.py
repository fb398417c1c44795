"""The five sample scans of the demo, drawn here: what a household scans, in invented words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from dropscribe.sheet import BLACK, BLUE, GREY, PALE, RED, Sheet, grain, jpeg, png, wood

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Sample:
    """`text` is what a perfect reader returns, up to white space; `make` gives the same bytes each time."""

    name: str
    make: Callable[[], bytes]
    text: str
    title: str


# --- a letter

_SENDER = ("Hazel Lindqvist", "14 Orchard Lane", "Wexbridge")
_DATE = "3 May 2026"
_LETTER = """\
Dear Mr. Okafor,

Thank you for lending us your long ladder last week. The gutters are clean again, the swallows have
moved back in above the porch, and nobody fell off anything.

You will find the ladder behind your shed, together with a jar of quince jelly. The jelly is a present.
Please keep the jar too, because we own far too many.

May we ask you one more favour? From 9 to 16 June we will be walking in the hills, and the tomatoes get
thirsty every evening. The blue watering can stands next to the tap. Whatever ripens in that week is
yours, of course.

If anything happens, my number is 0555 0142. The cat needs nothing, whatever he tells you.

With kind regards,"""
_SIGNED = "Hazel Lindqvist"


def _letter() -> bytes:
    sheet = Sheet(1240, 1754, (253, 252, 249), 150)
    sheet.line(_SENDER[0], 34, ink=BLUE, bold=True)
    for line in _SENDER[1:]:
        sheet.line(line, 26, ink=GREY)
    sheet.skip(18)
    sheet.rule(BLUE)
    sheet.skip(50)
    sheet.line(_DATE, 28, align="right")
    sheet.skip(50)
    for paragraph in _LETTER.split("\n\n"):
        sheet.paragraph(paragraph, 30)
        sheet.skip(28)
    sheet.skip(60)
    sheet.line(_SIGNED, 30)
    return png(sheet.image)


# --- a receipt

_SHOP = ("The Copper Kettle", "Tea room and bakery", "8 Harbour Street, Wexbridge")
_BOUGHT = (
    ("2 Pot of tea", "7.80"),
    ("1 Cheese scone", "3.40"),
    ("2 Carrot cake", "9.00"),
    ("1 Rye loaf, sliced", "4.60"),
    ("3 Cinnamon bun", "8.70"),
)
_SUMS = (("Subtotal", "33.50"), ("Tax 10%", "3.35"))
_TOTAL = ("TOTAL", "36.85")
_PAID = (("Cash", "40.00"), ("Change", "3.15"))
_FAREWELL = ("Table 7", "Served by Mirela", "12 April 2026 16:42", "Thank you, come again soon!")


def _receipt() -> bytes:
    sheet = Sheet(620, 1180, (247, 244, 236), 56)
    stops = (sheet.left, sheet.right)
    sheet.line(_SHOP[0], 44, align="middle", bold=True)
    for line in _SHOP[1:]:
        sheet.line(line, 26, align="middle")
    _dashes(sheet)
    for row in _BOUGHT:
        sheet.row(row, stops, 30)
    _dashes(sheet)
    for row in _SUMS:
        sheet.row(row, stops, 30)
    sheet.skip(8)
    sheet.row(_TOTAL, stops, 42, bold=True)
    sheet.skip(8)
    for row in _PAID:
        sheet.row(row, stops, 30)
    _dashes(sheet)
    for line in _FAREWELL:
        sheet.line(line, 26, align="middle")
    torn_off = sheet.image.crop((0, 0, 620, sheet.at + 60))
    return jpeg(grain(torn_off.filter(ImageFilter.GaussianBlur(0.6)), 10), quality=82)


def _dashes(sheet: Sheet) -> None:
    sheet.skip(18)
    for x in range(sheet.left, sheet.right, 18):
        sheet.pen.line((x, sheet.at, x + 10, sheet.at), GREY, 2)
    sheet.skip(20)


# --- a table

_TABLE_TITLE = "Allotment harvest 2025"
_TABLE_HEAD = ("Crop", "Beds", "Sown", "Harvest", "Eaten by slugs")
_TABLE = (
    ("Potatoes", "4", "28 March", "61.5", "2.0"),
    ("Onions", "2", "11 April", "18.2", "0.0"),
    ("Lettuce", "1", "2 May", "7.4", "5.9"),
    ("Courgettes", "1", "9 May", "43.8", "1.1"),
    ("Runner beans", "3", "16 May", "22.6", "0.7"),
    ("Tomatoes", "2", "23 May", "30.1", "0.3"),
    ("Pumpkins", "1", "30 May", "54.0", "4.5"),
)
_TABLE_SUM = ("Total", "14", "", "237.6", "14.5")
_TABLE_NOTE = "All weights in kilograms. The slugs were not weighed."


def _table() -> bytes:
    sheet = Sheet(1400, 980, (255, 255, 255), 90)
    stops = (110, 530, 794, 1034, 1290)
    sheet.line(_TABLE_TITLE, 46, ink=BLUE, bold=True)
    sheet.skip(24)
    sheet.pen.rectangle((sheet.left, sheet.at, sheet.right, sheet.at + 66), fill=(226, 233, 243))
    top = sheet.at
    for number, row in enumerate((_TABLE_HEAD, *_TABLE, _TABLE_SUM)):
        strong = number in {0, 1, len(_TABLE) + 1}
        sheet.rule(BLUE if strong else PALE, 3 if strong else 1)
        sheet.skip(17)
        sheet.row(row, stops, 28, bold=number in {0, len(_TABLE) + 1})
        sheet.skip(8)
    for x in (sheet.left, 400, 550, 814, 1054, sheet.right):
        sheet.pen.line((x, top, x, sheet.at), BLUE if x in {sheet.left, sheet.right} else PALE, 2)
    sheet.rule(BLUE, 3)
    sheet.skip(28)
    sheet.line(_TABLE_NOTE, 26, ink=GREY)
    return png(sheet.image)


# --- a newsletter in two columns

_MASTHEAD = ("The Linden Street Courier", "News from both sides of the road, spring issue")
# A line that begins with # is a heading.
_COLUMNS = (
    """\
# The swing is back

The old swing in the little park has been missed since the storm in November. On Saturday it returned, with
new ropes, a new seat and the same squeak. Forty neighbours came to watch.

The first push went to Agnes Bell, who is ninety-one and had been waiting for it all winter. She declared it
higher than before.

# Lost and found

Found in the post box: one left glove, green. Lost near the bakery: one right glove, green. The editors will
gladly introduce them to each other.""",
    """\
# Bread on Tuesdays

From next month the bakery will open at six on Tuesdays, so that early trains do not leave without rolls.
The ovens have agreed, the baker is still thinking about it.

# Choir needs a tenor

The street choir meets in the school hall every Thursday. It has nine sopranos, four altos, two basses and a
dog. What it does not have is a tenor.

No experience is needed. A loud voice helps, a kind ear helps more, and there is always soup afterwards.""",
)
_IMPRINT = "Printed by the residents. Please pass it on when you have read it."


def _newsletter() -> bytes:
    sheet = Sheet(1400, 1500, (252, 250, 244), 100)
    sheet.line(_MASTHEAD[0], 72, align="middle", bold=True)
    sheet.line(_MASTHEAD[1], 28, align="middle", ink=GREY)
    sheet.skip(14)
    sheet.rule(BLACK, 4)
    sheet.skip(46)
    top, ends = sheet.at, []
    for column, left, right in zip(_COLUMNS, (100, 740), (660, 1300), strict=True):
        sheet.left, sheet.right, sheet.at = left, right, top
        _column(sheet, column)
        ends.append(sheet.at)
    sheet.pen.line((700, top, 700, max(ends) - 40), (200, 196, 186), 2)
    sheet.left, sheet.right, sheet.at = 100, 1300, max(ends) + 10
    sheet.rule(BLACK, 2)
    sheet.skip(24)
    sheet.line(_IMPRINT, 26, align="middle", ink=GREY)
    return png(sheet.image.crop((0, 0, 1400, sheet.at + 70)))


def _column(sheet: Sheet, text: str) -> None:
    for number, paragraph in enumerate(text.split("\n\n")):
        if paragraph.startswith("# "):
            sheet.skip(22 if number else 0)
            sheet.line(paragraph[2:], 38, ink=RED, bold=True)
            sheet.skip(8)
        else:
            sheet.paragraph(paragraph, 28)
            sheet.skip(18)


# --- a photo taken with a phone, stored sideways

_RECIPE = "Grandma Ida's plum cake"
_NEEDED = (
    "1 kg plums, cut in half",
    "250 g flour",
    "150 g soft butter",
    "120 g sugar",
    "3 eggs",
    "1 pinch of salt",
)
_STEPS = (
    "Stir butter, sugar and eggs until the mixture is pale. Add flour and salt.",
    "Spread the dough on a tray and set the plums on it in rows, like soldiers.",
    "Bake for 40 minutes at 180 degrees. Let it cool down, if you can.",
)


def _photo() -> bytes:
    card = Sheet(900, 1040, (252, 248, 238), 80)
    card.line(_RECIPE, 50, ink=RED, bold=True)
    card.rule(RED, 3)
    card.skip(40)
    for line in _NEEDED:
        card.line(line, 32)
    card.skip(36)
    for step in _STEPS:
        card.paragraph(step, 32)
        card.skip(22)
    desk = wood(1300, 1500)
    shadow = Image.new("L", desk.size, 0)
    ImageDraw.Draw(shadow).rectangle((212, 242, 1124, 1292), fill=150)
    desk.paste((20, 12, 8), mask=shadow.filter(ImageFilter.GaussianBlur(22)))
    desk.paste(card.image, (200, 220))
    # what the lens sees of the desk: a little from the side, and not quite straight
    seen = desk.transform(
        (1200, 1400),
        Image.Transform.QUAD,
        (70, 20, 20, 1460, 1290, 1490, 1200, 60),
        Image.Resampling.BICUBIC,
    )
    light = (
        Image.radial_gradient("L")
        .resize(seen.size)
        .point([255 - 80 * level**2 // 255**2 for level in range(256)])
    )
    lit = ImageChops.multiply(seen, Image.merge("RGB", (light, light, light)))
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg(grain(lit, 9).transpose(Image.Transpose.ROTATE_90), quality=88, exif=exif.tobytes())


def _rows(*rows: Sequence[str]) -> str:
    return "\n".join("  ".join(cell for cell in row if cell) for row in rows)


SAMPLES = (
    Sample("letter.png", _letter, "\n\n".join(["\n".join(_SENDER), _DATE, _LETTER, _SIGNED]), "a letter"),
    Sample(
        "receipt.jpg",
        _receipt,
        "\n".join([*_SHOP, _rows(*_BOUGHT, *_SUMS, _TOTAL, *_PAID), *_FAREWELL]),
        "a receipt",
    ),
    Sample(
        "table.png",
        _table,
        "\n".join([_TABLE_TITLE, _rows(_TABLE_HEAD, *_TABLE, _TABLE_SUM), _TABLE_NOTE]),
        "a table",
    ),
    Sample(
        "two-columns.png",
        _newsletter,
        "\n\n".join(["\n".join(_MASTHEAD), *_COLUMNS, _IMPRINT]).replace("# ", ""),
        "a newsletter in two columns",
    ),
    Sample(
        "phone.jpg",
        _photo,
        "\n\n".join([_RECIPE, "\n".join(_NEEDED), *_STEPS]),
        "a photo, stored sideways by the phone",
    ),
)
"""In the order in which the demo drops them."""
