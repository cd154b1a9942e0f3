"""The three-tier strip: P1, P2, P3 of a run, read at a glance and by a screen reader alike."""

from dataclasses import dataclass

from bilty.reply import Courier
from bilty.telling.phrases import name_of, said
from bilty.turn import Rules, State, Turn
from bilty.workflow import Progress

TIERS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Cell:
    """One courier of the three-tier strip: a glyph that is read at 11 px, and the same in words."""

    state: str
    glyph: str
    count: str
    words: str
    note: str


_GLYPHS = {
    State.RANKING: ("waiting", "◑", "asked who serves the lane"),
    State.RANKED: ("won", "●", "ranked the couriers"),
    State.UNSERVICEABLE: ("refused", "✕", "named no courier"),
    State.ASKING: ("waiting", "◑", "being asked"),
    State.UNCLEAR: ("waiting", "◑", "being asked"),
    State.WAITING: ("waiting", "◑", "waiting"),
    State.UNDECIDED: ("person", "▲", "undecided"),
    State.FETCHING: ("won", "●", "booked, label on its way"),
    State.UNLABELLED: ("person", "▲", "booked, without its label"),
    State.WON: ("won", "●", "won"),
    State.REFUSED: ("refused", "✕", "refused"),
    State.STOPPED: ("refused", "✕", "refused"),
    State.WITHDRAWN: ("untried", "·", "not asked"),
    State.LAPSED: ("lapsed", "◌", "lapsed"),
    State.OFFERED: ("person", "▲", "label came late"),
    State.SURPLUS: ("lapsed", "◌", "being cancelled"),
    State.UNCANCELLED: ("person", "▲", "will not cancel"),
    State.PICKED_UP: ("person", "▲", "picked up, not wanted"),
    State.CONFLICT: ("person", "▲", "gave another's AWB"),
    State.CANCELLED: ("lapsed", "◌", "cancelled"),
    State.RETURNING: ("won", "●", "asked to bring it back"),
    State.UNRETURNED: ("person", "▲", "will not bring it back"),
    State.RETURNED: ("lapsed", "◌", "brings it back"),
}


def strip(progress: Progress, rules: Rules) -> tuple[Cell, ...]:
    """P1 P2 P3 of the present run."""
    turns = {turn.priority: turn for turn in progress.run_turns}
    couriers = dict(enumerate(progress.couriers, start=1))
    return tuple(cell(priority, turns.get(priority), couriers.get(priority), rules) for priority in TIERS)


def cell(priority: int, turn: Turn | None, courier: Courier | None, rules: Rules) -> Cell:
    if turn is None:
        who = f"P{priority} {courier.name} not tried" if courier else f"P{priority} none"
        return Cell("untried", "·", "", who, "")
    state, glyph, words = _GLYPHS[turn.state]
    polled = turn.state is State.WAITING
    count = f"{turn.polls_done}/{rules.polls_max}" if polled else ""
    poll = f", poll {turn.polls_done} of {rules.polls_max}" if polled else ""
    note = f"reference {turn.reference}" + (f": {said(turn.message, turn.code)}" if turn.message else "")
    return Cell(state, glyph, count, f"P{priority} {name_of(turn)} {words}{poll}", note)
