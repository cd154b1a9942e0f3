"""How much is said to a provider at once, and how fast: by all workers together, whoever of them says it."""

import asyncio
import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bilty.aggregator import Said
from bilty.aggregator.scripted import P1, Call, Scripted, T, never
from bilty.dispatcher import Dispatcher, work_off
from bilty.reply import Busy, Reply
from bilty.shipping_provider import Connector
from bilty.store import claims, limits, providers, settlements
from bilty.store.claims import LEASE, Claim
from bilty.store.limits import Place
from bilty.store.settlements import Outcome
from bilty.turn import State
from bilty.workflow import Status
from dispatch.bench import MINUTE, NOON, Bench, shipment
from racing import in_order

SECOND = timedelta(seconds=1)
PROVIDER = 1
HOLD = "LOCK TABLE turns IN SHARE MODE"
"""Whoever claims has counted and chosen by then, and is about to write."""
WORKERS = 4


async def limit(bench: Bench, *, at_once: int | None = None, per_second: int | None = None) -> None:
    connector = Connector("desk", "key-1", calls_at_once=at_once, calls_per_second=per_second)
    async with bench.pool.acquire() as connection:
        await providers.put_connector(connection, bench.vault, "clickpost-b2b", connector)


async def claim(bench: Bench, *, now: datetime | None = None, calls_max: int = 50) -> list[Claim]:
    at = now or bench.now
    return await claims.claim(bench.pool, bench.tools.keyring, calls_max=calls_max, calls_out={}, now=at)


async def settle(bench: Bench, claimed: Sequence[Claim], reply: Reply, *, now: datetime | None = None) -> None:
    outcomes = [Outcome(each, reply, ()) for each in claimed]
    await settlements.settle(bench.pool, outcomes, bench.tools.rules, now=now or bench.now)


async def enter(bench: Bench, *, calls_max: int = 50, now: datetime | None = None) -> Place | float:
    async with bench.pool.acquire() as connection, connection.transaction():
        return await limits.enter(connection, PROVIDER, calls_max, now=now or bench.now)


async def many(bench: Bench, count: int) -> None:
    await bench.schedule(*(shipment(f"S{n}") for n in range(count)))


# Calls at once


async def test_one_workers_claims_leave_another_what_is_left(bench: Bench) -> None:
    await limit(bench, at_once=5)
    await many(bench, 9)
    first = await claim(bench)
    assert (len(first), len(await claim(bench))) == (5, 0)
    await settle(bench, first[:2], Busy("turned away"))
    assert len(await claim(bench)) == 2


async def test_a_connector_that_does_not_say_has_what_the_setting_says_for_each_program(bench: Bench) -> None:
    """Else what a killed worker had out would keep all the others waiting until its leases end."""
    await many(bench, 15)
    assert len(await claim(bench, calls_max=6)) == 6, "and then it is killed"
    assert len(await claim(bench, calls_max=6)) == 6
    own = await claims.claim(bench.pool, bench.tools.keyring, calls_max=6, calls_out={PROVIDER: 4}, now=bench.now)
    assert len(own) == 2
    none = await claims.claim(bench.pool, bench.tools.keyring, calls_max=6, calls_out={PROVIDER: 6}, now=bench.now)
    assert none == []


async def test_what_is_called_beside_turns_has_what_the_setting_says_where_the_connector_does_not(bench: Bench) -> None:
    await many(bench, 9)
    assert len(await claim(bench)) == 9
    assert isinstance(await enter(bench, calls_max=1), Place)
    assert await enter(bench, calls_max=1) == limits.LOOK_AGAIN_S


async def test_a_dead_workers_places_come_back_with_its_lease(bench: Bench) -> None:
    await limit(bench, at_once=3)
    await many(bench, 9)
    assert len(await claim(bench)) == 3
    bench.now += LEASE - SECOND
    assert await claim(bench) == []
    bench.now += SECOND
    assert len(await claim(bench)) == 3


async def test_two_who_count_at_once_do_not_both_take_the_last_places(bench: Bench) -> None:
    await limit(bench, at_once=3)
    await many(bench, 9)
    first, second = await in_order(bench.pool, HOLD, claim(bench), claim(bench))
    assert (len(first), len(second)) == (3, 0)


