"""`bilty listen`, a real process that real events are sent to."""

import asyncio
import base64
import re
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from aggregator.wires import answering, nobody_listening, serving
from bilty.oms.sending import Sender, Sent, signed
from bilty.outgoing.http import Http
from process.programs import Program, Programs, free_port

SECRET, OTHER = ("whsec_" + base64.b64encode(bytes([number]) * 24).decode() for number in (1, 2))
PDF = b"%PDF-1.4\n%a label\n%%EOF\n"
WITHIN_S = 30


@dataclass(frozen=True)
class Ear:
    program: Program
    url: str

    async def says(self, pattern: str) -> str:
        return (await asyncio.to_thread(self.program.hear, pattern, WITHIN_S))[0]


async def listening(programs: Programs, *options: str) -> Ear:
    program = programs.bilty("listen", "--port", "0", *options)
    found = await asyncio.to_thread(program.hear, r"Listening on (http://127\.0\.0\.1:\d+/)\. Ctrl-C ends it\.\n")
    return Ear(program, found[1])


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with Http() as http:
        yield Sender(http, allow_private=True)


def event(number: str = "SO-1", label_url: str | None = None) -> bytes:
    boxes = [{"number": 1, "reference": "", "awb": "7001"}, {"number": 2, "reference": "", "awb": "7002"}]
    shipment = {"id": 7, "number": number, "awb": "AWB-9", "boxes": boxes, "label_url": label_url}
    return msgspec.json.encode({"type": "shipment.label_ready", "data": {"event": "evt_1", "shipment": shipment}})


async def send(sender: Sender, ear: Ear, body: bytes, event_id: str = "evt_1", secret: str = SECRET) -> Sent:
    return await sender.send(ear.url, [secret], event_id, datetime.now(UTC), body)


async def test_a_line_an_event_and_repeats_are_known(programs: Programs, sender: Sender) -> None:
    ear = await listening(programs, "--secret", SECRET)
    link = "http://127.0.0.1:8080/labels/abc"
    for _ in range(2):
        assert (await send(sender, ear, event(label_url=link))).status == 204
    assert (await send(sender, ear, event("SO-2"), "evt_2")).status == 204
    line = r"\d\d:\d\d:\d\d shipment\.label_ready SO-1 AWB AWB-9 2 boxes http://127\.0\.0\.1:8080/labels/abc "
    await ear.says(rf"{line}\(signature right, answered 204\)\n")
    await ear.says(rf"{line}\(signature right, a repeat, heard 2 times, answered 204\)\n")
    await ear.says(r"SO-2 AWB AWB-9 2 boxes \(signature right, answered 204\)\n")
    assert ear.program.end() == 0
    assert ear.program.complained == ""


async def test_a_wrong_signature_is_refused_and_said(programs: Programs, sender: Sender) -> None:
    ear = await listening(programs, "--secret", SECRET)
    assert (await send(sender, ear, event(), secret=OTHER)).status == 401
    await ear.says(r"a call that is refused with 401: its signature is wrong \(No matching signature found\)\n")
    late = datetime.now(UTC) - timedelta(minutes=6)
    assert (await sender.send(ear.url, [SECRET], "evt_1", late, event())).status == 401
    await ear.says(r"refused with 401: its signature is wrong \(Message timestamp too old\)\n")
    headers = signed([SECRET], "evt_1", datetime.now(UTC), event())
    async with httpx.AsyncClient() as client:
        assert (await client.post(ear.url, content=event())).status_code == 401
        for signature in ("", "v1", "v1,a", "v2,abcd", "v1,é"):
            wrong = [(name.encode(), value.encode()) for name, value in headers.items() if "signature" not in name]
            wrong.append((b"webhook-signature", signature.encode()))
            assert (await client.post(ear.url, content=event(), headers=wrong)).status_code == 401
    assert (await send(sender, ear, event())).status == 204, "it goes on"


async def test_without_the_secret_nothing_is_checked_and_that_is_said(programs: Programs, sender: Sender) -> None:
    ear = await listening(programs)
    assert (await send(sender, ear, event(), secret=OTHER)).status == 204
    await ear.says(r"\(signature not checked, answered 204\)\n")


