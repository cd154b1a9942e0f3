"""Walks every scene that a world can reach, and says where a promise is broken, and by which moves."""

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from bilty.deciding import ActKind
from bilty.reply import Cancelled, NotYet, Ranking, Refusal, Refused, Unknown
from bilty.turn import Heard, Kind, State, Step
from bilty.workflow import Status
from workflow.world import NOW, Move, Scene, Side, Truth, World, own_awb

COOPERATIVE_MOVES_MAX = 60
SCENES_MAX = 100_000
"""More than any of our worlds has: something grows without end."""
SHOWN = {State.OFFERED, State.CONFLICT, State.PICKED_UP, State.UNCANCELLED}
"""An AWB in such a turn is before a person's eyes."""
BEING_CANCELLED = {State.SURPLUS, State.UNCANCELLED}
LIVE = {*BEING_CANCELLED, *SHOWN}
BEFORE_THE_NEXT = {State.RANKED, State.REFUSED, State.LAPSED, State.CANCELLED, State.WITHDRAWN}
"""The last two where a person gave up the AWB of a turn that had the shipment."""
BEGINS_THE_NEXT = {ActKind.FALL_OVER, ActKind.NOT_BOOKED, ActKind.GO_ON, ActKind.SETTLED, ActKind.WRONG_AWB}
ON_THE_TRUCK = {State.WON, State.RETURNING, State.UNRETURNED, State.RETURNED}
RESTS = {
    *(Status.CREATED, Status.ON_HOLD, Status.LABEL_READY, Status.DISPATCHED),
    *(Status.FAILED, Status.NOT_SERVICEABLE, Status.CANCELLED),
}
"""Nobody's move."""


class BrokenPromiseError(AssertionError):
    """The message names the promise and the moves that lead there."""


@dataclass(slots=True)
class Walk:
    """What was seen. `steps` are the (state, state) that a turn went in one move."""

    world: World
    scenes: dict[Hashable, Scene] = field(default_factory=dict)
    came_by: dict[Hashable, tuple[Hashable, str]] = field(default_factory=dict)
    helped: dict[Hashable, Hashable] = field(default_factory=dict)
    asked: dict[str, tuple[int, object]] = field(default_factory=dict)
    steps: set[tuple[State, State]] = field(default_factory=set)
    moves: int = 0

    @property
    def states(self) -> set[State]:
        return {turn.state for scene in self.scenes.values() for turn in scene.progress.turns}

    @property
    def exercised(self) -> set[tuple[State, Heard]]:
        return self.world.machine.exercised

    def breaks(self, promise: str, at: Hashable, move: Move | None = None) -> NoReturn:
        names = [move.name] if move else []
        while at in self.came_by:
            at, name = self.came_by[at]
            names.append(name)
        raise BrokenPromiseError("\n  ".join([promise, *reversed(names)]))


def walk(world: World, scenes_max: int = SCENES_MAX) -> Walk:
    """Every reachable scene, each checked; raises BrokenPromiseError at the first that breaks a promise."""
    seen, start = Walk(world), world.start()
    seen.scenes[start.key] = start
    to_visit = deque([start.key])
    while to_visit:
        key = to_visit.popleft()
        scene = seen.scenes[key]
        for move in world.moves(scene):
            after = move.after.key
            seen.moves += 1
            _check_move(seen, key, scene, move)
            if move.helps:
                seen.helped[key] = after
            if after not in seen.scenes:
                seen.scenes[after] = move.after
                seen.came_by[after] = key, move.name
                _check_scene(seen, after, move.after)
                to_visit.append(after)
        if len(seen.scenes) > scenes_max:
            seen.breaks("(a) there is an end to what may happen", key)
    _check_endings(seen)
    return seen


def _check_scene(seen: Walk, key: Hashable, scene: Scene) -> None:
    for promise, holds in SCENE_PROMISES.items():
        if not holds(seen.world, scene):
            seen.breaks(promise, key)


