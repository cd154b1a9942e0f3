"""Every situation that a shipment can be in, every act of a person in it, and what comes of that at the sandbox."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from bilty.concerns import concerns
from bilty.deciding import Act, ActKind, Cancel, Dispatch, EnterAwb, Schedule, UsePaper, plain_act
from bilty.dispatcher import work_off
from bilty.shipment import Shipment
from bilty.store import acting, amending, claims, shipments
from bilty.store.amending import Amending
from bilty.store.audit import Actor, ActorKind
from bilty.store.shipments import Arrival
from bilty.turn import State
from bilty_sandbox import Kind, ManualClock, Policy, Rule, Sandbox
from dispatch.bench import MINUTE, PARTY, Bench, shipment

NOTHING, AMEND = "nothing", "amend"
ACTS = (NOTHING, *ActKind, AMEND)
ASHA = Actor(ActorKind.USER, "Asha")
AFTERWARDS = timedelta(hours=26)
HELD = "Invoice INV-1 is above 50,000 rupees and has no e-way bill."
NOWHERE = "744301"


@dataclass(slots=True)
class Stage:
    """A bench at the sandbox: both clocks are one."""

    bench: Bench
    sandbox: Sandbox
    clock: ManualClock

    async def waits(self, minutes: float) -> None:
        end = self.bench.now + minutes * MINUTE
        while True:
            await self.bench.work()
            due = await self.bench.pool.fetchval("SELECT min(due_at) FROM turns WHERE due_at > $1", self.bench.now)
            self.clock.advance(((end if due is None or due > end else due) - self.bench.now).total_seconds())
            if due is None or due > end:
                self.bench.now = end
                return
            self.bench.now = due

    async def acts(self, number: str, act: Act) -> str:
        """Why not, blank where it is done."""
        shipment_id = self.bench.ids[number]
        async with self.bench.pool.acquire() as connection, connection.transaction():
            answers = await acting.act(connection, {shipment_id: act}, ASHA, self.bench.now, self.bench.tools.rules)
        refused = answers[shipment_id]
        return refused.reason if refused else ""

    async def changes(self, number: str, *, schedule: bool = True) -> str:
        """One more box."""
        shipment_id = self.bench.ids[number]
        async with self.bench.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                """SELECT v.content, s.hold FROM shipments s
                     JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version WHERE s.id = $1""",
                shipment_id,
            )
            assert row is not None
            was = msgspec.json.decode(row["content"], type=Shipment)
            arrival = Arrival(msgspec.structs.replace(was, boxes=(*was.boxes, was.boxes[0])), hold=row["hold"])
            done = await amending.amend(connection, shipment_id, arrival, ASHA, self.bench.now, schedule=schedule)
        return "" if done.outcome in (Amending.DONE, Amending.VERSION) else done.reason

    def policy(self, *kinds: Kind) -> None:
        """The host as a whole."""
        self.sandbox.world.policy = Policy(enabled=False, rules=tuple(Rule(kinds=(kind,)) for kind in kinds))

    async def reference(self, number: str, state: State | None) -> str:
        """Of the turn that the situation is about."""
        turns = (await self.bench.progress(number)).turns
        found = [turn.reference for turn in turns if turn.state is state]
        return found[0] if found else turns[-1].reference if turns else "SO-NOBODY"


Bring = Callable[[Stage, list[str]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Situation:
    """`marker` is what befalls the bookings, by priority; `bring` leads there, and a turn is then in `state`."""

    told: str
    marker: str
    bring: Bring
    state: State | None = None
    scheduled: bool = True
    hold: str = ""
    pincode: str = PARTY.pincode


def after(minutes: float) -> Bring:
    async def bring(stage: Stage, _: list[str]) -> None:
        await stage.waits(minutes)

    return bring


async def _nothing(_stage: Stage, _numbers: list[str]) -> None:
    pass


async def _ranked_only(stage: Stage, numbers: list[str]) -> None:
    """One round: the ranking is known, and nobody is asked yet."""
    assert await work_off(stage.bench.tools, stage.bench.now) == len(numbers)


async def _call_out(stage: Stage, numbers: list[str]) -> None:
    """The asking is claimed, and its answer is still on its way."""
    await _ranked_only(stage, numbers)
    tools = stage.bench.tools
    claimed = await claims.claim(tools.pool, tools.keyring, calls_max=50, calls_out={}, now=stage.bench.now)
    assert len(claimed) == len(numbers)


async def _no_verdict(stage: Stage, _: list[str]) -> None:
    """The status call is not there for the whole window, and is itself again after it."""
    await _asked(stage, [])
    stage.policy(Kind.STATUS_404)
    await stage.waits(14)
    stage.policy()


async def _asked(stage: Stage, _: list[str]) -> None:
    for _round in range(2):
        await work_off(stage.bench.tools, stage.bench.now)


async def _scheduled_again(stage: Stage, numbers: list[str]) -> None:
    """P1 lapses, the others refuse, it is scheduled again; and then the first run's label comes after all."""
    await stage.waits(12.5)
    for number in numbers:
        assert not await stage.acts(number, Schedule())
    await stage.waits(10)


