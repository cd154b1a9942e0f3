"""Whose column is which: the header of an order file held against our own columns.

What comes by the API names its columns as we do. A person's spreadsheet names them as it likes: by known other names,
by names that are nearly ours, or as the person says. A unit is never guessed: 5 kg read as 5 g is a wrong freight bill.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from bilty.intake.reader import printable
from bilty.order_columns import BY_CODE, COLUMNS, LEFT_OUT, NAMES, REASON, SAVED_BY_CODE
from bilty.words import grouped, listed

TOLD_MAX = 20
NEAR = 0.88
NEAR_CHARS_MIN = 6
CHARS_SHOWN = 40
SYNONYMS: Mapping[str, str] = {
    "number": "shipment no, shipment number, shipment id, shipment code, consignment number, consignment no",
    "order_number": "order no, order id, sales order, so number, so no",
    "facility": "facility code, warehouse, warehouse code, ship from, from warehouse, pickup location",
    "shipping_provider": "provider, shipping provider code, provider code",
    "consignee_code": "ship to code, customer code, party code",
    "consignee_name": "contact person, contact name, contact, attention, receiver name, customer name, ship to name",
    "consignee_organisation": (
        "consignee, consignee company, consignee organization, organisation, organization, company, company name, "
        "firm, party, party name, customer, buyer, ship to"
    ),
    "consignee_phone": (
        "phone, phone no, phone number, mobile, mobile no, mobile number, contact no, contact number, consignee mobile"
    ),
    "consignee_email": "email, email id, e mail, email address",
    "consignee_address": "address, delivery address, shipping address, ship to address, full address",
    "consignee_city": "city, town, destination city, ship to city",
    "consignee_state": "state, destination state, ship to state",
    "consignee_pincode": "pincode, pin code, pin, consignee pin, zip, zip code, postal code, destination pincode",
    "consignee_country": "country",
    "consignee_gstin": "gstin, gst, gst no, gst number, gstin no, consignee gst, consignee gst no",
    "payment_mode": "payment, payment type, payment method, mode of payment",
    "cod_amount": "cod, cod value, amount to collect, collectable amount",
    "invoice_number": "invoice, invoice no, inv no, bill no, bill number, tax invoice no",
    "invoice_date": "inv date, bill date, date of invoice",
    "invoice_value": "invoice amount, invoice total, inv value, bill amount, total invoice value",
    "taxable_value": "taxable amount, taxable",
    "cgst": "cgst amount",
    "sgst": "sgst amount",
    "igst": "igst amount",
    "ewaybill_number": "eway bill, eway bill no, eway bill number, e way bill, ewaybill no, ewb, ewb no, ewb number",
    "ewaybill_expires_on": "eway bill expiry, ewb expiry, ewb valid upto, ewb valid until, eway bill valid upto",
    "po_number": "po, po no, purchase order, purchase order no, purchase order number",
    "po_expires_on": "po expiry, po expiry date, po valid upto",
    "boxes": "box, box count, no of boxes, number of boxes, cartons, no of cartons, packages, no of packages",
    "length_cm": "length cms, length in cm, l cm",
    "breadth_cm": "width cm, width cms, breadth cms, width in cm, breadth in cm, b cm, w cm",
    "height_cm": "height cms, height in cm, h cm",
    "weight_g": "weight gm, weight gms, weight grams, weight in grams, weight in g, gross weight g, wt g",
    "sku": "sku code, item code, article, article code, product code, item sku",
    "description": "item description, product name, item name, product description, goods",
    "hsn": "hsn code, hsn sac, hsn no",
    "quantity": "qty, pieces, pcs, units",
    "unit_price": "price, rate, unit rate, price per piece",
    "appointment_starts_at": "appointment from, appointment start, slot start",
    "appointment_ends_at": "appointment to, appointment end, slot end",
    "appointment_id": "appointment number, appointment no, slot id",
    "pickup_at": "pickup time, pickup date time",
}


@dataclass(frozen=True, slots=True)
class Header:
    """`columns`: for each cell of a row the column of ours, LEFT_OUT for none; `called`: ours as the file calls it.

    `unknown` are those of the file that nobody could place. With a `problem` no row can be read.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    called: Mapping[str, str]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    problem: str


Placing: TypeAlias = Callable[[Sequence[str]], Header]
"""Reads a header: `as_ours`, or what `as_theirs` gives."""


def as_ours(names: Sequence[str]) -> Header:
    """Every column by our own name; what is not one of them is a fault, as a slip would lose a whole column."""
    names = _without_idle(names)
    lowered = [name.strip().lower() for name in names]
    columns = [name if name in NAMES else LEFT_OUT for name in lowered]
    unknown = [name for name in dict.fromkeys(lowered) if name not in NAMES and name != REASON]
    return _header(names, columns, unknown, "")


