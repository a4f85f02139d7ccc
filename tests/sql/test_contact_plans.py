"""What people search by has an index, also in plans made for any parameters (C6)."""

from typing import Any

import pytest

from server.db import PlainConnection
from server.queries import load_queries
from tests.factories import Factory

QUERIES = load_queries()


@pytest.fixture
def many(conn: PlainConnection) -> PlainConnection:
    """Give a database with 20,000 contacts in 200 lists, analysed, without custom plans."""
    make = Factory(conn)
    lists = [make.contact_list() for _ in range(200)]
    conn.execute(
        """
        insert into contact
          (contact_list_id, first_name, first_name_key, last_name, last_name_key, created_at,
           updated_at)
        select (%s::bigint[])[1 + (i - 1) / 100], 'Ada', 'ada' || i, 'Byron', 'byron' || i,
          clock(), clock()
        from generate_series(1, 20000) i
        """,
        (lists,),
    )
    conn.execute(
        """
        insert into contact_phone (contact_id, entry_position, e164, entered)
        select contact_id, 0, '+1' || 2000000000 + contact_id, '' from contact
        """
    )
    conn.execute("analyze")
    conn.execute("set plan_cache_mode = force_generic_plan")
    return conn


def plan(conn: PlainConnection, name: str, **parameters: Any) -> str:
    # A prepared statement: a generic plan knows no parameter.
    query = QUERIES[name].sql
    types = {int: "bigint", str: "text", type(None): "bigint"}
    for parameter, value in parameters.items():
        query = query.replace(f"%({parameter})s", f"${list(parameters).index(parameter) + 1}")
        assert type(value) in types
    declared = ", ".join(types[type(value)] for value in parameters.values())
    conn.execute(f"prepare searched ({declared}) as {query}".encode())
    values = ", ".join("null" if value is None else f"'{value}'" for value in parameters.values())
    rows = conn.execute(f"explain execute searched ({values})".encode()).fetchall()
    return "\n".join(row["QUERY PLAN"] for row in rows)


def test_a_number_is_looked_up_by_its_index(many):
    found = plan(many, "lookup_contacts", e164="+12000000007", after_contact_id=0, row_limit=101)
    assert "contact_phone_by_number" in found
    assert "Seq Scan on contact" not in found.replace("Seq Scan on contact_item_type", "")


def test_a_name_is_found_by_both_name_indexes(many):
    found = plan(
        many,
        "find_contacts",
        first_key="ada1999",
        last_key="ada1999\U0010ffff",
        contact_list_id=None,
        after_contact_id=0,
        row_limit=101,
    )
    assert "contact_by_first_name" in found
    assert "contact_by_last_name" in found


def test_a_list_is_read_in_order_by_its_index(many):
    found = plan(
        many, "list_contacts_of_list", contact_list_id=1, after_contact_id=0, row_limit=101
    )
    assert "contact_of_list" in found


def test_all_contacts_are_read_in_order_by_the_primary_key(many):
    found = plan(many, "list_contacts", after_contact_id=0, row_limit=101)
    assert "contact_pkey" in found
    assert "Sort Key: contact.contact_id" not in found
