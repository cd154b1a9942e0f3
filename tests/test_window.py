"""The window drawn: what stands where, for everything that a shipment may have been through."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilty import telling
from bilty.deciding import ActKind
from bilty.reply import (
    Accepted,
    Busy,
    Cancelled,
    Label,
    NotYet,
    PickedUp,
    Ranking,
    Refusal,
    Refused,
    Reply,
    Unclear,
    Unknown,
)
from bilty.telling.frame import WIDTH, fitted, framed
from bilty.telling.window import STUB, Lane, Window
from bilty.turn import Rules, Step
from bilty.words import INDIA
from tale import TALES, Happening, Tale, ranked
from workflow.desk import GARBAGE, NO, NOON, P1, P2, P3, PAPER, SILENT

OVER = ["waiting", "watched"]
CANCELLED = ["lapsed", "late", "cancelled"]
NEAR = 0.3
"""Hundredths of the width: a second or two of an hour."""


def drawn(tale: Tale, run: int | None = None) -> Window:
    found = telling.window(tale.progress, run or tale.progress.run, tale.happenings, tale.rules, tale.now, INDIA)
    assert found
    return found


def lane(name: str, priority: int = 1) -> Lane:
    return drawn(TALES[name]()).lanes[priority - 1]


def kinds(found: Lane) -> list[str]:
    return [bar.kind for bar in found.bars]


def ticks(found: Lane) -> str:
    return "".join("●" if tick.done else "○" for tick in found.ticks)


def signs(found: Lane) -> list[str]:
    return [sign.kind for sign in found.signs]


def test_a_shipment_that_was_never_scheduled_has_no_window() -> None:
    assert telling.window(Tale().progress, 0, (), Rules(), NOON, INDIA) is None


def test_three_turns_are_three_bars_of_one_length_each_beginning_where_the_one_before_may_end() -> None:
    found = drawn(TALES["waiting, first of three"]())
    ends = [each.bars[-1].x + each.bars[-1].width for each in found.lanes]
    starts = [each.bars[0].x for each in found.lanes]
    assert starts[1:] == pytest.approx(ends[:-1], abs=NEAR)
    assert list(found.guides) == pytest.approx(starts[1:], abs=NEAR)
    lengths = [end - start for start, end in zip(starts, ends, strict=True)]
    assert lengths == pytest.approx([lengths[0]] * 3, abs=NEAR)
    assert [hour.words for hour in found.hours] == ["17:30", "17:42", "17:54", "18:06"]


@pytest.mark.parametrize(
    ("name", "priority", "bars", "polls", "came_to", "told"),
    [
        ("asked for the ranking", 1, ["asking"], "", [], "asked who serves this lane"),
        ("nobody serves the lane", 1, ["asking"], "", ["refused"], "no courier 17:30"),
        ("being asked", 1, ["planned"], "○○○○○○", [], "being asked"),
        ("waiting, first of three", 1, ["waiting", "planned"], "●●●○○○", [], "polled 3 of 6, next 17:38"),
        ("waiting, first of three", 2, ["planned"], "○○○○○○", [], "from 17:42, if needed"),
        ("waiting after a lapse", 1, OVER, "●●●●●●", ["lapsed"], "lapsed 17:42, still watched, next 17:52"),
        ("waiting after a lapse", 2, ["waiting", "planned"], "●●●○○○", [], "polled 3 of 6, next 17:50"),
        ("waiting after a refusal", 1, ["asking"], "", ["refused"], "refused 17:30"),
        ("won at once", 1, ["asking"], "", ["won"], "label 17:30"),
        ("won at once", 2, [], "", [], "not asked"),
        ("won at the third poll", 2, ["waiting"], "●●", ["won"], "label 17:36"),
        ("fetching the label", 1, ["waiting", "fetching"], "●", ["booked"], "booked 17:34, label on its way"),
        ("refused by three", 3, ["asking"], "", ["refused"], "refused 17:30"),
        ("lapsed by three", 3, OVER, "●●●●●●", ["lapsed"], "lapsed 18:06, still watched, next 18:16"),
        ("unclear", 1, ["unclear", "planned"], "●●●○○○○○", [], "unclear whether booked, next 17:34"),
        ("unclear", 2, [], "", [], "not asked yet"),
        ("unclear, then accepted", 1, ["unclear", "waiting", "planned"], "●●●○○○○○", [], "polled 1 of 6, next 17:36"),
        ("undecided", 1, ["unclear"], "●●●●●●●", ["person"], "still unclear 17:42, waits for a person"),
        ("undecided", 2, [], "", [], "not asked yet"),
        ("cannot be reached", 1, ["asking", "planned"], "○○○○○○", [], "ClickPost cannot be reached, next 17:30"),
        ("late label too many", 1, OVER, "●●●●●●", ["lapsed", "late"], "late label 17:52, being cancelled"),
        ("late label cancelled", 1, OVER, "●●●●●●", CANCELLED, "late label 17:52, cancelled 17:52"),
        ("late label wins", 1, OVER, "●●●●●●", ["lapsed", "won"], "label 17:52"),
        ("late label wins", 2, OVER, "●●●●", ["lapsed"], "lapsed 17:52, still watched, next 18:02"),
        ("cancelled with its label", 1, ["asking"], "", ["won", "cancelled"], "label 17:30, cancelled 18:00"),
        ("cancelled while waiting", 2, [], "", [], "not asked"),
    ],
)  # fmt: skip
def test_what_a_courier_went_through_is_on_its_lane(
    name: str, priority: int, bars: list[str], polls: str, came_to: list[str], told: str
) -> None:
    found = lane(name, priority)
    assert (kinds(found), ticks(found), signs(found), found.told) == (bars, polls, came_to, told)


@pytest.mark.parametrize("name", ["waiting after a refusal", "won at once", "refused by three"])
def test_what_took_a_second_is_a_stub_with_its_sign_at_the_end(name: str) -> None:
    found = lane(name)
    assert found.bars[0].width == STUB
    assert found.signs[0].x == found.bars[0].x + STUB


def test_an_outage_stretches_the_window_by_a_silence_that_is_folded() -> None:
    found = drawn(TALES["silent for three hours"]())
    silent = next(bar for bar in found.lanes[1].bars if bar.kind == "silent")
    assert silent.width < WIDTH / 4
    assert [silent.x < fold < silent.x + silent.width for fold in found.folds] == [True]
    assert ticks(found.lanes[1]) == "●○○○○○"
    assert found.lanes[1].words[0].words == "silent 3 hours"
    assert [hour.words for hour in found.hours] == ["17:30", "20:41", "20:53"]


def test_after_an_outage_the_polls_go_on_and_the_silence_stays() -> None:
    found = lane("silent, and back")
    assert kinds(found) == ["waiting", "silent", "waiting", "planned"]
    assert ticks(found) == "●●●○○○"


def test_what_came_the_next_day_is_behind_a_fold_under_its_own_date() -> None:
    found = drawn(TALES["late label the next day, picked up"]())
    [fold] = found.folds
    late = found.lanes[0].signs[1]
    assert found.lanes[0].signs[0].x < fold < late.x
    assert (late.kind, found.lanes[0].signs[2].kind) == ("late", "person")
    assert [day.words for day in found.days] == ["23 Nov", "24 Nov"]
    assert found.lanes[1].told == "label 23 Nov 17:46"


def test_the_awb_that_is_too_many_stands_under_the_bar_of_who_sent_it() -> None:
    assert [each.words for each in lane("late label cancelled").words] == ["AWB A1 cancelled"]
    assert not lane("late label cancelled", 2).words


def test_the_hand_is_there_while_something_is_owed_and_moves_to_the_next_knot() -> None:
    found = drawn(TALES["waiting, first of three"]())
    assert found.hand
    next_poll = next(tick for tick in found.lanes[0].ticks if not tick.done)
    assert found.hand.until == next_poll.x
    seconds_left = (found.hand.until - found.hand.x) / found.hand.pace
    assert seconds_left == pytest.approx(49, abs=1)
    assert "now" in [day.words for day in found.days]


@pytest.mark.parametrize("name", ["won at once", "won at the last minute", "refused by three", "late label cancelled"])
def test_what_is_over_has_no_hand(name: str) -> None:
    found = drawn(TALES[name]())
    assert found.hand is None
    assert "now" not in [day.words for day in found.days]


def test_each_run_has_its_own_window() -> None:
    tale = TALES["two runs"]()
    assert [each.name for each in drawn(tale).lanes] == [P2.name]
    before = drawn(tale, 1)
    assert [signs(each) for each in before.lanes] == [["refused"]] * 3
    assert before.hand is None


def test_short_windows_tell_their_seconds() -> None:
    tale = Tale(rules=Rules(poll_interval=timedelta(seconds=2))).scheduled().hears(Ranking((P1, P2, P3)), after_s=0.1)
    tale.hears(Accepted(), NotYet(), after_s=0.1)
    found = drawn(tale)
    assert found.hours[0].words == "17:30:00"
    assert found.lanes[0].told == "polled 1 of 6, next 17:30:04"


def test_what_a_person_did_in_a_turn_is_no_part_of_the_drawing() -> None:
    tale = TALES["waiting, first of three"]()
    plain = drawn(tale)
    reference = tale.progress.run_turns[1].reference
    tale.happenings.append(Happening(tale.now, 1, 1, P1.name, reference, ActKind.POLL_NOW, 0, ""))
    assert drawn(tale) == plain


def test_without_a_timeline_the_turns_alone_are_drawn() -> None:
    for make in TALES.values():
        tale = make()
        tale.happenings.clear()
        check(drawn(tale))


def test_a_screen_reader_hears_every_lane() -> None:
    assert drawn(TALES["waiting after a refusal"]()).told == (
        "P1 Delhivery: refused 17:30. P2 Blue Dart: polled 1 of 6, next 17:34. "
        "P3 Delhivery Heavy: from 17:42, if needed."
    )


# --- whatever happens


def check(found: Window) -> None:
    """Everything stands inside the frame and in its order."""
    for each in found.lanes:
        assert each.told
        assert all(0 <= bar.x <= bar.x + bar.width <= WIDTH + 1e-3 for bar in each.bars), each.bars
        assert all(a.x + a.width <= b.x + 1e-3 for a, b in pairwise(each.bars)), each.bars
        assert all(0 <= tick.x <= WIDTH for tick in each.ticks)
        assert all(a.x <= b.x and a.done >= b.done for a, b in pairwise(each.ticks)), each.ticks
        assert all(0 <= sign.x <= WIDTH for sign in each.signs)
        assert all(a.x < b.x for a, b in pairwise(each.signs)), each.signs
        if found.hand:
            assert all(tick.x <= found.hand.x + 1e-3 for tick in each.ticks if tick.done)
            assert all(tick.x >= found.hand.x - 1e-3 for tick in each.ticks if not tick.done)
    for words in (found.hours, found.days):
        assert all(0 <= each.x <= WIDTH for each in words)
        assert all(a.x < b.x for a, b in pairwise(words))
    assert all(0 < fold < WIDTH for fold in found.folds)
    if found.hand:
        assert 0 <= found.hand.x <= found.hand.until <= WIDTH
        assert found.hand.pace >= 0


@pytest.mark.parametrize("name", list(TALES))
def test_everything_stands_inside_its_frame(name: str) -> None:
    tale = TALES[name]()
    for run in range(1, tale.progress.run + 1):
        check(drawn(tale, run))


REPLIES: dict[Step, tuple[Reply, ...]] = {
    Step.RANK: (Ranking((P1, P2, P3)), Ranking((P1,)), SILENT, Ranking(())),
    Step.ASK: (Accepted(), NO, Label("A"), GARBAGE, SILENT, Busy(), Refused(Refusal.ACCOUNT, 301)),
    Step.INQUIRE: (NotYet(), NO, Label("B"), Label("C"), GARBAGE, SILENT, Unknown()),
    Step.FETCH_LABEL: (PAPER, NotYet(), SILENT),
    Step.CANCEL: (Cancelled(), NO, PickedUp(), Unclear("", silent=True)),
}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nothing_that_may_happen_leaves_the_frame(data: st.DataObject) -> None:
    tale = Tale()
    for _ in range(data.draw(st.integers(1, 40))):
        due = [turn for turn in tale.progress.turns if turn.due_at and turn.step]
        if not due or not data.draw(st.integers(0, 12)):
            tale = tale.cancelled() if due and not data.draw(st.integers(0, 9)) else tale.scheduled()
        else:
            turn = data.draw(st.sampled_from(due))
            assert turn.step
            reply = data.draw(st.sampled_from(REPLIES[turn.step]))
            tale.hears(reply, turn=turn, after_s=data.draw(st.sampled_from((0.0, 0.3, 40.0))))
        tale.waits(seconds=data.draw(st.sampled_from((0, 1, 50, 700, 90_000))))
        for run in range(1, tale.progress.run + 1):
            check(drawn(tale, run))


@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=30, unique=True), st.integers(1, 10**5))
def test_a_frame_keeps_the_order_of_time(seconds: list[int], longest: int) -> None:
    moments = [NOON + timedelta(seconds=each) for each in sorted(seconds)]
    frame = framed(moments, timedelta(seconds=longest))
    places = [frame.at(moment) for moment in moments]
    assert places == sorted(places)
    assert (places[0], places[-1]) == pytest.approx((0, WIDTH))
    assert len(frame.folds) == sum((b - a).total_seconds() > longest for a, b in pairwise(moments))


@given(st.lists(st.tuples(st.floats(0, WIDTH), st.text("0:9", min_size=1, max_size=20))))
def test_words_never_stand_on_each_other_and_the_first_is_always_there(wanted: list[tuple[float, str]]) -> None:
    found = fitted(wanted)
    assert len(found) <= len(wanted)
    assert not wanted or wanted[0][1] in [each.words for each in found]
    assert len({each.x for each in found}) == len(found)


def test_the_sentence_with_the_clock_running() -> None:
    tale = ranked().hears(Accepted(), NotYet(), NotYet(), NotYet()).waits(seconds=5)
    pieces = telling.told_standing(tale.progress, tale.happenings, tale.rules, tale.now, INDIA)
    assert [piece.words for piece in pieces] == [
        "Delhivery accepted 17:30",
        "polled 3 of 6, next 17:38",
        "at 17:42 Blue Dart takes over",
    ]
    assert [piece.due is not None for piece in pieces] == [False, True, True]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("won at once", []),
        ("being asked", []),
        ("cancelled while waiting", []),
        ("one courier", ["Delhivery accepted 17:30", "polled 1 of 6, next 17:34", "at 17:42 nobody is left to ask"]),
        ("fetching the label", ["Delhivery booked it 17:34:03", "its label is being fetched, next 17:34:11"]),
    ],
)
def test_the_clock_runs_only_while_something_does(name: str, words: list[str]) -> None:
    tale = TALES[name]()
    pieces = telling.told_standing(tale.progress, tale.happenings, tale.rules, tale.now, INDIA)
    assert [piece.words for piece in pieces] == words
