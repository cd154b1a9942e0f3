"""Two people act on one shipment at the same moment, on two connections: each pair of acts that are possible together.

`TABLE` says what may be done after what: a row's act was first, a column's comes second, `+` it is done too, `-` it is
refused and its person is told by whom and what. Both are held back by a lock on the shipment until both wait for it.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bilty.deciding import (
    Act,
    ActKind,
    Cancel,
    Dispatch,
    EnterAwb,
    Offer,
    Schedule,
    UsePaper,
    plain_act,
    possible,
    why_not_now,
)
from bilty.reply import (
    Accepted,
    Child,
    Courier,
    Label,
    NotYet,
    Paper,
    PickedUp,
    Ranking,
    Refusal,
    Refused,
    Reply,
    Unclear,
)
from bilty.store import acting, amending, claims, settlements, shipments, showing
from bilty.store.amending import Amending
from bilty.store.audit import Actor, ActorKind
from bilty.store.claims import Claim
from bilty.store.database import Connection, connect_pool
from bilty.store.providers import Keyring
from bilty.store.settlements import Outcome
from bilty.store.shipments import Arrival
from bilty.turn import Step
from bilty.workflow import Progress
from conftest import new_database
from dispatch.bench import Bench, make_bench, shipment

TABLE = """
created  schedule cancel amend
schedule -        +      +
cancel   -        -      -
amend    +        +      +

waiting   poll-now fall-over cancel amend
poll-now  -        +         +      +
fall-over -        -         +      +
cancel    +        -         -      -
amend     +        -         +      +

undecided  ask-again not-booked enter-awb cancel amend
ask-again  -         +          +         +      +
not-booked -         -          +         +      +
enter-awb  -         -          -         +      +
cancel     +         +          +         -      -
amend      +         +          +         +      +

stopped  go-on schedule cancel amend
go-on    -     -        +      +
schedule -     -        +      +
cancel   -     -        -      -
amend    -     +        +      +

failed   schedule cancel amend
schedule -        +      +
cancel   -        -      -
amend    +        +      +

no-label  enter-awb settled schedule cancel amend
enter-awb -         -       -        +      +
settled   +         -       +        +      +
schedule  +         -       -        +      +
cancel    +         -       -        -      -
amend     +         +       -        +      +

unlabelled  fetch-again use-paper give-up-awb cancel amend
fetch-again +           +         +           +      +
use-paper   -           -         -           +      +
give-up-awb -           -         -           +      +
cancel      -           -         -           -      -
amend       -           -         -           +      +

typed       fetch-again use-paper give-up-awb wrong-awb cancel amend
fetch-again +           +         +           +         +      +
use-paper   -           -         -           -         +      +
give-up-awb -           -         -           -         +      +
wrong-awb   -           -         -           -         +      +
cancel      -           -         -           -         -      -
amend       -           -         -           +         +      +

won      cancel dispatch amend
cancel   -      -        -
dispatch -      -        -
amend    +      -        +

miscounted  give-up-awb settled cancel dispatch amend
give-up-awb -           -       +      -        +
settled     -           -       +      +        +
cancel      -           -       -      -        -
dispatch    -           -       -      -        -
amend       -           -       +      -        +

offered     use-late cancel-late enter-awb cancel amend
use-late    -        -           +         +      +
cancel-late -        -           +         +      +
enter-awb   -        -           -         +      +
cancel      -        -           +         -      -
amend       -        -           +         +      +

offered-typed use-late cancel-late wrong-awb enter-awb poll-now cancel amend
use-late      -        -           +         +         -        +      +
cancel-late   -        -           -         +         +        +      +
wrong-awb     -        -           -         +         +        +      +
enter-awb     +        +           +         -         +        +      +
poll-now      +        +           +         +         -        +      +
cancel        -        +           +         +         +        -      -
amend         -        +           +         +         +        +      +

conflict settled cancel amend
settled  -       +      +
cancel   +       -      -
amend    +       +      +

uncancelled settled cancel amend
settled     -       +      +
cancel      +       -      -
amend       +       +      +

picked-up use-late settled cancel amend
use-late  -        -       +      +
settled   +        -       +      +
cancel    -        +       -      -
amend     -        +       +      +

