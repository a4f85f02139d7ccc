"""Dial order is live (O3, R11): read from the view, dialed by the claim, the same for both."""

from datetime import UTC, datetime
from typing import Any

import pytest

from server import attempts
from server.attempts import Caller, EndedCall
from server.db import Database, PlainConnection
from tests.conftest import Clock
from tests.factories import Factory

PRIMARY, OFFICE, HOLIDAY = "+12025550100", "+12025550101", "+12025550102"


class Dialer:
    """Claim and report one call at a time, straight on the SQL."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def claim(self) -> dict[str, Any] | None:
        caller = Caller("w", None, 1, attempts.NOT_DIALED_DELAY, begins=True)
        [rows] = await self._db.run(lambda tx: attempts.claim(tx, [caller], None))
        return rows[0] if rows else None

    async def call(self, status: str = "NO_ANSWER") -> str | None:
        """Dial what is due; return its number, None when nothing is."""
        row = await self.claim()
        if row is None:
            return None
        await self.report(row, status)
        number: str = row["e164"]
        return number

    async def report(self, row: dict[str, Any], status: str = "NO_ANSWER") -> None:
        call = EndedCall(attempts.lease_of(row), status)

        async def work(tx: Any) -> None:
            await attempts.lock_entries(tx, [call.lease])
            await attempts.end(tx, [call])

        await self._db.run(work)

    async def calls(self, seconds: int) -> list[tuple[int, str]]:
        """Dial every second for a while; return (second, number)."""
        made = []
        for second in range(seconds + 1):
            number = await self.call()
            if number is not None:
                made.append((second, number))
            self._clock.advance(1)
        return made


@pytest.fixture
def dialer(db: Database, clock: Clock) -> Dialer:
    return Dialer(db, clock)


@pytest.fixture
def make(conn: PlainConnection, clock: Clock) -> Factory:
    """Make rows at a time that is easy to read."""
    clock.set(datetime(2026, 1, 5, 9, tzinfo=UTC))
    return Factory(conn)


def arrange(make: Factory, **settings: Any) -> tuple[int, int, int, int]:
    """Make the contact of the worked example; return campaign, contact and both types."""
    office, holiday = make.item_type("Office", 1), make.item_type("Holiday", 2)
    list_id = make.contact_list()
    contact = make.contact(list_id, PRIMARY, [(HOLIDAY, holiday), (OFFICE, office)])
    campaign = make.campaign(
        lists=[list_id],
        additional_phone_delay="60 seconds",
        **{"no_answer_retry_interval": "120 seconds"} | settings,
    )
    return campaign, contact, office, holiday


async def test_the_worked_example_holds_to_the_second(
    make: Factory, dialer: Dialer, conn: PlainConnection
) -> None:
    campaign, *_ = arrange(make)

    made = await dialer.calls(660)

    round_ = [PRIMARY, OFFICE, HOLIDAY]
    minutes = [0, 1, 2, 4, 5, 6, 8, 9, 10]
    assert made == [
        (60 * minute, number) for minute, number in zip(minutes, round_ * 3, strict=True)
    ]
    [final] = make.rows("select * from final")
    assert final["campaign_id"] == campaign
    assert final["last_e164"] == HOLIDAY
    assert (final["attempts"], final["cycles"], final["reason"]) == (9, 3, "RETRY_LIMIT")
    assert make.rows("select count(*) as calls from history") == [{"calls": 9}]
    assert conn.execute("select * from conservation where not holds").fetchall() == []


async def test_a_type_moved_in_front_of_the_number_just_called_is_called_next(
    make: Factory, dialer: Dialer, conn: PlainConnection, clock: Clock
) -> None:
    _, _, _, holiday = arrange(make)
    last = make.item_type("Mobile", 9)
    conn.execute(
        "update contact_phone set contact_item_type_id = %s where e164 = %s", [last, OFFICE]
    )
    conn.execute(
        "update contact_item_type set order_by = 3 where contact_item_type_id = %s", [holiday]
    )
    assert await dialer.call() == PRIMARY
    clock.advance(60)
    assert await dialer.call() == HOLIDAY
    conn.execute(
        "update contact_item_type set order_by = 1 where contact_item_type_id = %s", [last]
    )
    clock.advance(60)

    assert await dialer.call() == OFFICE
    clock.advance(60)
    assert await dialer.call() is None, "the cycle is over"


async def test_a_renamed_type_changes_a_tie_at_once(
    make: Factory, dialer: Dialer, conn: PlainConnection, clock: Clock
) -> None:
    _, _, office, holiday = arrange(make)
    conn.execute("update contact_item_type set order_by = 1")
    assert await dialer.call() == PRIMARY
    assert [row["e164"] for row in make.rows("select e164 from hopper_additional_phones")] == [
        HOLIDAY,
        OFFICE,
    ]
    conn.execute(
        "update contact_item_type set name = 'Zuhause', sort_name = 'zuhause'"
        " where contact_item_type_id = %s",
        [holiday],
    )
    clock.advance(60)

    assert await dialer.call() == OFFICE
    assert office != holiday


async def test_a_number_that_vanishes_between_report_and_claim_never_brings_the_cycle_forward(
    make: Factory, dialer: Dialer, conn: PlainConnection, clock: Clock
) -> None:
    arrange(make)
    assert await dialer.call() == PRIMARY
    clock.advance(60)
    assert await dialer.call() == OFFICE
    # Holiday is due in 60 s; without it the next cycle is due in 120 s.
    conn.execute("delete from contact_phone where e164 = %s", [HOLIDAY])
    clock.advance(60)
    assert await dialer.call() is None
    assert make.rows("select attempts, state from hopper_entry") == [
        {"attempts": 2, "state": "READY"}
    ]
    clock.advance(59)
    assert await dialer.call() is None
    clock.advance(1)
    assert await dialer.call() == PRIMARY


async def test_a_number_added_in_mid_cycle_is_dialed_in_its_place(
    make: Factory, dialer: Dialer, clock: Clock
) -> None:
    _, contact, office, _ = arrange(make)
    assert await dialer.call() == PRIMARY
    clock.advance(60)
    assert await dialer.call() == OFFICE
    added = make.phone(contact, 3, "+12025550103", office)
    clock.advance(60)

    assert await dialer.call() == added
    clock.advance(60)
    assert await dialer.call() == HOLIDAY


async def test_a_cycle_number_advances_when_its_first_call_begins(
    make: Factory, dialer: Dialer, clock: Clock
) -> None:
    _, contact, office, _ = arrange(make)
    for _ in range(3):
        assert await dialer.call()
        clock.advance(60)
    assert make.rows("select cycle from hopper_entry") == [{"cycle": 1}]
    # 60 s after the last call; the next cycle is due in 60 s, but an added number is pending now.
    added = make.phone(contact, 3, "+12025550103", office)
    clock.advance(60)
    assert await dialer.call() == added
    assert make.rows("select cycle from hopper_entry") == [{"cycle": 1}]
    clock.advance(120)

    assert await dialer.call() == PRIMARY
    assert make.rows("select cycle from hopper_entry") == [{"cycle": 2}]


async def test_tallies_outlive_the_removal_of_a_number(
    make: Factory, dialer: Dialer, conn: PlainConnection, clock: Clock
) -> None:
    _, contact, office, _ = arrange(make, no_answer_max_attempts=1)
    assert await dialer.call() == PRIMARY
    clock.advance(60)
    assert await dialer.call() == OFFICE
    conn.execute("delete from contact_phone where e164 = %s", [OFFICE])
    make.phone(contact, 3, OFFICE, office)
    clock.advance(60)

    assert await dialer.call() == HOLIDAY
    assert make.rows("select reason, attempts from final") == [
        {"reason": "RETRY_LIMIT", "attempts": 3}
    ]