def _check_move(seen: Walk, key: Hashable, scene: Scene, move: Move) -> None:
    for was, turn in zip(scene.progress.turns, move.after.progress.turns, strict=False):
        if was.state != turn.state:
            seen.steps.add((was.state, turn.state))
    for promise, holds in MOVE_PROMISES.items():
        if not holds(seen, scene, move):
            seen.breaks(promise, key, move)


# --- (a) it ends


def _check_endings(seen: Walk) -> None:
    """From every scene the cooperative moves lead to one in which nothing is owed and nobody waits for nothing."""
    ends: dict[Hashable, int] = {}
    for key in seen.scenes:
        path = [key]
        while path[-1] not in ends and path[-1] in seen.helped and len(path) <= COOPERATIVE_MOVES_MAX:
            path.append(seen.helped[path[-1]])
        if path[-1] not in ends:
            if path[-1] in seen.helped or not _settled(seen.world, seen.scenes[path[-1]]):
                seen.breaks("(a) it ends, or waits for a person, if ClickPost answers", key)
            ends[path[-1]] = 0
        for before, after in zip(reversed(path[:-1]), reversed(path), strict=False):
            ends[before] = ends[after] + 1
    if max(ends.values()) > COOPERATIVE_MOVES_MAX:
        seen.breaks("(a) it ends soon", max(ends, key=lambda key: ends[key]))


def _settled(world: World, scene: Scene) -> bool:
    machine = world.machine
    return machine.status(scene.progress) in RESTS or bool(machine.concerns(scene.progress))


# --- what holds in every scene


def _one_open(_world: World, scene: Scene) -> bool:
    return sum(turn.kind == Kind.OPEN for turn in scene.progress.turns) <= 1


def _one_holder(_world: World, scene: Scene) -> bool:
    return sum(turn.kind == Kind.HOLDS for turn in scene.progress.turns) <= 1


def _nobody_else(_world: World, scene: Scene) -> bool:
    kinds = {turn.kind for turn in scene.progress.turns}
    return not {Kind.OPEN, Kind.HOLDS} <= kinds


def _wanted(_world: World, scene: Scene) -> bool:
    return not (scene.progress.cancel_asked and any(turn.kind == Kind.HOLDS for turn in scene.progress.turns))


def _each_listens(_world: World, scene: Scene) -> bool:
    """A state that owes a step is due, but for a lapsed turn after its week, and what a person typed; no other is."""
    return all(
        (turn.due_at is not None) == (turn.step is not None)
        or (turn.due_at is None and (turn.state == State.LAPSED or (turn.state == State.OFFERED and turn.entered)))
        for turn in scene.progress.turns
    )


def _none_of_what_it_was(_world: World, scene: Scene) -> bool:
    return all(turn.version == scene.progress.version for turn in scene.progress.turns if turn.kind == Kind.HOLDS)


def _asked_as_it_is(_world: World, scene: Scene) -> bool:
    to_be_asked = [turn for turn in scene.progress.turns if turn.step in (Step.RANK, Step.ASK)]
    return all(turn.version == scene.progress.version for turn in to_be_asked)


def _has_it_to_the_end(_world: World, scene: Scene) -> bool:
    holder = scene.progress.holder
    return not scene.progress.dispatched or (holder is not None and holder.state in ON_THE_TRUCK)


def _nothing_is_left_undone(world: World, scene: Scene) -> bool:
    """What follows of itself has followed."""
    return world.machine.go_on(scene.progress, NOW) == scene.progress


def _none_unknown(_world: World, scene: Scene) -> bool:
    return all(side.truth != Truth.WORKING or side.out or turn.step == Step.INQUIRE for turn, side in scene.pairs())


