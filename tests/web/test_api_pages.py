"""Pages of shipments over the wire, narrowed to what an order system asks for."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from bilty.reply import AWB_CHARS_MAX, Child, Label, Paper
from bilty.store import listing
from bilty.store.database import Connection
from bilty.store.listing import Asked
from bilty.workflow import Status
from listing.shelf import BEGAN, Article, Shelf
from web.house import FACILITY, PDF, RANKED, House


async def numbers(house: House, query: str) -> list[str]:
    """Of all pages."""
    path, found = f"/shipments?limit=2&{query}", []
    while path:
        answer = await house.call("GET", path)
        assert answer.status_code == 200, answer.text
        found += [each["number"] for each in answer.json()["items"]]
        path = (answer.json()["next"] or "").partition("/api/v1")[2]
    return found


@pytest.fixture
async def filled(furnished: House) -> House:
    """Two facilities; SO-1 has its label, the others wait to be booked."""
    await furnished.call("PUT", "/facilities/BLR-2", FACILITY)
    await furnished.takes_in(number="SO-1", order_number="PO-1", schedule=True)
    sha256 = await furnished.tools.labels.put(PDF)
    children = tuple(Child(f"C{n}", reference=f"SO-1-{n}") for n in (1, 2, 3))
    await furnished.hears(RANKED, Label("AWB1", children=children), Paper(sha256, 1))
    for n in range(2, 7):
        facility = "BLR-2" if n % 2 else "BLR-1"
        await furnished.takes_in(number=f"SO-{n}", order_number=f"PO-{n // 3}", facility=facility)
    return furnished


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "6 5 4 3 2 1"),
        ("facility=BLR-2", "5 3"),
        ("facility=BLR-1", "6 4 2 1"),
        ("facility=NOWHERE", ""),
        ("status=created", "6 5 4 3 2"),
        ("status=label_ready", "1"),
        ("status=created&facility=BLR-1", "6 4 2"),
        ("number=SO-3", "3"),
        ("number=so-3", ""),
        ("number=SO", ""),
        ("number=SO-3&facility=BLR-1", ""),
        ("number=SO-3&order_number=PO-1", "3"),
        ("number=SO-3&order_number=PO-2", ""),
        ("order_number=PO-1", "5 4 3 1"),
        ("order_number=PO-1&facility=BLR-2", "5 3"),
        ("order_number=PO-1&status=label_ready", "1"),
        ("order_number=PO-9", ""),
        ("awb=AWB1", "1"),
        ("awb=C2", "1"),
        ("awb=awb1", ""),
        ("awb=SO-1-1", ""),
        ("awb=AWB1&order_number=PO-1", "1"),
        ("awb=AWB1&number=SO-1", "1"),
        ("awb=AWB1&number=SO-2", ""),
        ("awb=AWB1&status=created", ""),
        ("created_after=2020-01-01T00:00:00Z", "6 5 4 3 2 1"),
        ("created_before=2020-01-01T00:00:00Z", ""),
    ],
)
async def test_each_question_is_exact(filled: House, query: str, wanted: str) -> None:
    assert await numbers(filled, query) == [f"SO-{n}" for n in wanted.split()]


async def test_spans_that_meet_share_nothing(filled: House) -> None:
    moments = [row[0] for row in await filled.tools.pool.fetch("SELECT created_at FROM shipments ORDER BY id")]
    third = quote(moments[2].isoformat())
    assert await numbers(filled, f"created_after={third}") == ["SO-6", "SO-5", "SO-4", "SO-3"]
    assert await numbers(filled, f"created_before={third}") == ["SO-2", "SO-1"]
    assert await numbers(filled, f"created_after={third}&number=SO-2") == []


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("nummer=1", "nummer", "it takes status, facility, number"),
        ("created_after=yesterday", "created_after", "give a time with its offset"),
        ("created_after=2026-11-20", "created_after", "give a time with its offset"),
        ("created_after=2026-11-20T10:00:00", "created_after", "offset from UTC"),
        ("created_before=2026-11-20T10:00:00+05:30", "created_before", "written %2B"),
        ("number=" + "x" * 31, "number", "at most 30 printable characters"),
        ("awb=%00", "awb", "printable"),
        ("awb=" + "7" * (AWB_CHARS_MAX + 1), "awb", "at most 64 printable characters"),
        ("facility=%0A", "facility", "printable"),
    ],
)
async def test_a_question_that_cannot_be_read_is_named(furnished: House, query: str, field: str, words: str) -> None:
    answer = await furnished.call("GET", f"/shipments?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert words in answer.json()["detail"]


async def plan(connection: Connection, asked: Asked) -> str:
    """How the page is found, once the tables have as many rows as make a difference."""
    said: list[Any] = []
    connection.add_query_logger(said.append)
    await listing.ids_asked(connection, asked, None, 51)
    connection.remove_query_logger(said.append)
    page = next(each for each in reversed(said) if "shipments s" in each.query and "LIMIT" in each.query)
    async with connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        rows = await connection.fetch(f"EXPLAIN {page.query}", *page.args)
    return "\n".join(row[0] for row in rows)


async def test_each_question_has_its_index(furnished: House) -> None:
    shelf, many = Shelf(), 20_000
    async with furnished.tools.pool.acquire() as connection:
        await shelf.put(
            connection,
            *(
                Article(
                    f"SO-{n}",
                    facility=f"F-{n % 7}",
                    order_number=f"PO-{n // 4}",
                    status=list(Status)[n % 11],
                    created_at=BEGAN + timedelta(seconds=n),
                    codes=(f"AWB{n}",),
                )
                for n in range(many)
            ),
        )
        await connection.execute("ANALYZE")
        questions = [
            Asked(facility="F-3"),
            Asked(facility_ids=frozenset({2, 3})),
            Asked(status=Status.FAILED),
            Asked(number="SO-77"),
            Asked(order_number="PO-77"),
            Asked(awb="AWB77"),
            Asked(order_number="PO-77", facility="F-3", status=Status.FAILED),
            Asked(created_after=BEGAN + timedelta(seconds=many - 60)),
            Asked(created_before=BEGAN + timedelta(seconds=60)),
            Asked(facility_ids=frozenset({2}), awb="AWB77"),
        ]
        for asked in questions:
            found = await plan(connection, asked)
            assert "Seq Scan on shipment" not in found, f"{asked}\n{found}"
            assert "Index" in found
