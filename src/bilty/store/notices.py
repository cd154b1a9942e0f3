"""Courier accounts that refused us, as `bilty.store.health` noted them: what an admin is told until they are well."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bilty.store.database import Connection


@dataclass(frozen=True, slots=True)
class Notice:
    """A courier account that refused one facility. `provider` and `facility` are codes."""

    provider: str
    provider_name: str
    facility: str
    account_code: str
    code: int
    message: str
    at: datetime


async def notices(connection: Connection, facilities: Collection[int] | None, limit: int) -> list[Notice]:
    """Of `facilities`, None for all; the newest first."""
    rows = await connection.fetch(
        """SELECT p.code AS provider, p.name AS provider_name, f.code AS facility, n.account_code, n.code,
                  n.message, n.at
             FROM notices n JOIN shipping_providers p ON p.id = n.provider_id JOIN facilities f ON f.id = n.facility_id
            WHERE $1::int[] IS NULL OR n.facility_id = ANY($1)
            ORDER BY n.at DESC, n.cp_id, n.account_code LIMIT $2""",
        None if facilities is None else list(facilities),
        limit,
    )
    return [Notice(**dict(row)) for row in rows]
