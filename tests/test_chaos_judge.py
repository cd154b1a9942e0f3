"""The chaos run's judge finds every kind of fault that it counts: one that cannot, proves nothing."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from bench.chaos.judge import Evidence, Given, Kept, KeptTurn, judge

AWB, SECOND, OTHER = "1001", "2002", "3003"
WON = KeptTurn("C1-AAA", AWB, "won", "ab12", "ab12")
LAPSED = KeptTurn("C1-BBB", "", "lapsed")
KEPT = Kept(7, "C1", ("11", "12"), (LAPSED, WON))
GIVEN = Given("C1-AAA", ("INV-C1",), AWB, live=True, boxes_count=2, children={1: "11", 2: "12"}, label="ab12")
NOT_GIVEN = Given("C1-BBB", ("INV-C1",), "", live=False, boxes_count=2, children={})
CLEAN = Evidence(
    taken={"C1": {7}},
    kept=(KEPT,),
    given=(NOT_GIVEN, GIVEN),
    handed={"C1": {AWB: ("11", "12")}},
    printed={"C1": {AWB}},
    ready={"C1"},
)
Change = Callable[[Evidence], Evidence]


def counted(evidence: Evidence) -> dict[str, int]:
    return {column: len(lines) for column, lines in asdict(judge(evidence)).items() if lines}


def kept(**changes: Any) -> Change:
    return lambda evidence: replace(evidence, kept=(replace(KEPT, **changes),))


def won(**changes: Any) -> Change:
    return kept(turns=(LAPSED, replace(WON, **changes)))


def given(*bookings: Given) -> Change:
    return lambda evidence: replace(evidence, given=bookings)


def evidence(**changes: Any) -> Change:
    return lambda evidence: replace(evidence, **changes)


LATE = replace(NOT_GIVEN, awb=SECOND, live=True)
STRANGE = replace(LATE, reference="C1-ZZZ")


def test_books_that_agree_with_the_truth_count_nothing() -> None:
    assert counted(CLEAN) == {}


def test_an_awb_too_many_that_is_cancelled_and_was_never_told_counts_nothing() -> None:
    known = (replace(LAPSED, awb=SECOND, state="cancelled"), WON)
    assert counted(kept(turns=known)(given(GIVEN, replace(LATE, live=False))(CLEAN))) == {}


def test_a_box_of_which_the_courier_named_no_waybill_may_go_under_the_shipments() -> None:
    short = given(NOT_GIVEN, replace(GIVEN, children={1: "11"}))
    assert counted(evidence(handed={"C1": {AWB: ("11", "")}})(kept(boxes=("11", AWB))(short(CLEAN)))) == {}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(evidence(kept=(), handed={}, printed={}), {"lost": 1, "unknown_awbs": 1}, id="not kept"),
        pytest.param(evidence(taken={"C1": {7, 9}}), {"lost": 1}, id="kept twice"),
        pytest.param(evidence(ready=set()), {"lost": 1}, id="a label of which nobody was told"),
        pytest.param(evidence(handed={}), {"lost": 1}, id="an AWB of which nobody was told"),
        pytest.param(evidence(unopened=("C1: nothing",)), {"lost": 1}, id="a label's link that does not open"),
        pytest.param(won(paper=""), {"lost": 1}, id="no PDF in the label store"),
        pytest.param(won(paper="cd34"), {"lost": 1}, id="a PDF that was changed"),
        pytest.param(won(sha256="cd34", paper="cd34"), {"lost": 1}, id="another's PDF"),
        pytest.param(
            lambda e: kept(turns=(replace(LAPSED, awb=SECOND, state="surplus"), WON))(given(LATE, GIVEN)(e)),
            {"paid_twice": 1},
            id="a second AWB that is still live",
        ),
        pytest.param(
            evidence(handed={"C1": {AWB: ("11", "12"), SECOND: ("", "")}}),
            {"paid_twice": 1, "wrong_boxes": 1},
            id="a second AWB that was handed off and that no courier of it gave",
        ),
        pytest.param(evidence(printed={"C1": {AWB, SECOND}}), {"paid_twice": 1}, id="a second AWB that was printed"),
        pytest.param(given(LATE, GIVEN), {"paid_twice": 1, "unknown_awbs": 1}, id="a live AWB that nobody heard of"),
        pytest.param(
            given(NOT_GIVEN, GIVEN, STRANGE),
            {"paid_twice": 1, "unknown_awbs": 1},
            id="a live AWB under a reference that the books lack",
        ),
        pytest.param(
            kept(turns=(replace(LAPSED, awb=OTHER), WON)), {"unknown_awbs": 1}, id="an AWB that nobody gave out"
        ),
        pytest.param(kept(boxes=("12", "11")), {"wrong_boxes": 2}, id="two boxes in each other's place"),
        pytest.param(
            evidence(handed={"C1": {AWB: ("12", "11")}}),
            {"wrong_boxes": 2},
            id="two boxes handed off so",
        ),
        pytest.param(
            given(NOT_GIVEN, replace(GIVEN, boxes_count=3)), {"wrong_boxes": 1}, id="a courier told of other boxes"
        ),
        pytest.param(kept(waits="scheduling"), {"stuck": 1}, id="a shipment that waits for nobody"),
    ],
)
def test_each_fault_counts_in_its_column(change: Change, found: dict[str, int]) -> None:
    assert counted(change(CLEAN)) == found


def test_what_is_counted_is_named() -> None:
    verdict = judge(given(LATE, GIVEN)(CLEAN))
    assert verdict.paid_twice == (f"C1: {SECOND} (live) beside {AWB} (printed)",)
    assert verdict.unknown_awbs == (f"C1-BBB: AWB {SECOND} is live, and the books say none, lapsed",)
