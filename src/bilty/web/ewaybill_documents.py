"""E-way bills as the API answers them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from bilty.shipment import Invoice
from bilty.store.showing import Seen
from bilty.store.transporters import Change
from bilty.web.documents import Document


class EwaybillAnswer(Document, frozen=True, kw_only=True):
    """`told`: the courier that has the shipment knows this number. `transporter`: what to change at the portal."""

    invoice: str
    value: Decimal
    number: str
    expires_on: date | None
    required: bool
    expired: bool
    told: bool
    transporter: str | None


class EwaybillsAnswer(Document, frozen=True, kw_only=True):
    items: tuple[EwaybillAnswer, ...]
    next: None = None


def ewaybills_answer(
    seen: Seen, known: Mapping[str, str] | None, changes: Mapping[str, Change], threshold: Decimal, today: date
) -> EwaybillsAnswer:
    """Of each invoice. `known`: what the courier that has the shipment was told; `changes` by the invoice."""
    return EwaybillsAnswer(
        items=tuple(_answer(each, known or {}, changes, threshold, today) for each in seen.shipment.invoices)
    )


def _answer(
    invoice: Invoice, known: Mapping[str, str], changes: Mapping[str, Change], threshold: Decimal, today: date
) -> EwaybillAnswer:
    number, expires_on = invoice.ewaybill_number, invoice.ewaybill_expires_on
    change = changes.get(invoice.number)
    return EwaybillAnswer(
        invoice=invoice.number,
        value=invoice.value,
        number=number,
        expires_on=expires_on,
        required=invoice.value > threshold,
        expired=expires_on is not None and expires_on < today,
        told=bool(number) and known.get(invoice.number) == number,
        transporter=change.told if change else None,
    )
