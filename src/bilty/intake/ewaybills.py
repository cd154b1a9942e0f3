"""E-way bills that come after their shipment: read from a document, held to the days, and what they change. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import msgspec

from bilty.intake import limits
from bilty.intake.boxes import INVOICE
from bilty.intake.concerns import INDIA, concerns, ewaybill_hold
from bilty.intake.papers import EWAYBILL
from bilty.intake.reader import Findings, Reader, Rejected
from bilty.intake.shipments import IntakeRules
from bilty.intake.values import BOOLEAN, DAY
from bilty.shipment import Ewaybill, Shipment, lacks_data, standing, wants_ewaybill
from bilty.shipping_provider import preflight
from bilty.words import day, listed

DOCUMENT = frozenset({"items", "schedule"})
ITEM = frozenset({"invoice", "number", "expires_on"})
NONE = Ewaybill("")
"""Takes it away."""
NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class Given:
    """By the number of the invoice. `schedule`: book the shipment then, if nothing else holds it."""

    bills: Mapping[str, Ewaybill]
    schedule: bool = False


def parse_ewaybills(document: object) -> Given | Rejected:
    findings = Findings()
    reader = Reader(document, DOCUMENT, findings, noun="The list of e-way bills")
    bills: dict[str, Ewaybill] = {}
    for item in reader.each("items", ITEM, 1, limits.INVOICES_MAX):
        invoice, bill = item.need("invoice", INVOICE), ewaybill(item)
        if invoice and invoice in bills:
            item.fault("invoice", f"invoice {invoice} is given twice: leave one out.")
        bills[invoice] = bill
    given = Given(bills, reader.take("schedule", BOOLEAN, default=False))
    return Rejected(tuple(findings.faults)) if findings.faults else given


def ewaybill(reader: Reader, number: str = "number", expires_on: str = "expires_on") -> Ewaybill:
    """Without a number: none, which takes away what is there."""
    bill = Ewaybill(reader.take(number, EWAYBILL, ""), reader.maybe(expires_on, DAY))
    if bill.expires_on and not reader.has(number):
        reader.fault(expires_on, f"{expires_on} is given without {number}: give the number too, or leave both out.")
    return bill


def why_not(shipment: Shipment, invoice: str, bill: Ewaybill, today: date) -> str:
    """Why this cannot be the e-way bill of this invoice, blank where it can."""
    found = next((each for each in shipment.invoices if each.number == invoice), None)
    if found is None:
        named = [each.number for each in shipment.invoices[:NAMED_MAX]]
        more = len(shipment.invoices) - len(named)
        known = listed(named + [f"{more} more"] * bool(more)) if named else "none"
        return f"Shipment {shipment.number} has no invoice {invoice}: its invoices are {known}."
    if (bill.number, bill.expires_on) == (found.ewaybill_number, found.ewaybill_expires_on):
        return ""
    if bill.expires_on and bill.expires_on < today:
        return f"The e-way bill expired on {day(bill.expires_on)}: extend it or make a new one, and give its last day."
    days = preflight.own_days(shipment, INDIA)
    held = msgspec.structs.replace(found, ewaybill_number=bill.number, ewaybill_expires_on=bill.expires_on)
    return preflight.expired_ewaybill(msgspec.structs.replace(shipment, invoices=(held,)), days)


def held_anew(hold: str, before: Shipment, after: Shipment, rules: IntakeRules) -> str:
    """The standing hold when only e-way bills have changed.

    What else holds it stays. A person's word that none is needed stays, too, unless one is taken away.
    """
    had, why = standing(hold), _hold(after, rules)
    missed = {each.number for each in wants_ewaybill(before, rules.ewaybill_threshold)}
    if lacks_data(had):
        before_why = ewaybill_hold(before, rules.ewaybill_threshold) or ""
        data = had.removesuffix(before_why).rstrip()
        return " ".join(filter(None, (data, why)))
    newly = any(each.number not in missed for each in wants_ewaybill(after, rules.ewaybill_threshold))
    return why if had or newly else ""


def warnings_anew(
    warnings: tuple[str, ...], before: Shipment, after: Shipment, rules: IntakeRules, today: date
) -> tuple[str, ...]:
    """What else was warned of stays."""
    said, says = _warned(before, rules, today), _warned(after, rules, today)
    kept = [each for each in warnings if each not in said or each in says]
    return (*kept, *(each for each in says if each not in said and each not in kept))


def _warned(shipment: Shipment, rules: IntakeRules, today: date) -> list[str]:
    told = [each.message for each in concerns(shipment, rules.ewaybill_threshold, today)]
    if rules.ewaybill_missing == "send" and (why := ewaybill_hold(shipment, rules.ewaybill_threshold)):
        told.append(why)
    return told


def _hold(shipment: Shipment, rules: IntakeRules) -> str:
    if rules.ewaybill_missing == "send":
        return ""
    return ewaybill_hold(shipment, rules.ewaybill_threshold) or ""
