"""What lists know of shipments, against what their turns and contents say."""

from bilty.store.database import Connection
from bilty.store.listed import courier_of
from bilty.store.showing import see
from bilty.workflow import Status, status


async def check_listed(connection: Connection, shipment_id: int | None = None) -> None:
    """Of this shipment, or of every one."""
    rows = await connection.fetch(
        """SELECT s.id, s.facility_id, s.created_at, s.standing, s.printed_at, s.provider_id,
                  c.provider_id AS of_provider, c.name AS courier, k AS keys, f.code AS facility,
                  EXISTS (SELECT FROM consignee_names n WHERE n.name = k.consignee) AS is_named,
                  ARRAY(SELECT code FROM shipment_codes o WHERE o.shipment_id = s.id ORDER BY code) AS codes,
                  ARRAY(SELECT child ->> 'awb' FROM turns t, jsonb_array_elements(t.children) AS child
                         WHERE t.shipment_id = s.id) AS children
             FROM shipments s LEFT JOIN couriers c ON c.id = s.courier_id
             LEFT JOIN shipment_keys k ON k.shipment_id = s.id JOIN facilities f ON f.id = s.facility_id
            WHERE $1::bigint IS NULL OR s.id = $1""",
        shipment_id,
    )
    assert rows
    seen = await see(connection, [row["id"] for row in rows])
    for row in rows:
        shipment, progress = seen[row["id"]].shipment, seen[row["id"]].progress
        assert (row["courier"], row["of_provider"]) == (courier_of(progress), row["provider_id"])
        unprinted = status(progress) is Status.LABEL_READY and row["printed_at"] is None
        assert row["standing"] == ("ready_not_printed" if unprinted else status(progress))
        consignee = shipment.consignee.organisation or shipment.consignee.name
        assert tuple(row["keys"]) == (
            row["id"],
            row["facility_id"],
            row["created_at"],
            shipment.number.lower(),
            shipment.order_number.lower(),
            consignee.lower(),
            len(shipment.boxes),
            shipment.weight_g,
            shipment.value,
        )
        assert row["is_named"]
        awbs = {turn.awb for turn in progress.turns} | set(row["children"])
        codes = {turn.reference for turn in progress.turns} | {awb for awb in awbs if awb}
        assert set(row["codes"]) == {code.lower() for code in codes}
