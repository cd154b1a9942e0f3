"""What people's buttons say, and what they are told before and after."""

from dataclasses import replace
from typing import Any

import pytest

from bilty import telling
from bilty.deciding import ActKind, Offer, possible
from bilty.turn import State, Turn
from bilty.workflow import Progress
from test_telling import INDIA, NOW, RULES, progress, turn

WHEN = (RULES, NOW, INDIA)
WAITING = turn(1, State.WAITING)
UNLABELLED = turn(1, State.UNLABELLED, awb="AWB1")
UNDECIDED = turn(1, State.UNDECIDED)
OFFERED = turn(1, State.OFFERED, awb="AWB1")
STANDING = [
    *(turn(1, state, awb="AWB1") for state in State if state not in (State.RANKING, State.RANKED, State.UNSERVICEABLE)),
    turn(3, State.LAPSED),
]


def button(found: Progress, kind: ActKind, *, printed: str = "") -> telling.Button:
    offer = next(offer for offer in possible(found) if offer.kind is kind)
    return telling.button(found, offer, printed=printed)


@pytest.mark.parametrize("facts", [{}, {"cancel_asked": True}, {"dispatched": True}])
@pytest.mark.parametrize("only", STANDING, ids=lambda turn: turn.state)
def test_every_button_says_what_it_does_and_what_may_come_of_it(only: Turn, facts: dict[str, Any]) -> None:
    found = replace(progress(only), **facts)
    for offer in possible(found):
        told = telling.button(found, offer)
        done = telling.told_done(found, offer.kind, offer.reference)
        assert told.words
        assert done.endswith(".")
        assert told.risk == "" or told.risk.endswith(".")
        assert "{" not in told.words + told.risk + done
        assert told.asks or not told.risk


@pytest.mark.parametrize(
    ("found", "kind", "words", "risk"),
    [
        (progress(), ActKind.SCHEDULE, "Schedule", ""),
        (
            progress(hold="Invoice INV-1 has no e-way bill."),
            ActKind.SCHEDULE,
            "Schedule without e-way bill",
            "Invoice INV-1 has no e-way bill. Schedule it without only if these goods may move so.",
        ),
        (
            progress(turn(3, State.LAPSED)),
            ActKind.SCHEDULE,
            "Schedule again",
            "DTDC may still book it; a late label is then cancelled or offered to you, never printed.",
        ),
        (progress(turn(3, State.REFUSED)), ActKind.SCHEDULE, "Schedule again", ""),
        (
            progress(WAITING),
            ActKind.FALL_OVER,
            "Fall over now",
            (
                "Delhivery B2B may still book it. Blue Dart is asked now; the label that comes first is used, and the "
                "other's AWB is cancelled."
            ),
        ),
        (
            progress(UNDECIDED),
            ActKind.NOT_BOOKED,
            "Not booked: go on",
            (
                "First look up reference SO-1001-1 in the ClickPost B2B dashboard. If Delhivery B2B has booked it "
                "after all, it is booked twice until Bilty hears of it and cancels one of the two. Blue Dart is asked "
                "now."
            ),
        ),
        (
            progress(UNDECIDED),
            ActKind.ENTER_AWB,
            "Enter its AWB",
            (
                "Copy it from the ClickPost B2B dashboard, where it stands under reference SO-1001-1. Bilty cannot "
                "check it: a wrong one puts another shipment's label on these boxes, and the true booking is watched "
                "no more."
            ),
        ),
        (
            progress(turn(1, State.LAPSED), turn(2, State.WON, awb="AWB2")),
            ActKind.ENTER_AWB,
            "Enter its AWB",
            (
                "Copy it from the ClickPost B2B dashboard, where it stands under reference SO-1001-1. Bilty cannot "
                "check it: Blue Dart has the shipment under AWB AWB2, so this one is not used. Whether it is "
                "cancelled you are asked then."
            ),
        ),
        (
            progress(UNLABELLED),
            ActKind.GIVE_UP_AWB,
            "Cancel this AWB and go on",
            (
                "AWB AWB1 of Delhivery B2B is cancelled. Once that is confirmed, Blue Dart is asked. This cannot be "
                "taken back."
            ),
        ),
        (
            progress(replace(UNLABELLED, priority=3)),
            ActKind.GIVE_UP_AWB,
            "Cancel this AWB",
            "AWB AWB1 of Delhivery B2B is cancelled. It can then be scheduled again. This cannot be taken back.",
        ),
        (progress(replace(UNDECIDED, priority=3)), ActKind.NOT_BOOKED, "Not booked", "Nobody else is asked of itself."),
        (progress(OFFERED), ActKind.USE_LATE, "Use it", ""),
        (
            progress(turn(1, State.PICKED_UP, awb="AWB1")),
            ActKind.USE_LATE,
            "Use it after all",
            "Delhivery B2B has picked up under AWB AWB1: it is the shipment's again.",
        ),
        (
            progress(OFFERED, failed_told=True),
            ActKind.USE_LATE,
            "Use it",
            "Your order system was told that it failed.",
        ),
        (
            progress(WAITING),
            ActKind.CANCEL,
            "Cancel the shipment",
            "No courier is asked any more, and an AWB that still comes is cancelled. This cannot be taken back.",
        ),
    ],
)
def test_a_risk_is_told_before(found: Progress, kind: ActKind, words: str, risk: str) -> None:
    told = button(found, kind)
    assert told.words == words
    assert told.risk.endswith(risk)
    assert bool(told.risk) == bool(risk)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (State.UNLABELLED, ActKind.GIVE_UP_AWB),
        (State.OFFERED, ActKind.CANCEL_LATE),
        (State.FETCHING, ActKind.CANCEL),
    ],
)
def test_cancelling_an_awb_that_was_typed_says_so(state: State, kind: ActKind) -> None:
    typed = progress(turn(1, state, awb="AWB1", entered=True))
    assert "It was entered by hand: if it is mistyped, choose Wrong AWB instead" in button(typed, kind).risk
    assert "by hand" not in button(progress(turn(1, state, awb="AWB1")), kind).risk


