"""An order as the sandbox keeps it, whichever of the two payload styles it came in, and what can be wrong with one."""

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import msgspec

REFERENCE_CHARS_MAX: Final = 20
BOXES_MAX: Final = 999
EWAYBILL_FROM_RUPEES: Final = 50_000

B2B_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+0530")
MPS_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|\+0530|\+05:30)")
PIN: Final = re.compile(r"[1-9]\d{5}")
GSTIN: Final = re.compile(r"\d{2}[A-Z]{5}\d{4}[A-Z][0-9A-Z]Z[0-9A-Z]")

ORDER_TYPES: Final = frozenset({"PREPAID", "COD"})
DELIVERY_TYPES: Final = frozenset({"FORWARD", "RVP"})


UNREGISTERED: Final = "URP"
PAISA: Final = 0.01


class Taxes(msgspec.Struct):
    """What both payload styles may tell of an invoice's taxes."""

    taxable_value: float | None = None
    gst_total_tax: float | None = None
    sgst_amount: float | None = None
    cgst_amount: float | None = None
    igst_amount: float | None = None


class Style(StrEnum):
    B2B = "b2b_v1"
    MPS = "mps_v3"


class RefusedError(Exception):
    """The payload is at fault. `code` is what `meta.status` will say."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Carton(msgspec.Struct, frozen=True):
    number: int
    reference: str
    description: str
    sku: str
    weight_g: int
    length_cm: float
    breadth_cm: float
    height_cm: float


class Consignee(msgspec.Struct, frozen=True):
    name: str
    organisation: str
    address: str
    city: str
    state: str
    pincode: str
    phone: str


class Order(msgspec.Struct, frozen=True):
    style: Style
    reference: str
    cp_id: int
    account_code: str
    pickup_pincode: str
    """Empty where the warehouse is named by its location code."""
    sender: str
    consignee: Consignee
    cod_value: float
    weight_g: int
    invoices: tuple[str, ...]
    ewaybills: dict[str, str]
    purchase_orders: tuple[str, ...]
    boxes: tuple[Carton, ...]
    pickup_time: str
    appointment: dict[str, str] | None
    consignee_gstin: str = ""
    gst_total_tax: float = 0

    @property
    def marks(self) -> str:
        """What names the order whatever reference it comes under, so that a story outlives a change of reference.

        References are expected to end in "-" and something of the client's own making, different for each courier.
        """
        stem = self.reference.rpartition("-")[0] or self.reference
        box = self.boxes[0]
        # Where the client gave the box no reference, what stands there was made from the one left out above.
        name = box.sku if box.reference.startswith(self.reference) else box.reference
        return "\x1f".join((stem, self.consignee.pincode, *self.invoices, name))

    @property
    def remarks(self) -> str:
        """Where a marker for the sandbox may stand."""
        described = (box.description for box in self.boxes)
        return "\n".join((self.consignee.name, self.consignee.organisation, *self.purchase_orders, *described))


def decode_fault(error: msgspec.DecodeError) -> RefusedError:
    """What to say to a body without the documented shape: 312 no items, 314 missing, 313 malformed, 328 no JSON."""
    said = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return RefusedError(328, "Invalid POST data: not JSON")
    if "missing required field `box_info`" in said or "missing required field `items`" in said:
        return RefusedError(312, f"Items missing: {said}")
    return RefusedError(314 if "missing required field" in said else 313, said)


def require(truth: bool, code: int, message: str) -> None:
    if not truth:
        raise RefusedError(code, message)


def check_texts(code: int, where: str, **texts: str) -> None:
    for name, text in texts.items():
        require(bool(text.strip()), code, f"{where}.{name} is mandatory")


def check_reference(reference: str) -> None:
    check_texts(314, "shipment", reference_number=reference)
    fits = len(reference) <= REFERENCE_CHARS_MAX
    require(fits, 422, f"reference_number may have {REFERENCE_CHARS_MAX} characters at most, got {len(reference)}")


def check_phone(phone: str, digits_max: int, where: str) -> None:
    fits = phone.isascii() and phone.isdigit() and 10 <= len(phone) <= digits_max
    require(fits, 422, f"{where} must be 10 to {digits_max} digits")


def check_pin(pin: str, where: str) -> None:
    require(PIN.fullmatch(pin) is not None, 422, f"{where} must be 6 digits")


def check_gstin(gstin: str, where: str) -> None:
    require(GSTIN.fullmatch(gstin) is not None, 422, f"{where} is not a GSTIN")


def check_consignee_gstin(gstin: str, where: str) -> None:
    """Mandatory, so somebody without one is named by the e-way bill system's word for it."""
    check_texts(314, where, consignee_gstin=gstin)
    if gstin != UNREGISTERED:
        check_gstin(gstin, f"{where}.consignee_gstin")


def check_taxes(taxes: Taxes, where: str) -> None:
    """What is told must agree with itself; what is left out is nobody's fault."""
    halves = taxes.sgst_amount, taxes.cgst_amount
    require(not (taxes.igst_amount and any(halves)), 422, f"{where}: either IGST, or CGST and SGST")
    told = [tax for tax in (*halves, taxes.igst_amount) if tax is not None]
    if taxes.gst_total_tax is not None and told:
        fits = abs(sum(told) - taxes.gst_total_tax) < PAISA
        require(fits, 422, f"{where}: gst_total_tax is not the sum of the taxes")


def check_time(text: str, form: re.Pattern[str], where: str) -> datetime:
    require(form.fullmatch(text) is not None, 422, f"{where} must look like YYYY-MM-DDTHH:MM:SS+0530")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(422, f"{where} is no time that exists") from None


def check_date(text: str, where: str) -> None:
    try:
        well_formed = date.fromisoformat(text).isoformat() == text
    except ValueError:
        well_formed = False
    require(well_formed, 422, f"{where} must look like YYYY-MM-DD")


def check_payment(order_type: str, delivery_type: str, cod_value: float) -> None:
    require(order_type in ORDER_TYPES, 307, "order_type must be PREPAID or COD")
    require(delivery_type in DELIVERY_TYPES, 309, "delivery_type must be FORWARD or RVP")
    require(delivery_type == "FORWARD", 311, "This courier does no reverse pickups")
    right = cod_value > 0 if order_type == "COD" else cod_value == 0
    require(right, 315, "cod_value does not match order_type")