async def test_what_is_no_event_is_refused(programs: Programs) -> None:
    ear = await listening(programs)
    async with httpx.AsyncClient() as client:
        for body in (b"", b"{}", b"[]", b'{"type":"x"}', b"\xff", b'{"type":"x","data":{"shipment":{"number":7}}}'):
            assert (await client.post(ear.url, content=body)).status_code == 400
        assert (await client.post(ear.url, content=b"x" * (2**20 + 1))).status_code == 413
        assert (await client.get(ear.url)).status_code == 501
        test = b'{"type":"bilty.test","data":{"event":"evt_9","message":"a test"}}'
        assert (await client.post(ear.url, content=test)).status_code == 204
    await ear.says(r"bilty\.test \(signature not checked")
    assert ear.program.complained == ""


async def test_it_answers_what_it_is_told_to(programs: Programs, sender: Sender) -> None:
    ear = await listening(programs, "--answer", "500")
    sent = await send(sender, ear, event())
    assert (sent.status, sent.why) == (500, "The receiver answered 500.")
    await ear.says(r"answered 500\)\n")


async def test_it_hangs_until_the_caller_has_enough(programs: Programs) -> None:
    ear = await listening(programs, "--hang")
    async with Http() as http:
        sent = await send(Sender(http, allow_private=True, total_s=0.5), ear, event())
    assert sent.status is None
    assert sent.why.endswith("it took more than 0.5 s.")
    await ear.says(r"left without an answer\)\n")
    assert ear.program.end() == 0
    assert ear.program.complained == ""


async def test_labels_are_fetched_into_a_folder(programs: Programs, sender: Sender, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "labels"
    ear = await listening(programs, "--save", str(folder), "--secret", SECRET)
    async with serving(answering(PDF, content_type="application/pdf")) as wire:
        await send(sender, ear, event("../SO/1", f"{wire.url}/labels/abc"))
        said = await ear.says(r"the label of \.\./SO/1 is in (\S+), \d+ bytes\n")
    assert [file.read_bytes() for file in folder.iterdir()] == [PDF]
    assert str(folder / "-SO-1.pdf") in said
    with nobody_listening() as url:
        await send(sender, ear, event("SO-2", f"{url}/labels/abc"), "evt_2")
        await ear.says(r"the label of SO-2 could not be fetched: .*refused")
    await send(sender, ear, event("SO-3", "file:///etc/hostname"), "evt_3")
    await ear.says(r"the label of SO-3 could not be fetched: its link is no web address\n")
    assert len(list(folder.iterdir())) == 1


async def test_terminals_are_not_driven_by_what_comes(programs: Programs, sender: Sender) -> None:
    ear = await listening(programs)
    await send(sender, ear, event("SO-\x1b[2J\n12:00:00 forged"))
    await ear.says(r"SO-\?\[2J\?12:00:00 forged AWB")


def test_it_ends_though_a_script_had_it_ignore_ctrl_c(programs: Programs) -> None:
    """As a shell does with what a script starts behind `&`."""
    heeded = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        receiver = programs.bilty("listen", "--port", "0")
    finally:
        signal.signal(signal.SIGINT, heeded)
    receiver.hear("Listening")
    receiver.end()
    assert not receiver.running


def test_what_it_cannot_do_it_says(programs: Programs) -> None:
    for secret in ("abc", "abcd", " ", "whsec_", "whsec_abcd", "whsec_é"):
        wrong = programs.bilty("listen", "--secret", secret)
        assert wrong.wait() == 1
        assert wrong.complained == (
            "--secret is not a signing secret: give whsec_… as Bilty showed it when the endpoint was made.\n"
        )
    trusting = programs.bilty("listen", "--save", "labels")
    assert trusting.wait() == 1
    assert trusting.complained == (
        "--save fetches what a caller names: give --secret with it, so that only Bilty's word counts.\n"
    )
    port = free_port()
    first = programs.bilty("listen", "--port", str(port))
    first.hear("Listening")
    second = programs.bilty("listen", "--port", str(port))
    assert second.wait() == 1
    assert re.fullmatch(
        rf"Cannot listen on 127\.0\.0\.1:{port} \(.*in use.*\)\. Give another --port\.\n", second.complained
    )
