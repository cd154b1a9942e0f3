"""What is told around a change: what saving does, which labels to destroy, and which field a refusal is about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from bilty.aggregator.clickpost.codes import ABOUT_THE_REQUEST
from bilty.telling.changing import must_wait, told_changed, told_changing
from bilty.telling.printed import told_destroy
from bilty.turn import State, Turn
from bilty.web.blames import DATA, blames, field_of, mending
from bilty.words import INDIA
from bilty.workflow import Progress
from test_telling import NOW, progress, turn


@dataclass(frozen=True, slots=True)
class Label:
    by: str
    at: datetime = NOW - timedelta(minutes=12)
    boxes: int = 7
    copies: int = 1


ASHA, RAVI = "asha@example.com", "ravi@example.com"


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([], ""),
        ([Label(ASHA)], "Destroy 7 printed labels: asha@example.com printed them at {0}."),
        ([Label(ASHA, boxes=1)], "Destroy 1 printed label: asha@example.com printed it at {0}."),
        ([Label(ASHA, copies=2)], "Destroy 14 printed labels: asha@example.com printed them, the last at {0}."),
        (
            [Label(ASHA), Label(RAVI, boxes=3), Label(ASHA, NOW - timedelta(hours=1))],
            (
                "Destroy 17 printed labels: asha@example.com printed 14, the last at {0} and "
                "ravi@example.com printed 3 at {0}."
            ),
        ),
    ],
)
def test_who_printed_what_must_be_destroyed(labels: Sequence[Label], told: str) -> None:
    at = (NOW - timedelta(minutes=12)).astimezone(INDIA)
    assert told_destroy(labels, NOW, INDIA) == told.format(f"{at:%H:%M}")


def test_of_another_day_the_day_is_told() -> None:
    assert " printed them on " in told_destroy([Label(ASHA, NOW - timedelta(days=1))], NOW, INDIA)


WON, WAITING = turn(1, State.WON, awb="AWB1"), turn(1, State.WAITING)


@pytest.mark.parametrize(
    ("only", "told", "waits"),
    [
        (WON, ("AWB AWB1 at Delhivery B2B is cancelled.",), True),
        (turn(1, State.OFFERED, awb="AWB1"), ("AWB AWB1 at Delhivery B2B is cancelled.",), True),
        (turn(1, State.SURPLUS, awb="AWB1"), ("AWB AWB1 at Delhivery B2B is being cancelled already.",), True),
        (
            WAITING,
            ("Delhivery B2B was asked to carry it as it was: an AWB that still comes is cancelled.",),
            True,
        ),
        (turn(1, State.ASKING), (), False),
        (replace(turn(1, State.LAPSED), settled=True), (), False),
        (turn(1, State.REFUSED), (), False),
    ],
    ids=lambda each: each.state if isinstance(each, Turn) else "",
)
def test_what_saving_does(only: Turn, told: tuple[str, ...], waits: bool) -> None:
    assert told_changing(progress(only)) == told
    assert must_wait(progress(only)) is waits


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (replace(progress(WON), version=2, schedule_asked=True), "It is booked anew when the old is over."),
        (replace(progress(turn(1, State.REFUSED)), version=2), "It is booked when you schedule it."),
        (replace(progress(turn(1, State.REFUSED)), version=2, hold="No e-way bill."), "It is on hold: No e-way bill."),
        (progress(WAITING), "It is being booked."),
    ],
)
def test_what_came_of_it(after: Progress, told: str) -> None:
    assert told_changed(after, ()) == told
    assert told_changed(after, ("A", "B")) == f"AWBs A and B are being cancelled. {told}"


@pytest.mark.parametrize(
    ("code", "message", "field"),
    [
        (319, "{'remark': 'consignee pin embargoed for surface LTL'}", "consignee.pincode"),
        (422, "drop_info.drop_phone must be 10 to 13 digits", "consignee.phone"),
        (422, "drop_pincode must be 6 digits", "consignee.pincode"),
        (422, "pickup_pincode must be 6 digits", ""),
        (422, "pickup_info.phone must be 10 to 13 digits; so must drop_phone", "consignee.phone"),
        (328, "gstin of the consignee is not a GSTIN", "consignee.gstin"),
        (315, "does not add up", "payment.cod_amount"),
        (312, "", "boxes"),
        (314, "invoice_date is in the future", "invoices[0].date"),
        (319, "capacity is full today", ""),
        (301, "Authentication failed for this account", ""),
    ],
)
def test_which_field_a_refusal_names(code: int, message: str, field: str) -> None:
    assert field_of(code, message) == field


def refused(priority: int, code: int, message: str) -> Turn:
    return replace(turn(priority, State.REFUSED), code=code, message=message)


def test_couriers_who_say_the_same_are_named_together() -> None:
    same = "phone is not valid"
    found = blames(progress(refused(1, 422, same), refused(2, 422, same), refused(3, 422, "no such order type.")))
    assert [(each.field, each.message) for each in found] == [
        ("consignee.phone", "Delhivery B2B and Blue Dart refused: phone is not valid."),
        ("", "DTDC refused: no such order type."),
    ]
    assert mending(7, progress(refused(1, 422, same))) == "/shipments/7/edit#consignee.phone"
    assert mending(7, progress(refused(1, 422, "bad"))) == "/shipments/7/edit"


def test_what_is_under_way_or_over_is_not_to_be_put_right() -> None:
    no = refused(1, 422, "phone is not valid")
    assert not blames(progress(no, turn(2, State.WAITING)))
    assert not blames(progress(no, turn(2, State.WON, awb="A")))
    assert not blames(replace(progress(no), cancel_asked=True))
    assert not blames(replace(progress(no), version=2))
    assert not mending(7, progress(refused(1, 319, "capacity is full today")))


def test_a_lane_that_nobody_serves_is_about_its_pin() -> None:
    unserviceable = replace(turn(0, State.UNSERVICEABLE), courier=None, message="Pin code not serviceable")
    [blame] = blames(progress(unserviceable))
    assert (blame.field, blame.message) == (
        "consignee.pincode",
        "ClickPost names no courier for this lane: Pin code not serviceable.",
    )


def test_the_codes_that_are_about_data_are_those_that_clickpost_refuses_data_by() -> None:
    """Pages may not ask the aggregator's side, so they have a list of their own."""
    assert DATA == ABOUT_THE_REQUEST
