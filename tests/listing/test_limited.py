"""A key of one facility pages through that one's shipments by an index, and meets no other's to pass them over."""

import asyncio
from typing import Any

import msgspec
import pytest

from bilty.store.database import Connection, Pool
from bilty.store.listing import Asked, ids_asked
from bilty.workflow import Status

SHIPMENTS, PLACES = 20_000, 40


async def fill(connection: Connection) -> None:
    """Every hundredth shipment is the second facility's."""
    await connection.execute(
        "INSERT INTO facilities (code, content) SELECT 'F-' || n, '{}' FROM generate_series(1, $1::int) AS n", PLACES
    )
    await connection.execute("INSERT INTO shipping_providers (code, kind, name) VALUES ('p', 'clickpost_b2b', 'P')")
    await connection.execute(
        "INSERT INTO couriers (provider_id, name) SELECT 1, 'Courier ' || n FROM generate_series(1, 8) AS n"
    )
    await connection.execute(
        """INSERT INTO shipments (facility_id, provider_id, courier_id, number, order_number, consignee, city,
                                  box_count, weight_g, value, status)
           SELECT CASE WHEN n % 100 = 0 THEN 2 ELSE 3 + n % ($2 - 2) END, 1, 1 + n % 8, 'SO-' || n, 'PO', 'x', 'y',
                  1, 1, 1, (ARRAY['created', 'scheduling', 'label_ready', 'failed', 'cancelled'])[1 + n % 7 % 5]
             FROM generate_series(1, $1::int) AS n""",
        SHIPMENTS,
        PLACES,
    )
    await connection.execute("VACUUM ANALYZE shipments")


def scans(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """How the plan reads shipments."""
    own = [plan] if plan.get("Relation Name") == "shipments" else []
    return own + [found for each in plan.get("Plans", ()) for found in scans(each)]


@pytest.mark.parametrize("status", [None, Status.LABEL_READY])
async def test_a_page_of_one_facility_meets_no_other(pool: Pool, status: Status | None) -> None:
    said: list[tuple[str, Any]] = []
    async with pool.acquire() as connection:
        await fill(connection)
        connection.add_query_logger(lambda query: said.append((query.query, query.args)))
        asked = Asked(facility_ids=frozenset({2}), status=status)
        ids = await ids_asked(connection, asked, SHIPMENTS // 2, 51)
        await asyncio.sleep(0)  # loggers are called behind the statement
        (statement, arguments) = next((sql, given) for sql, given in said if "shipments s" in sql)
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *arguments)
        expected = await connection.fetch(
            """SELECT id FROM shipments WHERE facility_id = 2 AND ($1::text IS NULL OR status = $1) AND id < $2
                ORDER BY id DESC LIMIT 51""",
            status,
            SHIPMENTS // 2,
        )
    assert ids == [row["id"] for row in expected]
    found = scans(msgspec.json.decode(told)[0]["Plan"])
    assert found
    met = sum(each["Actual Rows"] * each["Actual Loops"] for each in found)
    passed_over = sum(
        each.get("Rows Removed by Filter", 0) + each.get("Rows Removed by Index Recheck", 0) for each in found
    )
    assert met <= SHIPMENTS // 100
    assert passed_over == 0
