"""The traps of the HTTP client, each on a real socket."""

import asyncio
import gzip
import logging
import threading
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote

import pytest

from aggregator.samples import KEY
from aggregator.wires import (
    Habit,
    answering,
    close,
    drip,
    full_backlog,
    garbage,
    half,
    hang,
    hanging_up_after,
    nobody_listening,
    reset,
    serving,
)
from bilty.outgoing.addresses import is_public
from bilty.outgoing.http import Http, Timeouts
from bilty.outgoing.outcome import NothingSent, Outcome, Received, Silence
from bilty.outgoing.pins import PINS_MAX, Pins
from bilty.outgoing.redaction import HIDDEN, hide, hide_in_bytes, hide_queries

QUICK = Timeouts(connect_s=0.1, read_s=0.3, total_s=0.6)
LIMIT_BYTES = 100_000
PUBLIC = "93.184.215.14"


def anywhere(_: str) -> bool:
    return True


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(QUICK, answer_bytes_max=LIMIT_BYTES, label_bytes_max=LIMIT_BYTES) as quick:
        yield quick


async def call(http: Http, url: str, key: str = KEY) -> Outcome:
    return await http.call("POST", f"{url}/api/x/", (("a", "b c"),), b"{}", username="acme", key=key)


async def heard_from(http: Http, habit: Habit) -> Outcome:
    async with serving(habit) as wire:
        outcome = await call(http, wire.url)
        assert len(wire.heads) == 1, "it was sent, and once"
        return outcome


async def test_an_answer_comes_whole(http: Http) -> None:
    async with serving(answering(b'{"meta":{}}', more="retry-after: 7\r\n")) as wire:
        outcome = await call(http, wire.url)
        assert isinstance(outcome, Received)
        assert (outcome.status, outcome.content_type, outcome.body) == (200, "application/json", b'{"meta":{}}')
        assert outcome.retry_after == "7"
        assert wire.heads[0].startswith(f"POST /api/x/?username=acme&key={KEY}&a=b+c HTTP/1.1\r\n")
        assert "cookie" not in wire.heads[0].lower()


async def test_a_refused_connection_sent_nothing(http: Http) -> None:
    with nobody_listening() as url:
        assert isinstance(await call(http, url), NothingSent)


async def test_a_connection_that_never_comes_about_sent_nothing(http: Http) -> None:
    with full_backlog() as url:
        assert isinstance(await call(http, url), NothingSent)


def test_connecting_must_time_out_first() -> None:
    with pytest.raises(ValueError, match="before reading"):
        Timeouts(connect_s=5, read_s=5)


async def test_an_unknown_host_sent_nothing(http: Http) -> None:
    assert isinstance(await call(http, "http://nobody.invalid"), NothingSent)


async def test_a_malformed_address_sent_nothing(http: Http) -> None:
    assert isinstance(await call(http, "http://[nonsense"), NothingSent)


async def test_tls_that_does_not_come_about_sent_nothing(http: Http) -> None:
    async with serving(garbage) as wire:
        outcome = await call(http, wire.url.replace("http:", "https:"))
        assert isinstance(outcome, NothingSent)
        assert not wire.heads


@pytest.mark.parametrize("habit", [hang, reset, close, half, garbage], ids=lambda habit: habit.__name__)
async def test_sent_and_not_answered_whole_is_silence(http: Http, habit: Habit) -> None:
    assert isinstance(await heard_from(http, habit), Silence)


async def test_a_kept_connection_that_dies_under_a_request_is_silence_not_nothing_sent(http: Http) -> None:
    """The bytes left; whether anybody read them nobody knows."""
    async with serving(hanging_up_after(2)) as wire:
        for _ in range(2):
            assert isinstance(await call(http, wire.url), Received)
        assert isinstance(await call(http, wire.url), Silence)
        assert len(wire.heads) == 1, "one connection all along"


async def test_a_drip_ends_at_the_total_deadline() -> None:
    async with Http(replace(QUICK, read_s=5.0)) as http, asyncio.timeout(3):
        assert isinstance(await heard_from(http, drip), Silence)


async def test_a_redirect_is_told_and_not_followed(http: Http) -> None:
    async with serving(answering()) as elsewhere:
        outcome = await heard_from(http, answering(b"", "302 Found", more=f"location: {elsewhere.url}/\r\n"))
        assert isinstance(outcome, Received)
        assert outcome.status == 302
        assert not elsewhere.heads


