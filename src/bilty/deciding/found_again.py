"""What ClickPost knows of a shipment that Bilty may not, after a restore from backup. Pure; why: docs/decisions/0024.

`places` says under which references it may have been booked since the backup was made; `found_again` weighs what was
found there, all of it at once: one alone may be a cancelled AWB while the boxes bear another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bilty.reply import Courier, Label
from bilty.turn import Kind, Rules, State, Turn
from bilty.workflow import Progress, lapsed, put, reference, step_aside

RUNS_AHEAD, VERSIONS_AHEAD = 2, 2
"""So many that the backup has never heard of are looked for; one that is found is a reason to look further."""
PRIORITY_MAX = 3
SINCE = "Found at ClickPost: it was booked after the backup was made that Bilty was restored from."
OF_A_LATER_VERSION = f"{SINCE} The shipment had been changed by then, in a way that the backup does not know."
VOID_SINCE = (
    "AWB {awb} was booked, and cancelled after the backup was made that Bilty was restored from. "
    "Find out why before this shipment is booked again."
)
_MAY_HAVE_IT = frozenset({State.FETCHING, State.UNLABELLED, State.WON})
_BEING_CANCELLED = frozenset({State.SURPLUS, State.UNCANCELLED, State.PICKED_UP, State.CONFLICT})


@dataclass(frozen=True, slots=True)
class Place:
    """A reference, and what it was made of."""

    reference: str
    version: int
    run: int
    courier: Courier


@dataclass(frozen=True, slots=True)
class Found:
    """What is booked under a reference. `label` None: taken in, and still in the works. `void`: cancelled since.

    `foreign`: its AWB is another shipment's.
    """

    place: Place
    label: Label | None
    void: bool = False
    foreign: bool = False


def places(progress: Progress, couriers: Sequence[Courier], last_run: int) -> tuple[Place, ...]:
    """Where an AWB of the shipment may be that Bilty does not know, or that is void by now, up to `last_run`.

    `couriers`: all with whom the account may have booked. Those of a run that was ranked are known.
    """
    known = {turn.reference for turn in progress.turns}
    listed = [
        Place(turn.reference, turn.version, turn.run, turn.courier)
        for turn in progress.turns
        if turn.courier and _may_have_changed(turn)
    ]
    for run in range(max(progress.run, 1), last_run + 1):
        ahead = VERSIONS_AHEAD if run > progress.run else 0  # a version that is new since has a run that is
        for version in range(progress.version, progress.version + ahead + 1):
            for courier in _asked_in(progress, run) or couriers:
                name = reference(replace(progress, version=version), run, courier)
                if name not in known:
                    listed.append(Place(name, version, run, courier))
    return tuple(listed)


def _may_have_changed(turn: Turn) -> bool:
    is_unsure = turn.state is State.REFUSED and turn.code == 0  # nobody said no: its reference was not known, twice
    return is_unsure or turn.kind in (Kind.OPEN, Kind.WATCHED, Kind.EXTRA) or turn.state in _MAY_HAVE_IT


def _asked_in(progress: Progress, run: int) -> tuple[Courier, ...]:
    """Whom a run that was under way can have asked. One that nobody was asked in may be another's by its number."""
    under_way = any(turn.asks > 0 for turn in progress.run_turns)
    return progress.couriers if run == progress.run and under_way else ()


def last_run_of(progress: Progress, found: Sequence[Found]) -> int:
    """How far to look, given what was found so far."""
    return max((progress.run, 1, *(each.place.run for each in found))) + RUNS_AHEAD


def is_to_be_awaited(progress: Progress, found: Sequence[Found]) -> bool:
    """Something is not decided that nothing here can wait for: of a later version, or of a turn that has ended."""
    return any(
        each.label is None and (each.place.version > progress.version or _has_ended(progress, each)) for each in found
    )


def _has_ended(progress: Progress, found: Found) -> bool:
    turn = _turn(progress, found.place.reference)
    return turn is not None and turn.state is State.REFUSED


def found_again(progress: Progress, found: Sequence[Found], now: datetime, rules: Rules) -> Progress:
    """The shipment as it is with what was found. What was found of older versions goes its way: it is cancelled."""
    found = [each for each in found if each.place.version >= progress.version]
    live = [each for each in found if each.label and not each.void and not _is_settled_here(progress, each)]
    void = [each for each in found if each.void]
    works = [each for each in found if each.label is None]
    progress = _in_the_latest_run(progress, [*live, *void, *works], now)
    holder = progress.holder
    if holder is not None and all(each.place.reference != holder.reference for each in void):
        takes = False
    else:
        here = all(each.place.version == progress.version and not each.foreign for each in live)
        takes = len(live) == 1 and here and not progress.failed_told and not progress.cancel_asked
    progress = _without_void(progress, void, replaced=takes)
    for each in live:
        progress = _with(progress, _as_found(progress, each, now, takes=takes))
    if live or void:
        progress = step_aside(progress, now, rules)
    return _with_works(progress, works, now, rules, waits=not live)


def _is_settled_here(progress: Progress, found: Found) -> bool:
    """What has the shipment has it; what was to be cancelled when the backup was made still is."""
    turn = _turn(progress, found.place.reference)
    return turn is not None and (turn.kind is Kind.HOLDS or turn.state in _BEING_CANCELLED)


def _turn(progress: Progress, name: str) -> Turn | None:
    return next((turn for turn in progress.turns if turn.reference == name), None)


