"""ImportContacts: the call, from its header to its end, whenever that comes."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Awaitable
from typing import Any
from uuid import uuid4

import grpc
import pytest

from callhopper.v1 import contact_service_pb2 as pb
from server.services import contact_import
from tests.refusals import refused
from tests.rpc.importing import (
    GOOD,
    HEADER,
    Answers,
    Pausing,
    chunk,
    header,
    nothing_is_staged,
    numbers,
    staged_count,
    until,
    upload,
)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stage every row at once."""
    monkeypatch.setattr(contact_import, "BATCH", 1)


async def test_a_dry_run_counts_the_same_and_stores_nothing(contacts, make, unchanged):
    list_id = make.contact_list()
    make.campaign(lists=[list_id])
    file = "phone,additional_phone\n+12025550100,12\n12,\n+12025550100,+12025550101\n"
    with unchanged():
        dry = await upload(contacts, list_id, file, dry_run=True, request_id=str(uuid4()))
    real = await upload(contacts, list_id, file)
    assert dry.summary is not None
    assert dry.summary.dry_run
    assert real.summary is not None
    assert not real.summary.dry_run
    assert (dry.problems, dry.counts) == (real.problems, real.counts)
    assert real.counts == (3, 2, 1, 1, 1, 1)


async def test_the_same_request_id_answers_the_same_and_loads_once(contacts, make, unchanged):
    list_id, request_id = make.contact_list(), str(uuid4())
    first = await upload(contacts, list_id, GOOD, request_id=request_id)
    with unchanged():
        again = await upload(contacts, list_id, GOOD, request_id=request_id)
    assert again.summary == first.summary
    with unchanged(), refused("REQUEST_ID_REUSED"):
        await upload(contacts, list_id, GOOD, request_id=request_id, separator=",")


async def test_a_request_id_may_be_used_again_after_a_refusal(contacts, make):
    list_id, request_id = make.contact_list(), str(uuid4())
    with refused("INVALID_FIELD"):
        await upload(contacts, list_id, "Fax\n", request_id=request_id)
    assert (await upload(contacts, list_id, GOOD, request_id=request_id)).counts[1] == 1


async def test_every_bad_field_of_the_header_is_named(contacts, make, unchanged):
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await upload(contacts, 0, request_id="1", separator='"', encoding="utf-7")
    assert refusal.fields == {
        "header.contact_list": "is 'contactLists/0', must be contactLists/{id}",
        "header.request_id": "is '1', must be a UUID",
        "header.separator": "is '\"', must be one character such as , or ; or a tab",
        "header.encoding": "is 'utf-7', must be one of utf-8, latin-1",
    }


async def test_a_missing_list_is_not_found(contacts, make):
    with refused("RESOURCE_NOT_FOUND"):
        await upload(contacts, make.contact_list() + 1, GOOD)


async def test_messages_in_another_order_are_refused(contacts, make, unchanged):
    list_id = make.contact_list()
    wrong: list[tuple[list[pb.ImportContactsRequest], str, str]] = [
        ([], "header", "must be the first message"),
        ([chunk(b"phone")], "header", "must be the first message"),
        ([pb.ImportContactsRequest()], "header", "must be the first message"),
        ([header(list_id)] * 2, "chunk", "must be in every message after the first"),
        (
            [header(list_id), pb.ImportContactsRequest()],
            "chunk",
            "must be in every message after the first",
        ),
        (
            [header(list_id), chunk(b"x" * 262_145)],
            "chunk",
            "has 262145 bytes, must have at most 262144",
        ),
    ]
    for requests, name, reason in wrong:
        with unchanged(), refused("INVALID_FIELD") as refusal:
            async for _ in contacts.ImportContacts(requests):
                pass
        assert refusal.fields == {name: reason}


@pytest.mark.usefixtures("small_batches")
async def test_a_cancelled_upload_loads_nothing_and_leaves_nothing(contacts, make, unchanged):
    list_id = make.contact_list()
    rows = "".join(f"{make.number()},x\n" for _ in range(20))
    with unchanged():
        for _ in range(10):
            pausing = Pausing(contacts, list_id, HEADER + rows)
            await until(lambda: staged_count(make) == 20)
            pausing.call.cancel()
            await asyncio.gather(pausing.reading, return_exceptions=True)
            await until(lambda: nothing_is_staged(make))


