"""The voice of Bilty: what happened, what happens next, and what the reader can do."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bilty import telling
from bilty.concerns import Concern
from bilty.deciding import ActKind
from bilty.reply import Courier
from bilty.turn import Rules, State, Turn
from bilty.workflow import Progress, Status, status

NOW = datetime(2026, 11, 26, 4, 32, tzinfo=UTC)  # 10:02 in India
INDIA = ZoneInfo("Asia/Kolkata")
RULES = Rules()
COURIERS = (Courier(4, "main", "Delhivery B2B"), Courier(5, "main", "Blue Dart"), Courier(6, "main", "DTDC"))


def turn(priority: int, state: State, **facts: Any) -> Turn:
    plain = Turn(
        run=1,
        priority=priority,
        courier=COURIERS[priority - 1] if priority else None,
        reference=f"SO-1001-{priority}",
        digest="d",
        state=state,
        due_at=None,
        couriers=() if priority else COURIERS,
    )
    return replace(plain, **facts)


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def progress(*turns: Turn, **facts: Any) -> Progress:
    ranking = [] if not turns or turns[0].priority == 0 else [turn(0, State.RANKED)]
    plain = Progress("i", "BLR-1", "SO-1001", "d", run=1 if turns else 0, turns=(*ranking, *turns))
    return replace(plain, **facts)


def told(found: Progress) -> str:
    return telling.told_status(found, RULES, NOW, INDIA)


REFUSED = turn(1, State.REFUSED, message="pin not in lane.", code=319)
WAITING = turn(1, State.WAITING, due_at=after(2), polls_done=3)


def test_a_refusal_is_followed_by_who_is_asked_now() -> None:
    found = progress(replace(REFUSED, courier=COURIERS[1]), turn(2, State.UNCLEAR, courier=COURIERS[2], asked_at=NOW))
    assert told(found) == "Blue Dart refused: pin not in lane (ClickPost code 319). DTDC is being asked."


def test_a_wait_says_how_often_when_and_who_is_next() -> None:
    assert told(progress(WAITING)) == (
        "Waiting for Delhivery B2B's label. Asked 3 of 6 times, next at 10:04. At 10:08 Blue Dart takes over."
    )


def test_the_last_courier_has_nobody_after_it() -> None:
    found = progress(replace(WAITING, priority=3, courier=COURIERS[2]))
    assert told(found).endswith("At 10:08 there is no courier left to ask.")


def test_silence_uses_up_no_try() -> None:
    assert "ClickPost does not answer; silence uses up no try." in told(progress(replace(WAITING, tries=3)))


def test_an_unclear_booking_is_asked_about() -> None:
    unclear = turn(1, State.UNCLEAR, asked_at=after(-1), polls_done=1, due_at=after(0.5))
    assert told(progress(unclear)) == (
        "Delhivery B2B was asked and no usable answer came: asking ClickPost whether it was booked. Next at 10:02:30."
    )


def test_another_day_is_named() -> None:
    assert telling.clock(after(24 * 60), NOW, INDIA) == "27 Nov, 10:02"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(minutes=12), "12 minutes"),
        (timedelta(seconds=12), "12 seconds"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=24), "1 day"),
        (timedelta(seconds=1), "1 second"),
    ],
)
def test_spans(length: timedelta, words: str) -> None:
    assert telling.span(length) == words


def test_failed_tells_each_courier_in_its_own_words() -> None:
    found = progress(
        REFUSED,
        turn(2, State.REFUSED, message="credit limit exhausted", code=302),
        turn(3, State.REFUSED, message=""),
    )
    problem = telling.problem(found, RULES)
    assert problem
    assert problem.code == "failed"
    assert problem.message == (
        "No courier took it. Delhivery B2B: pin not in lane (ClickPost code 319). "
        "Blue Dart: credit limit exhausted (ClickPost code 302). DTDC: it gave no reason."
    )
    assert "schedule it again" in problem.remedy


def test_lapsed_turns_may_still_bring_a_label() -> None:
    lapsed = [turn(n, State.LAPSED, due_at=after(10)) for n in (1, 2, 3)]
    problem = telling.problem(progress(*lapsed), RULES)
    assert problem
    assert problem.code == "no_label"
    assert problem.message == ("Delhivery B2B, Blue Dart and DTDC gave no label within 12 minutes; one may still come.")


def test_a_turn_that_a_person_ended_is_not_said_to_have_had_its_time() -> None:
    told = [
        telling.told_turn(turn(1, State.LAPSED, asked_at=NOW, lapsed_at=after(minutes)), None, RULES, after(13), INDIA)
        for minutes in (3, 12)
    ]
    assert told == [
        "Delhivery B2B's turn was ended before its time was over.",
        "Delhivery B2B gave no label in its time.",
    ]


def test_a_hold_and_an_unserviceable_lane() -> None:
    held = telling.problem(progress(hold="Invoice INV-1 has no e-way bill: add it."), RULES)
    assert held
    assert (held.code, held.message) == ("on_hold", "Invoice INV-1 has no e-way bill: add it.")
    nobody = telling.problem(progress(turn(0, State.UNSERVICEABLE, couriers=(), message="no courier")), RULES)
    assert nobody
    assert nobody.message == "ClickPost names no courier for this lane. It says: no courier."


@pytest.mark.parametrize(
    ("state", "concern"),
    [
        (State.UNDECIDED, Concern.UNDECIDED),
        (State.UNLABELLED, Concern.UNLABELLED),
        (State.STOPPED, Concern.STOPPED),
        (State.OFFERED, Concern.OFFERED),
        (State.UNCANCELLED, Concern.UNCANCELLED),
        (State.PICKED_UP, Concern.PICKED_UP),
        (State.CONFLICT, Concern.CONFLICT),
    ],
)
def test_each_concern_has_its_remedy(state: State, concern: Concern) -> None:
    problem = telling.problem(progress(turn(1, state, awb="AWB1", message="words", code=301)), RULES)
    assert problem
    assert problem.code == concern
    assert "Delhivery B2B" in problem.message
    assert problem.remedy.endswith(".")
    assert "{" not in problem.message + problem.remedy


def test_concerns_beside_a_good_label_are_told_together() -> None:
    found = progress(
        turn(1, State.PICKED_UP, awb="A1"), turn(2, State.UNCANCELLED, awb="A2"), turn(3, State.WON, awb="A3")
    )
    assert status(found) is Status.LABEL_READY
    problem = telling.problem(found, RULES)
    assert problem
    assert "A1" in problem.message
    assert "A2" in problem.message
    assert told(found) == "DTDC's label is ready: AWB A3."


@pytest.mark.parametrize("found", [progress(), progress(WAITING), progress(turn(1, State.WON, awb="A"))])
def test_what_goes_its_way_is_no_problem(found: Progress) -> None:
    assert telling.problem(found, RULES) is None


def test_the_strip_reads_at_a_glance_and_aloud() -> None:
    cells = telling.strip(progress(turn(1, State.LAPSED), turn(2, State.WAITING, polls_done=3)), RULES)
    assert [cell.glyph for cell in cells] == ["◌", "◑", "·"]
    assert [cell.count for cell in cells] == ["", "3/6", ""]
    assert ", ".join(cell.words for cell in cells) == (
        "P1 Delhivery B2B lapsed, P2 Blue Dart waiting, poll 3 of 6, P3 DTDC not tried"
    )
    cells = telling.strip(progress(REFUSED, turn(2, State.WON)), RULES)
    assert [cell.glyph for cell in cells] == ["✕", "●", "·"]
    assert cells[0].note == "reference SO-1001-1: pin not in lane (ClickPost code 319)."
    assert [cell.words for cell in telling.strip(progress(), RULES)] == ["P1 none", "P2 none", "P3 none"]


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("tries", [0, 2])
def test_every_state_has_its_sentence(state: State, tries: int) -> None:
    priority = 0 if state in (State.RANKING, State.RANKED, State.UNSERVICEABLE) else 1
    found = turn(priority, state, awb="AWB1", message="words", due_at=after(5), tries=tries, asks=1)
    for sentence in (
        telling.told_turn(found, COURIERS[1], RULES, NOW, INDIA),
        told(progress(found)),
        telling.told_moment(Line(priority, COURIERS[0].name, state, tries, "words"), RULES),
    ):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not {"{", "_"} & set(sentence)
        assert "None" not in sentence
        assert "  " not in sentence


@pytest.mark.parametrize("shown", list(Status))
def test_every_status_has_its_words(shown: Status) -> None:
    assert telling.STATUS_WORDS[shown]
    assert telling.told_moment(Line(None, "", shown, 0, ""), RULES).endswith(".")


@pytest.mark.parametrize("kind", list(ActKind))
def test_what_a_person_did_is_told_with_the_name(kind: ActKind) -> None:
    told = telling.told_moment(Line(1, "Delhivery B2B", kind, 0, "AWB1", "asha@example.com"), RULES)
    assert told.startswith("asha@example.com ")
    assert told.endswith(".")
    assert "{" not in told


def test_a_late_label_says_until_when_it_may_be_used() -> None:
    offered = turn(1, State.OFFERED, awb="AWB1", due_at=after(42))
    assert told(progress(offered, failed_told=True)) == (
        "Delhivery B2B's label came late: AWB AWB1. Choose Use it or Cancel it; nobody else is asked before. "
        "It is cancelled at 10:44 unless somebody uses it."
    )
    problem = telling.problem(progress(offered, failed_told=True), RULES)
    assert problem
    assert problem.remedy.endswith("Left alone for 30 minutes, it is cancelled.")
    assert telling.told_turn(offered, None, RULES, NOW, INDIA) == (
        "Delhivery B2B's label came late: AWB AWB1. It is cancelled at 10:44 unless somebody uses it. "
        "Nobody else is asked before."
    )
    over = replace(offered, due_at=NOW)
    assert "Nobody used it: it is about to be cancelled." in telling.told_turn(over, None, RULES, NOW, INDIA)


def test_an_awb_that_a_person_typed_stands_until_they_decide() -> None:
    typed = turn(1, State.OFFERED, awb="AWB1", entered=True)
    assert "cancelled at" not in told(progress(typed))
    assert "Left alone" not in told(progress(typed))


def test_what_was_changed_says_what_it_waits_for() -> None:
    surplus = turn(1, State.SURPLUS, awb="AWB1", due_at=NOW)
    found = progress(surplus, version=2, schedule_asked=True)
    assert told(found) == (
        "AWB AWB1 of Delhivery B2B is not wanted: it is being cancelled. "
        "The changed shipment is booked once that is confirmed."
    )
    assert told(replace(found, schedule_asked=False)).endswith("It can then be scheduled again.")
    assert told(replace(found, turns=())) == "Changed, and not scheduled yet as it is now."
    waiting = progress(replace(WAITING, polls_done=0), version=2)
    assert told(waiting).startswith("It was changed. An AWB for what it was is cancelled when it comes. Waiting for")
    assert "takes over" not in told(waiting)


def test_a_courier_that_was_asked_for_what_it_was_is_named_with_what_to_do() -> None:
    problem = telling.problem(progress(turn(1, State.LAPSED), version=2), RULES)
    assert problem
    assert problem.code == "old_version"
    assert problem.message.startswith("Delhivery B2B may still book what the shipment was before it was changed")
    assert "choose I have seen to it" in problem.remedy


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.WON, "With Delhivery B2B under AWB AWB1."),
        (State.RETURNING, "Dispatched. Delhivery B2B is asked to bring back AWB AWB1 (RTO)."),
        (State.UNRETURNED, "Dispatched. Delhivery B2B will not bring back AWB AWB1: not with us."),
        (State.RETURNED, "Dispatched. Delhivery B2B brings back AWB AWB1 (RTO), and charges for it."),
    ],
)
def test_what_is_dispatched_tells_whether_it_comes_back(state: State, words: str) -> None:
    assert told(progress(turn(1, state, awb="AWB1", message="not with us"), dispatched=True)) == words


@dataclass(frozen=True)
class Line:
    priority: int | None
    courier: str
    state: str
    polls_done: int
    message: str
    actor: str = ""


@dataclass(frozen=True)
class Provider:
    paused_at: datetime | None = None
    paused_why: str = ""
    alarmed_at: datetime | None = None
    alarmed_why: str = ""
    silent_since: datetime | None = None
    quiet_until: datetime | None = None


def test_a_quiet_provider_is_told_of_where_it_lasts() -> None:
    (told,) = telling.told_provider("ClickPost B2B", Provider(quiet_until=after(5)), NOW, INDIA, waiting=3)
    assert told.startswith("ClickPost asked ClickPost B2B to come again after 10:07 (429, too many requests); 3 ship")
    assert "lower Calls At Once or Calls A Second in Settings" in told
    assert telling.told_provider("ClickPost B2B", Provider(quiet_until=after(0.1)), NOW, INDIA) == ()
    assert telling.told_provider("ClickPost B2B", Provider(quiet_until=after(-5)), NOW, INDIA) == ()


def test_trouble_of_a_provider_is_told_once_each() -> None:
    assert telling.told_provider("ClickPost B2B", Provider(), NOW, INDIA) == ()
    sick = Provider(after(-5), "Invalid key", after(-4), "404 Not Found", after(-3))
    paused, alarmed, silent = telling.told_provider("ClickPost B2B", sick, NOW, INDIA)
    assert paused.startswith("ClickPost rejects the username and key of ClickPost B2B: Invalid key.")
    assert "choose Update Connector in Settings, Shipping Provider" in paused
    assert "since 09:58" in alarmed
    assert silent.startswith("ClickPost is silent since 09:59 (ClickPost B2B); nothing is lost.")
    for waiting, words in ((1, "1 shipment waits, none is lost."), (1234, "1,234 shipments wait, none is lost.")):
        assert words in telling.told_provider("ClickPost B2B", sick, NOW, INDIA, waiting=waiting)[2]