def _with(progress: Progress, turn: Turn) -> Progress:
    if _turn(progress, turn.reference):
        return put(progress, turn)
    return replace(progress, turns=(*progress.turns, turn))


def _in_the_latest_run(progress: Progress, found: Sequence[Found], now: datetime) -> Progress:
    """Runs that the backup has not, and what was ranked in them as far as it is known; nothing of an older one is open.

    In the present one a ranking that is still owed is not asked for any more: it would be another one.
    """
    for run in sorted({each.place.run for each in found}):
        couriers = tuple(dict.fromkeys(each.place.courier for each in found if each.place.run == run))
        ranking = next((t for t in progress.turns if t.run == run and t.priority == 0), None)
        if ranking is None:
            name = reference(progress, run, None)
            ranking = Turn(run, 0, None, name, progress.digest, State.RANKING, None, version=progress.version)
        if ranking.state is State.RANKING:
            ranked = replace(ranking, state=State.RANKED, due_at=None, tries=0, couriers=couriers[:PRIORITY_MAX])
            progress = _with(progress, ranked)
    latest = max((each.place.run for each in found), default=0)
    if latest <= progress.run:
        return progress
    open_turn = progress.open_turn
    if open_turn:
        said = open_turn.asks > 0
        gone = lapsed(open_turn, now, now) if said else replace(open_turn, state=State.WITHDRAWN, due_at=None)
        progress = put(progress, gone)
    return replace(progress, run=latest, schedule_asked=False)


def _at(progress: Progress, place: Place) -> Turn:
    """The turn of that place, as if nobody had been asked where the backup has none."""
    turn = _turn(progress, place.reference)
    if turn:
        return turn
    taken = {each.priority for each in progress.turns if each.run == place.run}
    couriers = next((t.couriers for t in progress.turns if t.run == place.run and t.priority == 0), ())
    own = next((n for n, each in enumerate(couriers, 1) if each.identity == place.courier.identity), 0)
    free = [n for n in (own, *range(1, PRIORITY_MAX + 1)) if n > 0 and n not in taken]
    return Turn(
        run=place.run,
        priority=free[0] if free else PRIORITY_MAX,
        courier=place.courier,
        reference=place.reference,
        digest=progress.digest,
        state=State.ASKING,
        due_at=None,
        version=progress.version,
    )


def _as_found(progress: Progress, found: Found, now: datetime, *, takes: bool) -> Turn:
    assert found.label is not None
    turn = _at(progress, found.place)
    state = State.SURPLUS if progress.cancel_asked else State.FETCHING if takes else State.OFFERED
    state = State.CONFLICT if found.foreign else state
    later = found.place.version > progress.version
    return replace(
        turn,
        state=state,
        due_at=now if state in (State.SURPLUS, State.FETCHING) else None,
        asks=max(turn.asks, 1),
        asked_at=turn.asked_at or now,
        polls_done=0,
        tries=0,
        planned_due=None,
        awb=found.label.awb,
        label_url=found.label.label_url,
        message=OF_A_LATER_VERSION if later else SINCE,
        settled=False,
        entered=state is State.OFFERED,  # as one that a person typed: it may be on the boxes, so Bilty lets it be
    )


def _without_void(progress: Progress, void: Sequence[Found], *, replaced: bool) -> Progress:
    """Where nothing takes the shipment, what was cancelled keeps it from being booked: a person did that, and why?"""
    for each in void:
        known = _turn(progress, each.place.reference)
        blocks = not replaced and each.place.run == progress.run and not progress.cancel_asked
        if known is None and not blocks:
            continue
        turn = _at(progress, each.place)
        awb = each.label.awb if each.label else turn.awb
        state = State.STOPPED if blocks and turn.state not in _BEING_CANCELLED else State.CANCELLED
        told = replace(turn, state=state, awb=awb, message=VOID_SINCE.format(awb=awb), due_at=None, planned_due=None)
        progress = _with(progress, replace(told, asks=max(turn.asks, 1), settled=False))
    return progress


def _with_works(progress: Progress, works: Sequence[Found], now: datetime, rules: Rules, *, waits: bool) -> Progress:
    """The youngest acceptance is waited for, where nothing else was found; the others are watched."""
    new = [each for each in works if _turn(progress, each.place.reference) is None]
    for each in sorted(new, key=lambda found: found.place.run):
        turn = replace(_at(progress, each.place), asks=1, asked_at=now, message=SINCE)
        open_turn = progress.open_turn
        if open_turn and waits:
            progress = put(progress, _aside(open_turn, works, now))
        heard = (
            replace(turn, state=State.WAITING, due_at=now + rules.poll_interval) if waits else lapsed(turn, now, now)
        )
        progress = _with(progress, heard)
    open_turn = progress.open_turn
    if open_turn and open_turn.state is State.ASKING and _is_among(works, open_turn):
        asked = replace(open_turn, asks=max(open_turn.asks, 1), asked_at=open_turn.asked_at or now)
        return put(progress, replace(asked, state=State.WAITING, polls_done=0, due_at=now + rules.poll_interval))
    return progress


def _is_among(works: Sequence[Found], turn: Turn) -> bool:
    return any(each.place.reference == turn.reference for each in works)


def _aside(turn: Turn, works: Sequence[Found], now: datetime) -> Turn:
    """It was asked, or it never will be: somebody else was since."""
    said = turn.asks > 0 or _is_among(works, turn)
    if said:
        return lapsed(replace(turn, asks=max(turn.asks, 1)), now, now)
    return replace(turn, state=State.WITHDRAWN, due_at=None)
