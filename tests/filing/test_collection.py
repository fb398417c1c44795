"""Lines of collections: what programs read in them, and what they never do."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.filing import collection

HEAD = b"vendor,total,filed_as,filed_at\r\n"
ROW = {"vendor": "Rewe", "total": 12.5, "filed_as": "a.png", "filed_at": "2026-01-31T12:00:00.000+00:00"}


def table(row=ROW, head=HEAD):
    return collection.line(row, head, is_table=True)


def cells(line, delimiter=","):
    return next(csv.reader(io.StringIO(line.decode(), newline=""), delimiter=delimiter))


def test_a_row_ends_with_where_its_scan_went():
    assert collection.named({"vendor": "Rewe"}, "a.png", "now") == {
        "vendor": "Rewe",
        "filed_as": "a.png",
        "filed_at": "now",
    }
    assert list(collection.named({"filed_at": 1, "_filed_at": 2}, "a", "b"))[2:] == ["filed_as", "__filed_at"]


def test_an_empty_file_gets_the_header_too():
    for head in (b"", b"\xef\xbb\xbf", b"\r\n"):
        assert table(head=head) == HEAD + table()
    assert collection.header(ROW, is_table=True) == HEAD
    assert table() == b"Rewe,12.5,a.png,2026-01-31T12:00:00.000+00:00\r\n"


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (b"filed_at,total,mine,filed_as,vendor\r\n", b"2026-01-31T12:00:00.000+00:00,12.5,,a.png,Rewe\r\n"),
        (b"\xef\xbb\xbf" + HEAD, b"Rewe,12.5,a.png,2026-01-31T12:00:00.000+00:00\r\n"),
        (HEAD.replace(b"\r\n", b"\n"), b"Rewe,12.5,a.png,2026-01-31T12:00:00.000+00:00\n"),
        (HEAD.replace(b",", b";"), b"Rewe;12.5;a.png;2026-01-31T12:00:00.000+00:00\r\n"),
        (HEAD.replace(b",", b"\t"), b"Rewe\t12.5\ta.png\t2026-01-31T12:00:00.000+00:00\r\n"),
        (HEAD.rstrip(), b"Rewe,12.5,a.png,2026-01-31T12:00:00.000+00:00\r\n"),
        (
            b'"vendor","total","filed_as","filed_at"\n1,2,3,4\n',
            b"Rewe,12.5,a.png,2026-01-31T12:00:00.000+00:00\n",
        ),
    ],
)
def test_a_table_keeps_its_own_columns_delimiter_and_line_ends(head, line):
    assert table(head=head) == line


@pytest.mark.parametrize(
    "head",
    [
        b"vendor,filed_as,filed_at\r\n",
        b"Vendor,total,filed_as,filed_at\r\n",
        b"\xff\xfev\x00e\x00n\x00",
        b"some notes\n",
        b"\x00" * 100,
        b'"vendor,total,filed_as,filed_at\r\n',
    ],
)
def test_a_table_that_lacks_a_column_gets_no_line(head):
    assert table(head=head) is None


@pytest.mark.parametrize("first", "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
@pytest.mark.parametrize("rest", ["cmd|' /C calc'!A0", "1+1", "SUM(A1)"])
def test_no_cell_begins_as_a_formula_does(first, rest):
    for value in (first + rest, " " + first + rest, first * 3 + rest):
        (read, *_) = cells(table({**ROW, "vendor": value}))
        assert read[0] not in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
        assert rest in read


def test_a_number_stays_a_number_whatever_its_sign():
    assert cells(table({**ROW, "total": -3.5}))[1] == "-3.5"
    assert cells(table({**ROW, "total": "-3,50"}))[1] == "'-3,50"
    assert cells(table({**ROW, "total": True}))[1] == "true"


@pytest.mark.parametrize("value", ["x;=1+1", "x\t=1+1", "x,=1+1", 'x"=1+1', 'x;=1+1\t=1+1,"=1+1', 'x";"=1+1'])
def test_what_another_program_takes_for_the_end_of_a_cell_begins_no_formula_there(value):
    line = table({**ROW, "vendor": value})
    for delimiter in ",;\t":
        assert not any(cell.startswith("=") for cell in cells(line, delimiter))


_VALUES = st.none() | st.text() | st.integers() | st.floats(allow_nan=False) | st.lists(st.text(), max_size=3)


@given(_VALUES, _VALUES, st.sampled_from([HEAD, HEAD.replace(b",", b";"), HEAD.replace(b"\r\n", b"\n")]))
def test_any_values_become_one_line_that_reads_back(vendor, total, head):
    line = table({**ROW, "vendor": vendor, "total": total}, head)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    delimiter = ";" if b";" in head else ","
    (read,) = csv.reader(io.StringIO(line.decode(), newline=""), delimiter=delimiter, strict=True)
    assert len(read) == 4
    assert read[2:] == [ROW["filed_as"], ROW["filed_at"]]


@given(st.dictionaries(st.text(), _VALUES, max_size=4), st.text(max_size=20))
def test_any_answer_becomes_one_line_of_json_with_all_its_values(answer, name):
    row = collection.named(answer, name, "2026")
    line = collection.line(row, b"", is_table=False)
    assert line.decode().splitlines() == [line.decode()[:-1]]
    assert json.loads(line) == row
    assert list(json.loads(line)) == list(row)
    for word in collection.words(row, is_table=False):
        assert word in line


@given(st.text(alphabet=st.characters(exclude_categories=["C"]), max_size=30))
def test_the_words_of_a_row_stand_in_its_line(name):
    row = {**ROW, "filed_as": name}
    assert all(word in table(row) for word in collection.words(row, is_table=True))
