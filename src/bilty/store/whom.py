"""Who was faster: by whom, and by what, an act that is refused has become impossible.

An act that is refused says how things stand. Whoever meant to do it has looked a moment ago, when they stood otherwise,
and will ask a colleague; so the refusal names that colleague and what they did. What Bilty has done since of itself,
it says in the reason. Of a shipment that is dispatched or cancelled that is what was done, whatever came after.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from bilty import telling
from bilty.deciding import ActKind
from bilty.shipment import Facility
from bilty.store.database import Connection

WITHIN = timedelta(hours=12)
"""A shift: what was done before it is told by the shipment's timeline."""
HURRYING = (ActKind.POLL_NOW, ActKind.ASK_AGAIN, ActKind.FETCH_AGAIN)
"""What makes nothing else impossible."""
TAKING = (ActKind.ENTER_AWB, ActKind.USE_LATE, ActKind.USE_PAPER, ActKind.SETTLED)
"""What concerns other turns than their own, too."""
BESIDE = ("ewaybill", "transporter", "transporter_changed", "amended")
"""Lines of the timeline on what makes no act impossible: e-way bills, and what was put right in place."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The act that is refused. `kind` is blank for a change of what the shipment is, `reference` if it is about all.

    `stale`: it is refused because something, whatever it is, was done since.
    """

    kind: ActKind | None
    reference: str = ""
    stale: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the timeline that a person has made."""

    courier: str
    state: str
    message: str
    actor: str


async def told(connection: Connection, refused: Mapping[int, Wanted], now: datetime) -> dict[int, str]:
    """By shipment, a sentence on what a person did last that the refused act has to do with; none where nobody did."""
    if not refused:
        return {}
    rows = await connection.fetch(
        _LAST,
        list(refused),
        [wanted.kind or "" for wanted in refused.values()],
        [wanted.reference for wanted in refused.values()],
        now - WITHIN,
        list(HURRYING),
        list(TAKING),
        [wanted.stale for wanted in refused.values()],
        list(BESIDE),
    )
    return {row["shipment_id"]: _sentence(row, now) for row in rows}


_LAST = """SELECT DISTINCT ON (l.shipment_id) l.shipment_id, l.at, l.state, l.message, l.actor,
       coalesce(t.courier_name, '') AS courier, f.content AS facility
  FROM unnest($1::bigint[], $2::text[], $3::text[], $7::boolean[]) AS wanted(shipment_id, kind, reference, stale)
  JOIN timeline l ON l.shipment_id = wanted.shipment_id
  JOIN shipments s ON s.id = l.shipment_id JOIN facilities f ON f.id = s.facility_id
  LEFT JOIN turns t ON t.id = l.turn_id
  LEFT JOIN turns w ON w.shipment_id = s.id AND w.reference = wanted.reference
 WHERE l.actor <> '' AND l.at > $4
   AND (l.state = wanted.kind OR NOT l.state = ANY($5))
   AND (wanted.stale OR NOT l.state = ANY($8))
   AND (wanted.reference = '' OR t.reference = wanted.reference OR l.state = ANY($6)
        OR (l.turn_id IS NULL AND (l.state <> 'schedule' OR w.run < s.run)))
 ORDER BY l.shipment_id,
          wanted.reference = '' AND NOT wanted.stale
          AND (s.dispatched AND l.state = 'dispatch' OR s.cancel_asked AND l.state = 'cancel') DESC, l.id DESC"""
"""That a shipment was scheduled says nothing about why an act upon a turn of that very run is refused."""


def _sentence(row: asyncpg.Record, now: datetime) -> str:
    line = _Line(row["courier"], row["state"], row["message"], row["actor"])
    zone = ZoneInfo(msgspec.json.decode(row["facility"], type=Facility).time_zone)
    return telling.told_faster(line, row["at"], now, zone)
