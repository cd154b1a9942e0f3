"""What docs/integrate.md shows is what is sent: the eight events, the waits, the limits, how a signature is checked."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

import guide
from bilty.hand_off import EventKind
from bilty.oms import deliverer, retries, sending
from bilty.oms.sending import Sent
from bilty.outgoing.http import DELIVERY_ANSWER_BYTES_MAX
from bilty.outgoing.retry_after import RETRY_AFTER_S_MAX
from bilty.reply import Accepted, Child, Courier, Label, NotYet, Paper, Ranking, Refusal, Refused
from bilty.settings import Settings
from bilty.shipment import BOXES_MAX
from bilty.store.hand_off import lanes
from bilty.store.hand_off.replays import REPLAYED_MAX
from bilty.store.idempotency import KEPT
from bilty.web.asking import BODY_BYTES_MAX, LIMIT_MAX, WAIT_S_MAX
from bilty.web.bulk.gate import STREAMS_MAX, STREAMS_PER_KEY_MAX
from bilty.web.bulk.reading import LINE_BYTES_MAX
from bilty.web.describe import description, events
from bilty.web.idempotency import KEY_CHARS_MAX
from bilty.web.limits import BURST_S
from bilty.words import grouped
from web.described import reader_of
from web.house import PDF, SHIPMENT, Document, House

ADDRESS = "https://bilty.example.com"
P1, P2, P3 = Courier(4, "main", "Delhivery B2B"), Courier(5, "main", "Blue Dart"), Courier(6, "main", "DTDC")
RANKED = Ranking((P1, P2, P3))
NO = Refused(Refusal.COURIER, 319, "Pincode 411018 is not served")
CHILDREN = tuple(Child(f"7540911200{number}", f"SO-1001-{number}") for number in (1, 2, 3))
OWN = {"id": 1041, "event": "evt_…", "timestamp": "…", "label_url": "…", "label_expires_at": "…"}
"""What is another's in every Bilty, and is compared by its form alone."""


@dataclass
class Receiver:
    """Takes the sender's place: keeps what would be sent."""

    bodies: list[Document] = field(default_factory=list)

    async def send(self, _url: str, _secrets: Sequence[str], event_id: str, _at: datetime, body: bytes) -> Sent:
        self.bodies.append(json.loads(body))
        assert self.bodies[-1]["data"]["event"] == event_id
        return Sent(204, "", None, 1)


async def stories(house: House) -> list[Document]:
    """Five shipments, and all that an order system is told of them, of each in its order."""
    wanted = {"url": "https://oms.example.com/bilty", "events": list(EventKind)}
    assert (await house.call("PUT", "/hand-off-endpoints/oms", wanted)).status_code == 201
    first = await house.takes_in(schedule=True)
    sha256 = await house.tools.labels.put(PDF)
    await house.hears(RANKED, NO, Accepted(), NotYet(), Label("7540911200", children=CHILDREN), Paper(sha256, 3))
    gone = await house.takes_in(number="SO-1005", schedule=True)
    children = tuple(Child(f"7540911500{number}", f"SO-1005-{number}") for number in (1, 2, 3))
    await house.hears(RANKED, Label("7540911500", children=children), Paper(sha256, 3))
    await house.takes_in(number="SO-1002", schedule=True)
    await house.hears(RANKED, NO, NO, NO)
    await house.takes_in(number="SO-1003", schedule=True)
    await house.hears(RANKED, NO, NO, Accepted(), *[NotYet()] * 6)
    cancelled = await house.takes_in(number="SO-1004")
    assert (await house.call("POST", f"/shipments/{cancelled}/cancellation")).status_code in {200, 202}
    assert (await house.call("POST", f"/shipments/{gone}/decisions", {"act": "dispatch"})).status_code == 200
    boxes = [{**SHIPMENT["boxes"][0], "count": 4}]
    assert (await house.call("PATCH", f"/shipments/{first}", {"boxes": boxes}, If_Match="*")).status_code == 200
    receiver = Receiver()
    tools = deliverer.Tools(house.tools.pool, house.tools.vault, receiver, ADDRESS, timedelta(days=7))
    now = (house.at or await house.now()) + timedelta(hours=1)
    while await deliverer.deliver_due(tools, now):
        pass
    return sorted(receiver.bodies, key=lambda body: str(body["data"]["shipment"]["number"]))


