"""What lacks data that it needs is booked on nobody's word, whoever asks for it and however."""

from bilty.deciding import ActKind, No, Schedule, decide, possible, why_not_now
from bilty.shipment import DATA_MISSING, lacks_data
from bilty.turn import Rules
from bilty.workflow import Progress
from workflow.desk import NOON

LACKING = Progress("in-1", "BLR", "SO-1", "d1", hold=f"{DATA_MISSING}the day of the invoice.")
UNBILLED = Progress("in-1", "BLR", "SO-1", "d1", hold="Invoice INV-1 has no e-way bill.")


def test_the_two_holds_are_told_apart() -> None:
    assert lacks_data(LACKING.hold)
    assert not lacks_data(UNBILLED.hold)
    assert not lacks_data("")


def test_what_lacks_data_cannot_be_scheduled_and_says_what_is_missing() -> None:
    for act in (Schedule(), Schedule(without_ewaybill=True)):
        assert decide(LACKING, act, NOON, Rules()) == No(LACKING.hold)
    assert why_not_now(LACKING, ActKind.SCHEDULE, "") == LACKING.hold
    assert [offer.kind for offer in possible(LACKING)] == [ActKind.CANCEL]


def test_what_lacks_an_ewaybill_goes_on_a_persons_word() -> None:
    assert isinstance(decide(UNBILLED, Schedule(), NOON, Rules()), No)
    after = decide(UNBILLED, Schedule(without_ewaybill=True), NOON, Rules())
    assert isinstance(after, Progress)
    assert (after.run, after.hold) == (1, "")
    assert ActKind.SCHEDULE in [offer.kind for offer in possible(UNBILLED)]
