"""Named blocks: what is read, and what is refused at start."""

import pytest

from server.queries import QueryFileError, load_queries

GOOD = """-- Words, first of all.

-- name: find_word :one
-- Finds a word.
--
-- Index: word_pkey.
select ';' as semicolon -- a comment; too
from word where word = %(word)s::text and 1 %% 2 = %(one)s::int;
"""


def test_a_block_has_name_kind_documentation_and_parameters(tmp_path):
    (tmp_path / "word.sql").write_text(GOOD)
    query = load_queries(tmp_path)["find_word"]
    assert query.kind == "one"
    assert query.documentation == "Finds a word.\n\nIndex: word_pkey."
    assert query.sql.startswith("select ';'")
    assert query.parameters == {"word", "one"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select 1;\n", "SQL before the first"),
        ("-- name: find word :one\nselect 1;", "is not `-- name: a_name"),
        ("-- name: find_word\nselect 1;", "is not `-- name: a_name"),
        ("-- name: find_word :two\nselect 1;", "is not `-- name: a_name"),
        ("-- name: a :one\nselect 1;\n-- name: a :one\nselect 2;", "a is defined twice"),
        ("-- name: a :one\n-- nothing here\n", "exactly one statement"),
        ("-- name: a :one\nselect 1; select 2;", "exactly one statement"),
    ],
)
def test_a_malformed_file_is_refused_by_name(tmp_path, text, message):
    (tmp_path / "bad.sql").write_text(text)
    with pytest.raises(QueryFileError, match=message) as caught:
        load_queries(tmp_path)
    assert "bad.sql" in str(caught.value)


def test_one_name_in_two_files_is_refused(tmp_path):
    (tmp_path / "a.sql").write_text("-- name: a :one\nselect 1;")
    (tmp_path / "b.sql").write_text("-- name: a :one\nselect 1;")
    with pytest.raises(QueryFileError, match=r"b\.sql: a is defined twice"):
        load_queries(tmp_path)
