"""What pages show, in words: every figure is written here, so that templates only place it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from bilty import telling
from bilty.store.showing import COUNT_MAX, Moment, Seen
from bilty.telling import Cell
from bilty.turn import Rules, Turn
from bilty.words import day, grouped, kilograms, listed, rupees
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


def row(seen: Seen, rules: Rules, now: datetime, zone: tzinfo) -> Row:
    shipment, progress = seen.shipment, seen.progress
    shown = status(progress)
    cells = telling.strip(progress, rules)
    taken = progress.holder or progress.open_turn
    return Row(
        id=seen.id,
        number=shipment.number,
        order_number=shipment.order_number,
        consignee=shipment.consignee.organisation or shipment.consignee.name,
        city=shipment.consignee.city,
        boxes=len(shipment.boxes),
        weight=kilograms(shipment.weight_g),
        value=rupees(shipment.value),
        cells=cells,
        tiers=", ".join(cell.words for cell in cells),
        courier=taken.courier.name if taken and taken.courier else "",
        awb=progress.holder.awb if progress.holder else "",
        status=telling.STATUS_WORDS[shown],
        shape=SHAPES[shown][0],
        glyph=SHAPES[shown][1],
        told=telling.told_status(progress, rules, now, zone),
        brief=telling.told_briefly(progress, rules, now, zone),
        age=_age(seen.created_at, now),
        created=moment(seen.created_at, zone),
        created_iso=seen.created_at.isoformat(),
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


@dataclass(frozen=True, slots=True)
class Tab:
    status: str
    words: str
    count: str
    is_current: bool


def tabs(counts: Mapping[Status, int], current: Status | None) -> list[Tab]:
    """All, and each status that somebody has."""
    total = sum(counts.values())
    capped = any(count >= COUNT_MAX for count in counts.values())
    shown = [Tab("", "All", _count(total) + ("+" if capped else ""), current is None)]
    for each in Status:
        if counts.get(each) or each is current:
            count = counts.get(each, 0)
            more = "+" if count >= COUNT_MAX else ""
            shown.append(Tab(each, telling.STATUS_WORDS[each], _count(count) + more, each is current))
    return shown


def _count(count: int) -> str:
    return grouped(min(count, COUNT_MAX))


@dataclass(frozen=True, slots=True)
class TurnRow:
    """A turn on the shipment's page."""

    run: int
    tier: str
    courier: str
    reference: str
    cell: Cell | None
    asked: str
    awb: str
    told: str


def turn_rows(seen: Seen, rules: Rules, now: datetime, zone: tzinfo) -> list[TurnRow]:
    progress = seen.progress

    def told(turn: Turn) -> TurnRow:
        return TurnRow(
            run=turn.run,
            tier=f"P{turn.priority}" if turn.priority else "Ranking",
            courier=turn.courier.name if turn.courier else "ClickPost",
            reference=turn.reference,
            cell=telling.cell(turn.priority, turn, None, rules) if turn.courier else None,
            asked=moment(turn.asked_at, zone) if turn.asked_at else "",
            awb=turn.awb,
            told=telling.told_turn(turn, telling.next_courier(progress, turn), rules, now, zone),
        )

    return [told(turn) for turn in progress.turns]


@dataclass(frozen=True, slots=True)
class Line:
    at: str
    iso: str
    courier: str
    told: str


SAID_BY_TURNS = (Status.SCHEDULING, Status.LABEL_REQUESTED)


def lines(moments: list[Moment], rules: Rules, zone: tzinfo) -> list[Line]:
    """Without the statuses that a turn's own line already says."""
    return [
        Line(
            at=moment(each.at, zone),
            iso=each.at.isoformat(),
            courier=each.courier,
            told=telling.told_moment(each, rules),
        )
        for each in moments
        if each.priority is not None or each.state not in SAID_BY_TURNS
    ]


def facts(seen: Seen, zone: tzinfo) -> list[tuple[str, str]]:
    """What is carried, for a person who compares it with the paper in hand."""
    shipment = seen.shipment
    to = shipment.consignee
    boxes = "box" if len(shipment.boxes) == 1 else "boxes"
    invoices = [
        f"{invoice.number} of {rupees(invoice.value)}"
        + (f", e-way bill {invoice.ewaybill_number}" if invoice.ewaybill_number else "")
        for invoice in shipment.invoices
    ]
    return [
        ("Consignee", ", ".join(part for part in (to.organisation, to.name) if part)),
        ("To", ", ".join([" ".join(to.address.split()).rstrip(","), f"{to.city} {to.pincode}", to.state])),
        ("From", shipment.facility),
        ("Goods", f"{grouped(len(shipment.boxes))} {boxes}, {kilograms(shipment.weight_g)}, {rupees(shipment.value)}"),
        ("Invoices", "; ".join(invoices)),
        ("Purchase orders", listed([order.number for order in shipment.purchase_orders])),
        ("Payment", f"Collect {rupees(shipment.payment.cod_amount)}" if shipment.payment.cod_amount else "Prepaid"),
        ("Order", shipment.order_number),
        ("Shipping provider", shipment.shipping_provider),
        ("Taken in", moment(seen.created_at, zone)),
    ]


def zone_of(name: str | None) -> ZoneInfo:
    return ZoneInfo(name or "Asia/Kolkata")
