"""What receives events where `bilty listen` runs: a small order system that only says what it hears.

It shows what any receiver must do: read the body as it stands, verify it, know repeats by `webhook-id`, answer at once,
and do what takes time afterwards.
"""

import binascii
import re
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

BODY_BYTES_MAX = 2**20
LABEL_BYTES_MAX = 20 * 2**20
PATIENCE_S = 30
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


class _Box(msgspec.Struct):
    number: int


class _Shipment(msgspec.Struct):
    number: str
    awb: str | None = None
    boxes: list[_Box] = []
    label_url: str | None = None


class _Data(msgspec.Struct):
    shipment: _Shipment | None = None


class Event(msgspec.Struct):
    """What of an event is shown."""

    type: str
    data: _Data

    @property
    def line(self) -> str:
        shipment = self.data.shipment
        if shipment is None:
            return self.type
        words = [self.type, shipment.number, f"AWB {shipment.awb}" if shipment.awb else ""]
        words.append(f"{len(shipment.boxes)} box{'es' if len(shipment.boxes) != 1 else ''}" if shipment.boxes else "")
        return " ".join(word for word in (*words, shipment.label_url or "") if word)


@dataclass(slots=True)
class Receiver:
    """`answer` is the status that every event gets, None where callers shall wait for nothing."""

    verifier: Webhook | None
    answer: int | None
    folder: Path | None
    _heard: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def hear(self, headers: Mapping[str, str], body: bytes) -> tuple[int | None, Event | None]:
        """Says what came; headers are named in small letters. Returns what to answer, and an event to go on with."""
        trusted, signature = self._verified(headers, body)
        if not trusted:
            self.say(f"a call that is refused with 401: {signature}")
            return 401, None
        try:
            event = msgspec.json.decode(body, type=Event)
        except msgspec.DecodeError:
            self.say("a call that is refused with 400: its body is not an event")
            return 400, None
        notes = [signature, self._again(headers.get("webhook-id", ""))]
        notes.append("left without an answer" if self.answer is None else f"answered {self.answer}")
        self.say(f"{event.line} ({', '.join(note for note in notes if note)})")
        return self.answer, event

    def keep_label(self, event: Event) -> None:
        shipment = event.data.shipment
        link = shipment.label_url if shipment else None
        if self.folder is None or shipment is None or link is None:
            return
        try:
            label = _fetched(link)
        except (OSError, ValueError) as trouble:
            self.say(f"the label of {shipment.number} could not be fetched: {trouble}")
            return
        file = self.folder / f"{NOT_IN_NAMES.sub('-', shipment.number).lstrip('.') or 'label'}.pdf"
        file.write_bytes(label)
        self.say(f"the label of {shipment.number} is in {file}, {len(label)} bytes")

    def say(self, words: str) -> None:
        shown = "".join(each if each.isprintable() else "?" for each in words)
        with self._lock:
            # With its end in one write: others may write to the same terminal, and an unbuffered print writes twice.
            sys.stdout.write(f"{time.strftime('%H:%M:%S')} {shown}\n")
            sys.stdout.flush()

    def _verified(self, headers: Mapping[str, str], body: bytes) -> tuple[bool, str]:
        if self.verifier is None:
            return True, "signature not checked"
        try:
            self.verifier.verify(body, dict(headers), json_parse=False)
        except WebhookVerificationError as trouble:
            return False, f"its signature is wrong ({trouble})"
        except (ValueError, binascii.Error):
            return False, "its signature is wrong (malformed)"
        return True, "signature right"

    def _again(self, event_id: str) -> str:
        with self._lock:
            self._heard[event_id] += 1
            times = self._heard[event_id]
        return f"a repeat, heard {times} times" if event_id and times > 1 else ""


def _fetched(link: str) -> bytes:
    """Raises OSError or ValueError."""
    if not link.startswith(("http://", "https://")):
        raise ValueError("its link is no web address")
    with urllib.request.urlopen(link, timeout=PATIENCE_S) as answer:  # noqa: S310 - looked at above
        label: bytes = answer.read(LABEL_BYTES_MAX + 1)
    if len(label) > LABEL_BYTES_MAX:
        raise ValueError(f"it is longer than {LABEL_BYTES_MAX} bytes")
    return label


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who goes away is none."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def server_of(receiver: Receiver, host: str, port: int) -> ThreadingHTTPServer:
    """Raises OSError where it cannot listen."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "bilty-listen", ""
        timeout = PATIENCE_S

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            known = length.isascii() and length.isdecimal()
            if not known:
                self.close_connection = True
                self._answer(411)
                return
            body = self._read(int(length))
            if body is None:
                self._answer(413)
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, event = receiver.hear(headers, body)
            if status is None:
                self._wait()
                return
            self._answer(status)
            if event is not None and 200 <= status <= 299:
                receiver.keep_label(event)

        def _read(self, length: int) -> bytes | None:
            """None for one that is too long: read all the same, else the caller would not hear why."""
            if length <= BODY_BYTES_MAX:
                return self.rfile.read(length)
            while length > 0 and (chunk := self.rfile.read(min(length, BODY_BYTES_MAX))):
                length -= len(chunk)
            return None

        def _answer(self, status: int) -> None:
            self.send_response(status)
            if status not in (204, 304):
                self.send_header("content-length", "0")
            self.end_headers()
            self.wfile.flush()

        def _wait(self) -> None:
            """Until the caller has enough of it."""
            self.close_connection = True
            self.connection.settimeout(None)
            while self.connection.recv(1024):
                pass

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
            """One line an event is enough."""

    return _Server((host, port), Handler)
