"""What is looked at before a courier is asked: papers that are good on the days they are needed."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from aggregator.samples import FACILITY, SHIPMENT
from bilty.shipment import (
    DATA_MISSING,
    DAYS_DO_NOT_FIT,
    Appointment,
    PurchaseOrder,
    Shipment,
    Weekday,
    may_be_waived,
    standing,
)
from bilty.shipping_provider import Connector
from bilty.shipping_provider.preflight import Days, expired_purchase_order, own_days, promised, why_held
from bilty.words import INDIA

MONDAY = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # 12:00 in India
EWAYBILL = "Invoice INV-1 has no e-way bill."


def with_orders(*last_days: date | None) -> Shipment:
    orders = tuple(PurchaseOrder(f"PO-{n}", last_day) for n, last_day in enumerate(last_days, start=1))
    return msgspec.structs.replace(SHIPMENT, purchase_orders=orders)


@pytest.mark.parametrize(
    ("last_day", "appointment", "held"),
    [
        (date(2026, 11, 25), date(2026, 11, 24), False),
        (date(2026, 11, 25), date(2026, 11, 25), False),  # its last day is a good one
        (date(2026, 11, 25), date(2026, 11, 26), True),
        (date(2026, 11, 25), None, False),
        (None, date(2026, 11, 26), False),
    ],
)
def test_a_purchase_order_must_be_good_on_the_day_of_the_appointment(
    last_day: date | None, appointment: date | None, held: bool
) -> None:
    assert bool(expired_purchase_order(with_orders(last_day), Days(None, appointment))) is held


def test_it_names_the_order_both_days_and_what_to_do() -> None:
    shipment = with_orders(date(2030, 1, 1), date(2026, 11, 25))
    assert why_held(shipment, Days(None, date(2026, 11, 26))) == (
        "Its days do not fit: Purchase order PO-2 expires on 25 Nov 2026, and the appointment is on 26 Nov 2026: "
        "give another appointment, or ask the buyer for a longer purchase order and enter its last day."
    )


def test_days_are_those_of_the_facilitys_clocks() -> None:
    late = datetime(2026, 11, 25, 19, 0, tzinfo=UTC)  # 00:30 on the 26th in India
    shipment = msgspec.structs.replace(
        SHIPMENT, appointment=Appointment(late, late.replace(hour=20)), pickup_at=late.replace(hour=18)
    )
    assert own_days(shipment, INDIA) == Days(date(2026, 11, 25), date(2026, 11, 26))
    assert own_days(shipment, ZoneInfo("UTC")) == Days(date(2026, 11, 25), date(2026, 11, 25))
    assert promised(shipment, FACILITY, Connector("desk"), MONDAY) == own_days(shipment, INDIA)
    assert promised(shipment, FACILITY, None, MONDAY) == own_days(shipment, INDIA)


def test_what_the_connector_promises_is_put_off_by_the_calendar_and_counts() -> None:
    bare = msgspec.structs.replace(SHIPMENT, appointment=None, pickup_at=None)
    connector = Connector("desk", appointment_after_days=2)
    assert promised(bare, FACILITY, None, MONDAY) == Days(None, None)
    assert promised(bare, FACILITY, connector, MONDAY) == Days(date(2026, 11, 23), date(2026, 11, 25))
    midweek_off = msgspec.structs.replace(FACILITY, days_off=(Weekday.MONDAY, Weekday.WEDNESDAY))
    assert promised(bare, midweek_off, connector, MONDAY) == Days(date(2026, 11, 24), date(2026, 11, 26))


@pytest.mark.parametrize(
    ("hold", "stands", "waived"),
    [
        ("", "", False),
        (EWAYBILL, EWAYBILL, True),
        (DATA_MISSING + "the boxes.", DATA_MISSING + "the boxes.", False),
        (DAYS_DO_NOT_FIT + "PO-1.", "", False),
        (f"{EWAYBILL} {DAYS_DO_NOT_FIT}PO-1.", EWAYBILL, False),
    ],
)
def test_a_persons_word_lifts_a_missing_ewaybill_alone(hold: str, stands: str, waived: bool) -> None:
    assert (standing(hold), may_be_waived(hold)) == (stands, waived)
