"""An endpoint that is put right: what waits for its hour goes out soon, in batches that keep nobody waiting."""

import asyncio
from datetime import datetime, timedelta

import msgspec
import pytest

from bilty.hand_off import EventKind
from bilty.oms.deliverer import deliver_due
from bilty.oms.retries import TRIED_FOR, WAITS
from bilty.store.audit import COMMAND
from bilty.store.hand_off import endpoints, going_on, lanes, signing
from bilty.store.hand_off.going_on import HASTENED_MAX, WAIT_MAX
from bilty.store.hand_off.lanes import NOT_WANTED, OUT_MAX
from bilty.store.providers import put_facility
from dispatch.bench import BLR, shipment
from hand_off.post import BROKEN, RECEIVED, Post

WITHIN_S = 60
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WRONG = "https://wrong.example/hook"


async def labelled(post: Post, *numbers: str) -> None:
    await post.bench.schedule(*(shipment(number, boxes=1) for number in numbers))
    await post.bench.work()


async def due(post: Post) -> list[datetime]:
    return [row["due_at"] for row in await post.bench.rows("SELECT due_at FROM lanes ORDER BY due_at")]


@pytest.fixture
async def failing(post: Post) -> Post:
    """For five hours nothing was received; two wait for the next hour."""
    post.bench.now = await post.bench.pool.fetchval("SELECT clock_timestamp()") - 5 * HOUR
    await post.endpoint(url=WRONG)
    post.postman.answers[WRONG] = lambda _letter: BROKEN
    await labelled(post, "S1", "S2")
    await post.until(post.bench.now + 5 * HOUR)
    assert min(await due(post)) > post.bench.now + timedelta(minutes=1)
    post.postman.letters.clear()
    return post


async def test_another_address_is_tried_at_once(failing: Post) -> None:
    url = await failing.endpoint(url="https://right.example/hook")
    failing.bench.now += timedelta(seconds=30)
    await failing.deliver()
    assert failing.postman.kinds("S1", url) == ["label_requested", "label_ready"]
    assert {row["tries"] for row in await failing.deliveries()} == {1}, "and has its three days anew"


async def test_the_same_address_again_hastens_nothing(failing: Post) -> None:
    before = await due(failing)
    await failing.endpoint(url=WRONG)
    assert await due(failing) == before
    assert (await failing.standing()).failing_since is not None


async def test_another_secret_is_tried_at_once(failing: Post) -> None:
    async with failing.bench.pool.acquire() as connection, connection.transaction():
        await signing.rotate(connection, failing.tools.vault, "oms", COMMAND)
    failing.bench.now += timedelta(seconds=30)
    await failing.deliver()
    assert len(failing.postman.letters) == 2


async def test_a_secret_that_is_exchanged_enables_nothing(failing: Post) -> None:
    await failing.bench.pool.execute("UPDATE endpoints SET disabled_at = clock_timestamp()")
    async with failing.bench.pool.acquire() as connection, connection.transaction():
        await signing.rotate(connection, failing.tools.vault, "oms", COMMAND)
    assert (await failing.standing()).manner is endpoints.Manner.DISABLED


async def test_a_person_has_it_tried_now(failing: Post) -> None:
    since = (await failing.standing()).failing_since
    async with failing.bench.pool.acquire() as connection, connection.transaction():
        assert await endpoints.try_now(connection, "oms", COMMAND)
    failing.bench.now += timedelta(seconds=30)
    await failing.deliver()
    assert len(failing.postman.letters) == 2
    assert (await failing.standing()).failing_since == since, "it still fails"


async def test_nothing_is_tried_now_where_nothing_fails(post: Post) -> None:
    await post.endpoint()
    async with post.bench.pool.acquire() as connection, connection.transaction():
        assert not await endpoints.try_now(connection, "oms", COMMAND)
        assert not await endpoints.try_now(connection, "other", COMMAND)


# --- in batches, and past those who write


@pytest.fixture
async def waiting(post: Post) -> Post:
    """Two and a half batches of lanes that wait for their hour; their deliveries are one event's."""
    await post.endpoint(kinds=[EventKind.LABEL_READY])
    await labelled(post, "S1")
    await post.bench.pool.execute("UPDATE lanes SET due_at = NULL")
    for table, columns, values in (
        (
            "deliveries",
            "event_id, tries, first_at",
            "(SELECT max(id) FROM events), 40, $3::timestamptz - interval '1 d'",
        ),
        ("lanes", "due_at", "$3::timestamptz + nth % 3599 * interval '1 second' + interval '1 second'"),
    ):
        await post.bench.pool.execute(
            f"""INSERT INTO {table} (endpoint_id, shipment_id, {columns})
                SELECT $1, 1000 + nth, {values} FROM generate_series(1, $2::int) AS nth""",
            post.ids["oms"],
            HASTENED_MAX * 5 // 2,
            post.bench.now,
        )
    await post.bench.pool.execute("UPDATE deliveries SET state = 'delivered' WHERE tries = 0")
    return post