def as_theirs(given: Mapping[str, str] | None = None) -> Placing:
    """By our own names and by others, but first as `given` says: their name to ours, or to LEFT_OUT."""

    def place(names: Sequence[str]) -> Header:
        names = _without_idle(names)
        said = {_key(name): ours for name, ours in (given or {}).items()}
        found = propose([name for name in names if _key(name) not in said]) | {
            name: said[_key(name)] for name in names if _key(name) in said
        }
        columns = [found.get(name.strip(), found.get(name)) for name in names]
        # What has no name cannot be spoken of: it is left out, as helping columns of a spreadsheet are.
        left = [
            name.strip()
            for name, ours in zip(names, columns, strict=True)
            if ours is None and _key(name) not in ("", REASON)
        ]
        strange = [theirs for theirs in (given or {}) if _key(theirs) not in {_key(name) for name in names}]
        return _header(names, [ours or LEFT_OUT for ours in columns], left, _strange(strange), by_map=True)

    return place


def propose(names: Sequence[str]) -> dict[str, str]:
    """Their names that could be placed, each with ours. The surest takes a column first, and each is taken once."""
    found: dict[str, str] = {}
    for match in (_exact, _synonym, _near):
        for name in names:
            ours = match(name)
            if ours and name.strip() not in found and ours not in found.values():
                found[name.strip()] = ours
    return found


def _exact(name: str) -> str:
    return _EXACT.get(_key(name), "")


def _synonym(name: str) -> str:
    return _OTHERS.get(_key(name), "")


def _near(name: str) -> str:
    """A slip of the pen. Not where a unit is part of the name: weight_kg is near weight_g, and a thousand times off."""
    key = _key(name)
    near = get_close_matches(key, _SAFE_NEAR, n=1, cutoff=NEAR) if len(key) >= NEAR_CHARS_MIN else []
    return _SAFE_NEAR[near[0]] if near else ""


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name[:200].lower())


_EXACT = {_key(name): name for name in NAMES}
_OTHERS = {_key(other): name for name, others in SYNONYMS.items() for other in others.split(", ")}
_SAFE_NEAR = {
    key: name
    for key, name in (_OTHERS | _EXACT).items()
    if not name.endswith(("_cm", "_g")) and len(key) >= NEAR_CHARS_MIN
}


def _without_idle(names: Sequence[str]) -> list[str]:
    """Spreadsheets end their lines in the commas of columns that were emptied."""
    kept = list(names)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _header(
    names: Sequence[str], columns: Sequence[str], unknown: Sequence[str], strange: str, *, by_map: bool = False
) -> Header:
    present = {name for name in columns if name}
    needless = SAVED_BY_CODE if BY_CODE in present else frozenset()
    missing = [c.name for c in COLUMNS if c.required and c.name not in present and c.name not in needless]
    twice = [name for name in dict.fromkeys(columns) if name and list(columns).count(name) > 1]
    problem = strange or _problem(missing, unknown, twice, by_map=by_map)
    called = {ours: theirs.strip() for ours, theirs in zip(columns, names, strict=True) if ours}
    return Header(tuple(names), tuple(columns), called, tuple(missing), tuple(unknown), problem)


def _problem(missing: Sequence[str], unknown: Sequence[str], twice: Sequence[str], *, by_map: bool) -> str:
    """One sentence for all that is wrong with the header, or ""."""
    problems = []
    if missing:
        problems.append(f"lacks {listed(list(missing))}")
    if unknown:
        told = [_unknown(name) for name in unknown[:TOLD_MAX]]
        more = len(unknown) - len(told)
        problems.append(f"has {listed(told + [f'{grouped(more)} more'] * bool(more))}, which no order file has")
    if twice:
        problems.append(f"names {listed(list(twice))} twice")
    if not problems:
        return ""
    remedy = "say which column of yours is which, and which to leave out. Ours" if by_map else "its columns"
    return f"The header {listed(problems)}: {remedy} are described in docs/order-file.md."


def _unknown(name: str) -> str:
    near = get_close_matches(name[:CHARS_SHOWN].lower(), NAMES, n=1)
    shown = printable(name, CHARS_SHOWN) or "a column without a name"
    return f"{shown}{f' (did you mean {near[0]}?)' if near else ''}"


def _strange(names: Sequence[str]) -> str:
    if not names:
        return ""
    shown = listed([printable(name, CHARS_SHOWN) for name in names[:TOLD_MAX]])
    return f"The header has no column {shown}: name the columns as the file's first line does."