async def _foreign_awb(stage: Stage, numbers: list[str]) -> None:
    """Its AWB is already another's."""
    await stage.waits(0)
    for number in numbers:
        turn = await stage.bench.turn(number, 1)
        booked = stage.sandbox.book.find(turn.reference)
        assert booked is not None
        await stage.bench.pool.execute(
            """INSERT INTO awbs (cp_id, awb, turn_id)
               SELECT $1, $2, id FROM turns WHERE shipment_id <> $3 ORDER BY id LIMIT 1""",
            booked.account.cp_id,
            booked.awb,
            stage.bench.ids[number],
        )
    await stage.waits(5)


async def _fetched_too_soon(stage: Stage, numbers: list[str]) -> None:
    """P1's late AWB is with the van before anybody heard of it."""
    await stage.waits(21)
    for number in numbers:
        turns = (await stage.bench.progress(number)).turns
        booked = stage.sandbox.book.find(next(turn.reference for turn in turns if turn.priority == 1))
        assert booked is not None
        booked.picked_up_by_hand_at = stage.clock.now()
    await stage.waits(3)


async def _gone(stage: Stage, numbers: list[str]) -> None:
    """Picked up, and marked as dispatched."""
    await stage.waits(1)
    for number in numbers:
        holder = (await stage.bench.progress(number)).holder
        booked = stage.sandbox.book.find(holder.reference) if holder else None
        assert booked is not None
        booked.picked_up_by_hand_at = stage.clock.now()
        assert not await stage.acts(number, Dispatch())


def then(bring: Bring, kind: ActKind | str, minutes: float = 0) -> Bring:
    async def both(stage: Stage, numbers: list[str]) -> None:
        await bring(stage, numbers)
        for number in numbers:
            refused = await press(stage, number, kind, None)
            assert not refused, refused
        if minutes:
            await stage.waits(minutes)

    return both


SITUATIONS: Mapping[str, Situation] = {
    "created": Situation("nobody was asked yet", "all=at_once", _nothing, scheduled=False),
    "on hold": Situation("it has no e-way bill", "all=at_once", _nothing, scheduled=False, hold=HELD),
    "ranking": Situation("ClickPost is to be asked for P1, P2, P3", "all=at_once", _nothing, State.RANKING),
    "not serviceable": Situation(
        "ClickPost ranks nobody", "all=at_once", after(1), State.UNSERVICEABLE, pincode=NOWHERE
    ),
    "asking": Situation("P1 is to be asked", "all=at_once", _ranked_only, State.ASKING),
    "call out": Situation("P1 is being asked at this moment", "all=at_once", _call_out, State.UNCLEAR),
    "unclear": Situation("P1 was asked, and the answer was lost", "p1=booked_reset", _asked, State.UNCLEAR),
    "waiting": Situation("P1 has accepted: LABEL REQUESTED", "p1=async", after(1), State.WAITING),
    "undecided": Situation(
        "whether P1 booked it could not be found out", "p1=booked_322", _no_verdict, State.UNDECIDED
    ),
    "fetching": Situation("P1 gave an AWB, its label is on the way", "p1=label_later", after(0), State.FETCHING),
    "unlabelled": Situation("P1 gave an AWB, its label does not come", "p1=label_never", after(20), State.UNLABELLED),
    "label ready": Situation("P1's label is there", "p1=at_once", after(1), State.WON),
    "stopped": Situation("P1 refused for a reason that others share", "all=refuse_301", after(1), State.STOPPED),
    "failed": Situation("all three refused", "all=refuse_319", after(1), State.REFUSED),
    "no label from three": Situation("all three lapsed", "all=never", after(45), State.LAPSED),
    "late label": Situation(
        "it was scheduled again, and the first run's label came",
        "p1=late p2=refuse_319 p3=refuse_319",
        _scheduled_again,
        State.OFFERED,
    ),
    "surplus": Situation(
        "P2 has it, and P1's late AWB is being cancelled", "p1=late+cancel_later", after(22.2), State.SURPLUS
    ),
    "cancel refused": Situation(
        "P2 has it, and P1 does not cancel its late AWB", "p1=late+cancel_refused", after(22.2), State.UNCANCELLED
    ),
    "surplus picked up": Situation(
        "P2 has it, and P1's van fetched it late", "p1=late", _fetched_too_soon, State.PICKED_UP
    ),
    "AWB conflict": Situation("P1's AWB is another shipment's", "p1=async", _foreign_awb, State.CONFLICT),
    "changed meanwhile": Situation(
        "P1 has accepted what it was before it was changed", "p1=async", then(after(1), AMEND), State.WAITING
    ),
    "changed, and P1 lapsed": Situation(
        "whether P1 booked what it was is not known", "p1=never", then(after(1), AMEND, 14), State.LAPSED
    ),
    "cancelling": Situation("it is cancelled, P1 may still book it", "p1=async", then(after(1), ActKind.CANCEL)),
    "cancelled": Situation("it is cancelled", "p1=at_once", then(after(1), ActKind.CANCEL, 5)),
    "dispatched": Situation("the courier has it", "p1=at_once", _gone, State.WON),
    "return ordered": Situation(
        "the courier is to bring it back", "p1=at_once", then(_gone, ActKind.ORDER_RETURN), State.RETURNING
    ),
    "return refused": Situation(
        "the courier does not bring it back",
        "p1=cancel_refused",
        then(_gone, ActKind.ORDER_RETURN, 1),
        State.UNRETURNED,
    ),
    "returned": Situation("it is on its way back", "p1=at_once", then(_gone, ActKind.ORDER_RETURN, 1), State.RETURNED),
}


