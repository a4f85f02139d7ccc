"""A row in any state, in one line.

    make = Factory(connection)
    make.contact(additional=[(None, make.item_type("Office")), ("+12125550150", None)])

Every argument has a default; names and numbers are then new ones. Returns ids.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any

import phonenumbers
import psycopg
from psycopg.types.json import Jsonb

from server.convert.campaign import DEFAULT_SETTINGS
from server.names import name_key, sort_name

Connection = psycopg.Connection[dict[str, Any]]
Additional = tuple[str | None, int | None]
"""A number (None: a new one) and the id of its item type (None: untyped)."""

BRITISH = "+44 7700 900{:03}"
"""Numbers that Ofcom keeps for drama: possible, not valid."""


@lru_cache(maxsize=1)
def _area_codes() -> list[int]:
    def is_area(code: int) -> bool:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+1{code}5550100"))

    return [202, *(code for code in range(203, 1000) if is_area(code))]


def fictional_number(place: int) -> str:
    """Return one of some 45,000 numbers +1 (area) 555 01xx; the first 100 are +1 202 555 01xx."""
    area, line = divmod(place, 100)
    return f"+1{_area_codes()[area]}55501{line:02}"


class Factory:
    """Insert rows through one connection, as the server would have written them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._numbers = map(fictional_number, count(100))
        self._names: Iterator[int] = count(1)

    def number(self) -> str:
        """Return a new number. None is of area 202: those are for tests that name their own."""
        return next(self._numbers)

    def numbers(self, how_many: int) -> list[str]:
        return [self.number() for _ in range(how_many)]

    def item_type(
        self, name: str | None = None, order_by: int = 1, colour: str | None = None
    ) -> int:
        name = name or f"Type {next(self._names)}"
        return self._insert(
            """
            insert into contact_item_type
              (name, name_key, sort_name, order_by, colour, created_at, updated_at)
            values (%s, %s, %s, %s, %s, clock(), clock())
            returning contact_item_type_id as id
            """,
            (name, name_key(name), sort_name(name), order_by, colour),
        )

    def contact_list(
        self, name: str | None = None, *, region: str = "US", extensions_allowed: bool = False
    ) -> int:
        name = name or f"List {next(self._names)}"
        return self._insert(
            """
            insert into contact_list
              (name, name_key, default_region, extensions_allowed, created_at, updated_at)
            values (%s, %s, %s, %s, clock(), clock())
            returning contact_list_id as id
            """,
            (name, name_key(name), region, extensions_allowed),
        )

    def contact(
        self,
        list_id: int | None = None,
        phone: str | None = None,
        additional: Sequence[Additional] = (),
        *,
        first_name: str = "",
        last_name: str = "",
        priority: int = 2,
        earliest_call_at: datetime | None = None,
        person_key: str | None = None,
        deleted: bool = False,
    ) -> int:
        contact_id = self._insert(
            """
            insert into contact (
              contact_list_id, first_name, last_name, first_name_key, last_name_key, priority,
              earliest_call_at, person_key, created_at, updated_at, deleted_at
            )
            values (%s, %s, %s, %s, %s, %s, %s, %s, clock(), clock(), case when %s then clock() end)
            returning contact_id as id
            """,
            (
                list_id or self.contact_list(),
                first_name,
                last_name,
                name_key(first_name),
                name_key(last_name),
                priority,
                earliest_call_at,
                person_key,
                deleted,
            ),
        )
        for place, (number, type_id) in enumerate([(phone, None), *additional]):
            self.phone(contact_id, place, number, type_id)
        return contact_id

    def phone(
        self, contact_id: int, place: int, number: str | None = None, type_id: int | None = None
    ) -> str:
        """Add a number, place 0 being the primary; return it."""
        e164 = number or self.number()
        self.connection.execute(
            """
            insert into contact_phone
              (contact_id, entry_position, e164, entered, contact_item_type_id)
            values (%s, %s, %s, %s, %s)
            """,
            (contact_id, place, e164, e164, type_id),
        )
        return e164

    def contacts(self, how_many: int, list_id: int | None = None) -> list[int]:
        """Add contacts with a primary phone each, to one list."""
        list_id = list_id or self.contact_list()
        return [self.contact(list_id) for _ in range(how_many)]

    def campaign(
        self,
        name: str | None = None,
        *,
        lists: Sequence[int] = (),
        state: str = "RUNNING",
        **settings: Any,
    ) -> int:
        """Add a campaign and load its lists; settings are columns of campaign_settings."""
        name = name or f"Campaign {next(self._names)}"
        with self.connection.transaction():
            campaign_id = self._insert(
                """
                insert into campaign (
                  name, name_key, state, priority, originate_timeout, check_duplicate,
                  duplicate_scope, quarantine, max_talk, created_at, updated_at
                )
                values (
                  %s, %s, %s, 1, interval '30 s', 'ALWAYS', 'ANY_NUMBER', interval '150 s',
                  interval '7200 s', clock(), clock()
                )
                returning campaign_id as id
                """,
                (name, name_key(name), state),
            )
            columns = DEFAULT_SETTINGS | settings | {"campaign_id": campaign_id}
            self.connection.execute(
                """
                insert into campaign_settings
                select settings.*
                from jsonb_populate_record(
                  null::campaign_settings,
                  %s::jsonb || jsonb_build_object('settings_version', 1, 'created_at', clock())
                ) settings
                """,
                (Jsonb(columns),),
            )
        for list_id in lists:
            self.attach(campaign_id, list_id)
        return campaign_id

    def attach(self, campaign_id: int, list_id: int) -> None:
        """Attach a list to a campaign and load its contacts."""
        self.connection.execute(
            "insert into campaign_list (campaign_id, contact_list_id, added_at)"
            " values (%s, %s, clock())",
            (campaign_id, list_id),
        )
        self.connection.execute("select * from load_entries(%s, %s, null)", (campaign_id, list_id))

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """Return what a test wants to see."""
        return self.connection.execute(query.encode(), parameters or None).fetchall()

    def _insert(self, statement: str, parameters: Sequence[Any]) -> int:
        row = self.connection.execute(statement.encode(), parameters).fetchone()
        assert row is not None
        return int(row["id"])


def table_contents(connection: Connection) -> dict[str, list[str]]:
    """Return every row of every table as text, to see that a refused request changed nothing."""
    tables = connection.execute(
        """
        select relname from pg_class
        where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
          and not relispartition
        order by relname
        """
    ).fetchall()
    contents: dict[str, list[str]] = {}
    for table in tables:
        query = psycopg.sql.SQL("select t::text as row from {} t order by 1").format(
            psycopg.sql.Identifier(table["relname"])
        )
        contents[table["relname"]] = [row["row"] for row in connection.execute(query).fetchall()]
    return contents
