"""Many shipments in one request, as an order system sends them."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from bilty.store import access
from bilty.store.access import Scope
from bilty.web.bulk.gate import STREAMS_MAX, STREAMS_PER_KEY_MAX
from bilty.web.bulk.reading import LINE_BYTES_MAX
from web.house import RANKED, House, shipment
from web.streams import CSV, NDJSON, connected, lines, numbered, numbers, posted, read, results, whole

HEADER = (
    "number,facility,shipping_provider,consignee_name,consignee_organisation,consignee_phone,consignee_address,"
    "consignee_city,consignee_state,consignee_pincode,payment_mode,invoice_number,invoice_date,invoice_value,"
    "boxes,length_cm,breadth_cm,height_cm,weight_g"
)
REST = ",Desk,Sahyadri,9876543210,Plot 14,Pune,Maharashtra,411018,prepaid,INV-1,2026-11-20,23600.00,2,40,30,25,12500"


def row(number: str, facility: str = "BLR-1", rest: str = REST) -> str:
    return f"{number},{facility},clickpost-b2b{rest}"


def order_file(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


async def status_of(house: House, shipment_id: object) -> str:
    return str((await house.call("GET", f"/shipments/{shipment_id}")).json()["status"])


# Documents a line


async def test_each_document_is_answered_in_the_order_of_arrival(furnished: House) -> None:
    told = read(await posted(furnished, lines(*numbered(450))))
    assert whole(told) == (450, 0, 0)
    assert [each["row"] for each in told[:-1]] == list(range(1, 451))
    assert numbers(told) == [f"SO-{number}" for number in range(1, 451)]
    first = told[0]
    assert first == {
        "row": 1,
        "rows": [1, 1],
        "result": "new",
        "id": first["id"],
        "number": "SO-1",
        "facility": "BLR-1",
        "status": "created",
        "awb": None,
        "label_url": None,
        "problem": None,
        "warnings": first["warnings"],
    }
    posted_alone = (await furnished.call("GET", f"/shipments/{first['id']}")).json()
    assert {name: posted_alone[name] for name in first.keys() - {"row", "rows", "result"}} == {
        name: first[name] for name in first.keys() - {"row", "rows", "result"}
    }


async def test_the_same_again_changes_nothing_and_is_told_as_the_same(furnished: House) -> None:
    first = read(await posted(furnished, lines(*numbered(3))))
    again = read(await posted(furnished, lines(*numbered(5))))
    assert results(again) == ["same"] * 3 + ["new"] * 2
    assert [each["id"] for each in again[:3]] == [each["id"] for each in first[:3]]


async def test_a_shipment_with_its_label_is_told_with_its_awb(furnished: House) -> None:
    shipment_id = await furnished.takes_in(number="SO-1", schedule=True)
    await furnished.hears(RANKED)
    await furnished.labels("AWB-1")
    (told, _) = read(await posted(furnished, lines(shipment(number="SO-1"))))
    assert (told["result"], told["status"], told["awb"]) == ("same", "label_ready", "AWB-1")
    assert told["label_url"] == f"{furnished.url}/api/v1/shipments/{shipment_id}/label.pdf"


async def test_lines_that_cannot_be_taken_are_refused_and_the_rest_goes_on(furnished: House) -> None:
    bodies = [
        json.dumps(shipment(number="SO-1")).encode(),
        b"",
        b'{"number": "SO-3"',
        b'{"number": "SO-4 \xff"}',
        b"[" * 10_000,
        b"[]",
        json.dumps(shipment(number="SO-7", payment={"mode": "barter"})).encode(),
        json.dumps(shipment(number="SO-8", facility="DEL-9")).encode(),
        json.dumps(shipment(number="SO-9", shipping_provider="other")).encode(),
        b'{"number": "' + b"x" * LINE_BYTES_MAX + b'"}',
        json.dumps(shipment(number="SO-1", order_number="another")).encode(),
        json.dumps(shipment(number="SO-12")).encode(),
    ]
    told = read(await posted(furnished, b"\xef\xbb\xbf" + b"\r\n".join(bodies)))
    assert whole(told) == (2, 0, 9)
    assert [each["row"] for each in told[:-1]] == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert [each.get("type", "").removeprefix("urn:bilty:problem:") for each in told[:-1]] == [
        "",
        *["not_json"] * 3,
        *["invalid"] * 4,
        "too_large",
        "number_taken",
        "",
    ]
    assert told[2]["detail"].startswith("Line 4 is not JSON: ")
    assert told[3]["detail"].startswith("Line 5 is not JSON: it is nested too deeply.")
    assert (told[5]["number"], told[5]["errors"][0]["field"]) == ("SO-7", "payment.mode")
    assert told[6]["errors"] == [
        {
            "line": 8,
            "field": "facility",
            "value": "DEL-9",
            "message": "There is no facility 'DEL-9': PUT /api/v1/facilities/DEL-9 first.",
        }
    ]
    assert told[8]["detail"] == "Line 10 is longer than 2 MB: divide this shipment."
    assert told[9]["id"] == told[0]["id"]


async def test_what_is_refused_is_told_as_a_single_request_is(furnished: House) -> None:
    faulty = shipment(number="SO 1", boxes=[], payment={"mode": "cod", "cod_amount": "-1"})
    alone = (await furnished.call("POST", "/shipments", faulty)).json()
    (told, _) = read(await posted(furnished, lines(faulty)))
    assert (told["type"], told["detail"]) == (alone["type"], alone["detail"])
    assert told["errors"] == [{"line": 1, **each} for each in alone["errors"]]


async def test_a_document_says_whether_it_is_booked_at_once(furnished: House) -> None:
    documents = [shipment(number="SO-1", schedule=True), shipment(number="SO-2")]
    told = read(await posted(furnished, lines(*documents)))
    assert [each["status"] for each in told[:-1]] == ["scheduling", "created"]
    audited = await furnished.tools.pool.fetch("SELECT action, actor, subject FROM audit WHERE action = 'schedule'")
    assert [tuple(each) for each in audited] == [("schedule", "dispatch key", "SO-1")]
    again = read(await posted(furnished, lines(*documents)))
    assert results(again) == ["same", "same"]
    assert (await furnished.call("GET", f"/shipments/{told[0]['id']}")).json()["run"] == 1


async def test_a_body_may_be_larger_than_that_of_a_single_request(furnished: House) -> None:
    wide = [{**each, "order_number": "x" * 50} for each in numbered(4_000)]
    body = lines(*[{"number": f"SO-{at}", "padding": "x" * 1_000, **each} for at, each in enumerate(wide)])
    assert len(body) > LINE_BYTES_MAX
    assert whole(read(await posted(furnished, body))) == (0, 0, 4_000)


async def test_a_key_of_some_facilities_hears_nothing_of_another(furnished: House) -> None:
    await furnished.takes_in(number="SO-1")
    pool = furnished.tools.pool
    facility_id = await pool.fetchval("INSERT INTO facilities (code, content) VALUES ('DEL-1', '{}') RETURNING id")
    async with pool.acquire() as connection, connection.transaction():
        key = await access.add_key(connection, "Delhi", Scope.DISPATCH, frozenset({facility_id}))
    documents = [shipment(number="SO-1"), shipment(number="SO-1", order_number="x"), shipment(facility="ABC-9")]
    documents.append(shipment(number="SO-2", facility="DEL-1"))
    told = read(await posted(furnished, lines(*documents), Authorization=f"Bearer {key}"))
    assert results(told) == ["refused", "refused", "refused", "new"]
    words = [each["detail"].replace("BLR-1", "...").replace("ABC-9", "...") for each in told[:3]]
    assert len(set(words)) == 1
    assert [each["id"] for each in told[:3]] == [None] * 3


# An order file


async def test_an_order_file_is_answered_by_the_shipment(furnished: House) -> None:
    body = order_file(row("SO-1"), row("SO-1"), row("SO-2", "DEL-9"), row("SO-3").replace("12500", "none"), row("SO-4"))
    told = read(await posted(furnished, body, CSV))
    assert whole(told) == (2, 0, 2)
    assert [(each["row"], each["rows"], each["result"]) for each in told[:-1]] == [
        (2, [2, 3], "new"),
        (4, [4, 4], "refused"),
        (5, [5, 5], "refused"),
        (6, [6, 6], "new"),
    ]
    assert [(fault["line"], fault["field"]) for each in told[1:3] for fault in each["errors"]] == [
        (4, "facility"),
        (5, "weight_g"),
    ]
    assert await status_of(furnished, told[0]["id"]) == "created"


async def test_an_order_file_is_booked_at_once_where_the_address_says_so(furnished: House) -> None:
    told = read(await posted(furnished, order_file(row("SO-1")), f"{CSV}; charset=utf-8", query="?schedule=true"))
    assert [each["status"] for each in told[:-1]] == ["scheduling"]


async def test_a_number_that_comes_again_in_a_file_is_refused_even_where_its_first_rows_were(furnished: House) -> None:
    told = read(await posted(furnished, order_file(row("SO-1", "DEL-9"), row("SO-2"), row("SO-1"), row("SO-2")), CSV))
    assert results(told) == ["refused", "new", "refused", "refused"]
    assert told[2]["detail"].startswith('number "SO-1" was used before, on line 2: ')


async def test_what_ends_the_reading_of_a_file_is_its_last_line_and_says_where_to_go_on(furnished: House) -> None:
    body = order_file(row("SO-1"), row("SO-2"), row("SO-2").replace("Plot 14", '"Plot'), row("SO-3"))
    told = read(await posted(furnished, body, CSV))
    assert results(told) == ["new", "refused"]
    last = told[-1]
    assert (last["done"], last["rows"], last["new"], last["refused"]) == (False, 2, 1, 1)
    assert last["type"] == "urn:bilty:problem:invalid"
    assert last["resume"] == 3
    assert last["detail"].startswith("A quote that opens in this row is never closed: ")
    assert last["detail"].endswith("or the header and what stands from line 3 on.")


# What is not begun


@pytest.mark.parametrize(
    ("body", "media", "query", "status", "code", "words"),
    [
        (b"", NDJSON, "", 400, "empty", "The body holds no document: send one a line"),
        (b"\n \r\n", NDJSON, "", 400, "empty", "The body holds no document: send one a line"),
        (b"", CSV, "", 422, "invalid", "The file is empty: its first line names the columns"),
        (b"number;facility\n1;2\n", CSV, "", 422, "invalid", "The header lacks shipping_provider, consignee_name"),
        (HEADER.encode(), CSV, "", 422, "invalid", "The file has a header and no orders"),
        (b"{}", "application/json", "", 415, "not_rows", "Send rows, with `Content-Type: application/x-ndjson`"),
        (b"{}", "", "", 415, "not_rows", "Send rows"),
        (b"{}", f"{NDJSON}; charset=latin-1", "", 415, "not_utf_8", "The body is 'latin-1': send UTF-8."),
        ("{}\n".encode("utf-16"), NDJSON, "", 415, "not_utf_8", "The body is UTF-16: send UTF-8."),
        (gzip.compress(b"{}\n", mtime=0), NDJSON, "", 415, "encoded", "The body is compressed: send it as it is"),
        (b"{}", NDJSON, "?schedule=true", 400, "query", "schedule is for order files"),
        (b"{}", CSV, "?schedule=yes", 400, "query", "schedule is 'yes': give one of true, false."),
        (b"{}", CSV, "?book=yes", 400, "query", "'book' is no parameter of this address"),
    ],
)
async def test_what_cannot_be_read_at_all_is_an_ordinary_problem(
    furnished: House, body: bytes, media: str, query: str, status: int, code: str, words: str
) -> None:
    answer = await posted(furnished, body, media, query=query)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["type"] == f"urn:bilty:problem:{code}"
    assert answer.json()["detail"].startswith(words)


async def test_a_compressed_body_is_refused_by_its_header(furnished: House) -> None:
    answer = await posted(furnished, gzip.compress(b"{}\n"), Content_Encoding="gzip")
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:bilty:problem:encoded")


async def test_only_who_may_dispatch_may_send(furnished: House) -> None:
    answer = await posted(furnished, lines(*numbered(1)), scope=Scope.READ)
    assert answer.status_code == 403


async def _another_key(house: House, name: str) -> str:
    async with house.tools.pool.acquire() as connection:
        return await access.add_key(connection, name, Scope.DISPATCH)


async def test_one_key_does_not_take_the_streams_of_all(furnished: House) -> None:
    async with AsyncExitStack() as held:
        clients = [await held.enter_async_context(connected(furnished)) for _ in range(STREAMS_PER_KEY_MAX)]
        for number, client in enumerate(clients, 1):
            await client.send(lines(*numbered(1, first=number)))
            assert await client.status() == 200
        refused = await posted(furnished, lines(*numbered(1, first=100)))
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:bilty:problem:too_many_streams")
        assert refused.json()["detail"].startswith(f"{STREAMS_PER_KEY_MAX} streams of this key are being taken in")
        other = await posted(furnished, lines(*numbered(1, first=100)), scope=Scope.ADMIN)
        assert whole(read(other)) == (1, 0, 0)
        await clients[0].finish()
        assert whole(await clients[0].rest()) == (1, 0, 0)
        assert whole(read(await posted(furnished, lines(*numbered(1, first=101))))) == (1, 0, 0)


async def test_one_stream_more_than_there_may_be_is_told_to_come_later(furnished: House) -> None:
    async with AsyncExitStack() as held:
        keys = [await _another_key(furnished, f"key {number}") for number in range(STREAMS_MAX)]
        clients = [await held.enter_async_context(connected(furnished, key=key)) for key in keys]
        for number, client in enumerate(clients, 1):
            await client.send(lines(*numbered(1, first=number)))
            assert await client.status() == 200
        answer = await posted(furnished, lines(*numbered(1, first=100)))
        assert (answer.status_code, answer.json()["type"]) == (429, "urn:bilty:problem:too_many_streams")
        assert int(answer.headers["retry-after"]) > 0
        await clients[0].finish()
        assert whole(await clients[0].rest()) == (1, 0, 0)
        assert whole(read(await posted(furnished, lines(*numbered(1, first=100))))) == (1, 0, 0)


# How it is sent and read


async def test_whoever_reads_hears_at_once(furnished: House) -> None:
    async with connected(furnished) as client:
        await client.send(lines(*numbered(1)))
        assert await client.status() == 200
        assert json.loads(await client.piece())["number"] == "SO-1"
        for number in (2, 3):
            (document,) = numbered(1, first=number)
            await client.send(lines(document)[:20])
            await client.send(lines(document)[20:])
            assert json.loads(await client.piece())["number"] == f"SO-{number}"
        await client.finish()
        assert await client.rest() == [{"done": True, "rows": 3, "new": 3, "same": 0, "refused": 0}]


async def test_whoever_sends_all_before_reading_a_word_is_not_kept_waiting(furnished: House) -> None:
    """More goes both ways than sockets hold: without a spool both sides would wait for ever."""
    line = b'{"number": "SO-1"' + b" " * 4_000 + b"}\n"
    async with asyncio.timeout(120), connected(furnished) as client:
        for _ in range(60):
            await client.send(line * 100)
        await client.finish()
        assert await client.status() == 200
        told = await client.rest()
    assert sum(len(json.dumps(each)) for each in told) > 6_000_000
    assert whole(told) == (0, 0, 6_000)
    assert [each["row"] for each in told[:-1]] == list(range(1, 6_001))


async def test_a_library_that_sends_from_a_generator_gets_every_result(furnished: House) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(1, 301):
            yield lines(*numbered(1, first=number))

    assert whole(read(await posted(furnished, pieces()))) == (300, 0, 0)
