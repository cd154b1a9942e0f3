"""One try at a receiver, on real sockets: what it is told, what is made of its answer, and what is kept from it."""

import asyncio
import base64
import gzip
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from aggregator.wires import (
    Habit,
    Wire,
    answering,
    close,
    drip,
    full_backlog,
    garbage,
    half,
    hang,
    nobody_listening,
    reset,
    serving,
)
from bilty.oms.sending import Sender, Sent
from bilty.outgoing.http import DELIVERY_ANSWER_BYTES_MAX, Http, Timeouts
from bilty.outgoing.outcome import NothingSent, Outcome, Received

PUBLIC = "93.184.215.14"
SECRET, OTHER = ("whsec_" + base64.b64encode(bytes([number]) * 24).decode() for number in (1, 2))
EVENT_ID = "evt_0123456789abcdef0123456789abcdef"
BODY = '{"type":"shipment.label_ready","data":{"shipment":{"number":"SO-1","city":"Bengalūru"}}}'.encode()
TOTAL_S = 0.5
QUICK = Timeouts(connect_s=0.1, read_s=5.0, total_s=6.0)
"""Of the client. The sender's own limit is much shorter, so that it is the one that is seen at work."""


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(QUICK) as quick:
        yield quick


@pytest.fixture
def sender(http: Http) -> Sender:
    return Sender(http, allow_private=True, total_s=TOTAL_S)


async def send(sender: Sender, url: str, *secrets: str, at: datetime | None = None) -> Sent:
    return await sender.send(url, secrets or (SECRET,), EVENT_ID, at or datetime.now(UTC), BODY)


async def sent_to(sender: Sender, habit: Habit, path: str = "/events") -> Sent:
    async with serving(habit) as wire:
        sent = await send(sender, wire.url + path)
        assert len(wire.heads) == 1, "it was sent, and once"
        return sent


