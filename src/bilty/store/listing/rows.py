"""What the list shows of each shipment, and what it may be narrowed to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bilty.store.database import Connection
from bilty.store.progress import courses_of
from bilty.workflow import Progress


@dataclass(frozen=True, slots=True)
class Listed:
    """A shipment in the list: the few facts of it that a line has room for, and its course."""

    id: int
    number: str
    order_number: str
    consignee: str
    city: str
    facility: str
    time_zone: str
    box_count: int
    weight_g: int
    value: Decimal
    progress: Progress
    created_at: datetime
    printed_at: datetime | None


async def see(connection: Connection, shipment_ids: Sequence[int]) -> list[Listed]:
    """In the order of the ids. Their contents are not read: they may have 999 boxes each."""
    rows = await connection.fetch(
        """SELECT s.id, s.number, s.order_number, s.consignee, s.city, s.box_count, s.weight_g, s.value, s.created_at,
                  s.printed_at, f.code AS facility, coalesce(f.content ->> 'time_zone', 'Asia/Kolkata') AS time_zone
             FROM shipments s JOIN facilities f ON f.id = s.facility_id WHERE s.id = ANY($1)""",
        shipment_ids,
    )
    courses = await courses_of(connection, shipment_ids)
    seen = {row["id"]: Listed(progress=courses[row["id"]].after, **row) for row in rows if row["id"] in courses}
    return [seen[each] for each in shipment_ids if each in seen]


@dataclass(frozen=True, slots=True)
class Choices:
    """What filters may name: facilities' codes, couriers' names, and providers' codes with their names."""

    facilities: tuple[str, ...]
    couriers: tuple[str, ...]
    providers: tuple[tuple[str, str], ...]


CHOICES_MAX = 1_000


async def choices(connection: Connection, facility_ids: frozenset[int] | None) -> Choices:
    facilities = await connection.fetch(
        "SELECT code FROM facilities WHERE $1::int[] IS NULL OR id = ANY($1) ORDER BY code LIMIT $2",
        None if facility_ids is None else list(facility_ids),
        CHOICES_MAX,
    )
    couriers = await connection.fetch(
        "SELECT DISTINCT name FROM couriers WHERE name <> '' ORDER BY name LIMIT $1", CHOICES_MAX
    )
    providers = await connection.fetch("SELECT code, name FROM shipping_providers ORDER BY name LIMIT $1", CHOICES_MAX)
    return Choices(
        facilities=tuple(row["code"] for row in facilities),
        couriers=tuple(row["name"] for row in couriers),
        providers=tuple((row["code"], row["name"]) for row in providers),
    )
