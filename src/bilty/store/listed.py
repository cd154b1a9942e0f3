"""What the list of shipments knows of each beside its turns: written here, in the transaction of what it follows from.

`bilty.store.listing` reads it. Nothing of it decides anything, and all of it can be told from shipments and turns.
"""

from collections.abc import Iterable, Sequence

from bilty.store.database import Connection
from bilty.workflow import Progress

NOBODY = ""
"""The courier's name of a shipment that is with nobody yet."""


def courier_of(progress: Progress) -> str:
    """Who has the shipment, or may still take it."""
    turn = progress.holder or progress.open_turn
    return turn.courier.name if turn and turn.courier else NOBODY


async def courier_ids(connection: Connection, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The ids of couriers by provider and name, made where they are new."""
    pairs = sorted(set(wanted))
    known = await _courier_ids(connection, pairs)
    new = [pair for pair in pairs if pair not in known]
    if new:
        await connection.execute(
            """INSERT INTO couriers (provider_id, name) SELECT * FROM unnest($1::int[], $2::text[])
               ON CONFLICT DO NOTHING""",
            *_columns(new),
        )
        known |= await _courier_ids(connection, new)
    return known


async def _courier_ids(connection: Connection, pairs: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
    rows = await connection.fetch(
        """SELECT provider_id, name, id FROM couriers
             JOIN unnest($1::int[], $2::text[]) AS wanted(provider_id, name) USING (provider_id, name)""",
        *_columns(pairs),
    )
    return {(row["provider_id"], row["name"]): row["id"] for row in rows}


def _columns(pairs: Sequence[tuple[int, str]]) -> tuple[list[int], list[str]]:
    return [provider for provider, _ in pairs], [name for _, name in pairs]


async def write_keys(connection: Connection, shipment_ids: Sequence[int]) -> None:
    """Of shipments that are new, or are no longer what they were."""
    await connection.execute(
        """INSERT INTO shipment_keys (shipment_id, facility_id, created_at, number, order_number, consignee, box_count,
                                      weight_g, value)
           SELECT id, facility_id, created_at, lower(number), lower(order_number), lower(consignee), box_count,
                  weight_g, value
             FROM shipments WHERE id = ANY($1)
           ON CONFLICT (shipment_id) DO UPDATE SET
               number = excluded.number, order_number = excluded.order_number, consignee = excluded.consignee,
               box_count = excluded.box_count, weight_g = excluded.weight_g, value = excluded.value""",
        shipment_ids,
    )
    # In their order, so that two who bring the same names do not wait for each other.
    await connection.execute(
        """INSERT INTO consignee_names (name)
           SELECT DISTINCT k.consignee FROM shipment_keys k
            WHERE k.shipment_id = ANY($1) AND NOT EXISTS (SELECT FROM consignee_names n WHERE n.name = k.consignee)
            ORDER BY k.consignee
           ON CONFLICT DO NOTHING""",
        shipment_ids,
    )


async def write_codes(connection: Connection, codes: Iterable[tuple[str, int]]) -> None:
    """References, AWBs and boxes' AWBs, each with its shipment; blank ones are passed over."""
    new = sorted({(code, shipment_id) for code, shipment_id in codes if code})
    if new:
        await connection.execute(
            """INSERT INTO shipment_codes (code, shipment_id)
               SELECT lower(code), shipment_id FROM unnest($1::text[], $2::bigint[]) AS u(code, shipment_id)
               ON CONFLICT DO NOTHING""",
            [code for code, _ in new],
            [shipment_id for _, shipment_id in new],
        )
