"""Small PDFs: of text and lines written by hand, of scans made with Pillow."""

from __future__ import annotations

from io import BytesIO


def text_pdf(*pages: str, rotate: int = 0, media: tuple[float, float] = (300, 200)) -> bytes:
    """A page of printed text for each of `pages`, in points; lines are parted by line feeds."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for number, text in enumerate(pages):
        lines = " ".join(f"({line}) Tj T*" for line in text.split("\n"))
        stream = f"BT /F1 14 Tf 20 {media[1] - 40} Td 18 TL {lines} ET".encode()
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {media[0]} {media[1]}] /Rotate {rotate}"
            f" /Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return written(objects)


def written(objects: list[bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def scanned_pdf(*pages, dpi: int = 150) -> bytes:
    """A page for each picture, which fills it."""
    stream = BytesIO()
    first, *others = pages
    first.save(stream, "PDF", save_all=True, append_images=others, resolution=dpi)
    return stream.getvalue()


def composed_pdf(content: bytes, *things: bytes, media: tuple[int, int] = (300, 200)) -> bytes:
    """One page of `content`, which draws `things` as /X0, /X1 … (objects 6, 7 …) and writes with the font /F1."""
    names = b" ".join(b"/X%d %d 0 R" % (number, 6 + number) for number in range(len(things)))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 5 0 R" % media
    return written(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            page + b" /Resources << /Font << /F1 3 0 R >> /XObject << %s >> >> >>" % names,
            _stream(b"", content),
            *things,
        ]
    )


def picture_object(picture, more: bytes = b"", data: bytes | None = None) -> bytes:
    """A grey picture as JPEG, or with `data` in place of it; `more` goes into its description."""
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=90)
    sides = b"/Width %d /Height %d" % picture.size
    kind = b"/Subtype /Image %s /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode %s"
    return _stream(kind % (sides, more), stream.getvalue() if data is None else data)


def form_object(content: bytes, thing: bytes) -> bytes:
    """What draws object number `thing` as /X0, in a square of one point a side."""
    kind = b"/Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X0 %s 0 R >> >>"
    return _stream(kind % thing, content)


def _stream(means: bytes, data: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (means, len(data), data)
