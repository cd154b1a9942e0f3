"""Hand-off endpoints over the wire: set up, told apart, kept secret, looked at, and told once more."""

import asyncio
from datetime import timedelta

import pytest

from bilty.store.access import Scope
from bilty.store.hand_off import endpoints, replays
from bilty.store.secrets import Vault
from web.endpoints import ALL, PATH, URL, came_of, disabled, given_secret, labelled, put, signs
from web.house import FACILITY, NO, RANKED, Document, House

READY = ["shipment.label_ready"]


async def trail(house: House) -> list[tuple[str, str]]:
    rows = await house.tools.pool.fetch("SELECT action, subject FROM audit WHERE subject = 'oms' ORDER BY id")
    return [(row["action"], row["subject"]) for row in rows]


async def deliveries(house: House, query: str = "", code: str = "oms") -> Document:
    answer = await house.call("GET", f"{PATH}/{code}/deliveries{query}")
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


async def replayed(house: House, document: Document, code: str = "oms") -> Document:
    answer = await house.call("POST", f"{PATH}/{code}/replays", document)
    assert answer.status_code == 202, answer.text
    made: Document = answer.json()
    return made


async def owed(house: House) -> list[tuple[str, str]]:
    """What waits, in the order in which it goes out: the shipment's number and the event's kind."""
    rows = await house.tools.pool.fetch(
        """SELECT s.number, e.kind FROM deliveries d JOIN events e ON e.id = d.event_id
             JOIN shipments s ON s.id = d.shipment_id
             JOIN lanes l ON l.endpoint_id = d.endpoint_id AND l.shipment_id = d.shipment_id
            WHERE d.state = 'waiting' AND l.due_at IS NOT NULL ORDER BY d.shipment_id, d.id"""
    )
    return [(row["number"], row["kind"].removeprefix("shipment.")) for row in rows]


async def test_an_endpoint_is_made_and_its_secret_told_once(house: House) -> None:
    answer = await house.call("PUT", f"{PATH}/oms", {"url": URL, "events": ["shipment.failed"]})
    assert answer.status_code == 201
    made = answer.json()
    assert await signs(house) == (made.pop("secret"),)
    assert made.pop("created_at").endswith("Z")
    assert made == {
        "code": "oms",
        "url": URL,
        "events": ["shipment.failed"],
        "facilities": None,
        "enabled": True,
        "state": "well",
        "failing_since": None,
        "disabled_at": None,
        "disabled_why": "",
        "owed": 0,
        "owed_since": None,
        "old_secret_until": None,
    }
    for again in (await put(house), (await house.call("GET", f"{PATH}/oms")).json()):
        assert again["secret"] is None
    listed = (await house.call("GET", PATH)).json()
    assert [(each["code"], each["secret"]) for each in listed["items"]] == [("oms", None)]
    assert listed["next"] is None


async def test_of_many_who_add_it_at_once_one_does(house: House) -> None:
    await house.key(Scope.ADMIN)
    made = await asyncio.gather(*(put(house) for _ in range(8)))
    told = [each["secret"] for each in made if each["secret"]]
    assert await signs(house) == tuple(told)
    assert await trail(house) == [("hand-off endpoint added", "oms")]


async def test_the_list_has_all_because_there_are_never_more_than_it_shows(house: House) -> None:
    await house.key(Scope.ADMIN)
    await house.tools.pool.execute(
        """INSERT INTO endpoints (code, url, events, sealed_secret)
           SELECT 'e' || n, $1, $2, '' FROM generate_series(1, $3::int) AS n""",
        URL,
        ALL,
        endpoints.ENDPOINTS_MAX - 1,
    )
    await put(house, "last")
    full = await house.call("PUT", f"{PATH}/oms", {"url": URL, "events": ALL})
    assert (full.status_code, full.json()["type"]) == (409, "urn:bilty:problem:too_many_endpoints")
    assert full.json()["detail"] == "There are 1,000 hand-off endpoints, which is the most: remove one first."
    await put(house, "last", events=["shipment.failed"])
    listed = (await house.call("GET", PATH)).json()
    assert len(listed["items"]) == endpoints.ENDPOINTS_MAX
    assert (await house.call("DELETE", f"{PATH}/e1")).status_code == 204
    await put(house)


async def test_a_secret_is_at_rest_only_sealed_and_in_no_trail(house: House) -> None:
    secret = (await put(house))["secret"]
    rows = await house.tools.pool.fetch("SELECT e::text AS row FROM endpoints e UNION SELECT a::text FROM audit a")
    assert len(rows) == 2
    assert not [row for row in rows if secret.removeprefix("whsec_") in row["row"]]


