"""Replays: telling an endpoint once more what it was told, or what happened before it was there.

A replay is a new delivery of the same event under the same id, so that a receiver that remembers ids takes it for what
it is. What is still owed is not owed twice.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from bilty.store.audit import Actor, note
from bilty.store.database import Connection
from bilty.store.hand_off.endpoints import Endpoint
from bilty.store.hand_off.events import event_id
from bilty.store.hand_off.owing import owe_once_more
from bilty.words import grouped

REPLAYED_MAX = 100_000
REPLAYED = "events replayed"
_LOCK = 0x7265706C  # "repl"


class CannotReplay(ValueError):  # noqa: N818 - said to a person as it stands
    """One sentence: why not, and what to do."""


_EVENTS = """SELECT e.id FROM events e JOIN shipments s ON s.id = e.shipment_id
    CROSS JOIN endpoints p
    WHERE p.id = $1 AND e.kind = ANY(p.events) AND (p.facilities IS NULL OR s.facility_id = ANY(p.facilities))
      AND NOT EXISTS (SELECT FROM deliveries d
                       WHERE d.endpoint_id = $1 AND d.shipment_id = e.shipment_id AND d.event_id = e.id
                         AND d.state = 'waiting')"""
"""Those that an endpoint is set up to be told, and that it is not owed anyway."""


async def replay_one(connection: Connection, endpoint: Endpoint, event: UUID, actor: Actor, now: datetime) -> int:
    """How many deliveries are new: 1, or 0 where it is owed as it is. Raises CannotReplay."""
    await _one_at_a_time(connection, endpoint)
    row = await connection.fetchrow(
        """SELECT e.id, e.kind, e.kind = ANY(p.events) AS of_its_kinds,
                  p.facilities IS NULL OR s.facility_id = ANY(p.facilities) AS of_its_facilities
             FROM events e JOIN shipments s ON s.id = e.shipment_id CROSS JOIN endpoints p
            WHERE e.uid = $2 AND p.id = $1""",
        endpoint.id,
        event,
    )
    if row is None:
        raise CannotReplay(f"There is no event {event_id(event)}, or it is so old that it is cleared away.")
    if not row["of_its_kinds"]:
        raise CannotReplay(f"{endpoint.code} is not told of {row['kind']}: add that to its events first.")
    if not row["of_its_facilities"]:
        raise CannotReplay(f"{event_id(event)} is of a facility that {endpoint.code} is not told of: add that first.")
    rows = await connection.fetch(f"{_EVENTS} AND e.id = $2", endpoint.id, row["id"])
    return await _owe(connection, endpoint, [each["id"] for each in rows], actor, now, {"event": event_id(event)})


async def replay_range(
    connection: Connection, endpoint: Endpoint, since: datetime, until: datetime, actor: Actor, now: datetime
) -> int:
    """What happened from `since` on, before `until`. How many deliveries are new. Raises CannotReplay."""
    await _one_at_a_time(connection, endpoint)
    rows = await connection.fetch(
        f"{_EVENTS} AND e.at >= $2 AND e.at < $3 ORDER BY e.at LIMIT $4",
        endpoint.id,
        since,
        until,
        REPLAYED_MAX + 1,
    )
    if len(rows) > REPLAYED_MAX:
        raise CannotReplay(
            f"More than {grouped(REPLAYED_MAX)} events happened in that time, and one replay takes no more: "
            "choose a shorter time, and the rest after it."
        )
    told = {"from": since, "until": until}
    return await _owe(connection, endpoint, [each["id"] for each in rows], actor, now, told)


async def _one_at_a_time(connection: Connection, endpoint: Endpoint) -> None:
    """So that of two who replay the same, the second finds it owed. Not the endpoint's row: claims pass that over.

    One that Bilty disabled takes replays: they go out when it is enabled again, as everything does.
    """
    if not endpoint.enabled:
        raise CannotReplay(f"{endpoint.code} is switched off: enable it first, then replay.")
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _LOCK, endpoint.id)


async def _owe(
    connection: Connection,
    endpoint: Endpoint,
    events: list[int],
    actor: Actor,
    now: datetime,
    told: Mapping[str, object],
) -> int:
    if not events:
        return 0
    count = await owe_once_more(connection, endpoint.id, events, now)
    await note(connection, actor, REPLAYED, endpoint.code, after={**told, "deliveries": count})
    return count
