"""Uniware for one test: its documented shape filled with a real address, and its way of calling."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bilty.settings import Settings
from bilty.store import access
from bilty.store.access import Scope
from bilty.store.database import Pool
from web.house import FACILITY, RANKED, House
from web.opening import opened_house

Document = dict[str, Any]
NAME = "Uniware of BLR-1"

WAYBILL: Document = {
    "serviceType": "",
    "handOverMode": "Pickup",
    "returnShipmentFlag": "false",
    "Shipment": {
        "code": "SP-1001",
        "SaleOrderCode": "SO-88",
        "orderCode": "SO-88-A",
        "channelCode": "CUSTOM",
        "channelName": "Trade",
        "source": "unicommerce",
        "customField": [{"name": "invoice_date", "value": "20-Nov-2026"}],
        "invoiceCode": "INV-1",
        "orderDate": "16-Nov-2026 00:00:00",
        "fullFilllmentTat": "28-Nov-2026 00:00:00",
        "weight": "20500.4000",
        "length": "401",
        "height": "250",
        "breadth": "300",
        "numberOfBoxes": "2",
        "items": [
            {
                "name": "Steel bottle, one litre",
                "description": "",
                "quantity": 20,
                "skuCode": "BOT-1L",
                "itemPrice": 590.0,
                "imageURL": "",
                "hsnCode": "7323",
                "tags": "",
                "brand": "",
                "color": "",
                "category": "",
                "size": "",
                "item_details": "",
                "ean": "",
            }
        ],
    },
    "deliveryAddressId": "77",
    "deliveryAddressDetails": {
        "name": "Sahyadri Distributors",
        "email": "",
        "phone": "9876543210",
        "address1": "Plot 14, Industrial Area",
        "address2": "Chinchwad",
        "pincode": "411018",
        "city": "Pune",
        "state": "Maharashtra",
        "country": "India",
        "stateCode": "MH",
        "countryCode": "IN",
        "gstin": "",
        "alternatePhone": "",
    },
    "pickupAddressId": "BLR-1",
    "pickupAddressDetails": {"name": "Malnad Traders", "phone": "9876543211", "pincode": "560058"},
    "returnAddressId": "BLR-1",
    "returnAddressDetails": {},
    "currencyCode": "INR",
    "paymentMode": "PREPAID",
    "totalAmount": "11800.0000",
    "collectableAmount": "0",
    "courierName": "",
    "customField": [{"name": "", "value": ""}],
}


def asked(**changed: object) -> Document:
    """As documented, with these fields changed: `Shipment__code="SP-2"` within an object."""
    document: Document = deepcopy(WAYBILL)
    for name, value in changed.items():
        outer, _, leaf = name.rpartition("__")
        (document[outer] if outer else document)[leaf] = value
    return document


def with_customs(document: Document, **values: str) -> Document:
    """With these custom fields in the place of all others."""
    fields = [{"name": name, "value": value} for name, value in values.items()]
    return {**document, "Shipment": {**document["Shipment"], "customField": fields}}


def blank(document: Any) -> Any:
    """The same shape with every string blank."""
    if isinstance(document, dict):
        return {name: blank(value) for name, value in document.items()}
    if isinstance(document, list):
        return [blank(each) for each in document]
    return "" if isinstance(document, str) else document


@dataclass
class Uniware:
    house: House
    key: str = ""
    name: str = NAME

    async def token(self) -> str:
        answer = await self.house.api.post("/uniware/authToken", json={"username": self.name, "password": self.key})
        assert answer.json()["status"] == "SUCCESS", answer.text
        return str(answer.json()["token"])

    async def sends(self, method: str, path: str, document: object = None, **query: str) -> httpx.Response:
        """With a token of its own, as Uniware does."""
        headers = {"Authorization": await self.token()}
        return await self.house.api.request(method, f"/uniware{path}", json=document, params=query, headers=headers)

    async def told(self, path: str, document: object) -> Document:
        answer = await self.sends("POST", path, document)
        assert answer.status_code == 200, answer.text
        found: Document = answer.json()
        return found

    async def books(self, awb: str = "AWB1", **changed: object) -> Document:
        """Asked for, booked meanwhile, and asked again."""
        document = asked(**changed)
        assert (await self.told("/waybill", document))["status"] == "FAILED"
        await self.house.hears(RANKED)
        await self.house.labels(awb)
        return await self.told("/waybill", document)

    async def count(self, table: str) -> int:
        return int(await self.house.tools.pool.fetchval(f"SELECT count(*) FROM {table}"))


async def another(
    house: House, name: str, scope: Scope = Scope.DISPATCH, *, facilities: tuple[str, ...] = ()
) -> Uniware:
    """A Uniware with a key of its own; of all facilities where none are named."""
    async with house.tools.pool.acquire() as connection:
        rows = await connection.fetch("SELECT id FROM facilities WHERE code = ANY($1)", list(facilities))
        ids = frozenset(row["id"] for row in rows) if facilities else None
        key = await access.add_key(connection, name, scope, ids)
    return Uniware(house, key, name)


@asynccontextmanager
async def opened_uniware(pool: Pool, dsn: str, folder: Path, **settings: Any) -> AsyncIterator[Uniware]:
    """A furnished house, with a second facility, and a key for the first."""
    async with opened_house(pool, dsn, folder, Settings(**{"uniware_wait_seconds": 0, **settings})) as house:
        await house.furnish()
        assert (await house.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
        yield await another(house, NAME, facilities=("BLR-1",))