async def test_a_put_without_a_change_leaves_no_line(house: House) -> None:
    await put(house)
    await put(house)
    assert await trail(house) == [("hand-off endpoint added", "oms")]
    await put(house, url=f"{URL}?door=secret")
    assert await trail(house) == [("hand-off endpoint added", "oms"), ("hand-off endpoint changed", "oms")]
    line = await house.tools.pool.fetchval("SELECT after::text FROM audit ORDER BY id DESC LIMIT 1")
    assert "?…" in line
    assert "door" not in line


async def test_only_the_query_of_an_address_changes_and_the_trail_says_so(house: House) -> None:
    await put(house, url=f"{URL}?door=1")
    await put(house, url=f"{URL}?door=2")
    line = await house.tools.pool.fetchval("SELECT after::text FROM audit ORDER BY id DESC LIMIT 1")
    assert '"query of the address": "changed"' in line


async def test_facilities_are_those_there_are(furnished: House) -> None:
    assert (await put(furnished, facilities=["BLR-1"]))["facilities"] == ["BLR-1"]
    answer = await furnished.call("PUT", f"{PATH}/oms", {"url": URL, "events": ALL, "facilities": ["BLR-1", "PNQ-9"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "facilities"
    assert "PNQ-9, which is no facility here" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"url": "http://oms.example.com", "events": ALL}, "url"),
        ({"url": "https://10.0.0.1/", "events": ALL}, "url"),
        ({"url": URL, "events": ["shipment.lost"]}, "events"),
        ({"url": URL}, "events"),
        ({"url": URL, "events": ALL, "secret": "open sesame"}, "secret"),
    ],
)
async def test_a_fault_names_its_field_and_no_secret(house: House, document: Document, field: str) -> None:
    answer = await house.call("PUT", f"{PATH}/oms", document)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert "open sesame" not in answer.text
    assert (await house.call("GET", f"{PATH}/oms")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PATH),
        ("GET", f"{PATH}/oms"),
        ("PUT", f"{PATH}/oms"),
        ("DELETE", f"{PATH}/oms"),
        ("POST", f"{PATH}/oms/secret"),
        ("GET", f"{PATH}/oms/deliveries"),
        ("POST", f"{PATH}/oms/replays"),
    ],
)
async def test_only_an_admin_key_of_all_facilities_is_let_in(furnished: House, method: str, path: str) -> None:
    assert (await furnished.call(method, path, scope=Scope.DISPATCH)).status_code == 403
    await furnished.key(Scope.ADMIN)
    await furnished.tools.pool.execute("UPDATE api_keys SET all_facilities = false WHERE scope = 'admin'")
    answer = await furnished.call(method, path)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:bilty:problem:all_facilities_needed"


@pytest.mark.parametrize("rest", ["", "/deliveries", "/secret", "/replays"])
async def test_one_that_is_not_there_is_told(house: House, rest: str) -> None:
    method = {"": "GET", "/deliveries": "GET"}.get(rest, "POST")
    document = {"event": "evt_" + "0" * 32} if rest == "/replays" else None
    answer = await house.call(method, f"{PATH}/nobody{rest}", document)
    assert answer.status_code == 404
    assert "There is no hand-off endpoint 'nobody'" in answer.json()["detail"]
    assert (await house.call("DELETE", f"{PATH}/nobody")).status_code == 404


async def test_a_rotation_signs_with_both_for_a_day(house: House) -> None:
    first = (await put(house))["secret"]
    answer = await house.call("POST", f"{PATH}/oms/secret")
    assert answer.status_code == 200
    second = answer.json()["secret"]
    assert second != first
    assert answer.json()["old_secret_until"] is not None
    assert await signs(house) == (second, first)
    assert await signs(house, later=timedelta(hours=23, minutes=59)) == (second, first)
    assert await signs(house, later=timedelta(hours=24, minutes=1)) == (second,)
    assert await trail(house) == [("hand-off endpoint added", "oms"), ("hand-off secret rotated", "oms")]


async def test_a_rotation_that_is_repeated_cuts_nobody_off(house: House) -> None:
    """The answer to the first was lost: nobody has that secret, and the receiver knows the one before."""
    first = (await put(house))["secret"]
    lost = (await house.call("POST", f"{PATH}/oms/secret")).json()["secret"]
    third = (await house.call("POST", f"{PATH}/oms/secret")).json()["secret"]
    assert await signs(house) == (third, lost, first)
    made = [(await house.call("POST", f"{PATH}/oms/secret")).json()["secret"] for _ in range(9)]
    assert await signs(house) == tuple(reversed(made[-4:]))


