"""What is owed is told, in order, until it is received or given up: at given times, with receivers that do as told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bilty.aggregator.scripted import P1, P2, accepted, refused
from bilty.hand_off import EventKind
from bilty.oms import label_link
from bilty.oms.deliverer import deliver_due
from bilty.oms.retries import TRIED_FOR, WAITS
from bilty.oms.sending import Sent
from bilty.store.audit import COMMAND
from bilty.store.hand_off import deliveries, endpoints, going_on, lanes, owing, signing
from bilty.store.secrets import Vault
from dispatch.bench import MINUTE, NOON, shipment
from hand_off.post import BROKEN, GONE, RECEIVED, SECRET, Letter, Post

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def labelled(post: Post, *numbers: str) -> None:
    await post.bench.schedule(*(shipment(each) for each in numbers))
    await post.bench.work()


async def test_a_label_is_told_with_all_that_an_order_system_needs(post: Post) -> None:
    await post.endpoint()
    await labelled(post, "S1")
    await post.deliver()

    requested, ready = post.postman.of("S1")
    assert (requested.kind, ready.kind) == ("label_requested", "label_ready")
    row = await post.bench.pool.fetchrow("SELECT * FROM events WHERE kind = 'shipment.label_ready'")
    assert row is not None
    won = await post.bench.turn("S1", 1)
    children = {child.reference: child.awb for child in post.bench.aggregator.bookings[won.reference].label.children}
    by_box = {reference.removesuffix(".001"): awb for reference, awb in children.items()}
    expires = NOON + timedelta(days=7)
    assert ready.event_id == f"evt_{row['uid'].hex}"
    assert ready.secrets == (SECRET,)
    assert ready.body == {
        "type": "shipment.label_ready",
        "timestamp": "2026-11-23T12:00:00Z",
        "data": {
            "event": ready.event_id,
            "shipment": {
                "id": post.bench.ids["S1"],
                "number": "S1",
                "order_number": "PO-S1",
                "facility": "BLR-1",
                "shipping_provider": "clickpost-b2b",
                "status": "label_ready",
                "run": 1,
                "version": 1,
                "courier": {"cp_id": P1.cp_id, "account_code": P1.account_code, "name": P1.name, "priority": 1},
                "awb": won.awb,
                "void_awb": None,
                "boxes": [{"number": n, "reference": f"S1-{n}", "awb": by_box[f"S1-{n}"]} for n in (1, 2, 3)],
                "label_url": label_link.link(
                    post.tools.vault, "https://bilty.example", post.bench.ids["S1"], won.label_sha256, expires
                ),
                "label_expires_at": "2026-11-30T12:00:00Z",
                "papers_url": None,
                "problem": None,
            },
        },
    }
    assert requested.shipment["label_url"] is None
    assert requested.shipment["awb"] == won.awb


async def test_what_was_so_is_told_however_late_it_is_told(post: Post) -> None:
    """It was cancelled meanwhile, and the first message still tells of the label."""
    await post.endpoint()
    await labelled(post, "S1")
    awb = (await post.bench.turn("S1", 1)).awb
    await post.cancel("S1")
    await post.bench.work()
    await post.deliver()
    assert [(each.kind, each.shipment["status"], each.shipment["awb"]) for each in post.postman.of("S1")] == [
        ("label_requested", "label_requested", awb),
        ("label_ready", "label_ready", awb),
        ("cancelled", "cancelled", None),
    ]
    assert [box["awb"] for box in post.postman.of("S1")[-1].shipment["boxes"]] == [None] * 3


async def test_a_courier_that_was_only_asked_has_no_awb(post: Post) -> None:
    await post.endpoint()
    post.bench.aggregator.plan(P1, refused())
    post.bench.aggregator.plan(P2, accepted(not_yets=100))
    await post.bench.schedule(shipment("S1"))
    await post.bench.work()
    await post.deliver()
    assert post.postman.kinds("S1") == ["courier_changed", "label_requested"]
    assert [each.shipment["courier"]["name"] for each in post.postman.of("S1")] == [P2.name] * 2
    assert [each.shipment["awb"] for each in post.postman.of("S1")] == [None] * 2


async def test_each_try_has_a_fresh_link_and_is_otherwise_the_same(post: Post) -> None:
    url = await post.endpoint(kinds=[EventKind.LABEL_READY])
    answers = iter([BROKEN, RECEIVED])
    post.postman.answers[url] = lambda _letter: next(answers)
    await labelled(post, "S1")
    await post.until(NOON + MINUTE)
    first, second = post.postman.letters
    assert second.at == first.at + WAITS[0]
    assert first.event_id == second.event_id
    assert second.shipment.pop("label_expires_at") == "2026-11-30T12:00:05Z"
    assert first.shipment.pop("label_expires_at") == "2026-11-30T12:00:00Z"
    assert first.shipment.pop("label_url") != second.shipment.pop("label_url")
    assert first.body == second.body


async def test_the_next_event_of_a_shipment_waits_for_the_one_before(post: Post) -> None:
    """And another shipment's, or another endpoint's, does not."""
    url = await post.endpoint()
    other = await post.endpoint("other")
    post.postman.answers[url] = lambda letter: BROKEN if letter.shipment["number"] == "S1" else RECEIVED
    await labelled(post, "S1", "S2")
    await post.deliver()
    assert post.postman.kinds("S1", url) == ["label_requested"]
    assert post.postman.kinds("S2", url) == ["label_requested", "label_ready"]
    assert post.postman.kinds("S1", other) == ["label_requested", "label_ready"]
    del post.postman.answers[url]
    await post.until(NOON + MINUTE)
    assert post.postman.kinds("S1", url) == ["label_requested", "label_requested", "label_ready"]
    assert await post.owed() == 0


async def test_an_event_that_comes_while_a_lane_waits_does_not_hasten_it(post: Post) -> None:
    url = await post.endpoint()
    post.postman.answers[url] = lambda _letter: BROKEN
    await labelled(post, "S1")
    await post.deliver()
    await post.cancel("S1")
    await post.bench.work()
    assert await post.deliver() == 0
    assert await post.until(NOON + MINUTE) == [NOON + WAITS[0], NOON + WAITS[0] + WAITS[1]]


async def test_an_hour_of_500_costs_a_few_tries_and_no_event(post: Post) -> None:
    url = await post.endpoint()
    post.postman.answers[url] = lambda letter: BROKEN if letter.at < NOON + HOUR else RECEIVED
    await labelled(post, "S1")
    moments = await post.until(NOON + 2 * HOUR)
    assert [(moment - NOON).total_seconds() for moment in moments] == [0, 5, 35, 155, 455, 1355, 3155, 6755]
    assert post.postman.kinds("S1") == ["label_requested"] * 8 + ["label_ready"]
    assert [(row["state"], row["tries"]) for row in await post.deliveries()] == [("delivered", 8), ("delivered", 1)]
    assert (await post.standing()).failing_since is None


async def test_the_first_message_received_after_an_outage_brings_the_others(post: Post) -> None:
    url = await post.endpoint(kinds=[EventKind.LABEL_READY])
    post.postman.answers[url] = lambda _: BROKEN
    await post.bench.schedule(*(shipment(f"S{n}", boxes=1) for n in range(20)))
    await post.bench.work()
    await post.until(post.bench.now + timedelta(hours=5))
    post.postman.letters.clear()
    del post.postman.answers[url]
    await post.bench.schedule(shipment("S20", boxes=1))
    await post.bench.work()
    assert await post.deliver() == 21, "the new one, and at that very moment all that waited for their hour"


async def test_a_message_that_alone_is_refused_is_not_hastened_by_the_others(post: Post) -> None:
    url = await post.endpoint(kinds=[EventKind.LABEL_READY])
    post.postman.answers[url] = lambda letter: BROKEN if letter.shipment["number"] == "BAD" else RECEIVED
    await post.bench.schedule(shipment("BAD", boxes=1))
    await post.bench.work()
    await post.deliver()
    for n in range(5):
        await post.bench.schedule(shipment(f"S{n}", boxes=1))
        await post.bench.work()
        await post.deliver()
    assert len(post.postman.of("BAD")) == 1


async def test_a_receivers_own_wish_for_a_pause_is_kept(post: Post) -> None:
    url = await post.endpoint(kinds=[EventKind.LABEL_READY])
    wishes = iter([90.0, 3600.0, 1.0])
    post.postman.answers[url] = lambda _letter: Sent(503, "The receiver answered 503.", next(wishes), 1)
    await labelled(post, "S1")
    moments = await post.until(NOON + 65 * MINUTE)
    assert [(moment - NOON).total_seconds() for moment in moments] == [0, 90, 90 + 3600, 90 + 3600 + 120]


async def test_one_message_that_is_never_received_is_given_up_and_the_lane_goes_on(post: Post) -> None:
    url = await post.endpoint()
    post.postman.answers[url] = lambda letter: (
        BROKEN if (letter.shipment["number"], letter.kind) == ("S1", "label_requested") else RECEIVED
    )
    await labelled(post, "S1")
    for day in range(4):
        post.bench.now = NOON + day * DAY
        await labelled(post, f"OTHER-{day}")  # the endpoint is well
        await post.until(NOON + day * DAY + 23 * HOUR)
    given_up, ready = [row for row in await post.deliveries() if row["shipment_id"] == post.bench.ids["S1"]]
    assert (given_up["state"], ready["state"]) == ("given_up", "delivered")
    assert given_up["last_at"] - given_up["first_at"] == TRIED_FOR
    assert (given_up["status"], given_up["why"]) == (500, "The receiver answered 500.")
    assert ready["first_at"] == NOON + TRIED_FOR, "at once"
    assert (await post.standing()).manner is endpoints.Manner.WELL


async def test_an_endpoint_that_receives_nothing_for_three_days_is_disabled_and_loses_nothing(post: Post) -> None:
    url = await post.endpoint()
    post.postman.answers[url] = lambda _letter: BROKEN
    await labelled(post, "S1")
    await post.until(NOON + 2 * DAY)
    assert (await post.standing()).manner is endpoints.Manner.FAILING
    await labelled(post, "S2")
    await post.until(NOON + 10 * DAY)

    off = await post.standing()
    assert off.manner is endpoints.Manner.DISABLED
    assert off.disabled_at is not None
    assert TRIED_FOR <= off.disabled_at - NOON < TRIED_FOR + HOUR
    assert off.disabled_why == "It has received nothing for 3 days. The last try: The receiver answered 500."
    assert {row["state"] for row in await post.deliveries()} == {"waiting"}, "nothing is given up"
    noted = await post.bench.rows("SELECT actor, subject FROM audit WHERE action = $1", endpoints.DISABLED)
    assert [tuple(row) for row in noted] == [("Bilty", "oms")]
    await labelled(post, "S3")
    assert await post.deliver() == 0

    del post.postman.answers[url]
    post.postman.letters.clear()
    async with post.bench.pool.acquire() as connection, connection.transaction():
        await endpoints.enable(connection, "oms", COMMAND)
    post.bench.now = max(post.bench.now, await post.bench.pool.fetchval("SELECT max(due_at) FROM lanes"))
    await post.deliver()
    assert [post.postman.kinds(number) for number in ("S1", "S2", "S3")] == [["label_requested", "label_ready"]] * 3
    assert await post.owed() == 0


async def test_an_endpoint_that_is_on_again_has_its_three_days_anew(post: Post) -> None:
    url = await post.endpoint()
    post.postman.answers[url] = lambda _letter: BROKEN
    await labelled(post, "S1")
    await post.until(NOON + 4 * DAY)
    async with post.bench.pool.acquire() as connection, connection.transaction():
        await going_on.begin_anew(connection, post.ids["oms"], post.bench.now)
    await post.until(NOON + 6 * DAY)
    assert {row["state"] for row in await post.deliveries()} == {"waiting"}
    assert (await post.standing()).manner is endpoints.Manner.FAILING


async def test_days_in_which_bilty_was_down_count_for_nobody(post: Post) -> None:
    url = await post.endpoint()
    post.postman.answers[url] = lambda _letter: BROKEN
    await labelled(post, "S1")
    await post.deliver()
    post.bench.now = NOON + 5 * DAY
    await post.deliver()
    await post.until(post.bench.now + 10 * MINUTE)
    assert {row["state"] for row in await post.deliveries()} == {"waiting"}
    assert (await post.standing()).manner is endpoints.Manner.FAILING
    del post.postman.answers[url]
    await post.until(post.bench.now + HOUR)
    assert await post.owed() == 0


async def test_410_disables_it_at_once(post: Post) -> None:
    url = await post.endpoint()
    post.postman.answers[url] = lambda _letter: GONE
    await labelled(post, "S1")
    await post.deliver()
    off = await post.standing()
    assert (off.disabled_at, off.disabled_why) == (NOON, "The receiver answered 410: it wants no more events.")
    assert [row["state"] for row in await post.deliveries()] == ["waiting", "waiting"]
    assert len(post.postman.letters) == 1


async def test_both_secrets_sign_while_the_old_one_does(post: Post) -> None:
    await post.endpoint()
    async with post.bench.pool.acquire() as connection, connection.transaction():
        new = await signing.rotate(connection, post.tools.vault, "oms", COMMAND)
    await labelled(post, "S1")
    await post.deliver()
    assert post.postman.letters[0].secrets == (new, SECRET)
    post.bench.now += 3 * DAY
    await labelled(post, "S2")
    await post.deliver()
    assert post.postman.of("S2")[0].secrets == (new,)


async def test_a_secret_that_cannot_be_opened_is_said_and_tried_again(post: Post) -> None:
    await post.endpoint()
    await labelled(post, "S1")
    post.tools = replace(post.tools, vault=Vault("another secret"))
    await post.deliver()
    first, _ = await post.deliveries()
    assert (first["state"], first["tries"], first["status"]) == ("waiting", 1, None)
    assert "was sealed with another BILTY_SECRET_KEY" in first["why"]
    assert post.postman.letters == []


async def test_a_sender_that_raises_is_a_try_that_failed(post: Post) -> None:
    url = await post.endpoint()

    def stumbles(_letter: Letter) -> Sent:
        raise RuntimeError("a fault of ours")

    post.postman.answers[url] = stumbles
    await labelled(post, "S1")
    await post.deliver()
    first, _ = await post.deliveries()
    assert (first["state"], first["tries"]) == ("waiting", 1)
    assert first["why"] == "Bilty could not send it; its log says why."


async def test_what_was_told_can_be_told_again(post: Post) -> None:
    await post.endpoint()
    await labelled(post, "S1", "S2")
    await post.deliver()
    before = [each.event_id for each in post.postman.letters]
    ids = [row["id"] for row in await post.bench.rows("SELECT id FROM events ORDER BY id DESC")]
    async with post.bench.pool.acquire() as connection, connection.transaction():
        assert await owing.owe_once_more(connection, post.ids["oms"], ids, post.bench.now) == 4
    post.postman.letters.clear()
    await post.deliver()
    assert sorted(each.event_id for each in post.postman.letters) == sorted(before)
    assert [post.postman.kinds(number) for number in ("S1", "S2")] == [["label_requested", "label_ready"]] * 2


async def test_what_cannot_be_read_stops_nobody(post: Post) -> None:
    await post.endpoint()
    await labelled(post, "S1", "S2")
    await post.bench.pool.execute(
        "UPDATE events SET kind = 'shipment.of_a_newer_bilty' WHERE shipment_id = $1", post.bench.ids["S1"]
    )
    await post.bench.pool.execute("UPDATE endpoints SET events = events || 'shipment.of_a_newer_bilty'::text")
    await post.deliver()
    assert post.postman.kinds("S2") == ["label_requested", "label_ready"]
    assert await post.owed() == 1
    assert await deliver_due(post.tools, post.bench.now + MINUTE) == 0, "it is not looked at every moment"


@pytest.mark.parametrize("state", ["off", "removed"])
async def test_an_endpoint_that_went_while_a_call_was_out(post: Post, state: str) -> None:
    url = await post.endpoint(kinds=[EventKind.LABEL_READY])
    await labelled(post, "S1")
    claimed = await lanes.claim(post.bench.pool, now=post.bench.now)
    assert [claim.url for claim in claimed] == [url]
    async with post.bench.pool.acquire() as connection, connection.transaction():
        if state == "removed":
            await endpoints.delete(connection, "oms", COMMAND)
        else:
            await connection.execute("UPDATE endpoints SET enabled = false")
    post.bench.now += lanes.LEASE
    assert await post.deliver() == 0
    async with post.bench.pool.acquire() as connection:
        shown = await deliveries.of_shipment(connection, post.bench.ids["S1"])
    assert len(shown) == (state == "off")