def _each_awb_accounted_for(_world: World, scene: Scene) -> bool:
    return all(
        turn.awb == own_awb(turn) and (turn.kind == Kind.HOLDS or turn.state in BEING_CANCELLED | SHOWN)
        for turn, side in scene.pairs()
        if side.truth == Truth.BOOKED
    )


def _shown_concern(world: World, scene: Scene) -> bool:
    """And every AWB that a person must see is shown, whatever the status."""
    shown = {turn.reference for _, turn in world.machine.concerns(scene.progress)}
    unsettled = [turn for turn in scene.progress.turns if not turn.settled]
    hidden = [turn for turn in unsettled if turn.state in SHOWN and turn.reference not in shown]
    return not hidden and bool(shown) >= (world.machine.status(scene.progress) == Status.NEEDS_ATTENTION)


def _status_is_true(world: World, scene: Scene) -> bool:
    """Each status against what it claims, in words of its own."""
    progress, turns = scene.progress, scene.progress.turns
    open_matters = [(turn, side) for turn, side in scene.pairs() if not turn.settled]
    kinds, status = {turn.kind for turn, _ in open_matters}, world.machine.status(progress)
    match status:
        case Status.FAILED:
            return kinds <= {Kind.OVER} and progress.run > 0 and not any(_may_come(side) for _, side in open_matters)
        case Status.LABEL_READY:
            return any(turn.state == State.WON for turn in turns)
        case Status.CANCELLED:
            being_cancelled = any(turn.step == Step.CANCEL for turn in turns)
            return progress.cancel_asked and not being_cancelled and not kinds & {Kind.OPEN, Kind.HOLDS, Kind.EXTRA}
        case Status.CREATED | Status.ON_HOLD:
            asked = [turn for turn in turns if turn.version == progress.version]
            settled = kinds <= {Kind.OVER} and not any(_may_come(side) for _, side in open_matters)
            return not asked and settled and bool(progress.hold) == (status == Status.ON_HOLD)
        case Status.DISPATCHED:
            return progress.dispatched
        case _:
            return True


def _person_can(world: World, scene: Scene) -> bool:
    """Also where a call is out: then the button is there, and says why not yet."""
    if not world.decides:
        return True
    offers = world.machine.possible(scene.progress)
    offered = {offer.reference for offer in offers if offer.reference}
    again = any(offer.kind == ActKind.SCHEDULE for offer in offers)
    concerns = world.machine.concerns(scene.progress)
    return all(turn.reference in offered or (turn.state == State.STOPPED and again) for _, turn in concerns)


def _may_come(side: Side) -> bool:
    return side.truth in (Truth.WORKING, Truth.BOOKED)


SCENE_PROMISES: dict[str, Callable[[World, Scene], bool]] = {
    "(b) at most one turn has the shipment": _one_holder,
    "(b) a shipment that nobody wants is nobody's": _wanted,
    "(b) no AWB of what the shipment was is held": _none_of_what_it_was,
    "(b) what is dispatched has its label to the end": _has_it_to_the_end,
    "(c) every AWB is held, cancelled, being cancelled or shown": _each_awb_accounted_for,
    "(d) whatever may be booked belongs to a turn that listens": _none_unknown,
    "(d) a turn is due as long as its state owes a step": _each_listens,
    "(e) at most one turn is open": _one_open,
    "(e) nobody is asked to carry what the shipment was": _asked_as_it_is,
    "(e) nobody is asked while somebody has the shipment": _nobody_else,
    "(f) what needs attention has a concern": _shown_concern,
    "(f) a status says what is": _status_is_true,
    "(g) whoever must decide has a button": _person_can,
    "(h) what follows of itself has followed": _nothing_is_left_undone,
}


# --- what holds for every move


def _label_stays(seen: Walk, scene: Scene, move: Move) -> bool:
    before = [turn for turn in scene.progress.turns if turn.state == State.WON]
    after = [turn for turn in move.after.progress.turns if turn.state == State.WON]
    by_a_person = move.name == "cancels" or move.amends or move.decides == ActKind.ORDER_RETURN
    return not before or by_a_person or [t.awb for t in before] == [t.awb for t in after]


