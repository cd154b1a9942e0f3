"""The facilities that a person or a key is for, with what pages and the API need of them."""

from collections.abc import Collection
from dataclasses import dataclass

import asyncpg
import msgspec

from bilty.shipment import Facility
from bilty.store.database import Connection


@dataclass(frozen=True, slots=True)
class Place:
    id: int
    facility: Facility


async def places(connection: Connection, allowed: Collection[int] | None) -> list[Place]:
    """Those that are `allowed`, all for None, by their codes."""
    return await page(connection, allowed, after="", limit=1000)


async def page(connection: Connection, allowed: Collection[int] | None, *, after: str, limit: int) -> list[Place]:
    """Of those, by their codes, the first behind the code `after`, which need not be there."""
    rows = await connection.fetch(
        """SELECT id, content FROM facilities WHERE ($1::int[] IS NULL OR id = ANY($1)) AND code > $2
            ORDER BY code LIMIT $3""",
        None if allowed is None else list(allowed),
        after,
        limit,
    )
    return [_place(row) for row in rows]


async def place(connection: Connection, allowed: Collection[int] | None, code: str) -> Place | None:
    """None also where it is there and not `allowed`: it takes as long."""
    row = await connection.fetchrow(
        "SELECT id, content FROM facilities WHERE code = $1 AND ($2::int[] IS NULL OR id = ANY($2))",
        code,
        None if allowed is None else list(allowed),
    )
    return _place(row) if row else None


async def codes(connection: Connection, ids: Collection[int]) -> list[str]:
    rows = await connection.fetch("SELECT code FROM facilities WHERE id = ANY($1) ORDER BY code", list(ids))
    return [row["code"] for row in rows]


def _place(row: asyncpg.Record) -> Place:
    return Place(row["id"], msgspec.json.decode(row["content"], type=Facility))
