"""The reader divides any text as the csv module does, however it is cut, and knows every line."""

import csv
import io
import time
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.csv_import import CsvError, CsvReader, Record

PIECES = ["a", "b", '"', '""', ",", "\n", "\r\n", "\r", "\u00e9", "\U0001f600", ";"]
texts = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def read(pieces: list[bytes], separator: str = ",") -> tuple[list[Record], tuple[int, str] | None]:
    """Return the rows, and line and reason of the error that ended them."""
    reader = CsvReader(separator, "utf-8")
    records: list[Record] = []
    try:
        for place, piece in enumerate(pieces):
            records += reader.feed(piece, is_last=place == len(pieces) - 1)
    except CsvError as error:
        return records, (error.line, error.reason)
    return records, None


@settings(max_examples=2000, deadline=None)
@given(texts)
@example('a,"b\r\nc""",d"e\n')
@example('"a"b,"c\nd",e\n')
def test_rows_and_cells_are_those_of_the_csv_module(text):
    records, error = read([text.encode()])
    lines_are_lf = text.replace("\r\n", "\n").replace("\r", "\n")
    expected = list(csv.reader(io.StringIO(lines_are_lf, newline="")))
    expected = [cells for cells in expected if cells]
    if error is not None:
        assert error[1] == "opens a quote that is never closed"
        # the csv module takes the rest of the file for the last cell
        assert len(expected) - len(records) in {0, 1}
    else:
        assert len(expected) == len(records)
    for record, cells in zip(records, expected, strict=False):
        assert record.reason or record.cells == cells


@settings(max_examples=1000, deadline=None)
@given(texts, st.lists(st.integers(0, 60), max_size=6))
def test_cuts_do_not_matter(text, cuts):
    data = text.encode()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[begin:end] for begin, end in pairwise(places)]
    assert read(pieces) == read([data])


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_bytes_are_rows_or_an_error_and_cuts_do_not_matter(data, cut):
    assert read([data[:cut], data[cut:]]) == read([data])


@settings(max_examples=500, deadline=None)
@given(st.lists(st.lists(st.text("ab,\"\n'; \u00e9", max_size=6), min_size=2, max_size=4)))
def test_what_was_written_is_read_and_begins_on_its_line(rows):
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL)
    lines = []
    for row in rows:
        lines.append(written.getvalue().count("\n") + 1)
        writer.writerow(row)
    records, error = read([written.getvalue().encode()])
    assert error is None
    assert records == [Record(line, row) for line, row in zip(lines, rows, strict=True)]


@pytest.mark.parametrize(
    "line",
    ['"' * 1_000_000, '"",' * 300_000, '"a"b' * 250_000, "," * 1_000_000, '"a",' * 250_000,
     '"\n' * 500_000, '""\n' * 300_000, '"a\n","' * 150_000],
)  # fmt: skip
def test_no_text_takes_long(line):
    data = line.encode()
    pieces = [data[at : at + 100] for at in range(0, len(data), 100)]
    begun = time.process_time()
    read(pieces)
    assert time.process_time() - begun < 3