PLAIN = b"0" * 50_000_000


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (gzip.compress(PLAIN), "content-encoding: gzip\r\n"),
        (zlib.compress(PLAIN), "content-encoding: deflate\r\n"),
        (PLAIN, ""),
    ],
    ids=["gzip", "deflate", "plain"],
)
async def test_an_answer_is_measured_unpacked(http: Http, body: bytes, more: str) -> None:
    outcome = await heard_from(http, answering(body, more=more))
    assert isinstance(outcome, Silence)
    assert outcome.why == f"an answer of more than {LIMIT_BYTES} bytes"


async def test_an_early_hint_is_not_the_answer(http: Http) -> None:
    async def processing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        await writer.drain()

    outcome = await heard_from(http, processing)
    assert isinstance(outcome, Received)
    assert (outcome.status, outcome.body) == (200, b"hi")


async def test_cookies_are_not_kept(http: Http) -> None:
    async with serving(answering(more="set-cookie: a=b\r\n")) as wire:
        await call(http, wire.url)
        await call(http, wire.url)
        assert not any("cookie" in head.lower() for head in wire.heads)


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody_listening() as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("ALL_PROXY", proxy)
        async with Http(QUICK) as http:
            assert isinstance(await heard_from(http, answering()), Received)


@pytest.mark.parametrize("key", [KEY, 'se/cret "key"+ä&1', "percent%41key"])
@pytest.mark.parametrize("habit", [hang, reset, close, half, garbage], ids=lambda habit: habit.__name__)
async def test_no_trouble_tells_the_key(http: Http, habit: Habit, key: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(habit) as wire:
        told = repr(await call(http, wire.url, key))
    with nobody_listening() as url:
        told += repr(await call(http, url, key))
    assert key not in told + caplog.text
    assert quote(key, safe="") not in told + caplog.text
    assert "username" not in told + caplog.text


ODD_KEY = 'se/cret "key"+ä&1'


@pytest.mark.parametrize(
    "echo",
    [
        ODD_KEY,
        quote(ODD_KEY, safe=""),
        quote(ODD_KEY, safe="").lower(),
        quote(ODD_KEY),
        r"se\/cret \"key\"+\u00e4&1",
        r"se/cret \"key\"+ä&1",
        "se/cret &quot;key&quot;+ä&amp;1",
        "se%2Fcret+%22key%22%2B%C3%A4%261",
    ],
)
async def test_a_key_that_is_echoed_is_taken_out(http: Http, echo: str) -> None:
    async with serving(answering(f"[{echo}]".encode(), content_type=f"text/{quote(echo)}")) as wire:
        outcome = await call(http, wire.url, ODD_KEY)
    assert isinstance(outcome, Received)
    assert outcome.body.decode() == f"[{HIDDEN}]"
    assert quote(ODD_KEY) not in outcome.content_type


def test_hiding_leaves_all_else_alone() -> None:
    assert hide("nothing here", KEY) == "nothing here"
    assert hide("abc", "b") == "abc", "too short to be a key"
    assert hide("abc", "") == "abc"
    assert hide_in_bytes(b"\xff" + KEY.encode() + b"\xff", KEY) == b"\xff[hidden]\xff"
    assert hide_queries('{"label":"https:\\/\\/h\\/x.pdf?a=1\\u0026b=2","x":1}') == (
        '{"label":"https:\\/\\/h\\/x.pdf?[hidden]","x":1}'
    )


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2002:0a00:0001::1",
        "fec0::1",
        "feff:ffff::1",
        "192.88.99.1",
        "::ffff:192.88.99.1",
        "64:ff9b::192.88.99.1",
        "nonsense",
        "",
    ],
)
def test_private_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "LOCALHOST."],
)
async def test_a_label_on_a_private_address_is_refused(http: Http, host: str) -> None:
    async with serving(answering(b"%PDF-")) as wire:
        outcome = await http.download(f"http://{host}:{wire.port}/l.pdf", allow_private_addresses=False)
        assert isinstance(outcome, NothingSent)
        assert not wire.heads


async def test_a_label_on_a_private_address_may_be_allowed(http: Http) -> None:
    async with serving(answering(b"%PDF-", content_type="application/pdf")) as wire:
        outcome = await http.download(f"{wire.url}/l.pdf?sig=1", allow_private_addresses=True)
        assert isinstance(outcome, Received)
        assert wire.heads[0].startswith("GET /l.pdf?sig=1 HTTP/1.1\r\n")
        assert "username" not in wire.heads[0]


@pytest.mark.parametrize(
    "link",
    ["ftp://h/x", "file:///etc/passwd", "http://u:p@127.0.0.1/", "http://u@127.0.0.1/", "nonsense", "http://", ""],
)
@pytest.mark.parametrize("allow", [True, False])
async def test_a_link_that_is_no_plain_web_address_is_refused(http: Http, link: str, allow: bool) -> None:
    assert isinstance(await http.download(link, allow_private_addresses=allow), NothingSent)


