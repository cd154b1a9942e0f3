"""What a readable shipment should still be looked at for. Nothing here refuses: a warning is told, a hold waits."""

from datetime import date, timedelta, timezone
from decimal import Decimal

from bilty.intake.limits import ROUND_OFF_MAX
from bilty.intake.parties import party_warnings
from bilty.intake.reader import Fault
from bilty.intake.values import ZERO
from bilty.shipment import Invoice, Shipment, wants_ewaybill
from bilty.shipping_provider import preflight
from bilty.words import day, listed, rupees

INDIA = timezone(timedelta(hours=5, minutes=30))


def ewaybill_hold(shipment: Shipment, threshold: Decimal) -> str | None:
    """Why booking must wait for an e-way bill, or None."""
    named = [f"{invoice.number} of {rupees(invoice.value)}" for invoice in wants_ewaybill(shipment, threshold)]
    if not named:
        return None
    subject = f"Invoice {named[0]} has" if len(named) == 1 else f"Invoices {listed(named)} have"
    return (
        f"{subject} no e-way bill, which goods above {rupees(threshold)} may not move without: "
        "give its number of 12 digits with the order, or schedule it without one."
    )


def concerns(shipment: Shipment, threshold: Decimal, today: date) -> list[Fault]:
    found = party_warnings(shipment.consignee, "consignee.")
    for index, invoice in enumerate(shipment.invoices):
        found += _of_invoice(invoice, f"invoices[{index}]", threshold)
    for index, order in enumerate(shipment.purchase_orders):
        if order.expires_on and order.expires_on < today:
            message = (
                f"Purchase order {order.number} expired on {day(order.expires_on)}: a fulfilment centre may refuse it."
            )
            found.append(Fault(f"purchase_orders[{index}].expires_on", order.expires_on.isoformat(), message))
    return found + _of_payment(shipment) + _of_times(shipment, today)


def _of_invoice(invoice: Invoice, path: str, threshold: Decimal) -> list[Fault]:
    found = []
    if invoice.value == threshold and not invoice.ewaybill_number:
        message = (
            f"Invoice {invoice.number} is worth exactly {rupees(threshold)} and has no e-way bill: "
            "the law wants one only above that, but a courier may want it from there on."
        )
        found.append(Fault(f"{path}.value", str(invoice.value), message))
    if invoice.taxable_value is not None:
        total = sum((tax for tax in (invoice.cgst, invoice.sgst, invoice.igst) if tax), invoice.taxable_value)
        if abs(total - invoice.value) > ROUND_OFF_MAX:
            message = (
                f"taxable_value and taxes of invoice {invoice.number} add up to {rupees(total)}, "
                f"but its value is {rupees(invoice.value)}: check them."
            )
            found.append(Fault(f"{path}.value", str(invoice.value), message))
    cgst, sgst = invoice.cgst or ZERO, invoice.sgst or ZERO
    if abs(cgst - sgst) > ROUND_OFF_MAX:
        message = (
            f"Invoice {invoice.number} has {rupees(cgst)} cgst and {rupees(sgst)} sgst, which are halves of one tax "
            "and alike: check them."
        )
        found.append(Fault(f"{path}.{'sgst' if sgst < cgst else 'cgst'}", str(min(cgst, sgst)), message))
    return found


def _of_payment(shipment: Shipment) -> list[Fault]:
    amount = shipment.payment.cod_amount
    if amount <= shipment.value:
        return []
    message = f"{rupees(amount)} is to be collected for invoices of {rupees(shipment.value)}: check the amount."
    return [Fault("payment.cod_amount", str(amount), message)]


def _of_times(shipment: Shipment, today: date) -> list[Fault]:
    moment = shipment.pickup_at
    if moment is None or moment.astimezone(INDIA).date() >= today:
        return []
    message = f"The pickup is on {day(moment.astimezone(INDIA).date())}, which is past: check it."
    return [Fault("pickup_at", moment.isoformat(), message)]


def days_hold(shipment: Shipment) -> str:
    """Why its papers are not good for the days that it brings itself, blank where they are.

    By India's clocks: the facility's are looked at when a run is begun, with the days that nobody has named.
    """
    return preflight.why_held(shipment, preflight.own_days(shipment, INDIA))
