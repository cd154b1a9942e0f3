"""`POST /waybill`: Uniware's document, as the document that Bilty's own API takes, and read as that is read."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import msgspec

from bilty.intake.reader import Fault, Findings, Reader, Rejected, is_blank
from bilty.intake.shipments import Accepted, IntakeRules, parse_shipment
from bilty.intake.uniware.boxes import Document, boxes
from bilty.intake.uniware.customs import customs, label
from bilty.intake.uniware.defaults import Defaults, Need
from bilty.intake.uniware.facility import Naming
from bilty.intake.uniware.names import in_uniwares_words
from bilty.intake.uniware.needs import WORDS, hold_of
from bilty.intake.uniware.values import day_text, first_given, keys_of, rupees_text
from bilty.intake.values import BOOLEAN

SHIPMENT = frozenset({"code", "invoiceCode", "weight", "length", "breadth", "height", "numberOfBoxes", "items"})
ADDRESS = frozenset({"name", "phone", "address1", "pincode", "city", "state"})
TOP = frozenset({"Shipment", "deliveryAddressDetails", "paymentMode", "totalAmount", "pickupAddressId"})
RETURNS = "Bilty books no returns; book it with the courier, or turn reverse shipments off for this provider in Uniware"
STAND_IN = "-"
"""In the place of a code that is missing, while the rest is read. It is kept nowhere."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known before the document is read: the `facility`'s code, or why it is none.

    `provider` is the only one there is, if there is only one; `asked_on` the day on which Uniware first asked.
    """

    facility: str | Fault
    provider: str
    defaults: Defaults
    asked_on: date


@dataclass(frozen=True, slots=True)
class Said:
    """The parts of the document. A part that is missing was told as one fault, and reads as blank."""

    outer: Reader
    shipment: Reader
    address: Reader
    customs: Mapping[str, object]


def _said(document: object, findings: Findings) -> Said:
    outer = Reader(document, TOP, findings, told_elsewhere=keys_of(document))
    shipment = inner(outer, "Shipment", SHIPMENT)
    address = inner(outer, "deliveryAddressDetails", ADDRESS)
    return Said(outer, shipment, address, customs(shipment.raw("customField"), outer.raw("customField")))


def inner(outer: Reader, name: str, wanted: frozenset[str]) -> Reader:
    return outer.inner(name, wanted, told_elsewhere=keys_of(outer.raw(name)))


def code_of(document: object) -> str:
    """The shipment's number as far as there is one."""
    code = _said(document, Findings()).shipment.raw("code")
    return code.strip() if isinstance(code, str) else ""


def waybill_of(document: object) -> str:
    """The AWB that an update names; blank where it names none."""
    awb = _said(document, Findings()).shipment.raw("waybill")
    return awb.strip() if isinstance(awb, str) else ""


def facility_named(document: object) -> Naming:
    said = _said(document, Findings())
    return Naming(said.outer.raw("pickupAddressId"), said.customs.get("facility"))


def asked(document: object) -> bytes:
    """A hash of all that Uniware says of the shipment, whatever the facility's defaults add to it."""
    said = _said(document, Findings())
    made = _document(said, About("", "", Defaults(), date.min))
    return hashlib.sha256(json.dumps(made, sort_keys=True, default=str).encode()).digest()


def parse_waybill(document: object, about: About, rules: IntakeRules, today: date) -> Accepted | Rejected:
    """Whatever is in `document`. What is accepted without data that it needs is held, and nothing is made up for it."""
    findings = Findings()
    said = _said(document, findings)
    if not isinstance(document, dict):
        return Rejected(tuple(findings.faults))
    _refuse_what_is_not_done(said, about)
    made = _document(said, about)
    lacking = _lacking(made, about.defaults)
    parsed = parse_shipment(_with_stand_ins(made, today), rules, today)
    faults = findings.faults + (list(parsed.faults) if isinstance(parsed, Rejected) else [])
    if faults:
        gone = tuple(f"{part.path}." for part in (said.shipment, said.address) if part.findings is not findings)
        return Rejected(tuple(in_uniwares_words(faults, gone)))
    assert isinstance(parsed, Accepted)
    return _held(parsed, made, lacking) if lacking else parsed


def _refuse_what_is_not_done(said: Said, about: About) -> None:
    outer = said.outer
    for reader in (outer, said.shipment):
        if reader.take("returnShipmentFlag", BOOLEAN, default=False):
            reader.refuse("returnShipmentFlag", RETURNS)
    currency = outer.raw("currencyCode")
    if not is_blank(currency) and not (isinstance(currency, str) and currency.strip().upper() == "INR"):
        outer.refuse("currencyCode", "couriers in India are told rupees; give INR")
    if isinstance(about.facility, Fault):
        outer.findings.faults.append(about.facility)


