"""Draws the machine of a turn from its table: `python -m bilty.diagram docs/workflow.md` renews the drawing there."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from bilty.concerns import CONCERNS
from bilty.deciding import PERSON
from bilty.turn import TABLE, TRAITS, State

BEGINS = "<!-- drawn by `python -m bilty.diagram docs/workflow.md`: do not edit -->"
ENDS = "<!-- end of the drawing -->"
BESIDE_THE_TABLE: Mapping[str, tuple[tuple[State, State], ...]] = {
    "claimed, the call is out": ((State.ASKING, State.UNCLEAR),),
    "another took the shipment": tuple((s, State.LAPSED) for s in (State.UNCLEAR, State.WAITING, State.UNDECIDED)),
    "no longer to be said": tuple((s, State.WITHDRAWN) for s in (State.RANKING, State.ASKING)),
    "no longer to be said again": ((State.ASKING, State.LAPSED),),
    "nobody used it in time, another took the shipment, cancelled or changed": ((State.OFFERED, State.SURPLUS),),
    "cancelled or changed by a person": tuple(
        (s, State.SURPLUS) for s in (State.FETCHING, State.UNLABELLED, State.WON)
    ),
    "changed, and its AWB typed by a person": tuple((s, State.OFFERED) for s in (State.FETCHING, State.UNLABELLED)),
    "cancelled by a person, and nothing sent": ((State.UNCLEAR, State.WITHDRAWN),),
    "a person: wrong awb, of what had lapsed": tuple(
        (s, State.LAPSED) for s in (State.FETCHING, State.UNLABELLED, State.OFFERED)
    ),
    **{
        f"a person: {kind.replace('-', ' ')}": tuple((s, after) for s, after in moves.items() if after is not s)
        for kind, moves in PERSON.items()
    },
}
"""Moves for which the turn heard nothing itself: its claim, another turn's victory, a person's act."""
MEANING: Mapping[State, str] = {
    State.RANKING: "ClickPost is asked who may carry the boxes",
    State.RANKED: "P1, P2 and P3 are known, and frozen for the run",
    State.UNSERVICEABLE: "nobody serves the lane",
    State.ASKING: "the courier is to be asked; nothing has left, or nothing stayed there",
    State.UNCLEAR: "asked; it may be booked",
    State.WAITING: "accepted: LABEL REQUESTED",
    State.UNDECIDED: "the window is over, and it still may be booked",
    State.FETCHING: "has the shipment: an AWB, and its label is on the way",
    State.UNLABELLED: "has the shipment, and the label does not come",
    State.WON: "has the shipment and the label",
    State.REFUSED: "a definite no",
    State.STOPPED: "a definite no that the next courier would not mend",
    State.WITHDRAWN: "never said",
    State.LAPSED: "ended without a definite no: watched for a week",
    State.OFFERED: "a late AWB, to be used; left alone, it is cancelled",
    State.SURPLUS: "an AWB that must be cancelled",
    State.UNCANCELLED: "the courier does not cancel the AWB",
    State.PICKED_UP: "an AWB too many that is under way: never cancelled",
    State.CONFLICT: "its AWB is another's",
    State.CANCELLED: "its AWB is void",
    State.RETURNING: "has the shipment, which is on the truck: its return is to be ordered",
    State.UNRETURNED: "has the shipment, and does not bring it back",
    State.RETURNED: "has the shipment, and brings it back",
}


def drawing() -> str:
    return "\n".join([BEGINS, "```mermaid", *_diagram(), "```", "", *_states(), "", *_acts(), ENDS])


def renewed(page: str) -> str:
    """`page` with what stands between its markers drawn anew. Raises ValueError where it has no markers."""
    before, rest = page.split(BEGINS)
    return before + drawing() + rest.split(ENDS)[1]


def _diagram() -> Iterator[str]:
    yield from ("stateDiagram-v2", "    direction TB", f"    [*] --> {State.RANKING} : scheduled")
    yield f"    [*] --> {State.ASKING} : its courier's turn"
    arrows: dict[tuple[State, State], list[str]] = {}
    for state, row in TABLE.items():
        for heard, after in row.items():
            arrows.setdefault((state, after), []).append(heard)
    for why, moves in BESIDE_THE_TABLE.items():
        for move in moves:
            arrows.setdefault(move, []).append(why)
    for (before, after), words in arrows.items():
        if before is not after:
            yield f"    {before} --> {after} : {' / '.join(words)}"


def _states() -> Iterator[str]:
    yield from ("| state | meaning | kind | whose move | call owed |", "|---|---|---|---|---|")
    for state in State:
        kind, step = TRAITS[state]
        mover = "a person's" if state in CONCERNS else "Bilty's" if step else "nobody's"
        yield f"| `{state}` | {MEANING[state]} | {kind} | {mover} | {step or '-'} |"


def _acts() -> Iterator[str]:
    yield from ("| a person's act | to a turn that is | which is then |", "|---|---|---|")
    for kind, moves in PERSON.items():
        befores = ", ".join(f"`{before}`" for before in moves)
        afters = ", ".join(f"`{after}`" for after in dict.fromkeys(moves.values()))
        yield f"| {kind.replace('-', ' ')} | {befores} | {'as it was' if befores == afters else afters} |"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
