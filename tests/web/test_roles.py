"""Who may do what: each route of the panel and each kind of person, one line a test. No route may be left out."""

import io
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from litestar.routes import HTTPRoute
from reportlab.pdfgen.canvas import Canvas

from bilty.oms import label_link
from bilty.reply import Label, Paper
from bilty.store.access import Role
from bilty.store.database import connect_pool
from bilty.store.labels import Shelf
from bilty.web import make_app
from bilty.web.sessions import from_our_pages
from conftest import new_database
from web.house import FACILITY, RANKED, House
from web.opening import opened_house

FORMS: dict[str, dict[str, str]] = {
    "POST /jobs": {"kind": "print", "id": "{shipment_id}"},
    "POST /handovers": {"facility": "{facility_id}", "courier": "{courier_id}"},
    "POST /handovers/{handover_id:int}/boxes": {"shipment": "{shipment_id}", "box": "1"},
    "POST /settings/users/{user_id:int}": {"role": "viewer", "works_for": "all"},
}
"""What some forms send, so that they come as far as asking who sends them. The others are sent blank."""
SIGN_OUT = {"POST /sign-out", "POST /account/sign-out-everywhere", "POST /sign-in/{token:str}"}
"""What ends the session with which it is asked."""

# yes: let in; door: sent to sign in; no: told that it takes another role, or all facilities;
# 404: told that there is no such thing.
# "out" is signed out; "other" and "other-admin" are a dispatcher and an admin of another facility than the shipment's.
# The job is the dispatcher's.
TABLE = """
                                                                out   viewer  dispatcher  admin  other  other-admin
GET /                                                           door  yes     yes         yes    yes    yes
GET /sign-in                                                    yes   yes     yes         yes    yes    yes
POST /sign-in                                                   yes   yes     yes         yes    yes    yes
GET /sign-in/{token:str}                                        yes   yes     yes         yes    yes    yes
POST /sign-in/{token:str}                                       yes   yes     yes         yes    yes    yes
POST /sign-out                                                  door  door    door        door   door   door
GET /static/{file_path:path}                                    yes   yes     yes         yes    yes    yes
GET /healthz                                                    yes   yes     yes         yes    yes    yes
GET /readyz                                                     yes   yes     yes         yes    yes    yes
GET /api/v1/reference                                           yes   yes     yes         yes    yes    yes

GET /manifests/{token:str}                                      404   404     404         404    404    404

GET /account                                                    door  yes     yes         yes    yes    yes
POST /account/password                                          door  yes     yes         yes    yes    yes
POST /account/sessions/{session_id:int}/sign-out                door  yes     yes         yes    yes    yes
POST /account/sign-out-everywhere                               door  door    door        door   door   door

GET /today                                                      door  yes     yes         yes    yes    yes
GET /today/shipments                                            door  yes     yes         yes    yes    yes
GET /shipments                                                  door  yes     yes         yes    yes    yes
GET /shipments/live                                             door  yes     yes         yes    yes    yes
POST /shipments/row-height                                      door  yes     yes         yes    yes    yes
GET /shipments/new                                              door  no      yes         yes    yes    yes
POST /shipments/new                                             door  no      yes         yes    yes    yes
GET /shipments/{shipment_id:int}                                door  yes     yes         yes    404    404
GET /shipments/{shipment_id:int}/live                           door  yes     yes         yes    404    404
GET /shipments/{shipment_id:int}/edit                           door  no      yes         yes    404    404
POST /shipments/{shipment_id:int}/edit                          door  no      yes         yes    404    404
GET /shipments/{shipment_id:int}/label.pdf                      door  no      yes         yes    404    404
GET /shipments/{shipment_id:int}/papers.pdf                     door  no      yes         yes    404    404
GET /shipments/{shipment_id:int}/label/{picture:str}            door  yes     yes         yes    404    404
GET /shipments/{shipment_id:int}/turns/{turn_id:int}/exchanges  door  yes     yes         yes    404    404
GET /shipments/{shipment_id:int}/acts/{kind:str}                door  no      yes         yes    404    404
POST /shipments/{shipment_id:int}/acts/{kind:str}               door  no      yes         yes    404    404
GET /shipments/{shipment_id:int}/ewaybills                      door  no      yes         yes    404    404
POST /shipments/{shipment_id:int}/ewaybills                     door  no      yes         yes    404    404
POST /shipments/{shipment_id:int}/transporter                   door  no      yes         yes    404    404
GET /handovers                                                  door  yes     yes         yes    yes    yes
POST /handovers                                                 door  no      yes         yes    404    404
GET /handovers/{handover_id:int}                                door  yes     yes         yes    404    404
POST /handovers/{handover_id:int}/scan                          door  no      yes         yes    404    404
POST /handovers/{handover_id:int}/boxes                         door  no      yes         yes    404    404
GET /handovers/{handover_id:int}/close                          door  no      yes         yes    404    404
POST /handovers/{handover_id:int}/close                         door  no      yes         yes    404    404
GET /handovers/{handover_id:int}/manifest.pdf                   door  yes     yes         yes    404    404
GET /ewaybills                                                  door  yes     yes         yes    yes    yes
GET /ewaybills/wanted.csv                                       door  yes     yes         yes    yes    yes
POST /ewaybills                                                 door  no      yes         yes    yes    yes
POST /shipments/{shipment_id:int}/print                         door  no      yes         yes    404    404
POST /shipments/{shipment_id:int}/documents                     door  no      yes         yes    404    404
GET /shipments/{shipment_id:int}/documents/{document_id:int}    door  yes     yes         yes    404    404
POST /shipments/{shipment_id:int}/documents/{document_id:int}/remove  door  no  yes       yes    404    404
GET /labels/{token:str}                                         yes   yes     yes         yes    yes    yes
GET /papers/{token:str}                                         404   404     404         404    404    404
GET /attention                                                  door  yes     yes         yes    yes    yes
POST /attention/comparison                                      door  no      no          yes    no     no
POST /shipments/{shipment_id:int}/difference                    door  no      yes         yes    404    404

GET /jobs                                                       door  yes     yes         yes    yes    yes
POST /jobs                                                      door  no      yes         yes    yes    yes
GET /jobs/{job_id:int}                                          door  404     yes         yes    404    404
GET /jobs/{job_id:int}/live                                     door  404     yes         yes    404    404
GET /jobs/{job_id:int}/result                                   door  404     yes         yes    404    404

GET /imports                                                    door  no      yes         yes    yes    yes
POST /imports                                                   door  no      yes         yes    yes    yes
GET /imports/template.csv                                       door  no      yes         yes    yes    yes
GET /imports/template.xlsx                                      door  no      yes         yes    yes    yes
GET /imports/{import_id:int}                                    door  no      yes         yes    404    404
GET /imports/{import_id:int}/live                               door  no      yes         yes    404    404
POST /imports/{import_id:int}/columns                           door  no      yes         yes    404    404
POST /imports/{import_id:int}/mends                             door  no      yes         yes    404    404
POST /imports/{import_id:int}/taking                            door  no      yes         yes    404    404
GET /imports/{import_id:int}/faulty.csv                         door  no      yes         yes    404    404

GET /settings                                                   door  yes     yes         yes    yes    yes
GET /settings/shipping-providers                                door  yes     yes         yes    yes    yes
GET /settings/shipping-providers/new                            door  no      no          yes    no     no
POST /settings/shipping-providers/new                           door  no      no          yes    no     no
GET /settings/shipping-providers/{code:str}                     door  yes     yes         yes    yes    yes
POST /settings/shipping-providers/{code:str}                    door  no      no          yes    no     no
GET /settings/shipping-providers/{code:str}/connector           door  yes     yes         yes    yes    yes
POST /settings/shipping-providers/{code:str}/connector          door  no      no          yes    no     no
GET /settings/shipping-providers/{code:str}/connector/preview   door  no      no          yes    no     no
POST /settings/shipping-providers/{code:str}/connector/preview  door  no      no          yes    no     no
POST /settings/shipping-providers/{code:str}/test               door  no      no          yes    no     yes
POST /settings/shipping-providers/{code:str}/priorities         door  no      no          yes    no     yes
GET /settings/facilities                                        door  yes     yes         yes    yes    yes
GET /settings/facilities/new                                    door  no      no          yes    no     no
POST /settings/facilities/new                                   door  no      no          yes    no     no
GET /settings/facilities/{code:str}                             door  yes     yes         yes    404    404
POST /settings/facilities/{code:str}                            door  no      no          yes    no     404

GET /settings/uniware                                           door  yes     yes         yes    yes    yes
GET /settings/uniware/{code:str}                                door  yes     yes         yes    404    404
POST /settings/uniware/{code:str}                               door  no      no          yes    no     404

GET /settings/users                                             door  no      no          yes    no     yes
POST /settings/users                                            door  no      no          yes    no     yes
GET /settings/users/new                                         door  no      no          yes    no     yes
GET /settings/users/{user_id:int}                               door  no      no          yes    no     404
POST /settings/users/{user_id:int}                              door  no      no          yes    no     404
POST /settings/users/{user_id:int}/link                         door  no      no          yes    no     404
POST /settings/users/{user_id:int}/sign-out                     door  no      no          yes    no     404
POST /settings/users/{user_id:int}/disable                      door  no      no          yes    no     404
POST /settings/users/{user_id:int}/enable                       door  no      no          yes    no     404
GET /settings/api-keys                                          door  no      no          yes    no     no
POST /settings/api-keys                                         door  no      no          yes    no     no
POST /settings/api-keys/{key_id:int}/revoke                     door  no      no          yes    no     no
GET /settings/hand-off-endpoints                                door  no      no          yes    no     no
GET /settings/hand-off-endpoints/new                            door  no      no          yes    no     no
POST /settings/hand-off-endpoints/new                           door  no      no          yes    no     no
GET /settings/hand-off-endpoints/{code:str}                     door  no      no          yes    no     no
POST /settings/hand-off-endpoints/{code:str}                    door  no      no          yes    no     no
GET /settings/hand-off-endpoints/{code:str}/deliveries          door  no      no          yes    no     no
POST /settings/hand-off-endpoints/{code:str}/replays            door  no      no          yes    no     no
POST /settings/hand-off-endpoints/{code:str}/test               door  no      no          yes    no     no
POST /settings/hand-off-endpoints/{code:str}/secret             door  no      no          yes    no     no
POST /settings/hand-off-endpoints/{code:str}/enable             door  no      no          yes    no     no
POST /settings/hand-off-endpoints/{code:str}/try-now            door  no      no          yes    no     no
POST /settings/hand-off-endpoints/{code:str}/remove             door  no      no          yes    no     no
GET /settings/audit                                             door  no      no          yes    no     yes
"""
PEOPLE = ("out", "viewer", "dispatcher", "admin", "other", "other-admin")
OTHERS = {"other": Role.DISPATCHER, "other-admin": Role.ADMIN}