def test_a_typed_awb_that_is_not_wanted_is_a_matter_of_its_own() -> None:
    typed = turn(1, State.OFFERED, awb="AWB1", entered=True)
    trouble = telling.problem(progress(typed, turn(2, State.WON, awb="AWB2")), RULES)
    assert trouble
    assert trouble.remedy == (
        "See that it is Delhivery B2B's for reference SO-1001-1. "
        "If so, choose Cancel it; if it was mistyped, Wrong AWB."
    )


def test_a_printed_label_is_to_be_destroyed() -> None:
    found = progress(turn(1, State.WON, awb="AWB1"))
    destroy = "Destroy 3 printed labels: asha@example.com printed them at 10:02."
    assert destroy in button(found, ActKind.CANCEL, printed=destroy).risk
    assert "destroy" not in button(found, ActKind.CANCEL).risk.lower()


def test_using_a_late_label_says_who_is_no_longer_waited_for() -> None:
    found = progress(replace(OFFERED, reference="earlier"), turn(2, State.WAITING))
    assert button(found, ActKind.USE_LATE).risk == (
        "Blue Dart is no longer waited for; an AWB of it that still comes is cancelled."
    )


def test_an_awb_that_is_given_up_says_who_is_asked_then() -> None:
    found = progress(turn(1, State.SURPLUS, awb="AWB1"))
    assert telling.told_status(found, *WHEN) == (
        "AWB AWB1 of Delhivery B2B is not wanted: it is being cancelled. Blue Dart is asked once that is confirmed."
    )


def test_what_is_settled_is_said_of_what_failed() -> None:
    lapsed = turn(1, State.LAPSED, settled=True)
    given_up = turn(2, State.CANCELLED, awb="AWB2")
    trouble = telling.problem(progress(lapsed, given_up), RULES)
    assert trouble
    assert trouble.message == (
        "No courier took it. AWB AWB2 of Blue Dart was given up and is cancelled. "
        "What was open with Delhivery B2B, a person has seen to."
    )


def test_what_was_picked_up_may_be_kept_where_nobody_else_has_it() -> None:
    picked_up = turn(1, State.PICKED_UP, awb="AWB1")
    alone = telling.problem(progress(picked_up), RULES)
    beside = telling.problem(progress(picked_up, turn(2, State.WON, awb="AWB2")), RULES)
    assert alone
    assert beside
    assert "Use it after all" in alone.remedy
    assert "Use it after all" not in beside.remedy


def test_each_offer_is_found_by_its_turn() -> None:
    assert telling.told_done(progress(WAITING), ActKind.CANCEL, "").startswith("It is cancelled here")
    with pytest.raises(StopIteration):
        telling.button(progress(), Offer(ActKind.POLL_NOW, "nobody"))
