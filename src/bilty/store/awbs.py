"""Whose each AWB is, and which box it is on."""

from collections.abc import Sequence

from bilty.children import match_children
from bilty.reply import Child
from bilty.shipment import Shipment
from bilty.store.database import Connection

DOCUMENT_PAGES = 1
"""Of a courier's own, beside a page for each box."""


async def take(connection: Connection, heard: Sequence[tuple[int, str, int]]) -> set[int]:
    """Notes who was first to hear each (cp_id, AWB, turn), and returns the turns that heard one of another shipment's.

    The caller has the shipments locked.
    """
    if not heard:
        return set()
    cp_ids, awbs, turn_ids = (list(column) for column in zip(*sorted(heard), strict=True))
    await connection.execute(
        """INSERT INTO awbs (cp_id, awb, turn_id) SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[])
           ON CONFLICT DO NOTHING""",
        cp_ids,
        awbs,
        turn_ids,
    )
    rows = await connection.fetch(
        """SELECT h.turn_id FROM unnest($1::int[], $2::text[], $3::bigint[]) AS h(cp_id, awb, turn_id)
             JOIN awbs a USING (cp_id, awb) JOIN turns owner ON owner.id = a.turn_id
             JOIN turns hearer ON hearer.id = h.turn_id
            WHERE owner.shipment_id <> hearer.shipment_id""",
        cp_ids,
        awbs,
        turn_ids,
    )
    return {row["turn_id"] for row in rows}


async def release(connection: Connection, taken_back: Sequence[tuple[int, str]]) -> None:
    """Of each (turn, AWB) that was entered and is not its own: it may be another shipment's, and is found as such.

    The AWB has left the turn's row already.
    """
    await connection.executemany("DELETE FROM awbs WHERE turn_id = $1 AND awb = $2", taken_back)
    await connection.executemany(
        """DELETE FROM shipment_codes c USING turns t
            WHERE t.id = $1 AND c.shipment_id = t.shipment_id AND c.code = lower($2)
              AND NOT EXISTS (SELECT FROM turns o WHERE o.shipment_id = t.shipment_id
                                 AND c.code IN (lower(o.reference), lower(o.awb)))""",
        taken_back,
    )


async def put_on_boxes(
    connection: Connection, shipment_id: int, version: int, shipment: Shipment, children: Sequence[Child], awb: str
) -> None:
    """Children to the boxes they belong to: those of the label that will be on them."""
    matched = match_children(shipment, children, awb)
    await connection.executemany(
        "UPDATE boxes SET awb = $4 WHERE shipment_id = $1 AND version = $2 AND number = $3",
        [(shipment_id, version, number, awb) for number, awb in matched.by_box],
    )
    if matched.warning:
        await warn(connection, shipment_id, matched.warning)


async def take_off_boxes(connection: Connection, shipments: Sequence[tuple[int, int]]) -> None:
    """Of each (shipment, version): its label will not be on them after all."""
    await connection.executemany(
        "UPDATE boxes SET awb = '' WHERE shipment_id = $1 AND version = $2 AND awb <> ''", shipments
    )


async def warn_of_pages(connection: Connection, shipment_id: int, pages: int, boxes: int) -> None:
    """What is odd about a label's PDF."""
    if pages == 0:
        await warn(connection, shipment_id, "The label's PDF cannot be read: look at it before it is printed.")
    elif not boxes <= pages <= boxes + DOCUMENT_PAGES:
        told = f"The label has {pages} pages for {boxes} boxes."
        await warn(connection, shipment_id, told)


async def warn(connection: Connection, shipment_id: int, warning: str) -> None:
    """What a person should see, once."""
    await connection.execute(
        "UPDATE shipments SET warnings = array_append(warnings, $2) WHERE id = $1 AND NOT $2 = ANY(warnings)",
        shipment_id,
        warning,
    )