async def test_a_call_cancelled_at_any_moment_loads_all_or_nothing(contacts, make, conn):
    list_id = make.contact_list()
    make.campaign(lists=[list_id])
    file = HEADER + "".join(f"{make.number()},x\n" for _ in range(50))
    loaded = set()
    for step in range(40):
        conn.execute("truncate contact, hopper_entry cascade")
        pausing = Pausing(contacts, list_id, file)
        pausing.go_on.set()
        await asyncio.sleep(step * 0.001)
        pausing.call.cancel()
        await asyncio.gather(pausing.reading, return_exceptions=True)
        await until(lambda: nothing_is_staged(make))
        [row] = make.rows(
            "select (select count(*) from contact) c, (select count(*) from contact_phone) p, "
            "(select count(*) from hopper_entry) e"
        )
        loaded.add((row["c"], row["p"], row["e"]))
    assert loaded <= {(0, 0, 0), (50, 50, 50)}


async def test_the_deadline_holds_while_the_rows_are_moved(contacts, make, new_connection):
    list_id = make.contact_list()
    holder = new_connection()
    with holder.transaction():
        holder.execute("select from contact_list for update")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            async for _ in contacts.ImportContacts(
                [header(list_id), chunk(GOOD.encode())], timeout=1.5
            ):
                pass
        assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        await until(lambda: nothing_is_staged(make))
    assert numbers(make) == []


async def test_a_statement_of_an_import_may_take_longer_than_others(
    contacts, make, conn, monkeypatch, server
):
    monkeypatch.setitem(server.app.db.settings.__dict__, "statement_timeout", 0.2)
    conn.execute(
        """
        create function slow() returns trigger language plpgsql as
        $$ begin perform pg_sleep(0.4); return null; end $$;
        create trigger slow after insert on contact execute function slow();
        """
    )
    assert (await upload(contacts, make.contact_list(), GOOD)).counts[1] == 1


async def test_only_so_many_imports_run_at_once(contacts, make, monkeypatch):
    monkeypatch.setattr(contact_import, "MAX_IMPORTS", 1)
    list_id = make.contact_list()
    first = Pausing(contacts, list_id, GOOD)
    await until(lambda: not nothing_is_staged(make))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await upload(contacts, list_id, GOOD)
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    first.go_on.set()
    await first.reading
    assert first.answers.counts[1] == 1
    await upload(contacts, list_id, GOOD)