def masked(value: object) -> object:
    """Without what is another's in every Bilty. Forms are checked on the way."""
    if isinstance(value, list):
        return [masked(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: OWN[name] if name in OWN and each is not None else masked(each) for name, each in value.items()}


FORMS = {
    "event": r"evt_[0-9a-f]{32}",
    "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z",
    "label_expires_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "label_url": rf"{re.escape(ADDRESS)}/labels/[\w-]{{100,300}}",
}


async def test_the_events_are_shown_as_they_are_sent(furnished: House) -> None:
    sent = {body["type"]: body for body in reversed(await stories(furnished))}
    shown = {body["type"]: body for body in map(json.loads, guide.blocks("json"))}
    assert shown.keys() == set(EventKind)
    assert shown == {each.kind: msgspec.to_builtins(each.example) for each in events.EVENTS}
    assert {kind: masked(body) for kind, body in shown.items()} == {kind: masked(body) for kind, body in sent.items()}
    for body in sent.values():
        content = description()["webhooks"][body["type"]]["post"]["requestBody"]["content"]["application/json"]
        assert [str(each) for each in reader_of(content["schema"]).iter_errors(body)] == []
        told = {**body, **body["data"], **body["data"]["shipment"]}
        assert [name for name, form in FORMS.items() if told[name] and not re.fullmatch(form, told[name])] == []


def test_the_waits_are_those_of_the_deliverer() -> None:
    names = [f"{number}{suffix}" for number, suffix in enumerate(("st", "nd", "rd", "th", "th", "th", "th"), 1)]
    names[-1] += " and later"
    waits = [in_words(wait) for wait in retries.WAITS]
    assert guide.table("after failure") == list(zip(names, waits, strict=True))
    text = guide.text()
    assert f"failed for {retries.TRIED_FOR.days} days is given up" in text
    assert timedelta(hours=1).total_seconds() == RETRY_AFTER_S_MAX
    assert "makes a wait longer, up to an hour" in text
    assert f"for {retries.TRIED_FOR.days} days" in events.ABOUT
    assert "longer, up to an hour" in events.ANSWERS["default"]
    assert all(f"within {sending.TRY_S:g} seconds" in events.ANSWERS[status] for status in ("2XX", "default"))


def in_words(length: timedelta) -> str:
    for unit, seconds in (("hour", 3600), ("minute", 60), ("second", 1)):
        if length.total_seconds() >= seconds:
            count = int(length.total_seconds() / seconds)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    raise AssertionError(length)


def test_the_limits_are_those_of_the_code() -> None:
    rate = Settings().key_requests_per_second
    limits = {
        "a request's body": f"{BODY_BYTES_MAX // 2**20} MB",
        "a line of a bulk stream": f"{LINE_BYTES_MAX // 2**20} MB, the stream as long as you like",
        "bulk streams at once, in a process": f"{STREAMS_MAX}, {STREAMS_PER_KEY_MAX} of one key",
        "requests of a key to a process": f"{rate:g} a second, {rate * BURST_S:g} at once "
        "(`BILTY_KEY_REQUESTS_PER_SECOND`)",
        "`Prefer: wait`": f"{WAIT_S_MAX} seconds",
        "a page of a list": f"{LIMIT_MAX}",
        "`Idempotency-Key`": f"{KEY_CHARS_MAX} characters, kept for {KEPT.days} days",
        "boxes of a shipment": f"{BOXES_MAX}",
        "your answer to an event": f"{sending.TRY_S:g} seconds, and what is beyond "
        f"{DELIVERY_ANSWER_BYTES_MAX // 2**10} KB is not read",
        "events under way to an endpoint": f"{lanes.OUT_MAX}, of as many shipments",
        "events replayed at once": grouped(REPLAYED_MAX),
    }
    assert guide.table("how much") == list(limits.items())
    assert f"lives {Settings().label_link_hours / 24:g} days (`BILTY_LABEL_LINK_HOURS`)" in guide.text()


# The signature, in three languages: each gets the same lines of five fields in base64, and says what it makes of each.

SECRET, OTHER = ("whsec_" + base64.b64encode(bytes([number]) * 24).decode() for number in (1, 2))
BODY = '{"type":"shipment.label_ready","data":{"city":"Bengalūru"}}'.encode()
PYTHON_MAIN = r"""
import sys
for line in sys.stdin:
    secret, event_id, timestamp, signature, body = (base64.b64decode(each) for each in line.split("\t"))
    headers = {"webhook-id": event_id.decode(), "webhook-timestamp": timestamp.decode()}
    print(is_right(secret.decode(), {**headers, "webhook-signature": signature.decode()}, body))
"""
NODE_MAIN = r"""
for (const line of require("node:fs").readFileSync(0, "utf8").trim().split("\n")) {
  const [secret, id, timestamp, signature, body] = line.split("\t").map((each) => Buffer.from(each, "base64"));
  const headers = {"webhook-id": `${id}`, "webhook-timestamp": `${timestamp}`, "webhook-signature": `${signature}`};
  console.log(isRight(`${secret}`, headers, body));
}
"""
JAVA_MAIN = r"""
class Main {
    public static void main(String[] arguments) throws Exception {
        var lines = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null; ) {
            byte[][] given = new byte[5][];
            String[] fields = line.split("\t");
            for (int each = 0; each < 5; each++) given[each] = Base64.getDecoder().decode(fields[each]);
            String[] text = new String[4];
            for (int each = 0; each < 4; each++) text[each] = new String(given[each], StandardCharsets.UTF_8);
            System.out.println(Signature.isRight(text[0], text[1], text[2], text[3], given[4]));
        }
    }
}
"""


def signature_cases() -> list[tuple[tuple[str | bytes, ...], bool]]:
    now = datetime.now(UTC)
    right, other = (sending.signed([secret], "evt_1", now, BODY)["webhook-signature"] for secret in (SECRET, OTHER))
    moment = str(int(now.timestamp()))
    late, early = (now + timedelta(minutes=minutes) for minutes in (-6, 6))

    def at(when: datetime) -> tuple[str | bytes, ...]:
        return (SECRET, *sending.signed([SECRET], "evt_1", when, BODY).values(), BODY)

    return [
        ((SECRET, "evt_1", moment, right, BODY), True),
        ((SECRET, "evt_1", moment, f"{other} {right}", BODY), True),
        ((SECRET, "evt_1", moment, f"v1a,xyz {right}", BODY), True),
        ((SECRET, "evt_1", moment, other, BODY), False),
        ((OTHER, "evt_1", moment, right, BODY), False),
        ((SECRET, "evt_2", moment, right, BODY), False),
        ((SECRET, "evt_1", str(int(moment) - 1), right, BODY), False),
        ((SECRET, "evt_1", moment, right, BODY + b" "), False),
        ((SECRET, "evt_1", moment, right[:-4], BODY), False),
        ((SECRET, "evt_1", moment, right.replace("v1,", "v2,"), BODY), False),
        ((SECRET, "evt_1", moment, "", BODY), False),
        ((SECRET, "evt_1", moment, "v1,ä", BODY), False),
        ((SECRET, "evt_1", "soon", right, BODY), False),
        (at(late), False),
        (at(early), False),
        (at(now - timedelta(minutes=4)), True),
    ]


def judged(command: list[str], folder: Path) -> list[bool]:
    """What a program makes of the cases, in their order."""
    fields = [[each if isinstance(each, bytes) else each.encode() for each in case] for case, _ in signature_cases()]
    lines = ["\t".join(base64.b64encode(each).decode() for each in case) for case in fields]
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, cwd=folder, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [line.lower() == "true" for line in done.stdout.splitlines()]


@pytest.mark.parametrize("language", ["python", "js", "java"])
def test_the_signature_check_is_right(language: str, tmp_path: Path) -> None:
    (shown,) = guide.blocks(language)
    if language == "python":
        (tmp_path / "check.py").write_text(shown + PYTHON_MAIN)
        command = [sys.executable, "-I", "check.py"]
    elif language == "js":
        (tmp_path / "check.js").write_text(shown + NODE_MAIN)
        command = [guide.needed("node"), "check.js"]
    else:
        (tmp_path / "Main.java").write_text(shown + JAVA_MAIN)
        compiler = [guide.needed("javac"), "-encoding", "UTF-8", "Main.java"]
        subprocess.run(compiler, cwd=tmp_path, check=True, timeout=120)
        command = [guide.needed("java"), "-cp", ".", "Main"]
    assert judged(command, tmp_path) == [right for _, right in signature_cases()]
