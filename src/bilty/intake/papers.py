"""Reading what travels on paper: invoices with their e-way bills, purchase orders, and the payment on delivery."""

from collections.abc import Mapping
from datetime import date, timedelta

from bilty.intake import limits
from bilty.intake.boxes import INVOICE as INVOICE_NUMBER
from bilty.intake.boxes import PURCHASE_ORDER as PURCHASE_ORDER_NUMBER
from bilty.intake.not_carried import FREIGHT_REASON
from bilty.intake.reader import Reader
from bilty.intake.values import DAY, MONEY, ZERO, choice, digits
from bilty.shipment import Invoice, Payment, PaymentMode, PurchaseOrder
from bilty.words import day

INVOICE = frozenset(
    {
        "number",
        "date",
        "value",
        "taxable_value",
        "cgst",
        "sgst",
        "igst",
        "ewaybill_number",
        "ewaybill_expires_on",
    }
)
PURCHASE_ORDER = frozenset({"number", "expires_on"})
PAYMENT = frozenset({"mode", "cod_amount"})

EWAYBILL = digits(limits.EWAYBILL_DIGITS, "an e-way bill number")
NOT_CARRIED_MODES: Mapping[str, str] = dict.fromkeys(
    ("to_pay", "to-pay", "to pay", "topay", "fod", "freight_on_delivery"), FREIGHT_REASON
)
MODE = choice({mode.value: mode for mode in PaymentMode}, PaymentMode.PREPAID, NOT_CARRIED_MODES)


def payment(reader: Reader) -> Payment:
    mode = reader.need("mode", MODE)
    amount = reader.take("cod_amount", MONEY, ZERO)
    if mode is PaymentMode.COD and not amount and not reader.is_faulty("cod_amount"):
        reader.fault("cod_amount", "cod_amount is 0 or missing: give the rupees to collect, or give mode prepaid.")
    if mode is PaymentMode.PREPAID and amount and not reader.is_faulty("mode"):
        reader.fault("cod_amount", "cod_amount is given for a prepaid shipment: leave it out, or give mode cod.")
    # Nothing and "0.00" must be written the same: a value equal to the default is left out only if it is the default.
    return Payment(mode=mode, cod_amount=amount) if amount else Payment(mode=mode)


def invoices(reader: Reader, today: date) -> tuple[Invoice, ...]:
    found = []
    first_use: dict[str, str] = {}
    for document in reader.each("invoices", INVOICE, 1, limits.INVOICES_MAX):
        invoice = _invoice(document)
        _refuse_repeated(document, invoice.number, first_use)
        _refuse_wrong_days(document, invoice, today)
        _refuse_wrong_taxes(document, invoice)
        found.append(invoice)
    return tuple(found)


def purchase_orders(reader: Reader) -> tuple[PurchaseOrder, ...]:
    found = []
    first_use: dict[str, str] = {}
    for document in reader.each("purchase_orders", PURCHASE_ORDER, 0, limits.PURCHASE_ORDERS_MAX):
        order = PurchaseOrder(
            number=document.need("number", PURCHASE_ORDER_NUMBER), expires_on=document.maybe("expires_on", DAY)
        )
        _refuse_repeated(document, order.number, first_use)
        found.append(order)
    return tuple(found)


def _invoice(document: Reader) -> Invoice:
    return Invoice(
        number=document.need("number", INVOICE_NUMBER),
        date=document.need("date", DAY),
        value=document.need("value", MONEY),
        taxable_value=document.maybe("taxable_value", MONEY),
        cgst=document.maybe("cgst", MONEY),
        sgst=document.maybe("sgst", MONEY),
        igst=document.maybe("igst", MONEY),
        ewaybill_number=document.take("ewaybill_number", EWAYBILL, ""),
        ewaybill_expires_on=document.maybe("ewaybill_expires_on", DAY),
    )


def _refuse_repeated(document: Reader, number: str, first_use: dict[str, str]) -> None:
    if number and number in first_use:
        document.fault(
            "number",
            f'number "{number}" is also {first_use[number]}: each may stand in the list once, so leave one out.',
        )
    first_use.setdefault(number, document.path)


def _refuse_wrong_days(document: Reader, invoice: Invoice, today: date) -> None:
    if invoice.date > today + timedelta(days=limits.INVOICE_DAYS_AHEAD_MAX):
        document.fault("date", f"date is in the future: give the day of the invoice, {day(today)} at the latest.")
    expires_on = invoice.ewaybill_expires_on
    if expires_on is None or document.is_faulty("ewaybill_expires_on"):
        return
    if not document.has("ewaybill_number"):
        document.fault(
            "ewaybill_expires_on",
            "ewaybill_expires_on is given without ewaybill_number: give the number too, or leave both out.",
        )
    elif expires_on < today:
        document.fault(
            "ewaybill_expires_on",
            f"The e-way bill expired on {day(expires_on)}: extend it or make a new one, and give its last day.",
        )


def _refuse_wrong_taxes(document: Reader, invoice: Invoice) -> None:
    half = "cgst" if invoice.cgst else "sgst"
    if (invoice.cgst or invoice.sgst) and invoice.igst:
        document.fault(
            "igst",
            f"{half} and igst are both given: a sale within a state has cgst and sgst, one across states igst alone.",
        )
