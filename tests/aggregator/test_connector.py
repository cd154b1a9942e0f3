"""ClickPost as an aggregator: what it does around the reading of one answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from aggregator.samples import CONNECTOR, FACILITY, KEY, NOW, SHIPMENT, booking, envelope
from aggregator.wires import Habit, Wire, answering, half, hang, nobody_listening, serving
from bilty.aggregator import Listed, Pdf
from bilty.aggregator.clickpost import ClickPost, Endpoints
from bilty.aggregator.clickpost.connector import EXCHANGE_BYTES_MAX
from bilty.aggregator.scripted import pdf
from bilty.outgoing.http import Http, Timeouts
from bilty.reply import Accepted, Busy, NotYet, Refusal, Refused, Unclear

PDF = pdf("W1")
LINK = "v1/fetch/shippinglabel/"
QUICK = Timeouts(connect_s=0.1, read_s=0.3, total_s=0.6)


def by_path(habits: Mapping[str, Habit], wires: list[Wire]) -> Habit:
    async def habit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = wires[0].heads[-1].split(" ")[1]
        await next(habits[path] for path in habits if path in asked)(reader, writer)

    return habit


@asynccontextmanager
async def clickpost(habits: Mapping[str, Habit], *, private: bool = True) -> AsyncIterator[tuple[ClickPost, Wire]]:
    wires: list[Wire] = []
    async with serving(by_path(habits, wires)) as wire, Http(QUICK) as http:
        wires.append(wire)
        endpoints = Endpoints(f"{wire.url}/api", allow_private_addresses=private)
        yield ClickPost(CONNECTOR, endpoints, http, lambda: NOW), wire


def pdf_file(content: bytes = PDF, status: str = "200 OK") -> Habit:
    return answering(content, status, "application/pdf")


def link_to(url: str | None) -> Habit:
    return answering(envelope(200, {"shipping_label": url}))


async def test_a_label_comes_from_the_link_that_came_with_the_awb() -> None:
    async with clickpost({"/own.pdf": pdf_file()}) as (account, wire):
        said = await account.fetch_label(booking(awb="W1", label_url=f"{wire.url}/own.pdf?Signature=topsecret"))
    assert said.reply == Pdf(PDF)
    (told,) = said.exchanges
    assert (told.request, told.status) == (f"GET {wire.url}/own.pdf?[hidden]", 200)
    assert told.answer == f"{len(PDF)} bytes of application/pdf"
    assert "username" not in wire.heads[0]
    assert KEY not in wire.heads[0]


BAD_FILES: dict[str, tuple[Habit, str]] = {
    "expired": (answering(b"<Error/>", "403 Forbidden", "text/xml"), "HTTP 403"),
    "moved": (answering(b"", "302 Found", more="location: http://127.0.0.1/\r\n"), "HTTP 302"),
    "page": (answering(b"<html>wait</html>", content_type="text/html"), "not a PDF"),
    "cut": (pdf_file(PDF[:-40]), "only a part of a PDF"),
    "half": (half, "end of file"),
    "hangs": (hang, "timed out"),
}


@pytest.mark.parametrize("name", BAD_FILES)
async def test_where_that_link_fails_clickpost_is_asked_for_another(name: str) -> None:
    bad, _ = BAD_FILES[name]
    habits = {"/bad": bad, "/good": pdf_file()}
    async with clickpost(habits) as (account, wire):
        habits[LINK] = link_to(f"{wire.url}/good")
        said = await account.fetch_label(booking(awb="W1", label_url=f"{wire.url}/bad"))
    assert said.reply == Pdf(PDF)
    assert [told.request.partition("?")[0].rpartition("/")[2] for told in said.exchanges] == ["bad", "", "good"]


@pytest.mark.parametrize("name", BAD_FILES)
async def test_a_label_that_does_not_come_is_unclear_but_never_silence(name: str) -> None:
    """Silence would be waited out for ever; a label's host is not ClickPost."""
    bad, words = BAD_FILES[name]
    habits = {"/bad": bad}
    async with clickpost(habits) as (account, wire):
        habits[LINK] = link_to(f"{wire.url}/bad")
        said = await account.fetch_label(booking(awb="W1", label_url=f"{wire.url}/bad"))
    assert isinstance(said.reply, Unclear)
    assert not said.reply.silent
    assert words in said.reply.message
    assert len(said.exchanges) == 2, "the same link is not tried twice in a row"


async def test_a_label_whose_host_does_not_listen_is_unclear_too() -> None:
    with nobody_listening() as nowhere:
        async with clickpost({LINK: link_to(f"{nowhere}/x")}) as (account, _):
            said = await account.fetch_label(booking(awb="W1"))
    assert isinstance(said.reply, Unclear)