async def test_a_secret_may_be_given(house: House) -> None:
    assert (await put(house, secret=given_secret(1)))["secret"] is None
    assert await signs(house) == (given_secret(1),)
    await put(house, secret=given_secret(1))
    assert await signs(house) == (given_secret(1),)
    await put(house, secret=given_secret(2))
    assert await signs(house) == (given_secret(2), given_secret(1))
    answer = await house.call("POST", f"{PATH}/oms/secret", {"secret": given_secret(3)})
    assert answer.json()["secret"] == given_secret(3)
    assert await signs(house) == (given_secret(3), given_secret(2), given_secret(1))
    back = await house.call("POST", f"{PATH}/oms/secret", {"secret": given_secret(1)})
    assert back.status_code == 200
    assert await signs(house) == (given_secret(1), given_secret(3), given_secret(2))
    refused = await house.call("POST", f"{PATH}/oms/secret", {"secret": "open sesame"})
    assert refused.status_code == 422
    assert "open sesame" not in refused.text


async def test_a_secret_of_another_house_is_told_and_can_be_exchanged(house: House) -> None:
    await put(house)
    foreign = Vault("another secret").seal(given_secret(9))
    await house.tools.pool.execute("UPDATE endpoints SET sealed_secret = $1", foreign)
    with pytest.raises(
        ValueError, match="secret of the hand-off endpoint oms was sealed with another BILTY_SECRET_KEY"
    ):
        await signs(house)
    answer = await house.call("POST", f"{PATH}/oms/secret")
    assert await signs(house) == (answer.json()["secret"],)
    assert answer.json()["old_secret_until"] is None


async def test_one_that_is_removed_is_gone_with_what_it_was_owed(furnished: House) -> None:
    await put(furnished)
    await labelled(furnished)
    assert (await furnished.call("GET", f"{PATH}/oms")).json()["owed"] == 2
    assert (await furnished.call("DELETE", f"{PATH}/oms")).status_code == 204
    assert (await furnished.call("GET", f"{PATH}/oms")).status_code == 404
    assert (await furnished.call("GET", PATH)).json()["items"] == []
    assert (await put(furnished))["owed"] == 0
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM events") == 2


async def test_how_it_is_and_what_it_is_owed(furnished: House) -> None:
    await put(furnished, events=READY)
    await labelled(furnished)
    await furnished.tools.pool.execute("UPDATE endpoints SET failing_since = now()")
    told = (await furnished.call("GET", f"{PATH}/oms")).json()
    happened = await furnished.tools.pool.fetchval("SELECT max(at) FROM events")
    assert (told["state"], told["owed"], told["owed_since"]) == (
        "failing",
        1,
        happened.isoformat().replace("+00:00", "Z"),
    )
    await disabled(furnished, why="The receiver answered 410: it wants no more events.")
    told = (await furnished.call("GET", f"{PATH}/oms")).json()
    assert (told["state"], told["enabled"]) == ("disabled", True)
    assert told["disabled_why"] == "The receiver answered 410: it wants no more events."
    await put(furnished, enabled=False)
    assert (await furnished.call("GET", f"{PATH}/oms")).json()["state"] == "off"


async def test_a_put_lets_what_bilty_disabled_go_on(furnished: House) -> None:
    await put(furnished)
    await labelled(furnished)
    await came_of(furnished, "waiting", status=500, why="The receiver answered 500.", tries=7)
    await disabled(furnished)
    after = await put(furnished, url="https://oms.example.com/moved")
    assert (after["state"], after["disabled_why"], after["failing_since"]) == ("well", "", None)
    row = await furnished.tools.pool.fetchrow("SELECT due_at <= clock_timestamp() AS due FROM lanes")
    assert row is not None
    assert row["due"]
    actions = [action for action, _ in await trail(furnished)]
    assert actions == ["hand-off endpoint added", "hand-off endpoint changed", "hand-off endpoint enabled"]


