"""Shipping providers, connectors, facilities and keys, over the wire."""

import pytest

from bilty.store.access import Scope
from web.house import CONNECTOR, FACILITY, KEY, PROVIDER, Document, House


async def test_a_key_is_told_who_it_is(house: House) -> None:
    answer = await house.call("GET", "/key", scope=Scope.READ)
    assert answer.json() == {"name": "read key", "scope": "read", "facilities": None, "expires_at": None}


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nobody", "Basic YTpi", "Bearer " + "x" * 5000])
async def test_without_a_good_key_nothing_is_told(house: House, authorization: str) -> None:
    answer = await house.call("GET", "/key", Authorization=authorization)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        (Scope.READ, "POST", "/shipments"),
        (Scope.READ, "POST", "/shipments/1/schedules"),
        (Scope.DISPATCH, "PUT", "/facilities/BLR-1"),
        (Scope.DISPATCH, "PUT", "/shipping-providers/a"),
        (Scope.DISPATCH, "PUT", "/shipping-providers/a/connector"),
    ],
)
async def test_a_scope_that_is_too_small_is_told(house: House, scope: Scope, method: str, path: str) -> None:
    answer = await house.call(method, path, {}, scope=scope)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:bilty:problem:scope_too_small"
    assert scope in answer.json()["detail"]


async def test_a_provider_is_made_and_changed(house: House) -> None:
    assert (await house.call("PUT", "/shipping-providers/main", PROVIDER)).status_code == 201
    answer = await house.call("PUT", "/shipping-providers/main", {**PROVIDER, "name": "Ours", "enabled": False})
    assert answer.status_code == 200
    known = (await house.call("GET", "/shipping-providers/main")).json()
    assert (known["name"], known["enabled"], known["connector_set"]) == ("Ours", False, False)
    listed = (await house.call("GET", "/shipping-providers")).json()
    assert [each["code"] for each in listed["items"]] == ["main"]


async def test_update_connector_never_echoes_the_key(house: House) -> None:
    await house.call("PUT", "/shipping-providers/main", PROVIDER)
    path = "/shipping-providers/main/connector"
    assert (await house.call("GET", path)).status_code == 404
    put = await house.call("PUT", path, CONNECTOR)
    kept = await house.call("PUT", path, {"username": "other", "pickup_after_minutes": 45})
    got = await house.call("GET", path)
    for answer in (put, kept, got):
        assert answer.status_code == 200
        assert answer.json()["key_ends_with"] == KEY[-4:]
        assert KEY not in answer.text
    assert got.json()["username"] == "other"
    assert got.json()["pickup_after_minutes"] == 45
    assert got.json()["packslip_required"] is False


async def test_no_fault_shows_a_key(house: House) -> None:
    await house.call("PUT", "/shipping-providers/main", PROVIDER)
    answer = await house.call("PUT", "/shipping-providers/main/connector", {"user": "x", "api_key": KEY})
    assert answer.status_code == 422
    assert KEY not in answer.text


async def test_a_connector_needs_its_provider(house: House) -> None:
    assert (await house.call("PUT", "/shipping-providers/nobody/connector", CONNECTOR)).status_code == 404


async def test_a_facility_is_made_changed_and_read(house: House) -> None:
    assert (await house.call("GET", "/facilities/BLR-1")).status_code == 404
    assert (await house.call("PUT", "/facilities/BLR-1", FACILITY)).status_code == 201
    answer = await house.call("PUT", "/facilities/BLR-1", {**FACILITY, "location_code": "LOC9"})
    assert answer.status_code == 200
    known = (await house.call("GET", "/facilities/BLR-1", scope=Scope.READ)).json()
    assert known["location_code"] == "LOC9"
    assert known["address"] == FACILITY["address"]
    assert (known["country"], known["time_zone"], known["code"]) == ("IN", "Asia/Kolkata", "BLR-1")


async def test_every_faulty_field_is_named(house: House) -> None:
    answer = await house.call("PUT", "/facilities/BLR-1", {**FACILITY, "pincode": "12", "gstin": "x"})
    assert answer.status_code == 422
    problem = answer.json()
    assert {each["field"] for each in problem["errors"]} == {"pincode", "gstin"}
    assert problem["title"] == "Unprocessable Content"
    assert all(set(each) == {"field", "value", "message"} for each in problem["errors"])


async def test_facilities_are_listed_by_the_page(house: House) -> None:
    codes = [f"WH-{n:02}" for n in range(5)]
    for code in reversed(codes):
        assert (await house.call("PUT", f"/facilities/{code}", FACILITY)).status_code == 201
    pages: list[list[Document]] = []
    path: str | None = "/facilities?limit=2"
    while path:
        page = (await house.call("GET", path, scope=Scope.READ)).json()
        pages.append(page["items"])
        path = page["next"] and page["next"].removeprefix(f"{house.url}/api/v1")
    assert [[each["code"] for each in page] for page in pages] == [codes[:2], codes[2:4], codes[4:]]
    assert pages[-1] == [(await house.call("GET", f"/facilities/{codes[-1]}")).json()]
    assert (await house.call("GET", "/facilities?after=WH-03x")).json()["items"][0]["code"] == "WH-04"


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "after=a%00b", "after=" + "x" * 41, "code=WH-01"])
async def test_a_page_of_facilities_that_cannot_be_asked_for(house: House, query: str) -> None:
    answer = await house.call("GET", f"/facilities?{query}")
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:bilty:problem:query"
