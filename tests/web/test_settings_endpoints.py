"""Settings, Hand-off endpoints: set up, tried out, looked at, told once more, enabled again, removed."""

import re
from datetime import timedelta

import pytest

from bilty.aggregator.scripted import Scripted
from bilty.jobs import Tools, work
from bilty.oms.sending import Sent
from bilty.store.access import Role
from bilty.store.hand_off.endpoints import ENDPOINTS_MAX
from bilty.store.hand_off.replays import REPLAYED_MAX
from bilty.words import INDIA, grouped
from jobs.desk import never
from jobs.receiver import Receiver
from web.endpoints import ALL, URL, came_of, disabled, labelled, put, signs
from web.house import FACILITY, House

PLACE = "/settings/hand-off-endpoints"
FORM: dict[str, str | list[str]] = {
    "code": "oms",
    "url": URL,
    "events": ["shipment.label_ready", "shipment.failed"],
    "works_for": "all",
    "enabled": "yes",
}
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{32}")
CALM = "Nothing waits for you: whatever is under way goes on by itself."


@pytest.fixture
async def desk(furnished: House) -> House:
    """An admin of all facilities is signed in."""
    await furnished.sign_in("boss@example.com", role=Role.ADMIN)
    return furnished


def words(page: str) -> str:
    """What a person reads, without marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def tally(page: str) -> str:
    found = re.search(r'<b class="tally">(.*?)</b>', page)
    return found[1] if found else ""


async def test_with_none_it_says_what_one_is_for(desk: House) -> None:
    page = await desk.page(PLACE)
    assert "where your order system is told of each label, failure and cancellation" in page
    assert "Add endpoint" in page
    form = await desk.page(f"{PLACE}/new")
    assert form.count('name="events"') == len(ALL)
    assert form.count("checked") == len(ALL) + 2, "all events, all facilities, enabled"


async def test_one_is_added_and_its_secret_shown_this_once(desk: House) -> None:
    answer = await desk.send(f"{PLACE}/new", FORM)
    assert answer.status_code == 201
    shown = set(SECRET.findall(answer.text))
    assert shown == set(await signs(desk))
    assert "shown only this once" in answer.text
    for path in (PLACE, f"{PLACE}/oms", f"{PLACE}/oms/deliveries", "/settings/audit"):
        assert "whsec_" not in await desk.page(path)
    listed = words(await desk.page(PLACE))
    assert "oms oms.example.com ● Well Label ready, failed All 0" in listed
    assert "Hand-off endpoint added" in await desk.page("/settings/audit")


async def test_what_is_wrong_is_said_under_the_labels_of_the_form(desk: House) -> None:
    given = {"code": "a b", "url": "http://10.0.0.1", "works_for": "some"}
    answer = await desk.send(f"{PLACE}/new", given)
    assert answer.status_code == 422
    told = words(answer.text)
    assert "4 things to put right:" in told
    assert "Code is &#34;a b&#34;: give 1 to 40 letters" in told
    assert "Address is &#34;http://10.0.0.1&#34;: begin it with https://" in told
    assert "No event is chosen: tick at least one." in told
    assert "No facility is chosen: tick those it is told of, or choose all." in told
    assert 'value="http://10.0.0.1"' in answer.text
    assert await desk.tools.pool.fetchval("SELECT count(*) FROM endpoints") == 0


async def test_a_code_is_one_endpoint_s(desk: House) -> None:
    await put(desk)
    answer = await desk.send(f"{PLACE}/new", {**FORM, "url": "https://other.example.com/"})
    assert answer.status_code == 422
    assert "Code is &#34;oms&#34;, which another endpoint has" in answer.text
    assert await desk.tools.pool.fetchval("SELECT url FROM endpoints") == URL


async def test_of_too_many_the_last_is_refused_with_the_remedy(desk: House) -> None:
    await desk.tools.pool.execute(
        """INSERT INTO endpoints (code, url, events, sealed_secret)
           SELECT 'e' || n, $1, $2, '' FROM generate_series(1, $3::int) AS n""",
        URL,
        ALL,
        ENDPOINTS_MAX,
    )
    answer = await desk.send(f"{PLACE}/new", FORM)
    assert answer.status_code == 422
    assert "There are 1,000 hand-off endpoints, which is the most: remove one first." in answer.text


async def test_a_facility_that_went_is_said(desk: House) -> None:
    answer = await desk.send(f"{PLACE}/new", {**FORM, "works_for": "some", "facility": ["BLR-1", "GONE-1"]})
    assert answer.status_code == 422
    assert "Facilities has GONE-1, which is no facility here" in answer.text
    assert (await desk.send(f"{PLACE}/new", {**FORM, "works_for": "some", "facility": ["BLR-1"]})).status_code == 201
    page = await desk.page(f"{PLACE}/oms")
    assert re.search(r'value="BLR-1" checked', page)


async def test_it_is_changed_switched_off_and_on(desk: House) -> None:
    await put(desk)
    secret = await signs(desk)
    changed = {**FORM, "url": "https://oms.example.com/new"}
    assert "oms is saved." in await desk.told(await desk.send(f"{PLACE}/oms", changed))
    assert await signs(desk) == secret
    off = {name: value for name, value in changed.items() if name != "enabled"}
    page = await desk.told(await desk.send(f"{PLACE}/oms", off))
    assert "oms is switched off: it is told nothing from now on." in page
    assert "Switched off" in await desk.page(PLACE)
    assert "Enable again" in page
    page = await desk.told(await desk.send(f"{PLACE}/oms/enable"))
    assert "oms is enabled: what it is owed goes out now." in page
    assert "Well" in words(page)
    refused = await desk.send(f"{PLACE}/oms", {**FORM, "url": ""})
    assert refused.status_code == 422
    assert "Address is missing" in refused.text


async def test_whoever_saves_over_another_knows_it(desk: House) -> None:
    await put(desk)
    page = await desk.page(f"{PLACE}/oms")
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen is not None
    await put(desk, url="https://oms.example.com/other")
    told = await desk.told(await desk.send(f"{PLACE}/oms", {**FORM, "seen": seen[1]}))
    assert "admin key had changed it at" in told


async def test_the_secret_is_exchanged_and_the_old_one_signs_on(desk: House) -> None:
    first = (await put(desk))["secret"]
    answer = await desk.send(f"{PLACE}/oms/secret")
    assert answer.status_code == 201
    shown = set(SECRET.findall(answer.text))
    assert first not in shown
    assert await signs(desk) == (*shown, first)
    assert "The secret before signs beside it until" in answer.text
    assert "It was exchanged; the one before signs, too, until" in await desk.page(f"{PLACE}/oms")


async def sample(house: House, receiver: Receiver) -> tuple[str, str]:
    """Send a test event, as the page shows it before and after the job."""
    answer = await house.send(f"{PLACE}/oms/test")
    assert answer.status_code == 303
    where = answer.headers["location"].partition("#")[0]
    before = await house.page(where)
    tools = house.tools
    given = Tools(tools.pool, tools.vault, tools.labels, lambda _: Scripted(), tools.settings.rules, receiver)
    await work(given, int(where.rpartition("=")[2]), never)
    return before, await house.page(where)


async def test_a_test_event_shows_what_the_receiver_answered(desk: House) -> None:
    await put(desk)
    receiver = Receiver()
    before, after = await sample(desk, receiver)
    assert "Telling the order system" in before
    assert "data-pending" in before
    assert "● The receiver answered 200 in 12 ms." in words(after)
    assert [(each.url, each.secrets) for each in receiver.told] == [(URL, await signs(desk))]
    receiver.answer = Sent(401, "The receiver answered 401: who are you?.", None, 40)
    _, after = await sample(desk, receiver)
    assert "✕ The receiver answered 401: who are you?. It took 40 ms." in words(after)
    assert await desk.tools.pool.fetchval("SELECT count(*) FROM deliveries") == 0


async def test_a_test_event_of_another_endpoint_is_not_shown(desk: House) -> None:
    await put(desk)
    await put(desk, "other")
    await sample(desk, Receiver())
    assert "The receiver answered" not in await desk.page(f"{PLACE}/other?test=1")
    assert "The receiver answered" in await desk.page(f"{PLACE}/oms?test=1")


async def test_how_it_fails_is_said_with_the_last_answer_and_what_is_owed(desk: House) -> None:
    await put(desk, events=["shipment.label_ready"])
    await labelled(desk)
    await came_of(desk, "waiting", status=500, why="The receiver answered 500: no space left.", tries=3)
    await desk.tools.pool.execute("UPDATE endpoints SET failing_since = now()")
    for path in (PLACE, f"{PLACE}/oms"):
        page = words(await desk.page(path))
        assert "✕ Failing since" in page
        assert "The receiver answered 500: no space left." in page
    assert "after 3 days without success it disables the endpoint." in words(await desk.page(f"{PLACE}/oms"))
    assert "1 oldest" in words(await desk.page(PLACE))
    log = words(await desk.page(f"{PLACE}/oms/deliveries"))
    assert "▲ The receiver answered 500: no space left. Tried 3 times; next at" in log
    assert "Replay Label ready" not in log


async def test_a_person_has_what_waits_tried_now(desk: House) -> None:
    await put(desk, events=["shipment.label_ready"])
    await labelled(desk)
    await came_of(desk, "waiting", status=500, why="The receiver answered 500.", tries=3)
    assert "Try now" not in await desk.page(f"{PLACE}/oms")
    page = await desk.told(await desk.send(f"{PLACE}/oms/try-now"))
    assert "oms: it does not fail, so nothing waits for a next try." in page
    await desk.tools.pool.execute("UPDATE endpoints SET failing_since = now()")
    assert f'action="{PLACE}/oms/try-now"' in await desk.page(f"{PLACE}/oms")
    page = await desk.told(await desk.send(f"{PLACE}/oms/try-now"))
    assert "oms: what waits for its next try goes out now." in page
    assert await desk.tools.pool.fetchval("SELECT due_at <= now() FROM lanes")
    assert "Hand-off endpoint tried again" in await desk.page("/settings/audit")
    page = await desk.told(await desk.send(f"{PLACE}/oms", {**FORM, "url": "https://new.example.com/"}))
    assert "oms is saved: what waits for its next try goes out now, to the new address." in page


async def test_what_bilty_disabled_needs_attention_of_who_can_enable_it(desk: House) -> None:
    await put(desk, events=["shipment.label_ready"])
    await labelled(desk)
    assert CALM in await desk.page("/attention")
    await disabled(desk)
    page = await desk.page("/attention")
    assert tally(page) == "1"
    assert "Bilty disabled the hand-off endpoint oms at" in page
    assert "nothing was received for 3 days. What happens is kept for it" in page
    assert f'href="{PLACE}/oms"' in page
    assert f'action="{PLACE}/oms/enable"' in page
    one = words(await desk.page(f"{PLACE}/oms"))
    assert "1 owed" in one
    assert "Saving enables it again." in one
    assert "▲ Disabled since" in words(await desk.page(PLACE))
    assert "it goes out when the endpoint is enabled again" in await desk.page(f"{PLACE}/oms/deliveries")
    back = await desk.send(f"{PLACE}/oms/enable", {"back": "/attention"})
    assert back.headers["location"] == "/attention"
    page = await desk.told(back)
    assert "oms is enabled" in page
    assert CALM in page
    assert tally(page) == ""


@pytest.mark.parametrize(
    ("role", "facilities"), [(Role.DISPATCHER, None), (Role.VIEWER, None), (Role.ADMIN, ["BLR-1"])]
)
async def test_whoever_cannot_enable_it_is_not_asked_to(desk: House, role: Role, facilities: list[str] | None) -> None:
    await put(desk)
    await disabled(desk)
    await desk.sign_in("other@example.com", role=role, facilities=facilities)
    page = await desk.page("/attention")
    assert CALM in page
    assert tally(page) == ""
    assert PLACE not in await desk.page("/settings/shipping-providers")


async def test_one_that_a_person_switched_off_waits_for_nobody(desk: House) -> None:
    await put(desk, enabled=False)
    await disabled(desk)
    assert CALM in await desk.page("/attention")


async def test_the_log_is_told_by_the_page_and_by_its_state(desk: House) -> None:
    await put(desk, events=["shipment.label_ready"])
    assert "It was told nothing yet." in await desk.page(f"{PLACE}/oms/deliveries")
    await labelled(desk)
    await came_of(desk, "delivered", status=200, tries=2)
    await labelled(desk, "SO-1002", "AWB78")
    await came_of(desk, "given_up", status=404, why="The receiver answered 404.", tries=80)
    page = words(await desk.page(f"{PLACE}/oms/deliveries"))
    assert page.index("SO-1002") < page.index("SO-1001")
    assert f"{grouped(REPLAYED_MAX)} events at most." in page
    assert "Asia/Kolkata" not in page
    assert re.search(r"● Received at [0-9:]+, at try 2\.", page)
    assert re.search(r"✕ The receiver answered 404\. Given up at [0-9:]+ after 80 tries\.", page)
    only = words(await desk.page(f"{PLACE}/oms/deliveries?state=given_up"))
    assert "SO-1002" in only
    assert "SO-1001" not in only
    assert "Nothing of that kind." in await desk.page(f"{PLACE}/oms/deliveries?state=waiting")
    await desk.page(f"{PLACE}/oms/deliveries?state=lost", 400)


async def test_sixty_a_page(desk: House) -> None:
    await put(desk, events=["shipment.label_ready"])
    await labelled(desk)
    await desk.tools.pool.execute(
        """INSERT INTO deliveries (endpoint_id, shipment_id, event_id, state)
           SELECT endpoint_id, shipment_id, event_id, 'delivered' FROM deliveries, generate_series(1, 64)"""
    )
    page = await desk.page(f"{PLACE}/oms/deliveries")
    assert page.count('<th scope="row">') == 60
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    rest = await desk.page(older[1].replace("&amp;", "&"))
    assert rest.count('<th scope="row">') == 5
    assert "Newest" in rest
    assert 'rel="next"' not in rest


async def test_one_event_is_replayed_by_its_button(desk: House) -> None:
    await put(desk, events=["shipment.label_ready"])
    await labelled(desk)
    await came_of(desk, "delivered", status=200)
    page = await desk.page(f"{PLACE}/oms/deliveries")
    event = re.search(r'name="event" value="(evt_[0-9a-f]{32})"', page)
    assert event is not None
    answer = await desk.send(f"{PLACE}/oms/replays", {"event": event[1]})
    assert "1 event goes out to oms once more." in await desk.told(answer)
    again = await desk.send(f"{PLACE}/oms/replays", {"event": event[1]})
    assert "That event is owed to oms as it is." in await desk.told(again)
    wrong = await desk.send(f"{PLACE}/oms/replays", {"event": "evt_1"})
    assert wrong.status_code == 422
    assert "give an event&#39;s id, as in evt_ and 32 digits or letters a to f." in wrong.text
    unknown = await desk.send(f"{PLACE}/oms/replays", {"event": "evt_" + "0" * 32})
    assert "There is no event evt_000" in await desk.told(unknown)


async def test_a_time_is_replayed_by_india_s_clock(desk: House) -> None:
    await labelled(desk)
    await put(desk, events=["shipment.label_ready"])
    at = await desk.tools.pool.fetchval("SELECT max(at) FROM events")
    local = at.astimezone(INDIA)
    span = {"from": f"{local:%Y-%m-%dT%H:%M}", "until": f"{local + timedelta(minutes=1):%Y-%m-%dT%H:%M}"}
    assert "1 event goes out to oms once more." in await desk.told(await desk.send(f"{PLACE}/oms/replays", span))
    none = {"from": "2026-01-01T00:00", "until": "2026-01-02T00:00"}
    nothing = "Nothing happened then that oms is told of, or all of it is owed to it as it is."
    assert nothing in words(await desk.told(await desk.send(f"{PLACE}/oms/replays", none)))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "From is no time: give a day and a time of India&#39;s clock."),
        ({"from": "2026-11-23T10:00", "until": "then"}, "Until is no time"),
        ({"from": "2026-11-23T10:00", "until": "2026-11-23T10:00"}, "Until is not after From: give a later time."),
        ({"from": "0001-01-01T00:00", "until": "9999-12-31T23:59"}, "From is no time"),
    ],
)
async def test_a_time_that_is_none_is_said(desk: House, given: dict[str, str], told: str) -> None:
    await put(desk)
    answer = await desk.send(f"{PLACE}/oms/replays", given)
    assert answer.status_code == 422
    assert told in answer.text


async def test_it_is_removed(desk: House) -> None:
    await put(desk)
    page = await desk.told(await desk.send(f"{PLACE}/oms/remove"))
    assert "oms is removed: it is told nothing any more." in page
    assert "None is set up yet." in page
    for rest in ("", "/deliveries"):
        await desk.page(f"{PLACE}/oms{rest}", 404)
    for act in ("", "/test", "/secret", "/enable", "/remove"):
        assert (await desk.send(f"{PLACE}/oms{act}", FORM)).status_code == 404


async def test_a_shipment_s_page_says_what_its_order_system_was_told(desk: House) -> None:
    quiet = await labelled(desk, "SO-1000", "AWB70")
    assert "Order system" not in await desk.page(f"/shipments/{quiet}")
    await desk.call("PUT", "/facilities/DXB-1", {**FACILITY, "time_zone": "Asia/Dubai"})
    await put(desk, events=["shipment.label_ready"])
    await put(desk, "erp", events=["shipment.label_ready"])
    shipment_id = await labelled(desk, "SO-1001", "AWB71", facility="DXB-1")
    await came_of(desk, "waiting", status=503, why="The receiver answered 503: later.", tries=2)
    await desk.tools.pool.execute(
        """UPDATE deliveries SET state = 'delivered', status = 200, tries = 1
            WHERE endpoint_id = (SELECT id FROM endpoints WHERE code = 'erp')"""
    )
    page = await desk.page(f"/shipments/{shipment_id}")
    told = words(page[page.index('data-part="told"') :])
    assert "● Label ready to erp . Received at" in told
    assert "▲ Label ready to oms . The receiver answered 503: later. Tried twice; next at" in told
    at = await desk.tools.pool.fetchval("SELECT max(at) FROM events")
    assert f"{at + timedelta(hours=4):%H:%M:%S}" in told
    await desk.sign_in("asha@example.com")
    seen = await desk.page(f"/shipments/{shipment_id}")
    assert "Label ready" in seen
    assert PLACE not in seen