async def test_deliveries_are_told_newest_first_by_the_page(furnished: House) -> None:
    await put(furnished, events=[*READY, "shipment.cancelled"])
    first = await labelled(furnished)
    await came_of(furnished, "delivered", status=200)
    second = await labelled(furnished, "SO-1002", "AWB78")
    await came_of(furnished, "waiting", status=503, why="The receiver answered 503: down.", tries=2)
    await furnished.call("POST", f"/shipments/{second}/cancellation")
    page = await deliveries(furnished, "?limit=1")
    assert page["next"] is not None
    newest = page["items"][0]
    found = [newest]
    while page["next"]:
        page = (
            await furnished.api.get(
                page["next"], headers={"Authorization": f"Bearer {await furnished.key(Scope.ADMIN)}"}
            )
        ).json()
        found += page["items"]
    assert [each["id"] for each in found] == sorted((each["id"] for each in found), reverse=True)
    ready = [each for each in found if each["type"] == "shipment.label_ready"]
    assert [(each["shipment_id"], each["state"], each["tries"], each["status"]) for each in ready] == [
        (second, "waiting", 2, 503),
        (first, "delivered", 1, 200),
    ]
    assert ready[0]["why"] == "The receiver answered 503: down."
    assert ready[0]["next_try_at"] is not None
    assert ready[1]["next_try_at"] is None
    assert ready[0]["shipment_number"] == "SO-1002"
    assert ready[0]["event"].startswith("evt_")
    waiting = await deliveries(furnished, "?state=waiting")
    assert {each["state"] for each in waiting["items"]} == {"waiting"}
    assert (await deliveries(furnished, "?state=given_up"))["items"] == []


async def test_what_waits_behind_another_has_no_time_of_its_own(furnished: House) -> None:
    await put(furnished)
    await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, NO, NO, NO)
    found = (await deliveries(furnished))["items"]
    assert [each["type"] for each in found] == [
        "shipment.failed",
        "shipment.courier_changed",
        "shipment.courier_changed",
    ]
    assert [each["next_try_at"] is None for each in found] == [True, True, False]
    await disabled(furnished)
    assert {each["next_try_at"] for each in (await deliveries(furnished))["items"]} == {None}


@pytest.mark.parametrize("query", ["?limit=0", "?limit=201", "?after=x", "?state=lost", "?before=1"])
async def test_a_question_that_cannot_be_answered_is_refused(house: House, query: str) -> None:
    await put(house)
    assert (await house.call("GET", f"{PATH}/oms/deliveries{query}")).status_code == 400


async def test_one_event_is_told_once_more_under_its_name(furnished: House) -> None:
    await put(furnished, events=READY)
    await labelled(furnished)
    event = (await deliveries(furnished))["items"][0]["event"]
    assert await replayed(furnished, {"event": event}) == {"deliveries": 0}, "it is owed as it is"
    await came_of(furnished, "delivered", status=200)
    assert await replayed(furnished, {"event": event}) == {"deliveries": 1}
    assert await owed(furnished) == [("SO-1001", "label_ready")]
    both = (await deliveries(furnished))["items"]
    assert [(each["event"], each["state"]) for each in both] == [(event, "waiting"), (event, "delivered")]
    line = await furnished.tools.pool.fetchval("SELECT after::text FROM audit WHERE action = 'events replayed'")
    assert event in line


async def test_replays_at_once_are_one(furnished: House) -> None:
    await put(furnished, events=READY)
    await labelled(furnished)
    await came_of(furnished, "delivered", status=200)
    event = (await deliveries(furnished))["items"][0]["event"]
    made = await asyncio.gather(*(replayed(furnished, {"event": event}) for _ in range(8)))
    assert sum(each["deliveries"] for each in made) == 1
    assert await owed(furnished) == [("SO-1001", "label_ready")]


async def test_a_time_is_told_once_more_in_order(furnished: House) -> None:
    """Also to an endpoint that was not there when it happened."""
    began = await furnished.now()
    await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, NO, NO, NO)
    await labelled(furnished, "SO-1002")
    await put(furnished, events=["shipment.courier_changed", "shipment.failed", "shipment.label_ready"])
    assert await owed(furnished) == []
    assert furnished.at is not None
    whole = {"from": began.isoformat(), "until": (furnished.at + timedelta(minutes=1)).isoformat()}
    assert await replayed(furnished, whole) == {"deliveries": 4}
    assert await owed(furnished) == [
        ("SO-1001", "courier_changed"),
        ("SO-1001", "courier_changed"),
        ("SO-1001", "failed"),
        ("SO-1002", "label_ready"),
    ]
    assert await replayed(furnished, whole) == {"deliveries": 0}, "all of it is owed"
    await came_of(furnished, "delivered", status=200)
    last = await furnished.tools.pool.fetchval("SELECT max(at) FROM events")
    assert await replayed(furnished, {"from": began.isoformat(), "until": last.isoformat()}) == {"deliveries": 3}
    assert await replayed(furnished, {"from": last.isoformat(), "until": whole["until"]}) == {"deliveries": 1}