def _over_is_over(_seen: Walk, scene: Scene, move: Move) -> bool:
    pairs = zip(scene.progress.turns, move.after.progress.turns, strict=False)
    changed = [(was.state, turn.state) for was, turn in pairs if was.kind == Kind.OVER and was.state != turn.state]
    return not changed or (move.decides == ActKind.GO_ON and changed == [(State.STOPPED, State.REFUSED)])


def _next_only_after_an_answer(_seen: Walk, scene: Scene, move: Move) -> bool:
    """In a run; a run may begin because nothing was sent."""
    begun = len(move.after.progress.turns) > len(scene.progress.turns)
    anew = move.after.progress.run > scene.progress.run
    answered = isinstance(move.reply, Ranking | NotYet | Unknown | Cancelled) or (
        isinstance(move.reply, Refused) and move.reply.refusal != Refusal.ACCOUNT
    )
    return not begun or anew or answered or move.decides in BEGINS_THE_NEXT


def _begins_in_order(_seen: Walk, scene: Scene, move: Move) -> bool:
    begun = move.after.progress.turns[len(scene.progress.turns) :]
    run = [turn for turn in move.after.progress.run_turns if turn not in begun]
    return not begun or all(turn.state in BEFORE_THE_NEXT for turn in run)


def _begins_beside_no_awb(_seen: Walk, scene: Scene, move: Move) -> bool:
    begun = len(move.after.progress.turns) > len(scene.progress.turns)
    return not begun or not any(turn.state in LIVE and not turn.settled for turn in move.after.progress.turns)


def _begins_when_the_old_is_over(_seen: Walk, scene: Scene, move: Move) -> bool:
    """Whatever Bilty knows: by what ClickPost has. Or a person has said that they have seen to it."""
    begun = len(move.after.progress.turns) > len(scene.progress.turns)
    old = [(turn, side) for turn, side in move.after.pairs() if turn.version < move.after.progress.version]
    return not begun or not any(_may_come(side) and not turn.settled for turn, side in old)


def _never_cancelled_on_the_truck(_seen: Walk, scene: Scene, move: Move) -> bool:
    """Whatever Bilty knows of the pickup, a return is ordered of what was dispatched, and by name."""
    turn = move.claims
    if turn is None or not scene.progress.dispatched:
        return True
    on_the_truck = turn.kind == Kind.HOLDS
    return (turn.step == Step.RETURN) == on_the_truck


def _return_by_name(_seen: Walk, scene: Scene, move: Move) -> bool:
    pairs = zip(scene.progress.turns, move.after.progress.turns, strict=False)
    ordered = [turn for was, turn in pairs if turn.state == State.RETURNING != was.state]
    return not ordered or (move.decides == ActKind.ORDER_RETURN and scene.progress.dispatched)


def _offer_stands_until_cancelled(_seen: Walk, scene: Scene, move: Move) -> bool:
    """Whoever looks at it when its time is over finds it being cancelled, not half of both."""
    turn = move.claims
    if turn is None or turn.state != State.OFFERED:
        return True
    after = next(other for other in move.after.progress.turns if other.reference == turn.reference)
    return after.state == State.SURPLUS and not turn.entered


def _unknown_in_a_hurry(_seen: Walk, scene: Scene, move: Move) -> bool:
    """What was asked because a person wanted it at once; the other inquiries are minutes apart."""
    pairs = zip(scene.progress.turns, move.after.progress.turns, strict=False)
    hurried = [(was, turn) for was, turn in pairs if was.state == State.UNDECIDED and was.planned_due is not None]
    return not isinstance(move.reply, Unknown) or all(was.state == turn.state for was, turn in hurried)