dispatched   order-return
order-return -

unreturned   settled order-return
settled      -       +
order-return -       -
"""
ASHA, RAVI, KIRAN = (Actor(ActorKind.USER, f"{name}@example.com") for name in ("asha", "ravi", "kiran"))
RANKED = Ranking((Courier(4, "main", "Delhivery B2B"), Courier(5, "main", "Blue Dart"), Courier(6, "main", "DTDC")))
HOUR = timedelta(hours=1)
AMEND = "amend"
TOGETHER = 5
"""Pairs whose people wait at the same time, each on two connections, and one that holds them back."""
WAITING = """SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (
    SELECT pid FROM pg_stat_activity WHERE datname = current_database())"""
Says = Callable[[Claim], Reply]
DID = {
    "schedule": "scheduled it",
    "cancel": "cancelled it",
    "dispatch": "marked it dispatched",
    "amend": "changed it",
    "poll-now": "had {name} asked at once",
    "fall-over": "ended {name}'s turn before its time",
    "ask-again": "had ClickPost asked again whether {name} booked it",
    "not-booked": "found at ClickPost that {name} has not booked it",
    "enter-awb": "entered {name}'s AWB {typed}",
    "use-paper": "uploaded {name}'s label",
    "give-up-awb": "gave up {name}'s AWB",
    "use-late": "chose to use {name}'s late label",
    "cancel-late": "chose to cancel {name}'s late AWB",
    "wrong-awb": "took back AWB {typed}",
    "go-on": "let the next courier be asked",
    "settled": "has seen to {name}'s outside Bilty",
    "order-return": "ordered its return from {name} (RTO)",
}


def awb(claim: Claim) -> str:
    return f"{claim.turn.courier.cp_id if claim.turn.courier else 0}0000{claim.shipment_id}"


def label(claim: Claim) -> Reply:
    return Label(awb(claim))


def anothers(_: Claim) -> Reply:
    return Label("4999999")


def miscounted(claim: Claim) -> Reply:
    return Label(awb(claim), children=(Child(f"{awb(claim)}1"),))


def ranked(claim: Claim) -> Reply:
    return RANKED if claim.step is Step.RANK else NotYet()


def accepted(claim: Claim) -> Reply:
    return Accepted() if claim.step is Step.ASK else NotYet()


def says(reply: Reply) -> Says:
    return lambda _: reply


def late(claim: Claim) -> Reply:
    """Of the first alone; the others are still silent."""
    return label(claim) if claim.turn.priority == 1 else NotYet()


SILENT, NOT_YET, PAPER = says(Unclear("<html>")), says(NotYet()), says(Paper("0" * 64, 3))
WAITS, UNKNOWN = [ranked, accepted], [ranked, *[SILENT] * 9]
UNLABELLED, WON = [ranked, label, *[NOT_YET] * 9], [ranked, label, PAPER]
NO_LABEL = [ranked, *[accepted] * 21]
SCENES: dict[str, Sequence[Says | ActKind]] = {
    "created": [],
    "waiting": WAITS,
    "undecided": UNKNOWN,
    "stopped": [ranked, says(Refused(Refusal.ACCOUNT, 301, "no such account"))],
    "failed": [ranked, *[says(Refused(Refusal.COURIER, 319, "pin not in lane"))] * 3],
    "no-label": NO_LABEL,
    "unlabelled": UNLABELLED,
    "typed": [*UNKNOWN, ActKind.ENTER_AWB, *[NOT_YET] * 9],
    "won": WON,
    "miscounted": [ranked, miscounted, PAPER],
    "offered": [*NO_LABEL, ActKind.SETTLED, late],
    "offered-typed": [*NO_LABEL, ActKind.SCHEDULE, *WAITS, ActKind.ENTER_AWB],
    "conflict": [ranked, anothers],
    "uncancelled": [*UNLABELLED, ActKind.GIVE_UP_AWB, says(Refused(Refusal.COURIER, 350, "too late"))],
    "picked-up": [*UNLABELLED, ActKind.GIVE_UP_AWB, says(PickedUp("on the truck"))],
    "dispatched": [*WON, ActKind.DISPATCH],
    "unreturned": [*WON, ActKind.DISPATCH, ActKind.ORDER_RETURN, says(Refused(Refusal.COURIER, 350, "at the hub"))],
}
"""How shipments come to stand so: what ClickPost says each time it is asked, and what a person does between."""


def tables() -> Iterator[tuple[str, dict[tuple[str, str], bool]]]:
    for block in TABLE.strip().split("\n\n"):
        head, *rows = (line.split() for line in block.splitlines())
        yield (
            head[0],
            {(row[0], column): mark == "+" for row in rows for column, mark in zip(head[1:], row[1:], strict=True)},
        )


TABLES = dict(tables())


@dataclass
class Ground:
    bench: Bench
    at: datetime
    progress: dict[int, Progress] = field(default_factory=dict)

    async def stand(self, scene: str, count: int) -> list[int]:
        """So many shipments that stand so, and nothing else that is due."""
        await self.bench.pool.execute("UPDATE turns SET due_at = NULL, claimed_at = NULL")
        numbers = [f"{scene.upper()}-{n}" for n in range(count)]
        await self._take_in(numbers, schedule=bool(SCENES[scene]))
        ids = [self.bench.ids[number] for number in numbers]
        for step in SCENES[scene]:
            self.at += HOUR
            await (self._acts(ids, step) if isinstance(step, ActKind) else self._hears(step))
        self.at += 13 * HOUR  # longer than anybody is named for
        async with self.bench.pool.acquire() as connection:
            self.progress = {n: seen.progress for n, seen in (await showing.see(connection, ids)).items()}
        return ids

    async def _take_in(self, numbers: Sequence[str], *, schedule: bool) -> None:
        async with self.bench.pool.acquire() as connection, connection.transaction():
            kept = await shipments.keep(connection, [Arrival(shipment(number)) for number in numbers], self.at)
            self.bench.ids |= {number: each.shipment_id for number, each in zip(numbers, kept, strict=True)}
            if schedule:
                await shipments.schedule_all(connection, [each.shipment_id for each in kept], self.at)

    async def _acts(self, ids: Sequence[int], kind: ActKind) -> None:
        async with self.bench.pool.acquire() as connection, connection.transaction():
            seen = await showing.see(connection, ids)
            acts = {n: act_of(first_of(seen[n].progress, kind)) for n in ids}
            answers = await acting.act(connection, acts, KIRAN, self.at, self.bench.tools.rules)
        assert set(answers.values()) == {None}, answers

    async def _hears(self, reply: Says) -> None:
        pool = self.bench.pool
        found = await claims.claim(pool, Keyring(self.bench.vault), calls_max=500, calls_out={}, now=self.at)
        assert found, "nothing is owed"
        outcomes = [Outcome(claim, reply(claim), ()) for claim in found]
        await settlements.settle(pool, outcomes, self.bench.tools.rules, now=self.at)

    async def does(self, actor: Actor, kind: str, shipment_id: int) -> str:
        """Blank where it is done, else why not."""
        async with self.bench.pool.acquire() as connection, connection.transaction():
            if kind == AMEND:
                return await self._amends(connection, actor, shipment_id)
            act = act_of(first_of(self.progress[shipment_id], ActKind(kind)))
            answers = await acting.act(connection, {shipment_id: act}, actor, self.at, self.bench.tools.rules)
            answer = answers[shipment_id]
            return answer.reason if answer else ""

    async def _amends(self, connection: Connection, actor: Actor, shipment_id: int) -> str:
        changed = shipment(self.progress[shipment_id].number, boxes=4 if actor is ASHA else 5)
        done = await amending.amend(connection, shipment_id, Arrival(changed), actor, self.at)
        assert done.reason or done.outcome in (Amending.DONE, Amending.VERSION), done
        return done.reason

    async def at_once(self, pairs: Sequence[tuple[int, str, str]]) -> list[tuple[str, str]]:
        """Asha does each pair's first, Ravi its second: held back until all of them wait."""
        async with self.bench.pool.acquire() as gate, gate.transaction():
            ids = [shipment_id for shipment_id, _, _ in pairs]
            await gate.execute("SELECT FROM shipments WHERE id = ANY($1) FOR UPDATE", ids)
            doing = [
                asyncio.create_task(self.does(actor, kind, shipment_id))
                for shipment_id, first, second in pairs
                for actor, kind in ((ASHA, first), (RAVI, second))
            ]
            while await gate.fetchval(WAITING) < len(doing):
                assert not any(task.done() for task in doing), "somebody did not wait"
        answers = await asyncio.gather(*doing)
        return list(zip(answers[::2], answers[1::2], strict=True))


