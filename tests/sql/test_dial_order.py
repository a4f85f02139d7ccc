"""The order in which a contact's numbers are dialed (O1), as the view dial_order has it."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from server.db import PlainConnection, connect
from server.migrate import migrate
from tests.factories import Factory

SCHEMA = "callhopper"


@pytest.fixture
def make(conn: PlainConnection) -> Factory:
    return Factory(conn)


@pytest.fixture
def order(make: Factory) -> Callable[[int], list[str]]:
    return lambda contact_id: dial_order(make, contact_id)


def dial_order(make: Factory, contact_id: int) -> list[str]:
    """Return each number's type, or its place of entry where it has none, in dial order."""
    rows = make.rows(
        "select coalesce(item_type, entry_position::text) as shown, dial_position from dial_order"
        " where contact_id = %s order by dial_position",
        contact_id,
    )
    assert [row["dial_position"] for row in rows] == list(range(len(rows)))
    return [row["shown"] for row in rows]


def typed(make: Factory, *types: tuple[str, int]) -> int:
    """Add a contact with one additional phone of each new (name, order_by), entered in turn."""
    return make.contact(additional=[(None, make.item_type(*one)) for one in types])


def test_the_primary_is_first_whatever_types_there_are(make, order):
    assert order(typed(make, ("A", 1))) == ["0", "A"]


def test_a_contact_without_additional_phones_has_one_number(make, order):
    assert order(make.contact()) == ["0"]


def test_a_lower_order_goes_first_whatever_the_name(make, order):
    assert order(typed(make, ("A", 10), ("Z", 2), ("M", 1))) == ["0", "M", "Z", "A"]


def test_types_of_one_order_go_by_name_regardless_of_case(make, order):
    contact_id = typed(make, ("Zebra", 1), ("eclair", 1), ("Apple", 1), ("banana", 1))
    assert order(contact_id) == ["0", "Apple", "banana", "eclair", "Zebra"]


def test_types_of_one_order_go_by_name_regardless_of_accents(make, order):
    contact_id = typed(make, ("Zebra", 1), ("\u00c9clair", 1), ("echo", 1), ("eclat", 1))
    assert order(contact_id) == ["0", "echo", "\u00c9clair", "eclat", "Zebra"]


def test_names_that_differ_in_accents_only_have_one_order_always(make, order):
    names = ("\u00c9clair", "eclair", "Ecla\u00efr")
    contact_id = typed(make, *((name, 1) for name in names))
    other = typed(make, *((f"{name} 2", 1) for name in reversed(names)))
    assert order(contact_id) == ["0", "Ecla\u00efr", "eclair", "\u00c9clair"]
    assert order(other) == ["0", "Ecla\u00efr 2", "eclair 2", "\u00c9clair 2"]


def test_numbers_of_one_type_go_in_order_of_entry(make, order):
    office, home = make.item_type("Office", 1), make.item_type("Home", 1)
    entered = [make.number() for _ in range(4)]
    types = [office, home, office, home]
    contact_id = make.contact(additional=list(zip(entered, types, strict=True)))
    rows = make.rows(
        "select e164 from dial_order where contact_id = %s order by dial_position", contact_id
    )
    expected = [entered[1], entered[3], entered[0], entered[2]]
    assert [row["e164"] for row in rows[1:]] == expected


def test_untyped_numbers_are_last_in_order_of_entry(make, order):
    office = make.item_type("Office", 2_147_483_647)
    contact_id = make.contact(additional=[(None, None), (None, office), (None, None)])
    assert order(contact_id) == ["0", "Office", "1", "3"]


def test_a_changed_type_moves_its_numbers_at_once(make, order):
    office, home = make.item_type("Office", 1), make.item_type("Home", 2)
    contact_id = make.contact(additional=[(None, home), (None, office), (None, None)])
    assert order(contact_id) == ["0", "Office", "Home", "3"]
    make.connection.execute("update contact_item_type set order_by = 2")
    assert order(contact_id) == ["0", "Home", "Office", "3"]
    make.connection.execute(
        "update contact_item_type set name = 'Agency', name_key = 'agency', sort_name = 'agency'"
        " where contact_item_type_id = %s",
        (office,),
    )
    assert order(contact_id) == ["0", "Agency", "Home", "3"]
    make.connection.execute("update contact_phone set contact_item_type_id = null")
    assert order(contact_id) == ["0", "1", "2", "3"]


DEFAULT_COLLATIONS = (
    "locale_provider libc locale 'C'",
    "locale_provider libc locale 'en_US.UTF-8'",
    "locale_provider libc locale 'C.UTF-8'",
    "locale_provider builtin locale 'C' builtin_locale 'C.UTF-8'",
    "locale_provider icu locale 'C' icu_locale 'en-US'",
    "locale_provider icu locale 'C' icu_locale 'sv'",
    "locale_provider icu locale 'C' icu_locale 'en-US-u-kf-upper-ka-shifted'",
)


@contextmanager
def collated_databases(cluster: str) -> Iterator[Iterator[str]]:
    """Give the DSN of one migrated database after the other, of each collation known here."""
    with psycopg.connect(cluster, autocommit=True) as admin:
        made: list[str] = []

        def make_each() -> Iterator[str]:
            for place, collation in enumerate(DEFAULT_COLLATIONS):
                name = f"collated_{os.getpid()}_{place}"
                create = f"create database {name} template template0 encoding 'UTF8' {collation}"
                try:
                    admin.execute(create.encode())
                except psycopg.DatabaseError:
                    continue  # a collation that this PostgreSQL was built without
                made.append(name)
                dsn = make_conninfo(cluster, dbname=name)
                migrate(dsn, SCHEMA)
                yield dsn

        try:
            yield make_each()
        finally:
            for name in made:
                admin.execute(f"drop database {name} with (force)".encode())


def test_the_order_is_the_same_in_every_database(cluster: str) -> None:
    names = ("Zebra", "\u00c9clair", "eclair", "_x", "\u00d6zil", "a b", "ab", "\u00e5", "10", "9")
    orders = []
    with collated_databases(cluster) as databases:
        for dsn in databases:
            with closing(connect(dsn, SCHEMA, "test")) as conn:
                make = Factory(conn)
                orders.append(dial_order(make, typed(make, *((one, 1) for one in names))))
    expected = ["0", "10", "9", "_x", "\u00e5", "a b", "ab", "eclair", "\u00c9clair"]
    assert orders == [[*expected, "\u00d6zil", "Zebra"]] * len(orders)
    assert len(orders) >= 2