async def test_a_call_that_is_no_turns_has_its_place_among_them(bench: Bench) -> None:
    await limit(bench, at_once=3)
    await many(bench, 9)
    place = await enter(bench)
    assert isinstance(place, Place)
    assert len(await claim(bench)) == 2
    assert await enter(bench) == limits.LOOK_AGAIN_S
    await limits.leave(bench.pool, place)
    assert await claim(bench) == [], "turns, which are many, leave the place to the call that waits"
    place = await enter(bench)
    assert isinstance(place, Place)
    await limits.leave(bench.pool, place)
    bench.now += limits.WISH
    assert len(await claim(bench)) == 1


async def test_what_is_held_back_on_purpose_is_not_late(bench: Bench) -> None:
    async def late() -> tuple[int, bool]:
        async with bench.pool.acquire() as connection:
            count, seconds = await claims.late(connection)
        return count, seconds > 0

    await many(bench, 3)
    assert await late() == (3, True)
    for held, free in (
        ("quiet_until = clock_timestamp() + interval '1 hour'", "quiet_until = NULL"),
        ("paused_at = clock_timestamp()", "paused_at = NULL"),
        ("enabled = false", "enabled = true"),
    ):
        await bench.pool.execute(f"UPDATE shipping_providers SET {held}")
        assert await late() == (0, False), held
        await bench.pool.execute(f"UPDATE shipping_providers SET {free}")
    assert await late() == (3, True)


async def test_the_only_place_is_nobodys_by_wishing_alone(bench: Bench) -> None:
    """Else a round of a hundred thousand questions would keep every shipment waiting."""
    await limit(bench, at_once=1)
    await many(bench, 2)
    place = await enter(bench)
    assert isinstance(place, Place)
    assert await enter(bench) == limits.LOOK_AGAIN_S
    await limits.leave(bench.pool, place)
    assert len(await claim(bench)) == 1


async def test_who_has_no_patience_is_told_that_nobody_was_asked(bench: Bench) -> None:
    await limit(bench, at_once=1)
    assert isinstance(await enter(bench, now=datetime.now(UTC)), Place)
    with pytest.raises(limits.NoPlace) as none:
        async with limits.place(bench.pool, PROVIDER, 50, patience_s=0.1):
            pytest.fail("there is no place")
    assert none.value.wait_s == limits.LOOK_AGAIN_S


async def test_a_call_that_is_no_turns_waits_for_whoever_counts(bench: Bench) -> None:
    await limit(bench, at_once=3)
    await many(bench, 9)
    claimed, found = await in_order(bench.pool, HOLD, claim(bench), enter(bench))
    assert (len(claimed), found) == (3, limits.LOOK_AGAIN_S)


async def test_the_place_of_a_dead_process_comes_back(bench: Bench) -> None:
    await limit(bench, at_once=1)
    assert isinstance(await enter(bench), Place)
    assert not isinstance(await enter(bench, now=bench.now + LEASE - SECOND), Place)
    assert isinstance(await enter(bench, now=bench.now + LEASE), Place)
    assert len(await bench.rows("SELECT FROM side_calls")) == 1, "what is over is cleared away"


async def test_a_place_is_waited_for_and_given_back_whatever_happens(bench: Bench) -> None:
    await limit(bench, at_once=1)
    entered: list[str] = []

    async def call(name: str) -> None:
        async with limits.place(bench.pool, PROVIDER, 50):
            entered.append(name)
            assert len(await bench.rows("SELECT FROM side_calls")) == 1
            if name == "first":
                raise ValueError(name)

    told = await asyncio.gather(call("first"), call("second"), call("third"), return_exceptions=True)
    assert len([each for each in told if each is None]) == 2
    assert sorted(entered) == ["first", "second", "third"]
    assert await bench.rows("SELECT FROM side_calls") == []


async def test_a_process_that_stops_while_it_counts_does_not_stop_the_others(bench: Bench) -> None:
    await limit(bench, at_once=5)
    await many(bench, 2)
    async with bench.pool.acquire() as stopped:
        await stopped.execute("BEGIN")
        assert await stopped.fetch(claims.ALONE, [PROVIDER], bench.now, limits.LOCK, "100ms")
        async with asyncio.timeout(30):
            claimed = await claim(bench)
            while not claimed:
                claimed = await claim(bench)
        assert len(claimed) == 2