async def test_a_private_link_is_told_with_the_setting_that_allows_it() -> None:
    async with clickpost({LINK: link_to(None)}, private=False) as (account, wire):
        said = await account.fetch_label(booking(awb="W1", label_url=f"{wire.url}/x"))
        assert len(wire.heads) == 1, "only ClickPost was asked"
    assert isinstance(said.reply, NotYet)
    assert "BILTY_ALLOW_PRIVATE_ADDRESSES" in said.exchanges[0].answer


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (link_to(None), NotYet(message="said")),
        (answering(envelope(330)), Refused(Refusal.COURIER, code=330, message="said")),
        (answering(b"", "503 Service Unavailable"), Unclear(message="HTTP 503", silent=True)),
    ],
)
async def test_what_clickpost_says_of_a_label_that_it_has_not(link: Habit, expected: object) -> None:
    async with clickpost({LINK: link}) as (account, _):
        assert (await account.fetch_label(booking(awb="W1"))).reply == expected


async def test_fetching_a_label_ends_within_a_claims_lease() -> None:
    async with serving(hang) as wire, Http(QUICK) as http:
        account = ClickPost(CONNECTOR, Endpoints(f"{wire.url}/api"), http, lambda: NOW, fetch_label_s=0.05)
        said = await account.fetch_label(booking(awb="W1"))
    assert isinstance(said.reply, Unclear)
    assert said.reply.silent


async def test_an_exchange_tells_all_but_the_key() -> None:
    echo = envelope(102, {"you_sent": f"key={KEY}", "label": "https://h/x.pdf?Signature=topsecret"})
    async with clickpost({"create-b2b-order": answering(echo)}) as (account, wire):
        said = await account.ask(booking())
        assert f"username=acme&key={KEY}" in wire.heads[0]
    assert isinstance(said.reply, Accepted)
    (told,) = said.exchanges
    assert told.at == NOW
    head, _, body = told.request.partition("\n\n")
    assert head == f"POST {wire.url}/api/v1/create-b2b-order/?username=[hidden]&key=[hidden]"
    assert '"reference_number":"SHP-1-ABCDEFGHIJK"' in body
    assert '"you_sent":"key=[hidden]"' in told.answer
    assert "topsecret" not in told.answer
    assert KEY not in repr(said)
    assert "acme" not in head


async def test_a_key_in_what_we_send_is_hidden_too() -> None:
    careless = replace(SHIPMENT, consignee=replace(SHIPMENT.consignee, address=f"the key is {KEY}"))
    async with clickpost({"create-b2b-order": answering(envelope(102))}) as (account, _):
        said = await account.ask(booking(careless))
    assert KEY not in repr(said.exchanges)


@pytest.mark.parametrize("habit", [hang, half], ids=["hangs", "half"])
async def test_an_exchange_without_an_answer(habit: Habit) -> None:
    async with clickpost({"create-b2b-order": habit}) as (account, _):
        said = await account.ask(booking())
    assert isinstance(said.reply, Unclear)
    assert said.reply.silent
    assert (said.exchanges[0].status, said.exchanges[0].answer) == (0, f"no answer: {said.reply.message}")


async def test_an_exchange_where_nothing_was_sent() -> None:
    with nobody_listening() as nowhere:
        async with Http(QUICK) as http:
            said = await ClickPost(CONNECTOR, Endpoints(f"{nowhere}/api"), http, lambda: NOW).ask(booking())
    assert isinstance(said.reply, Busy)
    assert said.exchanges[0].answer.startswith("nothing was sent: ")
    assert KEY not in repr(said)


async def test_exchanges_are_cut() -> None:
    long = replace(FACILITY, pickup=replace(FACILITY.pickup, address="ä" * 100_000))
    async with clickpost({"create-b2b-order": answering(envelope(102, "ä" * 100_000))}) as (account, _):
        (told,) = (await account.ask(booking(facility=long))).exchanges
    assert len(told.request.encode()) <= EXCHANGE_BYTES_MAX
    assert len(told.answer.encode()) <= EXCHANGE_BYTES_MAX


async def test_one_client_serves_many_calls_at_once() -> None:
    async with clickpost({"fetch-accounts": answering(envelope(200, {"accounts": []}))}) as (account, _):
        said = await asyncio.gather(*(account.accounts() for _ in range(50)))
    assert [one.reply for one in said] == [Listed(())] * 50


def test_a_connector_does_not_tell_its_key() -> None:
    assert KEY not in repr(ClickPost(CONNECTOR, Endpoints(), Http()))