def _typed_is_cancelled_by_name(_seen: Walk, scene: Scene, move: Move) -> bool:
    """Or with the shipment that has it, or as it was."""
    pairs = zip(scene.progress.turns, move.after.progress.turns, strict=False)
    entering = move.decides == ActKind.ENTER_AWB
    given_up = [
        was
        for was, turn in pairs
        if turn.state == State.SURPLUS != was.state and (was.entered or (entering and not was.awb))
    ]
    by_name = move.decides in (ActKind.CANCEL_LATE, ActKind.GIVE_UP_AWB)
    with_the_shipment = move.name == "cancels" or move.amends
    return all(by_name or (with_the_shipment and was.kind == Kind.HOLDS) for was in given_up)


def _asked_twice_at_most(_seen: Walk, _scene: Scene, move: Move) -> bool:
    return move.claims is None or move.claims.step != Step.ASK or move.claims.asks <= 1


def _asked_only_if_wanted(_seen: Walk, scene: Scene, move: Move) -> bool:
    books = move.claims is not None and move.claims.step == Step.ASK
    return not (books and (scene.progress.cancel_asked or scene.progress.holder))


def _own_reference(seen: Walk, _scene: Scene, move: Move) -> bool:
    turn = move.claims
    if turn is None or turn.step != Step.ASK:
        return True
    whom = turn.run, turn.courier
    return (
        seen.asked.setdefault(turn.reference, whom) == whom and list(seen.asked.values()).count(whom) <= 2
    )  # versions


def _cancels_its_own(_seen: Walk, scene: Scene, move: Move) -> bool:
    turn = move.claims
    if turn is None or turn.step != Step.CANCEL:
        return True
    others = {other.awb for other in scene.progress.turns if other.kind == Kind.HOLDS}
    return turn.awb == own_awb(turn) and turn.awb not in others


def _written_before_it_is_said(_seen: Walk, _scene: Scene, move: Move) -> bool:
    if move.claims is None or move.claims.step != Step.ASK:
        return True
    written = next(turn for turn in move.after.progress.turns if turn.reference == move.claims.reference)
    return written.step != Step.ASK


def _buttons_work(_seen: Walk, _scene: Scene, move: Move) -> bool:
    return not move.refused


MOVE_PROMISES: dict[str, Callable[[Walk, Scene, Move], bool]] = {
    "(b) a label is replaced by nobody but a person": _label_stays,
    "(c) what is dispatched is never cancelled, only brought back": _never_cancelled_on_the_truck,
    "(c) only an AWB of its own, that nobody holds, is cancelled": _cancels_its_own,
    "(c) an AWB that a person typed is cancelled by their word alone": _typed_is_cancelled_by_name,
    "(c) a late label whose time is over is being cancelled before it is said": _offer_stands_until_cancelled,
    "(c) it is brought back by a person's word alone": _return_by_name,
    "(d) an unknown that was asked for in a hurry is no verdict": _unknown_in_a_hurry,
    "(d) an asking is written down before it is made": _written_before_it_is_said,
    "(e) one reference for each courier and run, and never for two": _own_reference,
    "(e) no run begins while what the shipment was may be booked": _begins_when_the_old_is_over,
    "(e) nobody's turn begins beside an AWB that is not void": _begins_beside_no_awb,
    "(e) couriers are asked in order, each after a no or a lapse of the one before": _begins_in_order,
    "(e) silence is no reason to ask the next": _next_only_after_an_answer,
    "(e) a courier is asked once more at most": _asked_twice_at_most,
    "(e) nobody is asked for a shipment that is cancelled or has an AWB": _asked_only_if_wanted,
    "(f) over is over": _over_is_over,
    "(g) a button is not refused": _buttons_work,
}


def described(seen: Walk) -> Iterator[str]:
    yield f"{seen.world.couriers} couriers, {seen.world.polls_max} polls, {seen.world.runs} runs:"
    yield f"{len(seen.scenes):,} scenes, {seen.moves:,} moves"
