"""Consignees that are saved once and named by a code, in order files, by the API and in the panel's form.

They are the whole house's: what is saved here is copied into shipments of every facility. Changing one changes no
shipment that is there.
"""

from collections.abc import Collection
from enum import StrEnum

import asyncpg
import msgspec

from bilty.shipment import Consignee, Party
from bilty.store.audit import Actor, note
from bilty.store.database import Connection

CONSIGNEES_MAX = 10_000
"""An import holds them all, about a kilobyte each."""
PAGE_MAX = 500
ADDED, CHANGED, REMOVED = "consignee added", "consignee changed", "consignee removed"


class Saved(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    FULL = "full"


async def every_one(connection: Connection) -> dict[str, Party]:
    """By their codes, for a file that may name any of them."""
    rows = await connection.fetch("SELECT code, content FROM consignees LIMIT $1", CONSIGNEES_MAX)
    return {row["code"]: _party(row) for row in rows}


async def named(connection: Connection, codes: Collection[str]) -> dict[str, Party]:
    """Those of these that are saved."""
    wanted = [each for each in codes if each and "\0" not in each]
    if not wanted:
        return {}
    rows = await connection.fetch("SELECT code, content FROM consignees WHERE code = ANY($1)", wanted)
    return {row["code"]: _party(row) for row in rows}


async def page(connection: Connection, *, after: str = "", words: str = "", limit: int = PAGE_MAX) -> list[Consignee]:
    """By their codes, behind `after`. `words` are looked for in code, organisation and city."""
    rows = await connection.fetch(
        """SELECT code, content FROM consignees
            WHERE code > $1 AND ($2 = '' OR position(lower($2) IN lower(concat_ws(' ',
                  code, content ->> 'organisation', content ->> 'city'))) > 0)
            ORDER BY code LIMIT $3""",
        after,
        words,
        limit,
    )
    return [Consignee(row["code"], _party(row)) for row in rows]


async def add(connection: Connection, consignee: Consignee, actor: Actor) -> Saved:
    """SAME where the code is another's, which stays as it is."""
    if await connection.fetchval("SELECT count(*) FROM consignees") >= CONSIGNEES_MAX:
        return Saved.FULL
    code: str | None = await connection.fetchval(
        "INSERT INTO consignees (code, content) VALUES ($1, $2) ON CONFLICT (code) DO NOTHING RETURNING code",
        consignee.code,
        msgspec.json.encode(consignee.party).decode(),
    )
    if code is None:
        return Saved.SAME
    await note(connection, actor, ADDED, code, after=consignee.party)
    return Saved.NEW


async def save(connection: Connection, consignee: Consignee, actor: Actor) -> Saved:
    """Added, or changed to this. The row is locked before it is read: "before" is what this change found."""
    row = await connection.fetchrow(
        "SELECT code, content FROM consignees WHERE code = $1 FOR NO KEY UPDATE", consignee.code
    )
    if row is None:
        added = await add(connection, consignee, actor)
        return added if added is not Saved.SAME else await save(connection, consignee, actor)
    before = _party(row)
    if before == consignee.party:
        return Saved.SAME
    await connection.execute(
        "UPDATE consignees SET content = $2 WHERE code = $1",
        consignee.code,
        msgspec.json.encode(consignee.party).decode(),
    )
    await note(
        connection,
        actor,
        CHANGED,
        consignee.code,
        before=msgspec.structs.asdict(before),
        after=msgspec.structs.asdict(consignee.party),
    )
    return Saved.CHANGED


async def remove(connection: Connection, code: str, actor: Actor) -> bool:
    """False when there is none of this code."""
    row = await connection.fetchrow("DELETE FROM consignees WHERE code = $1 RETURNING code, content", code)
    if row is None:
        return False
    await note(connection, actor, REMOVED, code, before=_party(row))
    return True


def _party(row: asyncpg.Record) -> Party:
    return msgspec.json.decode(row["content"], type=Party)
