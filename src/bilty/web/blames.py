"""Which field of the form a courier's refusal is about, where its words name one. Pure.

ClickPost and couriers write as they like: "Invalid drop_pincode", "consignee phone no. is not valid". A guess that
is wrong only puts their words beside another field: they are told at the top of the page in any case.
"""

import re
from collections.abc import Iterator

from bilty.intake import Fault
from bilty.turn import State, Turn
from bilty.words import listed
from bilty.workflow import Progress

CODES = {312: "boxes", 315: "payment.cod_amount"}
"""Codes that are about one thing alone."""
DATA = frozenset({*range(307, 316), 328, 400, 422})
_PICKUP = re.compile(r"pick[\s_-]?up|origin|seller|warehouse|shipper|return", re.IGNORECASE)
"""What is the facility's: no field of a shipment."""
_WORDS = tuple(
    (re.compile(words, re.IGNORECASE), field)
    for words, field in (
        (r"pin[\s_-]?code|postal|zip|\bpin\b", "consignee.pincode"),
        (r"phone|mobile|contact n", "consignee.phone"),
        (r"e-?mail", "consignee.email"),
        (r"gst(?:in)?\b|gst[\s_-]?(?:no|num)", "consignee.gstin"),
        (r"e-?way", "invoices[0].ewaybill_number"),
        (r"invoice[\s_-]?(?:value|amount)", "invoices[0].value"),
        (r"invoice[\s_-]?date", "invoices[0].date"),
        (r"invoice", "invoices[0].number"),
        (r"\bcod\b|cod[\s_-](?:value|amount)", "payment.cod_amount"),
        (r"purchase[\s_-]?order|\bpo\b|po[\s_-](?:no|num)", "purchase_orders"),
        (r"appointment|slot", "appointment.starts_at"),
        (r"weight", "boxes[0].weight_kg"),
        (r"length", "boxes[0].length_cm"),
        (r"breadth|width", "boxes[0].breadth_cm"),
        (r"height", "boxes[0].height_cm"),
        (r"dimension|box|package|item", "boxes"),
        (r"\bcity\b|drop_city", "consignee.city"),
        (r"\bstate\b|drop_state", "consignee.state"),
        (r"address", "consignee.address"),
        (r"\bname\b|drop_name", "consignee.name"),
    )
)


def blames(progress: Progress) -> list[Fault]:
    """What couriers refused of the shipment as it is, each at the field that it names; blank where it names none.

    Of what no other data would mend nothing is said.
    """
    if progress.holder or progress.open_turn or progress.cancel_asked:
        return []
    refused: dict[tuple[str, str], list[str]] = {}
    for turn in progress.run_turns:
        for field in _blamed(turn):
            refused.setdefault((field, _words(turn)), []).append(turn.courier.name if turn.courier else "")
    return [
        Fault(field, "", _told([name for name in names if name], words)) for (field, words), names in refused.items()
    ]


def mending(shipment_id: int, progress: Progress) -> str:
    """Where it is put right, at the field that is named first; blank where no courier refused what it says."""
    found = blames(progress)
    field = next((each.field for each in found if each.field), "")
    return f"/shipments/{shipment_id}/edit{'#' if field else ''}{field}" if found else ""


def _blamed(turn: Turn) -> Iterator[str]:
    if turn.state is State.UNSERVICEABLE:
        yield "consignee.pincode"
    elif turn.state in (State.REFUSED, State.STOPPED) and turn.courier:
        field = field_of(turn.code, turn.message)
        if field or turn.code in DATA:
            yield field


def _words(turn: Turn) -> str:
    return " ".join(turn.message.split()).rstrip(".")


def _told(names: list[str], words: str) -> str:
    what = f"{listed(names)} refused" if names else "ClickPost names no courier for this lane"
    return f"{what}: {words}." if words else f"{what}."


def field_of(code: int, message: str) -> str:
    """Blank where it is about nothing that a shipment says."""
    if _PICKUP.search(message) and not re.search(r"drop|consignee|receiver|destination", message, re.IGNORECASE):
        return ""
    named = next((field for words, field in _WORDS if words.search(message)), "")
    return named or CODES.get(code, "")
