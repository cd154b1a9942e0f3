"""Turns as they are begun; after a restore their shipments are looked for, once, before anything is said of them."""

from collections.abc import Sequence

import msgspec

from bilty.store.database import Connection

_COLUMNS = """shipment_id, provider_id, version, run, priority, cp_id, account_code, courier_name, reference, state,
    due_at, couriers, asks, asked_at, lapsed_at, awb, label_url, message, entered"""


async def insert(connection: Connection, rows: Sequence[dict[str, object]]) -> dict[str, int]:
    """Their ids by reference."""
    begun = await connection.fetch(
        f"""WITH begun AS (
               INSERT INTO turns ({_COLUMNS}) SELECT {_COLUMNS} FROM jsonb_populate_recordset(NULL::turns, $1)
               RETURNING id, reference, shipment_id),
           careful AS (
               INSERT INTO to_find (shipment_id, due_at)
               SELECT DISTINCT b.shipment_id, greatest(clock_timestamp(), r.look_from)
                 FROM begun b
                CROSS JOIN (SELECT max(look_from) AS look_from FROM restores
                             WHERE careful_until > clock_timestamp()) AS r
                WHERE r.look_from IS NOT NULL
               ON CONFLICT (shipment_id) DO NOTHING)
           SELECT id, reference FROM begun""",  # noqa: S608 - constants
        msgspec.json.encode(rows).decode(),
    )
    return {row["reference"]: row["id"] for row in begun}
