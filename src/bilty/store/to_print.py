"""What is new is printed first: which of many shipments one PDF takes."""

from collections.abc import Sequence

from bilty.store.database import Connection


async def first_to_print(connection: Connection, shipment_ids: Sequence[int], at_most: int) -> tuple[list[int], int]:
    """As many as one PDF takes, those whose label is on no paper yet before the others, each in the order given; and
    how many of these are left for the next.
    """
    rows = await connection.fetch(
        "SELECT id FROM shipments WHERE id = ANY($1) AND status = 'label_ready' AND printed_at IS NULL", shipment_ids
    )
    new = {row["id"] for row in rows}
    ordered = sorted(shipment_ids, key=lambda each: each not in new)
    return ordered[:at_most], max(len(new) - at_most, 0)