async def press(stage: Stage, number: str, kind: ActKind | str, state: State | None) -> str:
    """Why not, blank where it is done."""
    if kind == NOTHING:
        return ""
    if kind == AMEND:
        return await stage.changes(number)
    reference = await stage.reference(number, state)
    booked = stage.sandbox.book.find(reference)
    awb = booked.awb if booked is not None and booked.awb else f"TYPED-{number}"
    return await stage.acts(number, said(ActKind(kind), reference, awb))


def said(kind: ActKind, reference: str, awb: str) -> Act:
    match kind:
        case ActKind.SCHEDULE:
            return Schedule()
        case ActKind.CANCEL:
            return Cancel()
        case ActKind.DISPATCH:
            return Dispatch()
        case ActKind.ENTER_AWB:
            return EnterAwb(reference, awb)
        case ActKind.USE_PAPER:
            return UsePaper(reference, "0" * 64, 1)
        case _:
            return plain_act(kind, reference)


async def begin(stage: Stage, situation: Situation, numbers: list[str]) -> None:
    """Each act has a shipment of its own in the same situation."""
    consignee = msgspec.structs.replace(
        PARTY, name=f"Desk [sandbox: {situation.marker}]", pincode=situation.pincode or PARTY.pincode
    )
    arriving = [
        Arrival(msgspec.structs.replace(shipment(number), consignee=consignee), hold=situation.hold)
        for number in numbers
    ]
    bench = stage.bench
    async with bench.pool.acquire() as connection, connection.transaction():
        kept = await shipments.keep(connection, arriving, bench.now)
        bench.ids.update({number: each.shipment_id for number, each in zip(numbers, kept, strict=True)})
        if situation.scheduled:
            await shipments.schedule_all(connection, [each.shipment_id for each in kept], bench.now)
    await situation.bring(stage, numbers)


async def what_came(stage: Stage, number: str) -> str:
    """A day later: what is shown, and what the sandbox knows."""
    progress = await stage.bench.progress(number)
    booked = [stage.sandbox.book.find(turn.reference) for turn in progress.turns]
    now = stage.clock.now()
    given = [each for each in booked if each is not None and each.books_at is not None and each.books_at <= now]
    counts = {
        "live": sum(not each.cancelled(now) and not each.returned(now) for each in given),
        "on its way back": sum(each.returned(now) for each in given),
        "cancelled": sum(each.cancelled(now) for each in given),
    }
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "none"
    shown = ", ".join(dict.fromkeys(concern.value for concern, _ in concerns(progress)))
    boxes = {len(each.order.boxes) for each in given if not each.cancelled(now)}
    of = f" ({', '.join(map(str, sorted(boxes)))} boxes)" if boxes else ""
    return f"{await stage.bench.status(number)}{f' ({shown})' if shown else ''}; AWBs: {told}{of}"