# Calls a second


async def test_no_second_has_more_than_it_may(bench: Bench) -> None:
    await limit(bench, per_second=10)
    await many(bench, 60)
    starts = [
        bench.now + at * timedelta(milliseconds=10)
        for at in range(500)
        for _ in await claim(bench, now=bench.now + at * timedelta(milliseconds=10))
    ]
    assert most_in_a_second(starts) <= 10
    assert len(starts) >= 45, "it is not slower than it need be"


async def test_a_claim_waits_for_its_moment_and_not_a_moment_longer(bench: Bench) -> None:
    await limit(bench, per_second=1)
    await many(bench, 3)
    now = await bench.pool.fetchval("SELECT clock_timestamp()")
    assert len(await claim(bench, now=now)) == 1
    due_s = await claims.next_due(bench.pool, bench.tools.keyring)
    assert due_s is not None
    assert 0.3 < due_s <= 1.1
    begins = await bench.pool.fetchval(f"SELECT {limits.STARTS_AT} FROM shipping_providers p")
    assert await claim(bench, now=begins - timedelta(milliseconds=1)) == []
    assert len(await claim(bench, now=begins)) == 1


async def test_a_call_that_is_no_turns_counts_in_its_second(bench: Bench) -> None:
    await limit(bench, per_second=1)
    await many(bench, 3)
    assert isinstance(await enter(bench), Place)
    assert await claim(bench) == []
    found = await enter(bench)
    assert isinstance(found, float)
    assert found == pytest.approx(limits.SPREAD - limits.BURST_S)
    assert len(await claim(bench, now=bench.now + found * SECOND)) == 1


async def test_the_second_call_of_a_claim_waits_for_a_moment_of_its_own(bench: Bench) -> None:
    """A cancel is a tracking read first."""
    await limit(bench, per_second=10)
    assert await limits.another(bench.pool, PROVIDER, now=bench.now) == 0.0
    share = limits.SPREAD / 10
    assert await limits.another(bench.pool, PROVIDER, now=bench.now) == pytest.approx(share - limits.BURST_S)
    assert await limits.another(bench.pool, PROVIDER, now=bench.now) == pytest.approx(2 * share - limits.BURST_S)


async def test_a_cancel_paces_both_of_its_calls(bench: Bench) -> None:
    bench.aggregator.plan(P1, never())
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 13 * MINUTE)
    await limit(bench, per_second=10)
    first = await bench.turn("S1", 1)
    bench.aggregator.bookings[first.reference].not_yets = 0
    await bench.pool.execute("UPDATE turns SET due_at = NULL WHERE state <> 'lapsed'")
    await bench.pool.execute("UPDATE turns SET due_at = $1 WHERE state = 'lapsed'", bench.now)
    before = (await bench.rows("SELECT paced_until FROM shipping_providers"))[0]["paced_until"]
    bench.now += SECOND
    await work_off(bench.tools, bench.now)
    assert (await bench.turn("S1", 1)).state is State.SURPLUS
    bench.now += SECOND
    await work_off(bench.tools, bench.now)
    assert before is None
    assert bench.aggregator.calls["track"] == bench.aggregator.calls["cancel"] == 1
    (row,) = await bench.rows("SELECT paced_until FROM shipping_providers")
    assert row["paced_until"] > bench.now + 1.5 * limits.SPREAD / 10 * SECOND


async def test_without_a_rate_nothing_is_written_for_it(bench: Bench) -> None:
    await many(bench, 3)
    assert len(await claim(bench)) == 3
    assert await limits.another(bench.pool, PROVIDER) == 0.0
    assert (await bench.rows("SELECT paced_until FROM shipping_providers"))[0]["paced_until"] is None


# Quiet


async def test_a_429_makes_the_provider_quiet_for_everybody(bench: Bench) -> None:
    await many(bench, 3)
    (one, *others) = await claim(bench)
    await settle(bench, [one], Busy("too many requests", retry_after_s=40))
    await settle(bench, others, Busy("connection refused"))
    assert await claim(bench, now=bench.now + 39 * SECOND) == []
    assert isinstance(await enter(bench, now=bench.now + 39 * SECOND), float)
    assert len(await claim(bench, now=bench.now + 40 * SECOND)) == 3


