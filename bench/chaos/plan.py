"""What goes wrong, and when: pure. The same seed, length and names are the same plan.

The moments at which its faults meet the shipments are not the same, since the machine's processes take the time that
they take: a seed that fails is replayed some times.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

DATABASE, CLICKPOST = "database", "clickpost"
PAUSE_S = (65.0, 75.0)
"""Longer than a lease, which is a minute, and what may pass before it is called ended."""
CALM_S = 2.0
"""At the end, in which nothing begins any more."""


class Kind(StrEnum):
    KILL = "kill"  # -9, one of Bilty's processes
    PAUSE = "pause"  # SIGSTOP, and SIGCONT after its leases ran out
    BLACKOUT = "blackout"  # all of Bilty's processes and PostgreSQL, at one blow
    FULL = "full"  # no process can write a file: the label store is full, and so are the logs
    SILENCE = "silence"  # the whole aggregator
    POSTGRES_KILL = "postgres kill"
    POSTGRES_RESTART = "postgres restart"  # in good order, and fast: connections are ended
    CUT = "cut"
    CUT_AFTER = "cut after"  # so many bytes of an answer
    HALF_CLOSE = "half close"
    FORGET = "forget"
    HOLD = "hold"
    SLOW = "slow"


OF_LINES: Mapping[Kind, int] = {
    Kind.CUT: 5,
    Kind.CUT_AFTER: 4,
    Kind.HALF_CLOSE: 2,
    Kind.FORGET: 1,
    Kind.HOLD: 2,
    Kind.SLOW: 3,
}
OF_DATABASE: Mapping[Kind, int] = {**OF_LINES, Kind.POSTGRES_KILL: 4, Kind.POSTGRES_RESTART: 3}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """`amount` is how many bytes an answer has left, or by how many seconds what is said comes later."""

    at_s: float
    kind: Kind
    target: str = ""
    for_s: float = 0
    amount: float = 0


def plan(seed: int, seconds: float, names: Sequence[str]) -> tuple[Fault, ...]:
    """In the order of time. Nothing lasts beyond `seconds`.

    One process at most is paused, and is not killed meanwhile; what befalls one proxy and lasts never overlaps.
    """
    pauses = [Fault(at, Kind.PAUSE, dice.choice(names), for_s) for at, for_s, dice in _spells(seed, "pause", seconds)]
    faults = [
        *pauses,
        *_kills(seed, seconds, names, pauses),
        *(Fault(at, Kind.BLACKOUT) for at, _ in _moments(seed, "blackout", seconds, 100, 160)),
        *(Fault(at, Kind.SILENCE, for_s=s) for at, s, _ in _spells(seed, "silence", seconds)),
        *(Fault(at, Kind.FULL, for_s=s) for at, s, _ in _spells(seed, "full", seconds)),
        *_at_proxy(seed, seconds, DATABASE, OF_DATABASE),
        *_at_proxy(seed, seconds, CLICKPOST, OF_LINES),
    ]
    return tuple(sorted(faults))


def _dice(seed: int, what: str) -> random.Random:
    return random.Random(f"{seed} {what}")  # noqa: S311 - not for secrets


def _moments(
    seed: int, what: str, seconds: float, gap_min_s: float, gap_max_s: float
) -> Iterator[tuple[float, random.Random]]:
    """Moments, and dice to decide about each."""
    dice = _dice(seed, what)
    at = dice.uniform(0, gap_max_s / 2)
    while at < seconds - CALM_S:
        yield at, dice
        at += dice.uniform(gap_min_s, gap_max_s)


SPELLS = {"pause": ((2, 30), PAUSE_S), "silence": ((30, 90), (3, 15)), "full": ((20, 60), (3, 12))}
"""The gaps between them, and how long they last."""


def _spells(seed: int, what: str, seconds: float) -> Iterator[tuple[float, float, random.Random]]:
    """One after another: when it begins, for how long, and dice to decide about it."""
    gap, length = SPELLS[what]
    dice = _dice(seed, what)
    at = dice.uniform(0, min(gap[1], seconds) / 3)
    while at + (for_s := dice.uniform(*length)) < seconds - CALM_S:
        yield at, for_s, dice
        at += for_s + dice.uniform(*gap)


def _kills(seed: int, seconds: float, names: Sequence[str], pauses: Sequence[Fault]) -> Iterator[Fault]:
    for at, dice in _moments(seed, "kill", seconds, 1.2, 3.4):
        asleep = {each.target for each in pauses if each.at_s <= at <= each.at_s + each.for_s}
        yield Fault(at, Kind.KILL, dice.choice([name for name in names if name not in asleep]))


def _at_proxy(seed: int, seconds: float, target: str, weights: Mapping[Kind, int]) -> Iterator[Fault]:
    dice = _dice(seed, target)
    at = dice.uniform(0, 6)
    while at < seconds - CALM_S:
        kind = dice.choices(list(weights), list(weights.values()))[0]
        for_s = min(dice.uniform(1, 8), seconds - CALM_S - at) if kind in (Kind.HOLD, Kind.SLOW, Kind.CUT_AFTER) else 0
        amount = {Kind.CUT_AFTER: dice.randrange(1, 20_000), Kind.SLOW: dice.uniform(0.01, 0.4)}.get(kind, 0)
        yield Fault(at, kind, target, for_s, amount)
        at += for_s + dice.uniform(2, 9)
