"""What a shipment is, as its rows: written when it is changed, in place or as a version of its own."""

from bilty.shipment import Shipment, digest, encode
from bilty.store.database import Connection
from bilty.store.listed import write_keys


async def replace_content(connection: Connection, shipment_id: int, version: int, after: Shipment) -> None:
    """This version is another from now on. Where its boxes stay as many, they keep their AWBs."""
    at = shipment_id, version
    await connection.execute(
        "UPDATE shipment_versions SET digest = $3, content = $4 WHERE shipment_id = $1 AND version = $2",
        *at,
        digest(after),
        encode(after).decode(),
    )
    boxes = await connection.fetchval("SELECT count(*) FROM boxes WHERE shipment_id = $1 AND version = $2", *at)
    if boxes != len(after.boxes):
        await connection.execute("DELETE FROM boxes WHERE shipment_id = $1 AND version = $2", *at)
        await _insert_boxes(connection, shipment_id, version, after)


async def add_version(connection: Connection, shipment_id: int, version: int, after: Shipment) -> None:
    """What it was stays: couriers were asked to carry that."""
    await connection.execute(
        "INSERT INTO shipment_versions (shipment_id, version, digest, content) VALUES ($1, $2, $3, $4)",
        shipment_id,
        version,
        digest(after),
        encode(after).decode(),
    )
    await _insert_boxes(connection, shipment_id, version, after)


async def _insert_boxes(connection: Connection, shipment_id: int, version: int, after: Shipment) -> None:
    await connection.copy_records_to_table(
        "boxes",
        columns=["shipment_id", "version", "number", "reference"],
        records=[
            (shipment_id, version, number, after.box_reference(number)) for number in range(1, len(after.boxes) + 1)
        ],
    )


async def write_shown(connection: Connection, shipment_id: int, provider_id: int, after: Shipment) -> None:
    """What lists show and search by. The courier follows with the progress, see `bilty.store.progress`."""
    await connection.execute(
        """UPDATE shipments SET provider_id = $2, order_number = $3, consignee = $4, city = $5, box_count = $6,
                  weight_g = $7, value = $8 WHERE id = $1""",
        shipment_id,
        provider_id,
        after.order_number,
        after.consignee.organisation or after.consignee.name,
        after.consignee.city,
        len(after.boxes),
        after.weight_g,
        after.value,
    )
    await write_keys(connection, [shipment_id])