async def counted(post: Post) -> int:
    count = await post.bench.pool.fetchval("SELECT count(*) FROM lanes WHERE due_at <= $1", post.bench.now)
    return int(count)


async def begin_anew(post: Post) -> None:
    async with post.bench.pool.acquire() as connection, connection.transaction():
        await going_on.begin_anew(connection, post.ids["oms"], post.bench.now)


async def received_all(post: Post) -> None:
    """What is due was received, but for one lane, whose shipment is there and which is delivered now."""
    await post.bench.pool.execute("UPDATE lanes SET due_at = NULL WHERE due_at <= $1", post.bench.now)
    await post.bench.pool.execute(
        """WITH again AS (UPDATE deliveries SET state = 'waiting' WHERE shipment_id = $1 RETURNING shipment_id)
           UPDATE lanes SET due_at = $2 WHERE shipment_id IN (SELECT shipment_id FROM again)""",
        post.bench.ids["S1"],
        post.bench.now,
    )
    assert await deliver_due(post.tools, post.bench.now) == 1


async def test_what_waits_is_hastened_a_batch_at_a_time(waiting: Post) -> None:
    await begin_anew(waiting)
    assert await counted(waiting) == HASTENED_MAX
    await received_all(waiting)
    assert await counted(waiting) == HASTENED_MAX
    await received_all(waiting)
    assert await counted(waiting) == HASTENED_MAX // 2, "that was all"
    assert await waiting.bench.pool.fetchval("SELECT hasten_until FROM endpoints") is None


async def first_due(post: Post) -> None:
    """The one lane whose shipment is there comes before the others, and was tried for days."""
    await post.bench.pool.execute(
        """WITH again AS (UPDATE deliveries SET state = 'waiting', tries = 40, first_at = $2 WHERE shipment_id = $1
                          RETURNING shipment_id)
           UPDATE lanes SET due_at = $2 WHERE shipment_id IN (SELECT shipment_id FROM again)""",
        post.bench.ids["S1"],
        post.bench.now - TRIED_FOR,
    )


async def test_the_next_batch_waits_until_the_last_is_through(waiting: Post) -> None:
    await begin_anew(waiting)
    await first_due(waiting)
    assert await deliver_due(waiting.tools, waiting.bench.now) == 1
    assert len(waiting.postman.letters) == 1
    assert HASTENED_MAX - OUT_MAX < await counted(waiting) <= HASTENED_MAX


async def test_the_tries_before_do_not_count(waiting: Post) -> None:
    await first_due(waiting)
    await begin_anew(waiting)
    (claim,) = await lanes.claim(waiting.bench.pool, now=waiting.bench.now)
    assert (claim.tries, claim.first_at) == (0, None)


async def test_a_lane_that_somebody_holds_is_passed_over(waiting: Post) -> None:
    """Whoever writes an event has lanes, and wants others: to wait for each other would be the end of one."""
    async with waiting.bench.pool.acquire() as writer, writer.transaction():
        await writer.execute("SELECT FROM lanes WHERE shipment_id BETWEEN 1001 AND 1010 FOR UPDATE")
        await asyncio.wait_for(begin_anew(waiting), WITHIN_S)
    assert await counted(waiting) == HASTENED_MAX


def test_no_lane_waits_longer_than_is_known_here() -> None:
    assert max(WAITS) == WAIT_MAX


# --- narrowed: what it wants no more is not sent


async def test_what_an_endpoint_is_no_longer_told_of_is_not_sent(post: Post) -> None:
    await post.endpoint()
    await labelled(post, "S1")
    url = await post.endpoint(kinds=[EventKind.LABEL_READY])
    await post.deliver()
    assert post.postman.kinds("S1", url) == ["label_ready"]
    first, second = await post.deliveries()
    assert (first["state"], first["why"], first["tries"]) == ("given_up", NOT_WANTED, 0)
    assert second["state"] == "delivered"
    assert await post.owed() == 0


async def test_nor_of_a_facility_that_it_is_to_know_no_more_of(post: Post) -> None:
    async with post.bench.pool.acquire() as connection, connection.transaction():
        await put_facility(connection, msgspec.structs.replace(BLR, code="PNQ-1"))
    url = await post.endpoint()
    post.postman.answers[url] = lambda _letter: BROKEN
    await labelled(post, "S1")
    await post.deliver()
    del post.postman.answers[url]
    post.postman.letters.clear()
    await post.endpoint(facilities=("PNQ-1",))
    post.bench.now += DAY
    await post.deliver()
    assert post.postman.letters == []
    assert {row["state"] for row in await post.deliveries()} == {"given_up"}
    assert await post.owed() == 0
    post.postman.answers[url] = lambda _letter: RECEIVED
    await post.endpoint()
    await post.cancel("S1")
    await post.bench.work()
    await post.deliver()
    assert post.postman.kinds("S1") == ["cancelled"]
