"""What a key of one facility is told of another: the same as of what is not there. No route may be left out."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from litestar.routes import HTTPRoute

from bilty.reply import Label, Paper
from bilty.store.access import Scope
from bilty.store.database import connect_pool
from bilty.web import make_app
from conftest import new_database
from web.house import CONNECTOR, FACILITY, PDF, PROVIDER, RANKED, Document, House, shipment
from web.opening import opened_house

# The key is an admin's, for PNQ-1 alone; what it asks about is BLR-1's, or nobody's.
# alike: the answer is this status, word for word and statement for statement the one about what is not there.
# own: told, and without a word of what is BLR-1's. shared: the same is told to every key. all: refused, for it concerns
# every facility. open: told without a key.
TABLE = """
GET /openapi.json                                     open
GET /reference                                        open
GET /key                                              own
GET /facilities                                       own
GET /facilities/{code:str}                            alike 404
PUT /facilities/{code:str}                            alike 403
GET /shipping-providers                               shared
GET /shipping-providers/{code:str}                    shared
PUT /shipping-providers/{code:str}                    all
GET /shipping-providers/{code:str}/connector          shared
PUT /shipping-providers/{code:str}/connector          all
POST /shipments                                       alike 422
POST /shipments/bulk                                  alike 200
GET /shipments                                        own
GET /shipments/{shipment_id:int}                      alike 404
PATCH /shipments/{shipment_id:int}                    alike 404
GET /shipments/{shipment_id:int}/timeline             alike 404
GET /shipments/{shipment_id:int}/label.pdf            alike 404
GET /shipments/{shipment_id:int}/boxes                alike 404
GET /shipments/{shipment_id:int}/papers.pdf           alike 404
POST /shipments/{shipment_id:int}/schedules           alike 404
GET /shipments/{shipment_id:int}/ewaybills            alike 404
PUT /shipments/{shipment_id:int}/ewaybills            alike 404
POST /shipments/{shipment_id:int}/cancellation        alike 404
GET /shipments/{shipment_id:int}/documents            alike 404
POST /shipments/{shipment_id:int}/documents           alike 404
GET /shipments/{shipment_id:int}/documents/{document_id:int}     alike 404
DELETE /shipments/{shipment_id:int}/documents/{document_id:int}  alike 404
GET /shipments/{shipment_id:int}/decisions            alike 404
POST /shipments/{shipment_id:int}/decisions           alike 404
PUT /shipments/{shipment_id:int}/turns/{reference:str}/label.pdf  alike 404
GET /hand-off-endpoints                               all
GET /hand-off-endpoints/{code:str}                    all
PUT /hand-off-endpoints/{code:str}                    all
DELETE /hand-off-endpoints/{code:str}                 all
POST /hand-off-endpoints/{code:str}/secret            all
GET /hand-off-endpoints/{code:str}/deliveries         all
POST /hand-off-endpoints/{code:str}/replays           all
"""
THEIRS, MINE, NOBODYS = "BLR-1", "PNQ-1", "XYZ-9"
NUMBER, THEIR_NUMBER, THEIR_ORDER = "SO-1001", "SO-BLR", "PO-BLR"
NO_ID = 987_654_321


def lines() -> Iterator[tuple[str, tuple[str, int]]]:
    for row in filter(None, TABLE.splitlines()):
        method, path, how, *status = row.split()
        yield f"{method} {path}", (how, int(status[0]) if status else 0)


LINES = dict(lines())


def routes_that(*hows: str) -> list[str]:
    return [route for route, (how, _) in LINES.items() if how in hows]


@dataclass
class Town:
    """One house for all lines: a shipment of BLR-1 with its label, one of PNQ-1, and a key of PNQ-1 alone."""

    house: House
    key: str
    theirs: int
    mine: int
    said: list[str] = field(default_factory=list)

    async def asks(
        self, route: str, place: str, shipment_id: int, *, key: str = "", sent: Document | None = None
    ) -> httpx.Response:
        """About the facility `place`, or about this shipment."""
        method, _, path = route.partition(" ")
        code = place if "/facilities" in path else "clickpost-b2b" if place != NOBODYS else "nobody"
        path = path.replace("{code:str}", code).replace("{shipment_id:int}", str(shipment_id))
        path = path.replace("{reference:str}", "SO-BLR-0").replace("{document_id:int}", "1")
        assert "{" not in path, f"no value for {path}"
        headers = {"Authorization": f"Bearer {key or self.key}"}
        what = sent or document_for(route, place)
        if "content" in what:
            headers["Content-Type"] = "application/x-ndjson"
        if (path.endswith("label.pdf") and method == "PUT") or (path.endswith("documents") and method == "POST"):
            headers["Content-Type"] = "application/pdf"
        if method == "PATCH":
            headers["If-Match"] = "*"
        return await self.house.api.request(method, f"/api/v1{path}", headers=headers, **what)

    async def statements(
        self, route: str, place: str, shipment_id: int, sent: Document | None = None
    ) -> tuple[str, list[str]]:
        """What is answered, and what the database was told on the way. Asked once before: plans are then made."""
        await self.asks(route, place, shipment_id, sent=sent)
        self.said.clear()
        answer = await self.asks(route, place, shipment_id, sent=sent)
        return told(answer), list(self.said)


def document_for(route: str, place: str) -> Document:
    """What a request sends that, with a key of all facilities, would be taken."""
    order = shipment(facility=place, number="SO-NEW")
    documents: dict[str, object] = {
        "PUT /facilities/{code:str}": FACILITY,
        "PUT /shipping-providers/{code:str}": PROVIDER,
        "PUT /shipping-providers/{code:str}/connector": CONNECTOR,
        "POST /shipments": order,
        "PATCH /shipments/{shipment_id:int}": {"order_number": THEIR_ORDER},
        "POST /shipments/{shipment_id:int}/decisions": {"act": "use-late", "reference": "SO-BLR-0"},
        "PUT /shipments/{shipment_id:int}/ewaybills": {"items": [{"invoice": "INV-1", "number": "331001234567"}]},
        "PUT /hand-off-endpoints/{code:str}": {"url": "https://oms.example/bilty", "events": ["shipment.label_ready"]},
        "POST /hand-off-endpoints/{code:str}/replays": {"event": "evt_" + "0" * 32},
    }
    if route == "POST /shipments/bulk":
        return {"content": json.dumps(order) + "\n"}
    return {"json": documents[route]} if route in documents else {}


def told(answer: httpx.Response) -> str:
    """All that is said, but for when."""
    kept = {name: value for name, value in answer.headers.items() if name not in {"date", "content-length"}}
    return f"{answer.status_code} {sorted(kept.items())} {answer.text}"


def of_nobody(words: str, theirs: int) -> str:
    return (
        words.replace(THEIRS, NOBODYS)
        .replace(f"shipments/{theirs}", f"shipments/{NO_ID}")
        .replace(f"shipment {theirs}.", f"shipment {NO_ID}.")
    )


@pytest.fixture(scope="module")
async def town(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    dsn = await new_database(postgres_server)
    pool = await connect_pool(dsn, size=4)
    async with opened_house(pool, dsn, tmp_path_factory.mktemp("town")) as house:
        town = await settled(house)
        held = [await pool.acquire() for _ in range(4)]
        for connection in held:
            connection.add_query_logger(lambda query: town.said.append(query.query))
            await pool.release(connection)
        yield town
    await pool.close()


async def settled(house: House) -> Town:
    await house.furnish()
    assert (await house.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
    theirs = await house.takes_in(schedule=True, number=THEIR_NUMBER, order_number=THEIR_ORDER)
    await house.hears(RANKED, Label("AWB77"), Paper(await house.tools.labels.put(PDF), 1))
    mine = await house.takes_in(facility=MINE, number=NUMBER)
    key = await house.key_of(MINE)
    # It counts as used later than now: noting it is a statement that comes once a minute.
    await house.tools.pool.execute("UPDATE api_keys SET used_at = now() + interval '1 day'")
    return Town(house, key, theirs, mine)


@pytest.mark.parametrize("route", routes_that("alike"))
async def test_another_facilitys_is_as_what_is_not_there_in_words_and_in_work(town: Town, route: str) -> None:
    said, work = await town.statements(route, THEIRS, town.theirs)
    of_none, same_work = await town.statements(route, NOBODYS, NO_ID)
    assert said.startswith(f"{LINES[route][1]} ")
    assert of_nobody(said, town.theirs) == of_none
    assert work == same_work
    assert work, "the database was not asked at all"
    all_open = await town.asks(route, THEIRS, town.theirs, key=await town.house.key(Scope.ADMIN))
    assert told(all_open) != said, "even a key of all facilities is told no more"


@pytest.mark.parametrize("path", ["POST /shipments", "POST /shipments/bulk"])
async def test_a_number_of_another_facility_cannot_be_guessed(town: Town, path: str) -> None:
    """Whether it is taken there, with this content or with other: no word and no statement differs."""

    async def bring(place: str, **changed: object) -> tuple[str, list[str]]:
        order = shipment(facility=place, **changed)
        sent: Document = {"content": json.dumps(order) + "\n"} if path.endswith("bulk") else {"json": order}
        return await town.statements(path, place, 0, sent)

    of_none = await bring(NOBODYS, number=THEIR_NUMBER)
    same = {"number": THEIR_NUMBER, "order_number": THEIR_ORDER}
    for changed in (same, {**same, "order_number": "PO-OTHER"}, {**same, "number": "SO-NIL"}):
        said, work = await bring(THEIRS, **changed)
        assert of_nobody(said, town.theirs).replace("SO-NIL", THEIR_NUMBER) == of_none[0]
        assert work == of_none[1]
    mine = await bring(MINE, number=NUMBER)
    assert f'"id":{town.mine}' in mine[0]


@pytest.mark.parametrize(
    ("question", "of_none"),
    [
        ("facility=BLR-1", "facility=XYZ-9"),
        ("number=SO-BLR", "number=SO-XYZ"),
        ("order_number=PO-BLR", "order_number=PO-XYZ"),
        ("awb=AWB77", "awb=AWB99"),
        ("facility=BLR-1&number=SO-BLR", "facility=XYZ-9&number=SO-BLR"),
    ],
)
async def test_a_question_about_another_facility_is_as_one_about_nothing(
    town: Town, question: str, of_none: str
) -> None:
    said, work = await town.statements(f"GET /shipments?{question}", THEIRS, 0)
    assert said.endswith(' {"items":[],"next":null}')
    assert (said, work) == await town.statements(f"GET /shipments?{of_none}", THEIRS, 0)
    everything = await town.asks(f"GET /shipments?{question}", THEIRS, 0, key=await town.house.key(Scope.ADMIN))
    assert THEIR_NUMBER in {each["number"] for each in everything.json()["items"]}


@pytest.mark.parametrize("route", routes_that("own"))
async def test_what_is_listed_is_the_keys_own(town: Town, route: str) -> None:
    answer = await town.asks(route, THEIRS, town.theirs)
    assert answer.status_code == 200
    assert MINE in answer.text
    assert THEIRS not in answer.text
    assert f'"id":{town.theirs}' not in answer.text


@pytest.mark.parametrize("route", routes_that("shared"))
async def test_what_concerns_all_facilities_is_told_to_every_key(town: Town, route: str) -> None:
    answer = await town.asks(route, THEIRS, town.theirs)
    everything = await town.asks(route, THEIRS, town.theirs, key=await town.house.key(Scope.ADMIN))
    assert (answer.status_code, answer.text) == (200, everything.text)


@pytest.mark.parametrize("route", routes_that("all"))
async def test_what_concerns_all_facilities_is_changed_by_a_key_of_all_alone(town: Town, route: str) -> None:
    said, work = await town.statements(route, THEIRS, town.theirs)
    of_none, same_work = await town.statements(route, NOBODYS, NO_ID)
    assert said.startswith("403 ")
    assert "all_facilities_needed" in said
    assert "needs a key of all" in said
    assert said.replace("clickpost-b2b", "nobody") == of_none
    assert work == same_work


@pytest.mark.parametrize("route", [route for route in LINES if route not in routes_that("open")])
async def test_no_key_is_told_nothing(town: Town, route: str) -> None:
    answer = await town.asks(route, THEIRS, town.theirs, key="bilty_nobody")
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:bilty:problem:unknown_key"


async def test_every_route_of_the_api_is_in_the_table(town: Town) -> None:
    routes: set[str] = set()
    for route in make_app(town.house.tools).routes:
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/v1"):
            methods = {method for handler in route.route_handlers for method in handler.http_methods}
            routes |= {f"{method} {route.path.removeprefix('/api/v1')}" for method in methods - {"OPTIONS", "HEAD"}}
    assert routes - set(LINES) == set(), "not in the table"
    assert set(LINES) - routes == set(), "in the table only"
