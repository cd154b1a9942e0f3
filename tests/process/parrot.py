"""A host in ClickPost's place that repeats what it was asked, key and all, in every way a host can say something."""

import asyncio
import itertools
import json
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

RECOMMENDATION = "/api/v1/recommendation_api/"
COURIERS = [(4, "main", "Delhivery B2B"), (5, "main", "Bluedart"), (6, "main", "DTDC")]


def _answer(status: str, body: str, *headers: str, kind: str = "application/json") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body.encode())}", *headers]
    return "\r\n".join((*lines, "Connection: close", "", body)).encode()


def _envelope(code: int, message: str, **more: object) -> str:
    meta = {"status": code, "success": False, "message": message}
    return json.dumps({"meta": meta, "result": None, **more})


WAYS: dict[str, Callable[[str], bytes]] = {
    "redirect": lambda asked: _answer("301 Moved Permanently", asked, f"Location: http://127.0.0.1:1{asked}"),
    "not found": lambda asked: _answer("404 Not Found", f"<h1>No {asked} here</h1>", kind="text/html"),
    "refusal": lambda asked: _answer("200 OK", _envelope(319, f"courier got {asked}")),
    "account": lambda asked: _answer("200 OK", _envelope(301, f"no rights for {asked}")),
    "error": lambda asked: _answer("500 Internal Server Error", _envelope(500, f"while at {asked}", url=asked)),
    "busy": lambda asked: _answer("429 Too Many Requests", _envelope(429, asked), f"Retry-After: {asked}"),
    "broken": lambda asked: _answer("200 OK", '{"meta": {"status": 200, "url": "' + asked),
    "accepted": lambda asked: _answer("200 OK", _envelope(102, f"in the works: {asked}")),
    "half": lambda asked: _answer("200 OK", asked * 2)[: -len(asked)],
    "header": lambda asked: f"HTTP/1.1 200 {asked}\r\n{asked}\r\n\r\n".encode(),
    "type": lambda asked: _answer("200 OK", asked, kind=f"text/plain; of={asked}"),
    "reset": lambda _: b"",
    "label": lambda asked: _answer("200 OK", json.dumps({"result": {"waybill": "X1", "label": f"http://[{asked}"}})),
}
"""How it answers, by turns; `asked` is path and query as they came."""


@dataclass(slots=True)
class Parrot:
    url: str = ""
    heard: list[str] = field(default_factory=list)
    ways: Counter[str] = field(default_factory=Counter)
    all_said: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it has answered in every way."""


@asynccontextmanager
async def parrot_listening() -> AsyncIterator[Parrot]:
    parrot, turns = Parrot(), itertools.cycle(WAYS)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next((line.split(":")[1] for line in head.lower().split("\r\n") if "content-length" in line), "0")
            body = await reader.readexactly(int(length))
        except asyncio.IncompleteReadError:
            writer.close()
            return
        asked = head.split(" ")[1]
        parrot.heard.append(asked)
        if asked.startswith(RECOMMENDATION.rstrip("/")):
            said = _ranking(json.loads(body))
        else:
            way = next(turns)
            said = WAYS[way](asked)
            parrot.ways[way] += 1
            if len(parrot.ways) == len(WAYS):
                parrot.all_said.set()
        if not said:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    parrot.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
    try:
        yield parrot
    finally:
        server.close()


def _ranking(lanes: list[dict[str, str]]) -> bytes:
    listed = [
        {"priority": number, "cp_id": cp_id, "account_code": account, "cp_name": name}
        for number, (cp_id, account, name) in enumerate(COURIERS, 1)
    ]
    result = [
        {"reference_number": lane["reference_number"], "pincode_serviceable": True, "preference_array": listed}
        for lane in lanes
    ]
    return _answer("200 OK", json.dumps({"meta": {"status": 200, "success": True, "message": "ok"}, "result": result}))