def headers_of(wire: Wire) -> dict[str, str]:
    lines = wire.heads[-1].rstrip().splitlines()[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


class Reading:
    """A receiver that reads the whole body, too."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.bodies.append(await reader.readexactly(len(BODY)))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()


# What the receiver gets


async def test_it_gets_the_very_bytes_with_headers_that_verify(sender: Sender) -> None:
    reading = Reading()
    async with serving(reading) as wire:
        sent = await send(sender, f"{wire.url}/in?tenant=4711")
    assert (sent.status, sent.received, sent.gone, sent.why, sent.retry_after_s) == (204, True, False, "", None)
    assert wire.heads[0].startswith("POST /in?tenant=4711 HTTP/1.1\r\n")
    headers = headers_of(wire)
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "bilty"
    assert headers["webhook-id"] == EVENT_ID
    assert reading.bodies == [BODY]
    assert Webhook(SECRET).verify(reading.bodies[0], headers)["type"] == "shipment.label_ready"
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(reading.bodies[0], headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(reading.bodies[0].replace(b"SO-1", b"SO-2"), headers)


async def test_an_old_secret_and_a_new_one_both_verify(sender: Sender) -> None:
    reading = Reading()
    async with serving(reading) as wire:
        await send(sender, wire.url, SECRET, OTHER)
    headers = headers_of(wire)
    assert [each.partition(",")[0] for each in headers["webhook-signature"].split(" ")] == ["v1", "v1"]
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(BODY, headers)


async def test_the_moment_is_the_same_in_any_time_zone(sender: Sender) -> None:
    reading, moment = Reading(), datetime.now(timezone(timedelta(hours=5, minutes=30)))
    async with serving(reading) as wire:
        await send(sender, wire.url, at=moment)
    assert headers_of(wire)["webhook-timestamp"] == str(int(moment.timestamp()))
    Webhook(SECRET).verify(BODY, headers_of(wire))


# What is made of the answer


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "299 Fine"])
async def test_any_2xx_is_received(sender: Sender, status: str) -> None:
    sent = await sent_to(sender, answering(b"anything", status))
    assert sent.received
    assert sent.why == ""


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_told_and_not_followed(sender: Sender, status: str) -> None:
    async with serving(answering()) as elsewhere:
        sent = await sent_to(sender, answering(b"", status, more=f"location: {elsewhere.url}/\r\n"))
        assert not elsewhere.heads
    assert not sent.received
    assert sent.why == (
        f"The receiver answered {status[:3]}, a redirect, which is not followed: "
        "give the endpoint the address that it leads to."
    )


async def test_304_is_no_reception(sender: Sender) -> None:
    sent = await sent_to(sender, answering(b"", "304 Not Modified"))
    assert (sent.status, sent.received) == (304, False)


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        ("400 Bad Request", b'{"error":"no such tenant"}', 'answered 400: {"error":"no such tenant"}.'),
        ("404 Not Found", b"", "answered 404."),
        ("401 Unauthorized", b"Signature is wrong.", "answered 401: Signature is wrong."),
        ("500 Oops", b"<html><style>p{}</style><h1>Oops</h1>\r\n<p>at\tline 3\0", "answered 500: Oops at line 3."),
        ("503 Busy", b"\xff\xfe", "answered 503: \ufffd\ufffd."),
    ],
)
async def test_a_refusal_is_told_in_the_receivers_own_words(sender: Sender, status: str, body: bytes, why: str) -> None:
    sent = await sent_to(sender, answering(body, status))
    assert (sent.status, sent.received, sent.gone) == (int(status[:3]), False, False)
    assert sent.why == f"The receiver {why}"


async def test_410_is_told_apart(sender: Sender) -> None:
    sent = await sent_to(sender, answering(b"", "410 Gone"))
    assert sent.gone
    assert not sent.received
    assert sent.why == "The receiver answered 410: it wants no more events."


async def test_retry_after_in_seconds_or_as_a_date(sender: Sender) -> None:
    moment = datetime.now(UTC).replace(microsecond=0)
    for told, expected in [
        ("7", 7.0),
        (format_datetime(moment + timedelta(seconds=90), usegmt=True), 90.0),
        ("999999", 3600.0),
        ("-5", None),
        ("soon", None),
    ]:
        async with serving(answering(b"", "503 Busy", more=f"retry-after: {told}\r\n")) as wire:
            sent = await send(sender, wire.url, at=moment)
        assert sent.retry_after_s == expected, told


@pytest.mark.parametrize("status", ["200 OK", "500 Oops"])
async def test_a_giant_answer_is_cut_and_its_status_counts(sender: Sender, status: str) -> None:
    giant = b"0" * 50_000_000
    for body, more in [(giant, ""), (gzip.compress(giant), "content-encoding: gzip\r\n")]:
        sent = await sent_to(sender, answering(body, status, more=more))
        assert sent.status == int(status[:3])
        assert len(sent.why) < 400


async def test_of_a_giant_answer_little_is_kept(http: Http) -> None:
    async with serving(answering(b"0" * 50_000_000)) as wire:
        outcome = await http.deliver(wire.url, {}, BODY, allow_private_addresses=True, total_s=TOTAL_S)
    assert isinstance(outcome, Received)
    assert len(outcome.body) == DELIVERY_ANSWER_BYTES_MAX


@pytest.mark.parametrize("habit", [reset, close, half, garbage], ids=lambda habit: habit.__name__)
async def test_no_whole_answer_is_no_reception(sender: Sender, habit: Habit) -> None:
    sent = await sent_to(sender, habit)
    assert (sent.status, sent.received, sent.retry_after_s) == (None, False, None)
    assert sent.why.startswith("It was sent, and no whole answer came: ")


@pytest.mark.parametrize("habit", [hang, drip], ids=lambda habit: habit.__name__)
async def test_who_takes_too_long_has_not_received(sender: Sender, habit: Habit) -> None:
    """One that drips 200 and a byte now and then, too: its answer never is whole."""
    async with asyncio.timeout(TOTAL_S * 6):
        sent = await sent_to(sender, habit)
    assert (sent.status, sent.received) == (None, False)
    assert sent.why == "It was sent, and no whole answer came: it took more than 0.5 s."
    assert sent.duration_ms >= TOTAL_S * 1000


async def test_where_nobody_listens_nothing_was_sent(sender: Sender) -> None:
    with nobody_listening() as url:
        refused = await send(sender, url)
    with full_backlog() as url:
        unconnected = await send(sender, url)
    unknown = await send(sender, "https://nobody.invalid/")
    for sent in (refused, unconnected, unknown):
        assert sent.status is None
        assert sent.why.startswith("Nothing was sent: ")


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://h/x", "http://", "http://[nonsense", "https://u:p4ssw0rd@h/", "http://h:99999/"]
)
@pytest.mark.parametrize("allow", [True, False])
async def test_an_address_that_is_none_is_told_and_not_quoted(http: Http, url: str, allow: bool) -> None:
    sent = await send(Sender(http, allow, TOTAL_S), url)
    assert sent.why.startswith("Nothing was sent: the endpoint's address ")
    assert "p4ssw0rd" not in repr(sent)


# What must not leave


@pytest.mark.parametrize("habit", [hang, reset, half, garbage], ids=lambda habit: habit.__name__)
async def test_no_trouble_tells_what_opens_the_receivers_door(sender: Sender, habit: Habit) -> None:
    sent = await sent_to(sender, habit, "/hooks/T0KEN-T0KEN-T0KEN?token=0pen%20sesame")
    assert "T0KEN" not in sent.why
    assert "sesame" not in sent.why
    assert SECRET not in sent.why


@pytest.mark.parametrize(
    "echo",
    [
        "Cannot POST /hooks/T0KEN-T0KEN-T0KEN?token=0pen%20sesame",
        "token 0pen sesame is not known",
        "https://in.example/hooks/T0KEN-T0KEN-T0KEN?token=0pen%20sesame was not found",
        '{"path":"\\/hooks\\/T0KEN-T0KEN-T0KEN"}',
        "cannot read https://bilty.example/labels/T0KENbc-_9 from your event",
    ],
)
async def test_an_error_page_that_quotes_the_call_is_kept_without_secrets(sender: Sender, echo: str) -> None:
    sent = await sent_to(sender, answering(echo.encode(), "404 No"), "/hooks/T0KEN-T0KEN-T0KEN?token=0pen%20sesame")
    assert "T0KEN" not in sent.why
    assert "sesame" not in sent.why
    assert "[hidden]" in sent.why


# Where it may go


async def test_without_leave_only_https_is_called(http: Http) -> None:
    async with serving(answering()) as wire:
        sent = await send(Sender(http, allow_private=False), wire.url)
        assert not wire.heads
    assert sent == Sent(None, "Nothing was sent: the endpoint's address does not begin with https://.", None, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "[::ffff:127.0.0.1]"])
async def test_a_private_address_is_refused(http: Http, host: str) -> None:
    async with serving(answering()) as wire:
        sent = await send(Sender(http, allow_private=False), f"https://{host}:{wire.port}/")
        assert not wire.heads
    assert "is a private address, which BILTY_ALLOW_PRIVATE_ADDRESSES does not allow" in sent.why


async def deliver(http: Http, url: str) -> Outcome:
    return await http.deliver(url, {}, BODY, allow_private_addresses=False, total_s=TOTAL_S)


async def test_a_name_that_is_public_when_checked_and_private_after_stays_where_it_was() -> None:
    """The name service turns after the first answer; only the address that was checked is ever called."""
    asked: list[str] = []

    async def look_up(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    def may_reach(address: str) -> bool:
        return address == "127.0.0.1"  # plays the public one

    async with Http(QUICK, look_up=look_up, may_reach=may_reach) as http:
        async with serving(answering()) as wire:
            url = f"http://orders.invalid:{wire.port}/"
            for _ in range(2):
                assert isinstance(await deliver(http, url), Received)
            assert asked == ["orders.invalid"]
            assert len(wire.heads) == 2
        assert isinstance(await deliver(http, url), NothingSent), "it is gone"
        refused = await deliver(http, url)
    assert asked == ["orders.invalid"] * 2
    assert isinstance(refused, NothingSent)
    assert refused.why == "orders.invalid is a private address, which BILTY_ALLOW_PRIVATE_ADDRESSES does not allow"


async def test_one_look_up_at_a_time_for_a_name_and_none_waits_for_another() -> None:
    asked: list[str] = []

    async def look_up(host: str, _: int) -> list[str]:
        asked.append(host)
        if host == "hangs.invalid":
            await asyncio.Event().wait()
        return ["127.0.0.1"]

    async with serving(answering()) as wire, Http(QUICK, look_up=look_up, may_reach=lambda _: True) as http:
        hanging = [asyncio.create_task(deliver(http, "http://hangs.invalid/")) for _ in range(8)]
        outcomes = await asyncio.gather(*(deliver(http, f"http://right.invalid:{wire.port}/") for _ in range(8)))
        assert all(isinstance(outcome, Received) for outcome in outcomes)
        hanging[0].cancel()
        others = await asyncio.gather(*hanging[1:])
        assert {type(outcome) for outcome in others} == {NothingSent}, "one who gives up takes nothing from the others"
    assert sorted(asked) == ["hangs.invalid", "right.invalid"]


async def test_looking_up_waits_for_no_other_work_of_the_process() -> None:
    """Names are looked up by threads of their own, so that neither side can take them all from the other."""
    over = threading.Event()
    busy = [asyncio.create_task(asyncio.to_thread(over.wait, 30)) for _ in range(64)]
    try:
        async with serving(answering()) as wire, Http(QUICK, may_reach=lambda _: True) as http:
            async with asyncio.timeout(10):
                assert isinstance(await deliver(http, f"http://localhost:{wire.port}/"), Received)
    finally:
        over.set()
        await asyncio.gather(*busy)


async def test_looking_up_counts_among_the_seconds_of_a_try() -> None:
    async def slow(_: str, __: int) -> list[str]:
        told: asyncio.Future[list[str]] = asyncio.Future()
        asyncio.get_running_loop().call_later(TOTAL_S * 0.6, told.set_result, ["127.0.0.1"])
        return await told

    async with (
        serving(hang) as wire,
        Http(Timeouts(connect_s=1, read_s=5, total_s=6), look_up=slow, may_reach=lambda _: True) as http,
    ):
        began = asyncio.get_running_loop().time()
        await deliver(http, f"http://slow.invalid:{wire.port}/")
        took_s = asyncio.get_running_loop().time() - began
    assert TOTAL_S * 0.9 < took_s < TOTAL_S * 1.5