async def test_only_what_it_is_told_of_is_replayed(furnished: House) -> None:
    began = await furnished.now()
    assert (await furnished.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
    await labelled(furnished)
    await put(furnished, facilities=["PNQ-1"])
    await put(furnished, "other", events=["shipment.failed"])
    assert furnished.at is not None
    whole = {"from": began.isoformat(), "until": (furnished.at + timedelta(minutes=1)).isoformat()}
    assert await replayed(furnished, whole) == {"deliveries": 0}
    assert await replayed(furnished, whole, "other") == {"deliveries": 0}
    uid = await furnished.tools.pool.fetchval("SELECT uid FROM events WHERE kind = 'shipment.label_ready'")
    for code, why in (("oms", "a facility that oms is not told of"), ("other", "not told of shipment.label_ready")):
        answer = await furnished.call("POST", f"{PATH}/{code}/replays", {"event": f"evt_{uid.hex}"})
        assert answer.status_code == 409
        assert why in answer.json()["detail"]


async def test_what_cannot_be_replayed_is_said_with_the_remedy(furnished: House) -> None:
    await put(furnished)
    unknown = await furnished.call("POST", f"{PATH}/oms/replays", {"event": "evt_" + "0" * 32})
    assert unknown.status_code == 409
    assert "There is no event evt_000" in unknown.json()["detail"]
    empty = await furnished.call("POST", f"{PATH}/oms/replays", {})
    assert empty.status_code == 422
    await put(furnished, enabled=False)
    off = await furnished.call("POST", f"{PATH}/oms/replays", {"event": "evt_" + "0" * 32})
    assert off.json()["detail"] == "oms is switched off: enable it first, then replay."
    assert off.json()["type"] == "urn:bilty:problem:not_replayed"


async def test_a_time_with_too_many_events_is_refused_whole(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    await put(furnished)
    await furnished.tools.pool.execute(
        """INSERT INTO events (shipment_id, kind, at, content)
           SELECT $1, 'shipment.label_ready', '2026-01-01T00:00:00Z', '{}' FROM generate_series(1, $2::int)""",
        shipment_id,
        replays.REPLAYED_MAX + 1,
    )
    day = {"from": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
    answer = await furnished.call("POST", f"{PATH}/oms/replays", day)
    assert answer.status_code == 409
    assert "More than 1,00,000 events happened in that time" in answer.json()["detail"]
    assert "choose a shorter time" in answer.json()["detail"]
    assert await owed(furnished) == []
    await furnished.tools.pool.execute("DELETE FROM events WHERE id = (SELECT max(id) FROM events)")
    assert await replayed(furnished, day) == {"deliveries": replays.REPLAYED_MAX}


async def test_a_disabled_endpoint_takes_replays_for_later(furnished: House) -> None:
    await put(furnished)
    await labelled(furnished)
    await came_of(furnished, "delivered", status=200)
    await disabled(furnished)
    event = (await deliveries(furnished))["items"][0]["event"]
    assert await replayed(furnished, {"event": event}) == {"deliveries": 1}
    assert await owed(furnished) == [("SO-1001", "label_ready")]


@pytest.mark.parametrize(("rest", "table"), [("secret", "endpoints"), ("replays", "deliveries")])
async def test_what_is_not_to_be_done_twice_is_kept_with_its_answer(furnished: House, rest: str, table: str) -> None:
    """A process that dies behind it leaves both, or neither: one transaction wrote them."""
    await put(furnished, events=READY)
    await labelled(furnished)
    await came_of(furnished, "delivered", status=200)
    event = (await deliveries(furnished))["items"][0]["event"]
    document = {"event": event} if rest == "replays" else None
    answer = await furnished.call("POST", f"{PATH}/oms/{rest}", document, Idempotency_Key="once")
    writer = await furnished.tools.pool.fetchval(f"SELECT xmin::text FROM {table} ORDER BY id DESC LIMIT 1")
    assert writer == await furnished.tools.pool.fetchval("SELECT xmin::text FROM idempotency_keys")
    again = await furnished.call("POST", f"{PATH}/oms/{rest}", document, Idempotency_Key="once")
    assert (again.status_code, again.content) == (answer.status_code, answer.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == answer.headers["content-type"]