def lines() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each route with what becomes of each of PEOPLE."""
    head, *rows = filter(None, TABLE.splitlines())
    assert tuple(head.split()) == PEOPLE
    for row in rows:
        method, path, *expected = row.split()
        assert len(expected) == len(PEOPLE), row
        yield f"{method} {path}", tuple(expected)


LINES = dict(lines())
FORM_ROUTES = [route for route in LINES if not route.startswith("GET ")]


@dataclass
class Town:
    """One house for all lines, in which nobody's visit changes what the next one may do."""

    house: House
    values: dict[str, str]
    signed_in: dict[str, str] = field(default_factory=dict)

    async def comes(self, person: str) -> None:
        cookies = self.house.browser.cookies
        cookies.clear()
        if person in self.signed_in:
            cookies.set("bilty", self.signed_in[person])
        elif person in OTHERS:
            await self.house.sign_in(f"{person}@example.com", role=OTHERS[person], facilities=["PNQ-1"])
        elif person != "out":
            await self.house.sign_in(f"{person}@example.com", role=Role(person))
        self.signed_in |= {person: cookies["bilty"]} if "bilty" in cookies else {}

    async def address_of(self, path: str) -> str:
        """The route with its places filled in."""
        values = dict(self.values)
        values["code"] = "clickpost-b2b" if "shipping-providers" in path else "BLR-1"
        if "hand-off-endpoints" in path:
            values["code"] = "to-go" if path.endswith("/remove") else "oms"
        if path.startswith("/labels/"):
            values["token"] = values["label"]
        elif "{token" in path:
            values["token"] = (await self.house.sign_in_link("guest@example.com")).rpartition("/")[2]
        for name, value in values.items():
            for kind in ("int", "str", "path"):
                path = path.replace(f"{{{name}:{kind}}}", value)
        assert "{" not in path, f"no value for {path}"
        return path

    async def asks(self, route: str) -> tuple[int, str]:
        """The status, and where it sends the asker."""
        method, _, path = route.partition(" ")
        fields = {name: value.format(**self.values) for name, value in FORMS.get(route, {}).items()}
        headers = {"Origin": self.house.url}
        address = await self.address_of(path)
        data = fields if method == "POST" else None
        if route in SIGN_OUT:
            self.signed_in.clear()
        async with self.house.browser.stream(method, address, data=data, headers=headers) as answer:
            return answer.status_code, answer.headers.get("location", "")