def first_of(progress: Progress, kind: ActKind) -> Offer:
    return next(offer for offer in possible(progress) if offer.kind is kind)


def typed(reference: str) -> str:
    return f"TYPED-{reference[-4:]}"


def act_of(offer: Offer) -> Act:
    match offer.kind:
        case ActKind.SCHEDULE:
            return Schedule()
        case ActKind.CANCEL:
            return Cancel()
        case ActKind.DISPATCH:
            return Dispatch()
        case ActKind.ENTER_AWB:
            return EnterAwb(offer.reference, typed(offer.reference))
        case ActKind.USE_PAPER:
            return UsePaper(offer.reference, "0" * 64, 3)
        case _:
            return plain_act(offer.kind, offer.reference)


@pytest.fixture(scope="module")
async def ground(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    pool = await connect_pool(await new_database(postgres_server), size=2 * TOGETHER + 2)
    yield Ground(await make_bench(pool, tmp_path_factory.mktemp("pairs")), datetime.now(UTC))
    await pool.close()


@pytest.mark.parametrize("scene", SCENES)
async def test_one_wins_or_both_and_who_is_second_is_told_by_whom_and_what(ground: Ground, scene: str) -> None:
    table = TABLES[scene]
    kinds = list(dict.fromkeys(row for row, _ in table))
    pairs = list(itertools.combinations_with_replacement(kinds, 2))
    ids = await ground.stand(scene, len(pairs) + 1)
    offered = {str(offer.kind) for offer in possible(ground.progress[ids[-1]])}
    assert offered == set(kinds) - {AMEND}, "the table has all that is possible"
    wishes = [(shipment_id, *pair) for shipment_id, pair in zip(ids[1:], pairs, strict=True)]
    for begin in range(0, len(wishes), TOGETHER):
        wanted = wishes[begin : begin + TOGETHER]
        for (shipment_id, *pair), answers in zip(wanted, await ground.at_once(wanted), strict=True):
            await check(ground, table, shipment_id, pair, answers)


async def check(
    ground: Ground,
    table: Mapping[tuple[str, str], bool],
    shipment_id: int,
    kinds: Sequence[str],
    answers: tuple[str, str],
) -> None:
    lines = await ground.bench.rows(
        "SELECT actor, state FROM timeline WHERE shipment_id = $1 AND actor = ANY($2) ORDER BY id",
        shipment_id,
        [ASHA.name, RAVI.name],
    )
    assert lines, f"{kinds}: nobody won: {answers}"
    first = 0 if lines[0]["actor"] == ASHA.name else 1
    second = 1 - first
    told = f"{kinds[first]}, then {kinds[second]}: {answers}"
    assert answers[first] == "", told
    assert (answers[second] == "") is table[kinds[first], kinds[second]], told
    assert len(lines) == 1 + table[kinds[first], kinds[second]], told
    if answers[second]:
        winner = (ASHA, RAVI)[first].name
        before = ground.progress[shipment_id]
        assert answers[second].startswith(f"{winner} {did(before, kinds[first])} at "), told
        async with ground.bench.pool.acquire() as connection:
            progress = (await showing.see(connection, [shipment_id]))[shipment_id].progress
        if kinds[second] != AMEND:
            offer = first_of(before, ActKind(kinds[second]))
            assert answers[second].endswith(why_not_now(progress, offer.kind, offer.reference)), told


def did(progress: Progress, kind: str) -> str:
    if kind == AMEND:
        return DID[kind]
    reference = first_of(progress, ActKind(kind)).reference
    names = {turn.reference: turn.courier.name for turn in progress.turns if turn.courier}
    return DID[kind].format(name=names.get(reference, ""), typed=typed(reference))