async def test_who_rests_is_woken_when_the_quiet_is_over(bench: Bench) -> None:
    await many(bench, 2)
    bench.now = await bench.pool.fetchval("SELECT clock_timestamp()")
    claimed = await claim(bench)
    await settle(bench, claimed, Busy("too many requests", retry_after_s=40))
    due_s = await claims.next_due(bench.pool, bench.tools.keyring)
    assert due_s is not None
    assert 20 < due_s <= 40


async def test_the_longest_wish_counts_and_a_shorter_one_does_not_cut_it(bench: Bench) -> None:
    await many(bench, 3)
    one, two, three = await claim(bench)
    await settle(bench, [one], Busy("too many requests", retry_after_s=5))
    await settle(bench, [two], Busy("too many requests", retry_after_s=40))
    await settle(bench, [three], Busy("too many requests", retry_after_s=10))
    assert await claim(bench, now=bench.now + 39 * SECOND) == []
    assert len(await claim(bench, now=bench.now + 40 * SECOND)) == 3


async def test_a_429_is_no_couriers_no(bench: Bench) -> None:
    """The same courier is asked again, as if it had not been; and ClickPost, which spoke, is not said to be silent."""
    bench.aggregator.say("ask", *(Busy("too many requests", retry_after_s=30) for _ in range(5)))
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 5 * MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY
    assert [turn.courier for turn in (await bench.progress("S1")).run_turns if turn.priority] == [P1]
    assert (await bench.turn("S1", 1)).asks == 1
    (row,) = await bench.rows("SELECT silent_since, quiet_until FROM shipping_providers")
    assert (row["silent_since"], row["quiet_until"]) == (None, NOON + 150 * SECOND)


async def test_a_poll_that_is_late_because_of_the_quiet_uses_up_nothing(bench: Bench) -> None:
    bench.aggregator.plan(P1, never())
    await bench.schedule(shipment("S1"))
    await bench.work()
    await bench.schedule(shipment("S2"))
    await settle(bench, await claim(bench), Busy("too many requests", retry_after_s=1800))
    await bench.until(NOON + 29 * MINUTE)
    turn = await bench.turn("S1", 1)
    assert (turn.state, turn.polls_done) == (State.WAITING, 0)


async def test_nothing_is_cancelled_where_the_tracking_read_heard_a_429(bench: Bench) -> None:
    bench.aggregator.plan(P1, never())
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 13 * MINUTE)
    bench.aggregator.bookings[(await bench.turn("S1", 1)).reference].not_yets = 0
    bench.aggregator.say("track", Busy("too many requests", retry_after_s=300))
    await bench.until(NOON + 24 * MINUTE)
    assert bench.aggregator.calls["track"] == 1
    assert bench.aggregator.calls["cancel"] == 0
    await bench.until(NOON + 40 * MINUTE)
    assert (await bench.turn("S1", 1)).state is State.CANCELLED


async def test_new_credentials_are_not_quiet_because_the_old_ones_were_to_be(bench: Bench) -> None:
    await many(bench, 2)
    one, two = await claim(bench)
    await settle(bench, [one], Busy("too many requests", retry_after_s=3600))
    await limit(bench)
    await settle(bench, [two], Busy("too many requests", retry_after_s=3600))
    await bench.schedule(shipment("S3"))
    assert len(await claim(bench)) == 1


# All of it


def most_in_a_second(starts: Sequence[datetime]) -> int:
    ordered = sorted(starts)
    return max((bisect_left(ordered, at + SECOND) - nth for nth, at in enumerate(ordered)), default=0)


