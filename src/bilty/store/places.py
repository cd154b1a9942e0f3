"""The facilities that a person works for, with what pages need of them."""

from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from bilty.shipment import Facility
from bilty.store.database import Connection


@dataclass(frozen=True, slots=True)
class Place:
    id: int
    facility: Facility


async def places(connection: Connection, allowed: Collection[int] | None) -> list[Place]:
    """Those that are `allowed`, all for None, by their codes."""
    rows = await connection.fetch(
        "SELECT id, content FROM facilities WHERE $1::int[] IS NULL OR id = ANY($1) ORDER BY code LIMIT 1000",
        None if allowed is None else list(allowed),
    )
    return [Place(row["id"], msgspec.json.decode(row["content"], type=Facility)) for row in rows]
