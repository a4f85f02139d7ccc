"""Every named block is valid, and the hot ones are planned as they must be."""

import re
from pathlib import Path
from typing import Any

import pytest

from server.db import PlainConnection
from server.queries import load_queries
from tests.factories import Factory

QUERIES = load_queries()
SQL = Path(__file__).parents[2] / "server" / "sql"


def test_every_block_can_be_prepared(conn: PlainConnection) -> None:
    for name, query in QUERIES.items():
        places = {one: f"${place}" for place, one in enumerate(sorted(query.parameters), 1)}

        def place(match: re.Match[str], places: dict[str, str] = places) -> str:
            return places[match[1]]

        statement = re.sub(r"%\((\w+)\)s", place, query.sql)
        conn.execute(f"prepare {name} as {statement}".encode())


def test_every_block_says_what_it_does() -> None:
    assert [name for name, query in QUERIES.items() if not query.documentation.strip()] == []


def test_no_statement_locks_rows_under_a_limit_in_a_subquery_of_in() -> None:
    """PostgreSQL may lock and update more rows than the limit there (bug 15715)."""
    shape = re.compile(
        r"\bin\s*\(\s*select[^()]*\blimit\b[^()]*\bfor\s+(no key )?update", re.IGNORECASE
    )
    assert shape.search("where id in (select id from t limit 1 for update skip locked)")
    for file in SQL.rglob("*.sql"):
        assert not shape.search(file.read_text()), file.name


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in _nodes(child))]


def _explain(conn: PlainConnection, statement: str, **parameters: Any) -> list[dict[str, Any]]:
    found = conn.execute(f"explain (analyze, format json) {statement}".encode(), parameters)
    row = found.fetchone()
    assert row is not None
    return _nodes(row["QUERY PLAN"][0]["Plan"])


@pytest.fixture
def crowded(conn: PlainConnection) -> int:
    """Make a campaign of 20,000 entries with three numbers each, all due; return its id."""
    make = Factory(conn)
    types = [make.item_type("Office", 1), make.item_type("Holiday Home", 2)]
    list_id = make.contact_list()
    conn.execute(
        """
        with added as (
          insert into contact (contact_list_id, created_at, updated_at)
          select %s, clock(), clock() from generate_series(1, 20000)
          returning contact_id
        )
        insert into contact_phone
        select contact_id, place, '+99' || contact_id || '0' || place, '', (%s::bigint[])[place]
        from added, generate_series(0, 2) as place
        """,
        [list_id, types],
    )
    campaign_id = make.campaign(lists=[list_id])
    conn.execute("analyze")
    return campaign_id


def test_finding_due_entries_reads_the_index_and_no_more_than_it_claims(
    conn: PlainConnection, crowded: int
) -> None:
    nodes = _explain(
        conn, QUERIES["lock_due_entries"].sql, campaign_ids=[crowded], max_attempts=100
    )

    on_entries = [node for node in nodes if node.get("Relation Name") == "hopper_entry"]
    assert on_entries
    for node in on_entries:
        assert node["Node Type"] in {"Index Scan", "Index Only Scan"}
        assert node["Actual Rows"] <= 100


def test_claiming_looks_at_the_claimed_entries_only(conn: PlainConnection, crowded: int) -> None:
    found = conn.execute("select contact_id from hopper_entry limit 100").fetchall()
    with conn.transaction(force_rollback=True):
        nodes = _explain(
            conn,
            QUERIES["claim_attempts"].sql,
            campaign_ids=[crowded] * 100,
            contact_ids=[row["contact_id"] for row in found],
            worker_ids=["w"],
            lease_tokens=["0b3b4b5e-3c0a-4b7e-9a53-6a0c9a6d3a01"],
            max_attempts=[100],
            leases=["60 s"],
            begins=[True],
        )

    read = {node["Relation Name"] for node in nodes if "Relation Name" in node}
    assert {"hopper_entry", "contact_phone", "contact"} <= read
    for node in nodes:
        if node.get("Relation Name") in {"hopper_entry", "contact_phone", "contact"}:
            assert node["Node Type"] != "Seq Scan", node


def test_the_view_of_one_contact_reads_that_contact_only(
    conn: PlainConnection, crowded: int
) -> None:
    nodes = _explain(
        conn,
        "select * from hopper_additional_phones"
        " where campaign_id = %(campaign_id)s and contact_id = 77",
        campaign_id=crowded,
    )
    on_phones = [node for node in nodes if node.get("Relation Name") == "contact_phone"]
    assert on_phones
    assert all(node["Actual Rows"] <= 3 for node in on_phones)
