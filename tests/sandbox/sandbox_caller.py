"""A client that hears exactly what came over the wire, and orders to send with it."""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from bilty_sandbox import ManualClock, Options, Policy, Rule, Sandbox, serve
from bilty_sandbox.kinds import Kind

B2B = "/api/v1/create-b2b-order/"
MPS = "/api/v3/create-order/"
GSTIN = "27AAPFU0939F1ZV"


@dataclass(frozen=True, slots=True)
class Heard:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> int:
        return int(self.json["meta"]["status"])

    @property
    def result(self) -> Any:
        return self.json["result"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls one sandbox. `get` and `post` add the credentials; `fetch` takes an address as it is."""

    sandbox: Sandbox
    clock: ManualClock

    async def post(self, path: str, body: object, **query: str) -> Heard:
        return await self._call("POST", path, msgspec.json.encode(body), self._credentials() | query)

    async def get(self, path: str, **query: str) -> Heard:
        return await self._call("GET", path, b"", self._credentials() | query)

    async def bare(self, method: str, path: str, body: bytes = b"", **query: str) -> Heard:
        return await self._call(method, path, body, query)

    async def fetch(self, url: str) -> Heard:
        return await self._call("GET", urlsplit(url).path, b"", {})

    async def status(self, reference: str, path: str = B2B) -> Heard:
        return await self.get(path, reference_number=reference)

    async def truth(self, reference: str) -> Any:
        heard = await self.bare("GET", "/sandbox/truth", reference=reference)
        return heard.json["bookings"][0]

    async def held_back(self, calling: Callable[[], Coroutine[Any, Any, Heard]], seconds: float) -> Heard:
        """What is heard when the answer is held back and `seconds` of the sandbox's time pass."""
        task = asyncio.create_task(calling())
        await self.clock.held.wait()
        assert not task.done()
        self.clock.advance(seconds)
        return await task

    def _credentials(self) -> dict[str, str]:
        return {"username": self.sandbox.username, "key": self.sandbox.key}

    async def _call(self, method: str, path: str, body: bytes, query: dict[str, str]) -> Heard:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.sandbox.port)
        target = f"{path}?{urlencode(query)}" if query else path
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.sandbox.port}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            writer.write(head.encode() + body)
            return await _hear(reader)
        finally:
            writer.close()


async def _hear(reader: asyncio.StreamReader) -> Heard:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Heard(int(first.split()[1]), headers, body)


@asynccontextmanager
async def calling(*kinds: Kind, times: int | None = None, options: Options | None = None) -> AsyncIterator[Caller]:
    """A sandbox where `kinds` befall every booking; with none of them and no options, one that behaves."""
    rules = (Rule(kinds, times=times),) if kinds else ()
    options = options or Options(policy=Policy(enabled=False, rules=rules))
    clock = ManualClock()
    async with serve(options, clock) as sandbox:
        yield Caller(sandbox, clock)


def b2b_order(
    reference: str = "ORDER001-P1", boxes: int = 3, changed: Mapping[str, object] = MappingProxyType({})
) -> Any:
    """An order that is in order. `changed` are dotted paths with "__" for the dot; None removes the field."""
    order = {
        "pickup_info": {
            "name": "Asha Rao",
            "phone": "9820012345",
            "organisation": "Deccan Garments",
            "address": "Plot 4, Hadapsar Industrial Estate",
            "city": "Pune",
            "state": "Maharashtra",
            "pincode": "411013",
            "country": "India",
            "time": "2025-10-09T15:30:00+0530",
        },
        "drop_info": {
            "name": "Store Manager",
            "phone": "9810098765",
            "organisation": "Bazaar Retail",
            "address": "Sector 18 market",
            "city": "Noida",
            "state": "Uttar Pradesh",
            "pincode": "201301",
            "country": "India",
        },
        "shipment_info": {
            "reference_number": reference,
            "courier_partner": 129,
            "account_code": "Bluedart-Surface",
            "order_type": "PREPAID",
            "delivery_type": "FORWARD",
            "cod_value": 0,
            "weight": 2000 * boxes,
            "invoice_info": [{"number": "DG/77", "value": 48000, "date": "2025-10-08"}],
            "purchase_order_info": [{"number": "BR-9", "expiry_date": "2025-11-01"}],
            "gst_info": {"enterprise_gstin": GSTIN, "consignee_gstin": GSTIN},
            "box_info": [
                {
                    "count": 1,
                    "length": 40,
                    "breadth": 30,
                    "height": 25,
                    "weight": 2000,
                    "description": f"Shirts {number}",
                    "reference_number_prefix": f"ORDER001-{number}",
                    "invoice_info": [{"number": "DG/77"}],
                    "purchase_order_info": [{"number": "BR-9"}],
                    "product_info": [{"sku": f"SH-{number}", "sku_count": 12, "price": 400}],
                }
                for number in range(1, boxes + 1)
            ],
        },
        "appointment_info": {"start_time": "2025-10-13T10:00:00+0530", "end_time": "2025-10-13T18:00:00+0530"},
        "additional_info": {"is_async": True, "is_label_required": True},
    }
    return _changed(order, changed)


def mps_order(
    reference: str = "ORDER001-P1", boxes: int = 3, changed: Mapping[str, object] = MappingProxyType({})
) -> Any:
    order = {
        "pickup_info": {
            "pickup_name": "Deccan Garments",
            "pickup_phone": "9820012345",
            "pickup_pincode": "411013",
            "pickup_address": "Plot 4, Hadapsar Industrial Estate",
            "pickup_city": "Pune",
            "pickup_state": "Maharashtra",
            "pickup_country": "IN",
            "pickup_time": "2025-10-09T10:00:00Z",
        },
        "drop_info": {
            "drop_name": "Bazaar Retail",
            "drop_phone": "9810098765",
            "drop_address": "Sector 18 market",
            "drop_city": "Noida",
            "drop_state": "Uttar Pradesh",
            "drop_pincode": "201301",
            "drop_country": "IN",
        },
        "shipment_details": {
            "shipment_type": "MPS",
            "order_type": "PREPAID",
            "cod_value": 0,
            "reference_number": reference,
            "courier_partner": 61,
            "invoice_number": "DG/77",
            "invoice_date": "2025-10-08",
            "invoice_value": 48000,
            "weight": 2000 * boxes,
            "length": 40,
            "breadth": 30,
            "height": 25,
            "items": [
                {
                    "sku": f"SH-{number}",
                    "description": f"Carton {number}",
                    "quantity": 1,
                    "price": 4800,
                    "gst_info": {"consignee_gstin": GSTIN, "invoice_number": "DG/77"},
                    "additional": {"length": 40, "breadth": 30, "height": 25, "weight": 2000},
                }
                for number in range(1, boxes + 1)
            ],
        },
        "additional": {"label": True, "async": True, "account_code": "Xpressbees-Cargo", "delivery_type": "FORWARD"},
    }
    return _changed(order, changed)


def _changed(order: Any, changed: Mapping[str, object]) -> Any:
    order = copy.deepcopy(order)
    for path, value in changed.items():
        *parents, last = path.split("__")
        place = order
        for name in parents:
            place = place[int(name)] if name.isdigit() else place[name]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return order
