"""What pages show, in words: every figure is written here, so that templates only place it."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from bilty import telling
from bilty.store.listing import Listed
from bilty.store.showing import Seen
from bilty.telling import Cell
from bilty.turn import Rules
from bilty.words import MONTHS, day, kilograms, rupees
from bilty.workflow import Status, status

SHAPES = {
    Status.CREATED: ("idle", "○"),
    Status.ON_HOLD: ("person", "▲"),
    Status.SCHEDULING: ("waiting", "◑"),
    Status.LABEL_REQUESTED: ("waiting", "◑"),
    Status.LABEL_READY: ("done", "●"),
    Status.NEEDS_ATTENTION: ("person", "▲"),
    Status.NOT_SERVICEABLE: ("bad", "✕"),
    Status.FAILED: ("bad", "✕"),
    Status.CANCELLING: ("waiting", "◑"),
    Status.CANCELLED: ("idle", "○"),
    Status.DISPATCHED: ("done", "●"),
}
"""A state's colour class and its shape: colour never speaks alone."""


@dataclass(frozen=True, slots=True)
class Row:
    """A shipment in the list."""

    id: int
    number: str
    order_number: str
    consignee: str
    city: str
    boxes: int
    weight: str
    value: str
    cells: tuple[Cell, ...]
    tiers: str
    courier: str
    awb: str
    status: str
    shape: str
    glyph: str
    told: str
    brief: str
    age: str
    created: str
    created_iso: str
    printed: str
    printed_at: str


def row(seen: Seen, rules: Rules, now: datetime, zone: tzinfo) -> Row:
    shipment = seen.shipment
    return line(
        Listed(
            id=seen.id,
            number=shipment.number,
            order_number=shipment.order_number,
            consignee=shipment.consignee.organisation or shipment.consignee.name,
            city=shipment.consignee.city,
            facility=shipment.facility,
            time_zone=str(zone),
            box_count=len(shipment.boxes),
            weight_g=shipment.weight_g,
            value=shipment.value,
            progress=seen.progress,
            created_at=seen.created_at,
            printed_at=None,
        ),
        rules,
        now,
        zone,
    )


def line(listed: Listed, rules: Rules, now: datetime, zone: tzinfo) -> Row:
    progress = listed.progress
    shown = status(progress)
    cells = telling.strip(progress, rules)
    taken = progress.holder or progress.open_turn
    return Row(
        id=listed.id,
        number=listed.number,
        order_number=listed.order_number,
        consignee=listed.consignee,
        city=listed.city,
        boxes=listed.box_count,
        weight=kilograms(listed.weight_g),
        value=rupees(listed.value),
        cells=cells,
        tiers=", ".join(cell.words for cell in cells),
        courier=taken.courier.name if taken and taken.courier else "",
        awb=progress.holder.awb if progress.holder else "",
        status=telling.STATUS_WORDS[shown],
        shape=SHAPES[shown][0],
        glyph=SHAPES[shown][1],
        told=telling.told_status(progress, rules, now, zone),
        brief=telling.told_briefly(progress, rules, now, zone),
        age=_age(listed.created_at, now),
        created=moment(listed.created_at, zone),
        created_iso=listed.created_at.isoformat(),
        printed=_shortly(listed.printed_at, now, zone) if listed.printed_at else "",
        printed_at=moment(listed.printed_at, zone) if listed.printed_at else "",
    )


def _age(since: datetime, now: datetime) -> str:
    seconds = max(0, int((now - since).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def moment(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M:%S}"


def _shortly(at: datetime, now: datetime, zone: tzinfo) -> str:
    """16:40 of today, 25 Nov of this year, else with the year."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    return f"{local.day} {MONTHS[local.month - 1]}" if local.year == today.year else day(local.date())


def zone_of(name: str | None) -> ZoneInfo:
    return ZoneInfo(name or "Asia/Kolkata")