async def test_one_private_address_among_public_ones_is_enough() -> None:
    async def both(_: str, __: int) -> list[str]:
        return [PUBLIC, "10.0.0.1"]

    async with Http(QUICK, look_up=both) as http:
        outcome = await http.download("http://labels.example/x", allow_private_addresses=False)
        assert isinstance(outcome, NothingSent)
        assert "BILTY_ALLOW_PRIVATE_ADDRESSES" in outcome.why


@pytest.mark.parametrize("host", ["labels.invalid", "LABELS.invalid", "labels.invalid.", "ⓛabels.invalid"])
async def test_the_address_that_was_checked_is_the_one_that_is_used(host: str) -> None:
    """The name is in no name service: only a pinned client can get there."""
    asked = []

    async def look_up(name: str, _: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"]

    async with serving(answering(b"%PDF-")) as wire, Http(QUICK, look_up=look_up, may_reach=anywhere) as http:
        for _ in range(2):
            outcome = await http.download(f"http://{host}:{wire.port}/x", allow_private_addresses=False)
            assert isinstance(outcome, Received)
        assert len(asked) == 1, "a name that was looked up a moment ago is not looked up again"
        assert len(wire.heads) == 2


async def test_a_pinned_address_that_went_away_is_looked_up_again() -> None:
    asked = []

    async def look_up(name: str, _: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"]

    with nobody_listening() as url:
        async with Http(QUICK, look_up=look_up, may_reach=anywhere) as http:
            for _ in range(2):
                link = url.replace("127.0.0.1", "labels.invalid")
                assert isinstance(await http.download(link, allow_private_addresses=False), NothingSent)
    assert len(asked) == 2


async def test_more_label_hosts_than_are_kept() -> None:
    async def look_up(_: str, __: int) -> list[str]:
        return ["127.0.0.1"]

    async with serving(answering(b"%PDF-")) as wire, Http(look_up=look_up, may_reach=anywhere) as http:
        for number in range(PINS_MAX + 2):
            link = f"http://h{number}.invalid:{wire.port}/x"
            assert isinstance(await http.download(link, allow_private_addresses=False), Received)


async def test_a_client_is_made_off_the_loop_and_kept_while_its_host_has_its_address() -> None:
    """Making one takes 10 ms, and there may be a thousand hosts: nobody else waits for it, and it is rare."""
    here, made, addresses = threading.get_ident(), [], [["192.0.2.1"]]

    def make(host: str, address: str) -> str:
        made.append((address, threading.get_ident() == here))
        return f"{host} at {address}"

    async def look_up(_: str, __: int) -> list[str]:
        return addresses[-1]

    pins = Pins(make, may_reach=anywhere, within_s=1, look_up=look_up, pin_s=0)
    assert [await pins.client_for("oms.example", 443) for _ in range(3)] == ["oms.example at 192.0.2.1"] * 3
    addresses.append(["192.0.2.2", "192.0.2.1"])
    assert await pins.client_for("oms.example", 443) == "oms.example at 192.0.2.1"
    addresses.append(["192.0.2.3"])
    assert await pins.client_for("oms.example", 443) == "oms.example at 192.0.2.3"
    pins.drop("oms.example")
    assert await pins.client_for("oms.example", 443) == "oms.example at 192.0.2.3"
    assert made == [("192.0.2.1", False), ("192.0.2.3", False), ("192.0.2.3", False)]
    assert await pins.close() == ["oms.example at 192.0.2.3"]


async def test_an_address_that_is_kept_is_judged_anew() -> None:
    allowed = {"192.0.2.1"}

    async def look_up(_: str, __: int) -> list[str]:
        return ["192.0.2.1", "10.0.0.1"] if len(allowed) > 1 else ["192.0.2.1"]

    pins = Pins(lambda host, _: host, may_reach=allowed.__contains__, within_s=1, look_up=look_up, pin_s=0)
    assert await pins.client_for("oms.example", 443) == "oms.example"
    allowed.add("only to have another told")
    assert isinstance(await pins.client_for("oms.example", 443), NothingSent)
    await pins.close()


async def test_a_name_service_that_hangs_sent_nothing() -> None:
    async def never(_: str, __: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    async with Http(QUICK, look_up=never) as http:
        assert isinstance(await http.download("http://labels.example/", allow_private_addresses=False), NothingSent)


async def test_a_name_that_is_not_known_sent_nothing(http: Http) -> None:
    outcome = await http.download("http://nobody.invalid/", allow_private_addresses=False)
    assert isinstance(outcome, NothingSent)


async def test_a_call_can_be_cancelled(http: Http) -> None:
    async with serving(hang) as wire:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await call(http, wire.url)