def _document(said: Said, about: About) -> Document:
    outer, shipment, own = said.outer, said.shipment, said.customs
    invoice = _invoice(said, about)
    order = own.get("purchase_order")
    papers: Document = {
        "invoice": "" if is_blank(invoice["number"]) else invoice["number"],
        "purchase_order": "" if order is None else order,
    }
    made: Document = {
        "number": shipment.raw("code"),
        "order_number": first_given(shipment, "SaleOrderCode", "orderCode"),
        "facility": "" if isinstance(about.facility, Fault) else about.facility,
        "shipping_provider": own.get("shipping_provider") or about.defaults.shipping_provider or about.provider,
        "consignee": _consignee(said),
        "payment": _payment(outer),
        "invoices": [invoice],
        "boxes": [{**box, **papers} for box in boxes(shipment, own, about.defaults.box_cm)],
        "pickup_at": own.get("pickup_at"),
        "schedule": True,
    }
    if order is not None:
        expires_on = day_text(own.get("purchase_order_expires_on"))
        made["purchase_orders"] = [{"number": order, "expires_on": expires_on}]
    times = {name: own.get(f"appointment_{name}") for name in ("starts_at", "ends_at", "id")}
    if any(value is not None for value in times.values()):
        made["appointment"] = times
    return made


def _invoice(said: Said, about: About) -> Document:
    own = said.customs
    date_told = day_text(own.get("invoice_date"))
    if date_told is None and about.defaults.invoice_of_the_day:
        date_told = about.asked_on.isoformat()
    value = own.get("invoice_value")
    taxes = {name: rupees_text(own.get(name)) for name in ("taxable_value", "cgst", "sgst", "igst")}
    return {
        "number": said.shipment.raw("invoiceCode"),
        "date": date_told,
        "value": rupees_text(said.outer.raw("totalAmount") if value is None else value),
        **taxes,
        "ewaybill_number": own.get("ewaybill_number"),
        "ewaybill_expires_on": day_text(own.get("ewaybill_expires_on")),
    }


def _consignee(said: Said) -> Document:
    to, name = said.address, said.address.raw("name")
    state, country = first_given(to, "state", "stateCode"), first_given(to, "country", "countryCode")
    return {
        "name": name,
        "organisation": said.customs.get("organisation", name),
        "phone": first_given(to, "phone", "alternatePhone"),
        "email": to.raw("email"),
        "address": _address(to),
        "city": to.raw("city"),
        "state": state.strip().upper().removeprefix("IN-") if isinstance(state, str) and not to.has("state") else state,
        "pincode": to.raw("pincode"),
        "country": country,
        "gstin": to.raw("gstin") if to.has("gstin") else said.customs.get("gstin"),
    }


def _address(to: Reader) -> object:
    lines = [to.raw(name) for name in ("address1", "address2") if to.has(name)]
    if not to.has("address1") or not all(isinstance(line, str) for line in lines):
        return to.raw("address1")
    return ", ".join(str(line).strip() for line in lines)


def _payment(outer: Reader) -> Document:
    """Prepaid, Uniware gives 0 to collect, or nothing."""
    amount = rupees_text(outer.raw("collectableAmount"))
    return {"mode": outer.raw("paymentMode"), "cod_amount": None if amount == "0.00" else amount}


def _lacking(made: Document, defaults: Defaults) -> list[str]:
    """What Uniware has no place for, and neither a custom field nor a default tells."""
    invoice, consignee = _only(made["invoices"]), made["consignee"]
    assert isinstance(consignee, dict)
    taxes = [not is_blank(invoice[name]) for name in ("igst", "cgst")]
    lacking = {
        f"the shipping provider ({label('shipping_provider')})": is_blank(made["shipping_provider"]),
        f"the day of the invoice ({label('invoice_date')})": is_blank(invoice["date"]),
        WORDS[Need.GSTIN]: Need.GSTIN in defaults.needs and is_blank(consignee["gstin"]),
        WORDS[Need.PURCHASE_ORDER]: Need.PURCHASE_ORDER in defaults.needs and "purchase_orders" not in made,
        WORDS[Need.GST_SPLIT]: (
            Need.GST_SPLIT in defaults.needs and (is_blank(invoice["taxable_value"]) or not any(taxes))
        ),
    }
    return [what for what, is_lacking in lacking.items() if is_lacking]


def _with_stand_ins(made: Document, today: date) -> Document:
    """All else can be read, and its faults told, where what is missing is taken for given."""
    invoice = _only(made["invoices"])
    return {
        **made,
        "facility": made["facility"] or STAND_IN,
        "shipping_provider": STAND_IN if is_blank(made["shipping_provider"]) else made["shipping_provider"],
        "invoices": [{**invoice, "date": today.isoformat() if is_blank(invoice["date"]) else invoice["date"]}],
    }


def _held(parsed: Accepted, made: Document, lacking: list[str]) -> Accepted:
    """Without its stand-ins: an invoice of no day is left out, and the provider blank."""
    shipment = parsed.shipment
    if is_blank(made["shipping_provider"]):
        shipment = msgspec.structs.replace(shipment, shipping_provider="")
    if is_blank(_only(made["invoices"])["date"]):
        loose = tuple(msgspec.structs.replace(box, invoice="") for box in shipment.boxes)
        shipment = msgspec.structs.replace(shipment, invoices=(), boxes=loose)
    has_default = is_blank(made["shipping_provider"]) or not shipment.invoices
    default = ", or set a default in Settings, Uniware" if has_default else ""
    hold = hold_of(lacking, default)
    return Accepted(shipment, parsed.schedule, parsed.warnings, f"{hold} {parsed.hold}" if parsed.hold else hold)


def _only(given: object) -> Document:
    assert isinstance(given, list)
    assert isinstance(given[0], dict)
    return given[0]
