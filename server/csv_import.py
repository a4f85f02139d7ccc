"""Read CSV a piece at a time, in constant memory, and know on which line every row begins.

Nothing is trusted to end: characters, quotes and line ends may be cut anywhere between two pieces,
and a line, a row or a cell that never ends is refused as soon as it is too long.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_ROW: Final = 1024 * 1024
"""Characters of one row, the line ends inside its cells included."""
MAX_CELL: Final = 32 * 1024
"""Characters of one cell."""

CODECS: Final = {"utf-8": "utf-8-sig", "latin-1": "latin-1"}
"""Python's name for each encoding that a caller may name. A byte order mark is passed over."""


class CsvError(Exception):
    """Refuse a file as a whole.

    Attributes:
        line: Where, from 1.
        reason: The end of the sentence "file ... in line 7".
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class Record(NamedTuple):
    """Hold one row of the file; the first one is the header.

    Attributes:
        line: The line that it begins on, from 1. Line ends inside cells count too.
        cells: Its cells as they stand, with LF for every line end; empty when there is a reason.
        reason: Why the row cannot be divided into cells; None when it can.
    """

    line: int
    cells: list[str]
    reason: str | None = None


class CsvReader:
    """Divide pieces of a file into rows. Lines that hold nothing but white space are passed over.

    A quote opens a quoted cell at the beginning of a cell only; `""` inside one is a quote. Lines
    end with LF, CRLF or CR.
    """

    def __init__(self, separator: str, encoding: str) -> None:
        """Begin with line 1.

        Args:
            separator: One character, neither a quote nor a line end.
            encoding: A key of CODECS.
        """
        self._separator = separator
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(CODECS[encoding])()
        self._line_ends = io.IncrementalNewlineDecoder(None, translate=True)
        self._quotes = _Quotes(separator)
        self._line = 1  # the line that is being read
        self._tail: list[str] = []  # its beginning, when the rest is still to come
        self._tail_length = 0
        self._open: list[str] = []  # the earlier lines of the row that is being read
        self._open_length = 0
        self._open_line = 0
        self._is_quoted = False

    def feed(self, piece: bytes, *, is_last: bool = False) -> Iterator[Record]:
        """Take the next piece of the file and give the rows that are whole now.

        The iterator must be used up before the next piece.

        Args:
            piece: Any number of bytes.
            is_last: No piece follows.

        Raises:
            CsvError: The file cannot be read. Rows before the error were given.
        """
        text, error = self._decode(piece, is_last=is_last)
        text, nul, _ = text.partition("\0")
        ends_here = is_last or bool(nul) or error is not None
        text = self._line_ends.decode(text, final=ends_here)
        first, *others = text.split("\n")
        self._tail.append(first)
        self._tail_length += len(first)
        for line in others:
            yield from self._take_line("".join(self._tail))
            self._tail = [line]
            self._tail_length = len(line)
        self._check_length(self._open_length + self._tail_length)
        if nul:
            raise CsvError(self._line, "has a NUL character")
        if error:
            raise CsvError(self._line, error)
        if is_last:
            yield from self._take_line("".join(self._tail))
            if self._is_quoted:
                raise CsvError(self._open_line, "opens a quote that is never closed")

    def _decode(self, piece: bytes, *, is_last: bool) -> tuple[str, str | None]:
        """Return the text up to the first byte that is no text, and what is wrong with it."""
        try:
            return self._decoder.decode(piece, is_last), None
        except UnicodeDecodeError as error:
            text = error.object[: error.start].decode(self._encoding)
            byte = error.object[error.start]
            return text.removeprefix("\ufeff"), f"has the byte {byte:#04x}, which is not UTF-8,"

    def _take_line(self, line: str) -> Iterator[Record]:
        begins = not self._is_quoted
        if begins and (not line or line.isspace()):
            self._line += 1
            return
        if begins:
            self._open_line = self._line
        self._open.append(line)
        self._open_length += len(line) + 1
        self._check_length(self._open_length - 1)
        if '"' in line:
            self._is_quoted = self._quotes.stay_open(line, is_open=self._is_quoted)
        self._line += 1
        if self._is_quoted:
            return
        row = "\n".join(self._open)
        self._open = []
        self._open_length = 0
        yield self._divide(row)

    def _divide(self, row: str) -> Record:
        if '"' not in row:
            cells = row.split(self._separator)
        else:
            try:
                cells = next(csv.reader([row], delimiter=self._separator, strict=True))
            except csv.Error:
                if self._quotes.is_well_formed(row):  # csv has a limit of its own, above ours
                    raise self._long_cell() from None
                return Record(self._open_line, [], "has text after a closing quote")
        if len(row) > MAX_CELL and max(map(len, cells)) > MAX_CELL:
            raise self._long_cell()
        return Record(self._open_line, cells)

    def _long_cell(self) -> CsvError:
        return CsvError(self._open_line, f"has a cell of more than {MAX_CELL:,} characters")

    def _check_length(self, length: int) -> None:
        if length > MAX_ROW:
            raise CsvError(
                self._open_line if self._open else self._line,
                f"has a row of more than {MAX_ROW:,} characters (is a closing quote missing?)",
            )


class _Quotes:
    """Tell where quoted cells end. The patterns never step back, so their time is linear."""

    def __init__(self, separator: str) -> None:
        between = re.escape(separator)
        inside = r'[^"]*+(?:""[^"]*+)*+'
        plain = f'[^"{between}][^{between}]*+'
        cell = f'(?:"{inside}"[^{between}]*+|{plain}|)'
        self._opens = re.compile(f'(?:{cell}{between})*+"{inside}\\Z')
        self._closes = re.compile(f'{inside}"[^{between}]*+')
        strict = f'(?:"{inside}"|{plain}|)'
        self._well_formed = re.compile(f"{strict}(?:{between}{strict})*+\\Z")

    def stay_open(self, line: str, *, is_open: bool) -> bool:
        """Tell whether the line ends inside a quoted cell, when it begins inside or outside one."""
        begin = 0
        if is_open:
            closed = self._closes.match(line)
            if closed is None:
                return True
            begin = closed.end() + 1
        return self._opens.match(line, begin) is not None

    def is_well_formed(self, row: str) -> bool:
        """Tell whether every quoted cell of a row ends with its closing quote."""
        return self._well_formed.match(row) is not None
