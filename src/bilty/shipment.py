"""What a shipment is: frozen values, and the few facts that follow from them alone.

Nothing here reads a file, a clock or a database. Values are built by `bilty.intake`, which tells every fault at
once; whoever holds a `Shipment` may rely on it being one that ClickPost's payload can carry.

Units: money is a `Decimal` in rupees, weight whole grams, size whole centimetres, times are aware.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum

import msgspec

Day = date
"""The type, where a field is called `date` itself."""

BOXES_MAX = 999
BOX_WEIGHT_G_MAX = 1_000_000
BOX_SIDE_CM_MAX = 600
EWAYBILL_THRESHOLD = Decimal(50_000)
"""Rupees an invoice may reach without an e-way bill: CGST Rule 138 wants one above it, ClickPost's page from it on."""


DATA_MISSING = "Data is missing: "
"""How a hold begins that nobody's word lifts, only the data itself. What is missing was left out, not made up: the
shipment has perhaps no invoice, or a blank shipping provider."""


DAYS_DO_NOT_FIT = "Its days do not fit: "
"""How the part of a hold begins that nobody's word lifts either: a paper's last day is before the day on which it is
needed. It comes last, and is looked at anew whenever the shipment is scheduled (`shipping_provider.preflight`)."""


class Frozen(msgspec.Struct, frozen=True, omit_defaults=True):
    """The shape of every value here: immutable, comparable, written as JSON without its blanks.

    What a newer program wrote beside it is passed over, so that old and new ones may share a database.
    """


class Party(Frozen, frozen=True):
    """Somebody a box is fetched from or brought to. `address` is kept byte for byte: couriers match on it."""

    name: str
    organisation: str
    phone: str
    address: str
    city: str
    state: str
    pincode: str
    email: str = ""
    country: str = "IN"
    gstin: str = ""


class Consignee(Frozen, frozen=True):
    """Whom boxes go to again and again: saved once, and named by its code. A shipment keeps a copy of its own."""

    code: str
    party: Party


class Weekday(StrEnum):
    """In the order of `date.weekday`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Facility(Frozen, frozen=True):
    """A warehouse. Where ClickPost has it saved, `location_code` is sent instead of the address.

    Both or neither of `opens_at` and `closes_at` are given, by its own clocks; it closes at 00:00 where it works until
    midnight. What is left out of the four restricts nothing.
    """

    code: str
    pickup: Party
    location_code: str = ""
    time_zone: str = "Asia/Kolkata"
    opens_at: time | None = None
    closes_at: time | None = None
    days_off: tuple[Weekday, ...] = ()
    holidays: tuple[Day, ...] = ()


class PaymentMode(StrEnum):
    PREPAID = "prepaid"
    COD = "cod"


class Payment(Frozen, frozen=True):
    mode: PaymentMode
    cod_amount: Decimal = Decimal(0)


class Invoice(Frozen, frozen=True):
    number: str
    date: Day
    value: Decimal
    taxable_value: Decimal | None = None
    cgst: Decimal | None = None
    sgst: Decimal | None = None
    igst: Decimal | None = None
    ewaybill_number: str = ""
    ewaybill_expires_on: Day | None = None


class Ewaybill(Frozen, frozen=True):
    """What the government's portal gave for the goods of one invoice: they move with it, until its last day."""

    number: str
    expires_on: Day | None = None


class PurchaseOrder(Frozen, frozen=True):
    number: str
    expires_on: Day | None = None


class Item(Frozen, frozen=True):
    sku: str
    quantity: int
    unit_price: Decimal
    description: str = ""
    hsn: str = ""


class Box(Frozen, frozen=True):
    """One physical carton. `invoice` and `purchase_order` name one of the shipment's own, or nothing."""

    length_cm: int
    breadth_cm: int
    height_cm: int
    weight_g: int
    invoice: str = ""
    purchase_order: str = ""
    items: tuple[Item, ...] = ()


class Appointment(Frozen, frozen=True):
    """The hours at which the consignee takes delivery, and the slot's id where a fulfilment centre gave one."""

    starts_at: datetime
    ends_at: datetime
    id: str = ""


class Shipment(Frozen, frozen=True):
    """One consignment. `boxes` are numbered from 1 in this order."""

    number: str
    order_number: str
    facility: str
    shipping_provider: str
    consignee: Party
    payment: Payment
    invoices: tuple[Invoice, ...]
    boxes: tuple[Box, ...]
    purchase_orders: tuple[PurchaseOrder, ...] = ()
    appointment: Appointment | None = None
    pickup_at: datetime | None = None

    @property
    def weight_g(self) -> int:
        return sum(box.weight_g for box in self.boxes)

    @property
    def value(self) -> Decimal:
        return sum((invoice.value for invoice in self.invoices), Decimal(0))

    def box_reference(self, number: int) -> str:
        """Our own name of box `number` (1..N), the same for every courier: children are matched to boxes by it."""
        return f"{self.number}-{number}"


def encode(shipment: Shipment) -> bytes:
    return msgspec.json.encode(shipment)


def decode(content: bytes | str) -> Shipment:
    """What `encode` wrote. Raises msgspec.ValidationError on anything else: such a row is a bug, not bad input."""
    return msgspec.json.decode(content, type=Shipment)


def digest(shipment: Shipment) -> str:
    """What a label stands for. A label asked for under another digest must not go on this shipment's boxes.

    E-way bills are no part of it: they come later, are told to whoever has the boxes, and change none of them.
    """
    return hashlib.sha256(encode(with_ewaybills(shipment, {}))).hexdigest()


def ewaybills_of(shipment: Shipment) -> dict[str, Ewaybill]:
    """By the number of the invoice."""
    return {
        each.number: Ewaybill(each.ewaybill_number, each.ewaybill_expires_on)
        for each in shipment.invoices
        if each.ewaybill_number
    }


def with_ewaybills(shipment: Shipment, bills: Mapping[str, Ewaybill]) -> Shipment:
    """The shipment with these e-way bills, by the number of the invoice, and no others."""
    if ewaybills_of(shipment) == bills:
        return shipment
    none = Ewaybill("")
    changed = [(each, bills.get(each.number, none)) for each in shipment.invoices]
    invoices = tuple(
        msgspec.structs.replace(each, ewaybill_number=bill.number, ewaybill_expires_on=bill.expires_on)
        for each, bill in changed
    )
    return msgspec.structs.replace(shipment, invoices=invoices)


def lacks_data(hold: str) -> bool:
    """Whether this is the hold of a shipment that cannot be booked as it is."""
    return hold.startswith(DATA_MISSING)


def standing(hold: str) -> str:
    """The hold without what its last line about days says: that is looked at anew whenever it is scheduled."""
    return hold.partition(DAYS_DO_NOT_FIT)[0].rstrip()


def may_be_waived(hold: str) -> bool:
    """Whether a person's word lifts this hold: it stands, and is about nothing that only the data can put right."""
    return bool(hold) and not lacks_data(hold) and DAYS_DO_NOT_FIT not in hold


def wants_ewaybill(shipment: Shipment, threshold: Decimal = EWAYBILL_THRESHOLD) -> Sequence[Invoice]:
    """The invoices above `threshold` rupees that have no e-way bill: the goods may not move without one."""
    return [i for i in shipment.invoices if i.value > threshold and not i.ewaybill_number]
