"""Many contacts in two campaigns, persons on two lists, shared numbers, many workers at once."""

from datetime import UTC, datetime

from tests.factories import Factory, fictional_number
from tests.faults.site import AT_ONCE, Site

CAMPAIGNS = 2
BUSY_WORKER = {
    "chances": {"ANSWERED": 12, "NO_ANSWER": 4, "BUSY": 2, "MACHINE": 1},
    "time_scale": 0.0002,  # calls of 2 to 36 ms
    "concurrency": 20,
    "lease": 30,
}


def load_crowd(site: Site, contacts: int, *, sharing: int) -> None:
    """Load two lists into two campaigns, all due, in an order of chance.

    Every contact has two numbers. One in `sharing` of the second list is a person of the first, and
    another one in `sharing` lives with somebody on the first: another person, the same numbers.
    """
    make = Factory(site.connection)
    lists = (make.contact_list(), make.contact_list())
    half = contacts // 2
    now = datetime.now(UTC)
    with site.connection.transaction(), site.connection.cursor() as cursor:
        columns = "contact_list_id, person_key, created_at, updated_at"
        with cursor.copy(f"copy contact ({columns}) from stdin".encode()) as copy:
            for place in range(contacts):
                on_list, nth = divmod(place, half)
                person = f"person {nth}" if nth % sharing == 0 else None
                copy.write_row((lists[on_list], person, now, now))
        ids = [row["contact_id"] for row in site.rows("select contact_id from contact order by 1")]
        columns = "contact_id, entry_position, e164, entered"
        with cursor.copy(f"copy contact_phone ({columns}) from stdin".encode()) as copy:
            for place, contact in enumerate(ids):
                household = place % half if place % half % sharing == 1 else place
                for position in range(2):
                    number = fictional_number(100 + 2 * household + position)
                    copy.write_row((contact, position, number, number))
        for _ in range(CAMPAIGNS):
            campaign = make.campaign(**AT_ONCE)
            site.time(campaign, "1 s", "1 s")
            cursor.execute("update campaign set check_duplicate = 'NEVER'")
            for contact_list in lists:
                make.attach(campaign, contact_list)
        cursor.execute("update hopper_entry set scheduled_at = clock() - random() * interval '1 h'")


def start_crowd(site: Site, workers: int) -> None:
    """Start two servers, and workers of which every other one begins on claim."""
    address = site.serve(2)
    for place in range(workers):
        site.work(address, seed=place, begin_on_claim=place % 2 == 0, **BUSY_WORKER)
