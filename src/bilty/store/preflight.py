"""The checks before a run: would the papers still be good on the days that its first courier would be promised now?

They stand where runs are begun (`schedule_all`, `act`), because panel, API and import all come by there, and because
only then is the day known: it follows from the connector and the facility's calendar of that moment. Later couriers
are promised later times, and are not checked again: a run that has begun is heard to its end.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import asyncpg
import msgspec

from bilty.shipment import Facility, Shipment, decode, standing
from bilty.shipping_provider import Connector, preflight
from bilty.store.database import Connection
from bilty.workflow import Progress


async def why_held(connection: Connection, shipment_ids: Sequence[int], now: datetime) -> dict[int, str]:
    """Why each may not be booked for the times it would be promised now. Those that may are left out.

    Looked at are only shipments that have a paper with a last day; in a bulk upload mostly none.
    """
    rows = await connection.fetch(
        """SELECT s.id, v.content, f.content AS facility, p.connector
             FROM shipments s
             JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version
             JOIN facilities f ON f.id = s.facility_id JOIN shipping_providers p ON p.id = s.provider_id
            WHERE s.id = ANY($1) AND (v.content @? '$.purchase_orders[*].expires_on'
                                      OR v.content @? '$.invoices[*].ewaybill_expires_on')""",
        shipment_ids,
    )
    found = {row["id"]: _why_held(row, decode(row["content"]), now) for row in rows}
    return {shipment_id: why for shipment_id, why in found.items() if why}


async def why_held_as(
    connection: Connection, shipment: Shipment, facility_id: int, provider_id: int, now: datetime
) -> str:
    """Of one that is `shipment` from now on, whatever is stored of it yet."""
    row = await connection.fetchrow(
        """SELECT f.content AS facility, p.connector FROM facilities f, shipping_providers p
            WHERE f.id = $1 AND p.id = $2""",
        facility_id,
        provider_id,
    )
    assert row is not None, "shipments refer to both"
    return _why_held(row, shipment, now)


def _why_held(row: asyncpg.Record, shipment: Shipment, now: datetime) -> str:
    facility = msgspec.json.decode(row["facility"], type=Facility)
    connector = msgspec.json.decode(row["connector"], type=Connector) if row["connector"] else None
    return preflight.why_held(shipment, preflight.promised(shipment, facility, connector, now))


def to_be_looked_at(progress: Progress) -> Progress:
    """The shipment without what was said of its days before: that is looked at anew."""
    return replace(progress, hold=standing(progress.hold))


def held(progress: Progress, why: str) -> Progress:
    """The shipment as it stays where its days do not fit: with its other hold, if it has one, and with `why`."""
    return replace(progress, hold=" ".join(filter(None, (standing(progress.hold), why))))
