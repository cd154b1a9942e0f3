"""A running Bilty for one test: real sockets, a real database, and the words in which the tests speak."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from bilty.reply import Courier, Label, Paper, Ranking, Refusal, Refused, Reply
from bilty.store import access, claims, settlements, showing
from bilty.store.access import Role, Scope
from bilty.store.providers import Keyring
from bilty.store.settlements import Outcome
from bilty.web import WebTools
from web.page import check_page

Document = dict[str, Any]
KEY = "click-post-key-0123456789"
P1, P2, P3 = Courier(4, "main", "Delhivery B2B"), Courier(5, "main", "Blue Dart"), Courier(6, "main", "DTDC")
RANKED = Ranking((P1, P2, P3))
NO = Refused(Refusal.COURIER, 319, "pin not in lane")
PDF = b"%PDF-1.4\n%a label\n%%EOF\n"

FACILITY: Document = {
    "name": "Store manager",
    "organisation": "Malnad Traders",
    "address": "No. 7, Peenya 2nd Stage",
    "city": "Bengaluru",
    "state": "Karnataka",
    "pincode": "560058",
    "phone": "9876543211",
    "gstin": "29AAGCB7383J1Z4",
}
SHIPMENT: Document = {
    "number": "SO-1001",
    "order_number": "PO/26-27/88",
    "facility": "BLR-1",
    "shipping_provider": "clickpost-b2b",
    "consignee": {
        "name": "Receiving desk",
        "organisation": "Sahyadri Distributors",
        "phone": "9876543210",
        "address": "Plot 14, Industrial Area",
        "city": "Pune",
        "state": "Maharashtra",
        "pincode": "411018",
    },
    "payment": {"mode": "prepaid"},
    "invoices": [{"number": "INV-1", "date": "2026-11-20", "value": "23600.00"}],
    "boxes": [
        {"count": 2, "length_cm": 40, "breadth_cm": 30, "height_cm": 25, "weight_g": 12500, "invoice": "INV-1"},
        {"length_cm": 60, "breadth_cm": 30, "height_cm": 25, "weight_g": 8000, "invoice": "INV-1"},
    ],
}


def shipment(**changed: object) -> Document:
    return deepcopy({**SHIPMENT, **changed})


@dataclass
class House:
    tools: WebTools
    url: str
    keys: dict[Scope, str] = field(default_factory=dict)
    api: httpx.AsyncClient = field(init=False)
    browser: httpx.AsyncClient = field(init=False)
    at: datetime | None = None

    async def key(self, scope: Scope) -> str:
        if scope not in self.keys:
            async with self.tools.pool.acquire() as connection:
                self.keys[scope] = await access.add_key(connection, f"{scope} key", scope)
        return self.keys[scope]

    async def key_of(self, *codes: str, scope: Scope = Scope.ADMIN) -> str:
        """A new key of these facilities alone."""
        async with self.tools.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch("SELECT id FROM facilities WHERE code = ANY($1)", codes)
            name = f"{scope} of {' and '.join(codes)}"
            return await access.add_key(connection, name, scope, frozenset(row["id"] for row in rows))

    async def call(
        self, method: str, path: str, document: object = None, *, scope: Scope = Scope.ADMIN, **headers: str
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Authorization", f"Bearer {await self.key(scope)}")
        return await self.api.request(method, f"/api/v1{path}", headers=named, json=document)

    async def furnish(self) -> None:
        """A provider with its connector, and a facility."""
        assert (await self.call("PUT", "/shipping-providers/clickpost-b2b", PROVIDER)).status_code == 201
        assert (await self.call("PUT", "/shipping-providers/clickpost-b2b/connector", CONNECTOR)).status_code == 200
        assert (await self.call("PUT", "/facilities/BLR-1", FACILITY)).status_code == 201

    async def takes_in(self, **changed: object) -> int:
        answer = await self.call("POST", "/shipments", shipment(**changed))
        assert answer.status_code in {200, 201, 202}, answer.text
        return int(answer.json()["id"])

    async def now(self) -> datetime:
        async with self.tools.pool.acquire() as connection:
            return await showing.clock(connection)

    async def hears(self, *replies: Reply, later: timedelta = timedelta(hours=1)) -> None:
        """ClickPost answers, one after the other, each to all that is due by `later`."""
        for reply in replies:
            at = self.at = (self.at or await self.now()) + later
            claimed = await claims.claim(
                self.tools.pool, Keyring(self.tools.vault), calls_max=500, calls_out={}, now=at
            )
            assert claimed, f"nothing is owed that could hear {reply}"
            outcomes = [Outcome(claim, reply, ()) for claim in claimed]
            await settlements.settle(self.tools.pool, outcomes, self.tools.settings.rules, now=at)

    async def labels(self, awb: str) -> None:
        sha256 = await self.tools.labels.put(PDF)
        await self.hears(Label(awb), Paper(sha256, 1))

    async def sign_in_link(self, email: str = "asha@example.com", role: Role = Role.DISPATCHER) -> str:
        async with self.tools.pool.acquire() as connection:
            now = await showing.clock(connection)
            return "/sign-in/" + await access.add_user(connection, email, role, now)

    async def sign_in(
        self, email: str = "asha@example.com", *, role: Role = Role.DISPATCHER, facilities: Sequence[str] | None = None
    ) -> None:
        """`facilities`: the codes of those this person works for, None for all."""
        self.browser.cookies.clear()
        link = await self.sign_in_link(email, role)
        if facilities is not None:
            await self._limit(email, facilities)
        answer = await self.send_form(link)
        assert answer.status_code == 303

    async def _limit(self, email: str, facilities: Sequence[str]) -> None:
        pool = self.tools.pool
        await pool.execute("UPDATE users SET all_facilities = false WHERE email = $1", email)
        await pool.execute(
            """INSERT INTO user_facilities (user_id, facility_id)
               SELECT u.id, f.id FROM users u, facilities f WHERE u.email = $1 AND f.code = ANY($2)
               ON CONFLICT DO NOTHING""",
            email,
            facilities,
        )

    async def send_form(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()} or {"Origin": self.url}
        return await self.browser.post(path, headers=named)

    async def send(self, path: str, fields: Mapping[str, str | Sequence[str]] | None = None) -> httpx.Response:
        """A form as a browser sends it from one of our pages; what it answers with is checked if it is a page."""
        answer = await self.browser.post(path, data=dict(fields or {}), headers={"Origin": self.url})
        if answer.status_code != 303 and answer.headers.get("content-type", "").startswith("text/html"):
            check_page(answer)
        return answer

    async def told(self, answer: httpx.Response) -> str:
        """Follows the answer to a form, and returns the page that says what came of it."""
        assert answer.status_code == 303, answer.text
        return await self.page(answer.headers["location"])

    async def page(self, path: str, status: int = 200) -> str:
        """Fetches a page as a browser does, and checks it as every page is checked."""
        answer = await self.browser.get(path)
        assert answer.status_code == status, answer.text
        check_page(answer)
        return answer.text


PROVIDER: Document = {"kind": "clickpost_b2b", "name": "ClickPost B2B"}
CONNECTOR: Document = {"username": "malnad", "key": KEY}
