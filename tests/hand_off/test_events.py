"""Events stand in the transaction of the fact, whoever changes the shipment; and what is owed of them beside."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec

from bilty.aggregator.scripted import P1, P2, P3, accepted, refused
from bilty.hand_off import EventKind
from bilty.intake.endpoints import OneAgain, parse_replay
from bilty.store.amending import amend
from bilty.store.audit import COMMAND
from bilty.store.database import HAND_OFF_CHANNEL, listening
from bilty.store.hand_off import events
from bilty.store.progress import changing
from bilty.store.providers import put_facility
from bilty.store.shipments import Arrival, keep, schedule_all
from bilty.workflow import Status
from dispatch.bench import BLR, MINUTE, Bench, shipment
from hand_off.post import Post

WITHIN_S = 60


async def told(bench: Bench, number: str) -> list[tuple[str, dict[str, Any]]]:
    rows = await bench.rows("SELECT kind, content FROM events WHERE shipment_id = $1 ORDER BY id", bench.ids[number])
    return [(row["kind"].removeprefix("shipment."), msgspec.json.decode(row["content"])) for row in rows]


async def test_what_happened_is_written_though_nobody_is_told(post: Post) -> None:
    await post.bench.schedule(shipment("S1"))
    await post.bench.work()
    requested, ready = await told(post.bench, "S1")
    assert (requested[0], ready[0]) == ("label_requested", "label_ready")
    won = await post.bench.turn("S1", 1)
    assert ready[1] == {
        "status": "label_ready",
        "run": 1,
        "version": 1,
        "courier": {"cp_id": P1.cp_id, "account_code": P1.account_code, "name": P1.name},
        "priority": 1,
        "awb": won.awb,
        "label_sha256": won.label_sha256,
    }
    assert await post.bench.rows("SELECT FROM deliveries") == []
    assert await post.bench.rows("SELECT FROM lanes") == []


async def test_an_event_is_undone_with_its_fact(post: Post) -> None:
    await post.endpoint()
    await post.bench.schedule(shipment("S1"))
    await post.bench.work()
    before = await post.bench.rows("SELECT id FROM events")
    async with post.bench.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        async with changing(connection, [post.bench.ids["S1"]], post.bench.now) as courses:
            course = courses[post.bench.ids["S1"]]
            course.after = replace(course.after, turns=(), cancel_asked=True)
        assert await connection.fetchval("SELECT count(*) FROM events") == len(before) + 1
        await transaction.rollback()
    assert await post.bench.rows("SELECT id FROM events") == before
    assert len(await post.deliveries()) == len(before)


async def test_each_endpoint_is_owed_what_it_wants(post: Post) -> None:
    async with post.bench.pool.acquire() as connection:
        await put_facility(connection, msgspec.structs.replace(BLR, code="PNQ-1"))
    await post.endpoint("all")
    await post.endpoint("labels", kinds=[EventKind.LABEL_READY])
    await post.endpoint("pune", facilities=("PNQ-1",))
    await post.endpoint("both", facilities=("BLR-1", "PNQ-1"), kinds=[EventKind.LABEL_REQUESTED])
    await post.endpoint("off", enabled=False)
    await post.bench.schedule(shipment("S1"), msgspec.structs.replace(shipment("S2"), facility="PNQ-1"))
    await post.bench.work()
    owed = {code: [row["kind"].removeprefix("shipment.") for row in await post.deliveries(code)] for code in post.ids}
    assert {code: sorted(kinds) for code, kinds in owed.items()} == {
        "all": ["label_ready"] * 2 + ["label_requested"] * 2,
        "labels": ["label_ready"] * 2,
        "pune": ["label_ready", "label_requested"],
        "both": ["label_requested"] * 2,
        "off": [],
    }
    assert await post.owed() == 2 + 2 + 1 + 2


async def test_what_bilty_disabled_is_owed_all_the_same(post: Post) -> None:
    await post.endpoint()
    await post.bench.pool.execute("UPDATE endpoints SET disabled_at = now()")
    await post.bench.schedule(shipment("S1"))
    await post.bench.work()
    assert len(await post.deliveries()) == 2
    assert await post.deliver() == 0


async def test_a_failure_that_is_told_is_final(post: Post) -> None:
    """A label that comes after it would contradict what the order system has heard."""
    await post.endpoint(kinds=[EventKind.FAILED])
    for courier in (P1, P2, P3):
        post.bench.aggregator.plan(courier, refused(message="no truck"))
    await post.bench.schedule(shipment("S1"))
    await post.bench.work()
    assert await post.bench.status("S1") is Status.FAILED
    assert (await post.bench.progress("S1")).failed_told
    (_, content), *_ = reversed(await told(post.bench, "S1"))
    assert content["problem"]["code"] == "failed"
    assert "no truck" in content["problem"]["message"]
    assert "courier" not in content
    async with post.bench.pool.acquire() as connection, connection.transaction():
        begun = await schedule_all(connection, [post.bench.ids["S1"]], post.bench.now)
    assert not begun[post.bench.ids["S1"]].failed_told, "a new run is a new story"


async def test_a_failure_that_nobody_is_told_is_not(post: Post) -> None:
    await post.endpoint(kinds=[EventKind.LABEL_READY])
    for courier in (P1, P2, P3):
        post.bench.aggregator.plan(courier, refused())
    await post.bench.schedule(shipment("S1"))
    await post.bench.work()
    assert not (await post.bench.progress("S1")).failed_told


async def test_a_problem_is_told_in_whole_sentences(post: Post) -> None:
    for courier in (P1, P2, P3):
        post.bench.aggregator.plan(courier, accepted(not_yets=100))
    await post.bench.schedule(shipment("S1"))
    await post.bench.until(post.bench.now + 40 * MINUTE)
    kind, content = (await told(post.bench, "S1"))[-1]
    assert (kind, content["problem"]["code"]) == ("needs_attention", "no_label")
    assert "gave no label in time; one may still come." in content["problem"]["message"]


async def test_cancelling_is_a_fact_like_any_other(post: Post) -> None:
    await post.endpoint()
    await post.bench.schedule(shipment("S1"))
    await post.bench.work()
    await post.cancel("S1")
    await post.bench.work()
    assert [kind for kind, _ in await told(post.bench, "S1")] == ["label_requested", "label_ready", "cancelled"]
    assert (await told(post.bench, "S1"))[-1][1] == {"status": "cancelled", "run": 1, "version": 1}


async def test_deliverers_are_woken_once_something_is_owed(post: Post, dsn: str) -> None:
    woken = asyncio.Event()
    counts = {"woken": 0}

    def heard(channel: str, _payload: str) -> None:
        if channel == HAND_OFF_CHANNEL:
            counts["woken"] += 1
            woken.set()

    async with listening(dsn, heard):
        await asyncio.wait_for(woken.wait(), WITHIN_S)  # it says so when it begins to listen
        woken.clear()
        await post.bench.schedule(shipment("S1"))
        await post.bench.work()
        await post.endpoint()
        before = counts["woken"]
        assert before == 1, "nobody is to be told of S1"
        await post.bench.schedule(*(shipment(f"T{n}") for n in range(20)))
        await post.bench.work()
        await asyncio.wait_for(woken.wait(), WITHIN_S)
    assert counts["woken"] - before <= 4, "a batch is one call, not one for each shipment"


async def test_ids_of_events_are_read_back(post: Post) -> None:
    await post.bench.schedule(shipment("S1"))
    await post.bench.work()
    uid = await post.bench.pool.fetchval("SELECT uid FROM events LIMIT 1")
    assert events.event_id(uid) == f"evt_{uid.hex}"
    assert parse_replay({"event": events.event_id(uid)}) == OneAgain(uid)


async def test_a_new_version_is_told_before_its_label(post: Post) -> None:
    await post.endpoint()
    await post.bench.schedule(shipment("S1"))
    await post.bench.work()
    old = await post.bench.turn("S1", 1)
    async with post.bench.pool.acquire() as connection, connection.transaction():
        arrival = Arrival(shipment("S1", boxes=4))
        await amend(connection, post.bench.ids["S1"], arrival, COMMAND, post.bench.now, schedule=True)
    await post.bench.until(post.bench.now + MINUTE)
    heard = await told(post.bench, "S1")
    kinds = [kind for kind, _ in heard]
    assert kinds == ["label_requested", "label_ready", "changed", "label_requested", "label_ready"]
    changed, ready = heard[2][1], heard[4][1]
    assert changed == {"status": "scheduling", "run": 1, "version": 2, "void_awb": old.awb}
    new = await post.bench.turn("S1", 1)
    assert (ready["version"], ready["run"], ready["awb"]) == (2, 2, new.awb)
    assert new.awb != old.awb
    assert [row["kind"].removeprefix("shipment.") for row in await post.deliveries()] == kinds


async def test_what_is_changed_before_anybody_was_asked_is_told_nobody(post: Post) -> None:
    await post.endpoint()
    async with post.bench.pool.acquire() as connection, connection.transaction():
        (kept,) = await keep(connection, [Arrival(shipment("S1"))], post.bench.now)
        await amend(connection, kept.shipment_id, Arrival(shipment("S1", boxes=4)), COMMAND, post.bench.now)
    assert await post.bench.rows("SELECT FROM events") == []