@pytest.fixture(scope="module")
async def town(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    dsn = await new_database(postgres_server)
    pool = await connect_pool(dsn)
    async with opened_house(pool, dsn, tmp_path_factory.mktemp("town")) as house:
        yield await settled(house)
    await pool.close()


async def settled(house: House) -> Town:
    """A shipment with its label and what was said, a dispatcher's job, a user to change and a key to revoke."""
    await house.furnish()
    assert (await house.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
    shipment_id = await house.takes_in(schedule=True)
    sha256 = await house.tools.labels.put(drawn())
    await house.hears(RANKED, Label("AWB77"), Paper(sha256, 1))
    await house.sign_in_link("victim@example.com")
    await house.sign_in("dispatcher@example.com")
    job = (await house.send("/jobs", {"kind": "print", "id": str(shipment_id)})).headers["location"]
    await house.sign_in("boss@example.com", role=Role.ADMIN)
    assert (await house.send("/settings/api-keys", {"name": "to go", "scope": "read"})).status_code == 201
    for code in ("oms", "to-go"):
        document = {"url": "https://oms.example.com/", "events": ["shipment.failed"]}
        assert (await house.call("PUT", f"/hand-off-endpoints/{code}", document)).status_code == 201
    pool = house.tools.pool
    printed = {"sha256": await house.tools.labels.put(drawn(), Shelf.PRINTS), "pages": 1}
    await pool.execute("UPDATE jobs SET ended_at = now(), result = $1", json.dumps(printed))
    begun = await pool.fetchval(
        """INSERT INTO imports (name, sha256, form, size, actor_kind, actor)
           VALUES ('orders.csv', 'x', 'csv', 1, 'user', 'dispatcher@example.com') RETURNING id"""
    )
    turn_id = await pool.fetchval("SELECT id FROM turns WHERE awb = 'AWB77'")
    document_id = await pool.fetchval(
        """INSERT INTO attachments (shipment_id, kind, name, sha256, pages, bytes, actor_kind, actor)
           VALUES ($1, 'invoice', 'INV-1.pdf', $2, 1, 100, 'user', 'boss@example.com') RETURNING id""",
        shipment_id,
        await house.tools.labels.put(drawn(), Shelf.DOCUMENTS),
    )
    await pool.execute(
        """INSERT INTO exchanges (turn_id, at, step, request, status, answer, duration_ms)
           VALUES ($1, now(), 'ask', '{}', 200, '{}', 12)""",
        turn_id,
    )
    (where,) = await pool.fetch("SELECT facility_id, courier_id FROM shipments WHERE id = $1", shipment_id)
    handover_id = await pool.fetchval(
        """WITH paper AS (INSERT INTO manifests (id, at, actor, content) OVERRIDING SYSTEM VALUE
                VALUES (7, now(), 'boss@example.com', $3) RETURNING id)
           INSERT INTO handovers (facility_id, courier_id, opened_at, opened_by, closed_at, closed_by, manifest_id)
           SELECT $1, $2, now(), 'boss@example.com', now(), 'boss@example.com', id FROM paper RETURNING id""",
        where["facility_id"],
        where["courier_id"],
        json.dumps({"number": "M-7", "at": "2026-11-24T10:00:00Z", "lines": []}),
    )
    return Town(
        house,
        {
            "shipment_id": str(shipment_id),
            "handover_id": str(handover_id),
            "facility_id": str(where["facility_id"]),
            "courier_id": str(where["courier_id"]),
            "turn_id": str(turn_id),
            "import_id": str(begun),
            "document_id": str(document_id),
            "picture": "1.png",
            "kind": "poll-now",
            "job_id": job.rpartition("/")[2],
            "user_id": str(await pool.fetchval("SELECT id FROM users WHERE email = 'victim@example.com'")),
            "key_id": str(await pool.fetchval("SELECT id FROM api_keys WHERE name = 'to go'")),
            "session_id": "1",
            "file_path": "bilty.css",
            "label": label_link.link(
                house.tools.vault, "", shipment_id, sha256, await house.now() + timedelta(days=1)
            ).rpartition("/")[2],
        },
    )


def drawn() -> bytes:
    paper = io.BytesIO()
    canvas = Canvas(paper, pagesize=(288, 432))
    canvas.drawString(20, 400, "AWB77")
    canvas.save()
    return paper.getvalue()


def told(status: int, where: str) -> str:
    if where.partition("?")[0] == "/sign-in":
        return "door"
    return {403: "no", 404: "404"}.get(status, "yes" if status in {200, 201, 303, 422} else str(status))


@pytest.mark.parametrize("route", LINES)
async def test_who_may(town: Town, route: str) -> None:
    found = []
    for person in PEOPLE:
        await town.comes(person)
        found.append(told(*await town.asks(route)))
    assert dict(zip(PEOPLE, found, strict=True)) == dict(zip(PEOPLE, LINES[route], strict=True))


@pytest.mark.parametrize("route", FORM_ROUTES)
async def test_a_form_from_elsewhere_is_refused(town: Town, route: str) -> None:
    await town.comes("admin")
    method, _, path = route.partition(" ")
    address = await town.address_of(path)
    for headers in ({}, {"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await town.house.browser.request(method, address, headers=headers)
        assert answer.status_code == 403
        assert "not sent from one of Bilty&#39;s own pages" in answer.text


async def test_every_route_of_the_panel_is_in_the_table_and_every_form_is_guarded(town: Town) -> None:
    routes: set[str] = set()
    for route in make_app(town.house.tools).routes:
        by_key = route.path.startswith(("/api/", "/uniware/")) and f"GET {route.path}" not in LINES
        if not isinstance(route, HTTPRoute) or by_key:
            continue
        for handler in route.route_handlers:
            methods = handler.http_methods - {"OPTIONS", "HEAD"}
            routes |= {f"{method} {route.path}" for method in methods}
            guarded = from_our_pages in handler.resolve_guards()
            assert guarded or methods <= {"GET"}, f"{route.path} believes any form"
    assert routes - set(LINES) == set(), "not in the table"
    assert set(LINES) - routes == set(), "in the table only"