async def test_imports_beside_each_other_do_not_mix(contacts, make):
    list_ids = [make.contact_list() for _ in range(3)]
    make.campaign(lists=list_ids[:2])
    files = [HEADER + "".join(f"{make.number()},{one}\n" for _ in range(200)) for one in list_ids]
    await asyncio.gather(*map(lambda one, file: upload(contacts, one, file), list_ids, files))
    rows = make.rows(
        "select contact_list_id::text as list, last_name, count(*) n from contact group by 1, 2"
    )
    assert {(row["list"], row["last_name"], row["n"]) for row in rows} == {
        (str(one), str(one), 200) for one in list_ids
    }


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("update contact_list set default_region = 'DE'", grpc.StatusCode.ABORTED),
        ("update contact_list set deleted_at = clock()", grpc.StatusCode.NOT_FOUND),
        ("delete from contact_item_type", grpc.StatusCode.ABORTED),
        ("truncate contact_import_row", grpc.StatusCode.UNAVAILABLE),
        ("delete from contact_import", grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_what_changes_before_the_end_of_the_file_is_noticed(
    contacts, make, conn, change, code
):
    make.item_type("Office")
    list_id = make.contact_list()
    file = "phone,Office\n+12025550100,\n+12025550101,+12025550102\n"
    pausing = Pausing(contacts, list_id, file)
    await until(lambda: staged_count(make) > 0)
    conn.execute(change)
    pausing.go_on.set()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await pausing.reading
    assert raised.value.code() == code
    assert nothing_is_staged(make)
    assert numbers(make) == []


async def test_what_a_dead_server_left_is_forgotten_once_it_expires(contacts, make, conn):
    for seconds in (-1, 3600):
        conn.execute(
            """
            with import as (
              insert into contact_import (contact_import_id, contact_list_id, expires_at)
              values (%s, 1, clock() + make_interval(secs => %s)) returning contact_import_id
            )
            insert into contact_import_row
            select contact_import_id, 2, 1, '', '', '', '', '', '', '', '', 2, null, null, null,
              '{}', '{}', '{}'
            from import
            """,
            [abs(seconds), seconds],
        )
    await upload(contacts, make.contact_list(), GOOD)
    assert staged_count(make) == 1
    assert len(make.rows("select from contact_import where expires_at > clock()")) == 1


async def test_a_client_that_still_sends_gets_our_status_and_not_internal(contacts, make):
    list_id = make.contact_list()
    request_id = str(uuid4())
    more = [b"x" * 250_000] * 100
    for _ in range(5):
        with refused("INVALID_FIELD"):
            await upload(contacts, list_id, "Fax\n", *more)
    first = await upload(contacts, list_id, GOOD, request_id=request_id)
    again = await upload(contacts, list_id, GOOD, *more, request_id=request_id)
    assert again.summary == first.summary


async def test_progress_is_told_while_the_file_is_read_and_moved(contacts, make, monkeypatch):
    monkeypatch.setattr(contact_import, "PROGRESS_INTERVAL", 0.0)
    file = HEADER + "".join(f"{make.number()},x\n" for _ in range(300))
    answers = await upload(contacts, make.contact_list(), file)
    assert len(answers.progress) > 300
    assert answers.progress == sorted(answers.progress)
    assert answers.progress[-1] == (300, len(file))


# ---------------------------------------------------------------- limits

MEBIBYTE = 1024 * 1024


async def peak_of(work: Awaitable[Any]) -> int:
    """Return how many bytes Python objects took beyond those that were there before."""
    tracemalloc.start()
    try:
        await work
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def send(contacts: Any, list_id: int, pieces: AsyncIterator[bytes]) -> Answers:
    async def requests() -> AsyncIterator[pb.ImportContactsRequest]:
        yield header(list_id)
        async for piece in pieces:
            yield chunk(piece)

    answers = Answers()
    async for response in contacts.ImportContacts(requests(), timeout=110):
        answers.add(response)
    return answers


@pytest.mark.slow
async def test_memory_stays_small_however_long_the_file_is(contacts, make):
    long = "x" * 3900
    done: list[Answers] = []

    async def pieces() -> AsyncIterator[bytes]:
        yield b"phone,description,last_name\n"
        for batch in range(520):
            rows = (f"+1202555{row:04},{long},{batch}\n" for row in range(100, 150))
            yield "".join(rows).encode()

    async def work() -> None:
        done.append(await send(contacts, make.contact_list(), pieces()))

    assert await peak_of(work()) < 24 * MEBIBYTE
    [answers] = done
    assert answers.counts[:2] == (26_000, 26_000)
    assert answers.progress[-1][1] > 95 * MEBIBYTE


@pytest.mark.slow
async def test_a_line_without_end_is_refused_without_being_held(contacts, make):
    async def pieces() -> AsyncIterator[bytes]:
        yield b"phone\n"
        for _ in range(500):
            yield b"x" * 200_000

    async def work() -> None:
        with refused("INVALID_FIELD") as refusal:
            await send(contacts, make.contact_list(), pieces())
        assert "more than 1,048,576 characters" in refusal.fields["file"]

    assert await peak_of(work()) < 24 * MEBIBYTE


async def test_a_client_that_does_not_read_is_not_read_from(contacts, make):
    sent = 0

    async def requests() -> AsyncIterator[pb.ImportContactsRequest]:
        nonlocal sent
        yield header(list_id)
        yield chunk(b"phone\n")
        for _ in range(2000):
            sent += 1
            yield chunk(b"12\n" * 10_000)

    list_id = make.contact_list()
    call = contacts.ImportContacts(requests())
    counted = -1
    async with asyncio.timeout(60):
        while counted != sent or not sent:
            counted = sent
            await asyncio.sleep(0.5)
    assert sent < 500
    assert await call.read() is not grpc.aio.EOF
    call.cancel()
    await until(lambda: nothing_is_staged(make))


async def test_other_calls_are_answered_while_a_file_is_read(contacts, make, stubs):
    list_id = make.contact_list()
    pausing = Pausing(contacts, list_id, "phone,last_name\n", [b"202-555-0100,x\n" * 10_000] * 3)
    longest = 0.0
    loop = asyncio.get_running_loop()
    pausing.go_on.set()
    while not pausing.reading.done():
        begun = loop.time()
        await asyncio.sleep(0)
        longest = max(longest, loop.time() - begun)
    await pausing.reading
    assert pausing.answers.counts[:3] == (30_000, 30_000, 0)
    assert longest < 0.5


@pytest.mark.slow
async def test_loading_many_contacts_that_no_statistics_know_takes_no_nested_loop(contacts, make):
    """Without avoid_nested_loops the second import takes two minutes."""
    list_id = make.contact_list()
    make.campaign(lists=[list_id])
    rows = "phone,additional_phone,additional_phone\n" + "".join(
        f"+12{area}555{line},+12{area}556{line},+12{area}557{line}\n"
        for area in (12, 13)
        for line in range(1000, 10_000)
    )
    for entry_count in (18_000, 0):
        answers = await upload(contacts, list_id, *parts(rows))
        assert answers.summary is not None
        assert answers.summary.loaded_count == 18_000
        assert answers.summary.entry_count == entry_count


def parts(text: str) -> list[str]:
    return [text[at : at + 200_000] for at in range(0, len(text), 200_000)]
