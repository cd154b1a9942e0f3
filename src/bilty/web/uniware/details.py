"""`GET /uniware/waybillDetails`: where each AWB stands, as far as Bilty knows. Uniware asks some times a day."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from litestar import Response, get

from bilty.deciding.refusals import stands
from bilty.intake.uniware.values import MM_PER_CM
from bilty.reply import AWB_CHARS_MAX
from bilty.shipment import Shipment
from bilty.store import showing, uniware
from bilty.store.showing import Seen
from bilty.store.uniware import Awb
from bilty.turn import State, Turn
from bilty.web.keys import caller
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.uniware.answers import FAILED, SUCCESS, Body, is_awb
from bilty.web.uniware.coming_in import with_token
from bilty.words import MONTHS

AWBS_MAX = 50
DISPATCHED, NOT_FOUND = "DISPATCHED", "NOT_FOUND"
STATUSES: Mapping[State, str] = {
    State.FETCHING: "LABEL_REQUESTED",
    State.UNLABELLED: "LABEL_REQUESTED",
    State.WON: "READY_TO_SHIP",
    State.OFFERED: "NEEDS_ATTENTION",
    State.CONFLICT: "NEEDS_ATTENTION",
    State.SURPLUS: "CANCELLING",
    State.UNCANCELLED: "CANCELLING",
    State.PICKED_UP: "PICKED_UP",
    State.CANCELLED: "CANCELLED",
}
"""Of an AWB, by its turn's state, in the words to map in Uniware; docs/uniware.md has the table."""


@get("/waybillDetails", guards=[with_token], include_in_schema=False)
async def waybill_details(request: AnyRequest) -> Response[Body]:
    awbs = awbs_of(request.query_params.get("waybills", ""))
    if not 1 <= len(awbs) <= AWBS_MAX:
        told = f"waybills names {len(awbs)} AWBs" if awbs else "waybills is missing"
        message = f"{told}: give 1 to {AWBS_MAX}, with commas between them."
        return Response({"Status": FAILED, "message": message, "waybillDetails": []}, status_code=200)
    async with tools_of(request).pool.acquire() as connection:
        owners = await uniware.by_awb(connection, list(filter(is_awb, awbs)), caller(request).facilities)
        seen = await showing.see(connection, [owner.shipment_id for owner in owners])
        zones = await showing.time_zones(connection, [each.shipment.facility for each in seen.values()])
    told_of: dict[str, list[Body]] = {}
    for owner in owners:
        found = seen[owner.shipment_id]
        zone = ZoneInfo(zones[found.shipment.facility])
        told_of.setdefault(owner.awb, []).append(_details(owner, found, zone))
    details = [detail for awb in awbs for detail in told_of.get(awb, [_unknown(awb)])]
    return Response({"Status": SUCCESS, "waybillDetails": details}, status_code=200)


def awbs_of(given: str) -> list[str]:
    """Uniware puts the list in quotation marks."""
    return list(dict.fromkeys(awb for each in given.strip().strip('"').split(",") if (awb := each.strip().strip('"'))))


def moment(at: datetime, zone: tzinfo) -> str:
    """As Uniware writes it: 05-Aug-2023 03:52:09, by the facility's clock."""
    local = at.astimezone(zone)
    return f"{local.day:02}-{MONTHS[local.month - 1]}-{local.year} {local:%H:%M:%S}"


def _details(owner: Awb, seen: Seen, zone: tzinfo) -> Body:
    turn = next(turn for turn in reversed(seen.progress.turns) if turn.awb == owner.awb)
    gone = seen.progress.dispatched and turn is seen.progress.holder
    return {
        "waybill": owner.awb,
        "currentStatus": DISPATCHED if gone else _status(turn),
        "current_sub_status": turn.state.value,
        "current_status_remark": stands(turn),
        "statusDate": moment(owner.at, zone),
        "shipping_provider": turn.courier.name if turn.courier else "",
        "current_location": "",
        "expected_date_of_delivery": "",
        "weight": f"{seen.shipment.weight_g}.0000",
        "dimensions": _dimensions(seen.shipment),
    }


def _status(turn: Turn) -> str:
    return STATUSES.get(turn.state, "NEEDS_ATTENTION")


def _dimensions(shipment: Shipment) -> dict[str, str]:
    """In millimetres, as Uniware gave them; blank where the boxes differ, since there is room for one size only."""
    sizes = {(box.length_cm, box.breadth_cm, box.height_cm) for box in shipment.boxes}
    sides = [str(side * MM_PER_CM) for side in sizes.pop()] if len(sizes) == 1 else ["", "", ""]
    return dict(zip(("l", "b", "h"), sides, strict=True))


def _unknown(awb: str) -> Body:
    blank = dict.fromkeys(
        ("current_sub_status", "statusDate", "shipping_provider", "current_location", "expected_date_of_delivery"), ""
    )
    return {
        "waybill": awb[:AWB_CHARS_MAX],
        "currentStatus": NOT_FOUND,
        **blank,
        "current_status_remark": "This AWB is not known in Bilty, or is not of a facility of this key's.",
        "weight": "",
        "dimensions": {"l": "", "b": "", "h": ""},
    }