@dataclass(slots=True)
class Schedule:
    """Four workers by one seed: who claims when, how long each call takes, what it hears, who dies in the middle."""

    bench: Bench
    dice: random.Random
    out: dict[int, list[tuple[datetime, Claim]]] = field(default_factory=lambda: {n: [] for n in range(WORKERS)})
    beside: list[tuple[datetime, Place]] = field(default_factory=list)
    starts: list[datetime] = field(default_factory=list)
    quiet_until: datetime = NOON
    most_out: int = 0
    awbs: int = 0

    async def step(self) -> None:
        self.bench.now += timedelta(milliseconds=self.dice.choice((0, 1, 20, 50, 150, 400)))
        await self.settle()
        worker = self.dice.randrange(WORKERS)
        if self.dice.random() < 0.03:
            self.out[worker].clear()  # killed: its connections are cut, and nobody writes down what was said
        elif self.dice.random() < 0.1:
            found = await enter(self.bench)
            if isinstance(found, Place):
                self.begin(1)
                self.beside.append((self.bench.now + self.latency(), found))
        else:
            claimed = await claim(self.bench)
            self.begin(len(claimed))
            self.out[worker] += [(self.bench.now + self.latency(), each) for each in claimed]
        self.most_out = max(self.most_out, len(self.beside) + sum(map(len, self.out.values())))

    def begin(self, count: int) -> None:
        assert not count or self.bench.now >= self.quiet_until, "somebody spoke in the quiet"
        self.starts += [self.bench.now] * count

    def latency(self) -> timedelta:
        return timedelta(seconds=self.dice.choice((0.02, 0.3, 0.3, 2.0)))

    async def settle(self) -> None:
        for place in [place for ends, place in self.beside if ends <= self.bench.now]:
            await limits.leave(self.bench.pool, place)
        self.beside = [each for each in self.beside if each[0] > self.bench.now]
        for worker, calls in self.out.items():
            for claimed in [claimed for ends, claimed in calls if ends <= self.bench.now]:
                await settle(self.bench, [claimed], self.reply())
            self.out[worker] = [each for each in calls if each[0] > self.bench.now]

    def reply(self) -> Reply:
        """Nothing that ends a turn, so that there is always more to say than may be said."""
        if self.dice.random() < 0.02:
            self.quiet_until = max(self.quiet_until, self.bench.now + 2 * SECOND)
            return Busy("too many requests", retry_after_s=2)
        return Busy("connection refused")


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_four_workers_do_no_more_is_out_and_no_second_has_more(bench: Bench, seed: int) -> None:
    dice = random.Random(seed)
    at_once, per_second = dice.choice(((1, 40), (3, 12), (8, 5), (20, 30)))
    await limit(bench, at_once=at_once, per_second=per_second)
    await many(bench, 40)
    schedule = Schedule(bench, dice)
    for _ in range(120):
        await schedule.step()
    assert schedule.most_out <= at_once
    assert most_in_a_second(schedule.starts) <= per_second
    assert len(schedule.starts) > 10


class Watching(Scripted):
    """Notes when it is called, and how many calls it has at once. `enough` is set with the last of `calls_wanted`."""

    def __init__(self, latency_s: float, calls_wanted: int) -> None:
        super().__init__(latency_s=latency_s)
        self.starts: list[datetime] = []
        self.most_out = self.out = 0
        self.enough = asyncio.Event()
        self._calls_wanted = calls_wanted

    async def _say(self, call: Call, truth: T) -> Said[T]:
        self.starts.append(datetime.now(UTC))
        self.out += 1
        self.most_out = max(self.most_out, self.out)
        try:
            return await super()._say(call, truth)
        finally:
            self.out -= 1
            if len(self.starts) == self._calls_wanted:
                self.enough.set()


async def test_four_dispatchers_at_work_keep_to_both(bench: Bench) -> None:
    """In real time: twelve shipments are ranked, asked for, and have their labels fetched."""
    watching = Watching(latency_s=0.05, calls_wanted=36)
    bench.aggregate_with(watching)
    await limit(bench, at_once=3, per_second=30)
    began = bench.now = await bench.pool.fetchval("SELECT clock_timestamp()")
    await many(bench, 12)
    dispatchers = [Dispatcher(bench.tools) for _ in range(WORKERS)]
    running = [asyncio.create_task(each.run()) for each in dispatchers]
    async with asyncio.timeout(60):
        await watching.enough.wait()
    for each in dispatchers:
        each.stop()
    await asyncio.gather(*running)

    assert [await bench.status(number) for number in bench.ids] == [Status.LABEL_READY] * 12
    assert watching.most_out <= 3
    # Each call is made after its claim; that is how late it is at least, however busy the machine.
    shares = [limits.SPREAD / 30 * nth - limits.BURST_S for nth in range(36)]
    assert all(at - began >= share * SECOND for at, share in zip(watching.starts, shares, strict=True))
