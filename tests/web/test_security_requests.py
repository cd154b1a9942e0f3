"""Requests that are made to harm: to take all the time there is, to be taken for others, to see more than is shown."""

import gzip
from time import process_time

import pytest

from bilty.store.access import Role
from bilty.web.asking import BODY_BYTES_MAX
from bilty.web.forms import FIELDS_MAX, STRANGERS_BYTES_MAX
from bilty.web.headers import POLICY
from web.house import House
from web.page import check_page

URLENCODED = "application/x-www-form-urlencoded"
FORMS = {
    "of blank fields": b"a&" * 1_000_000,
    "of one name": b"a=1&" * 500_000,
    "of half a sign each": b"%" * 2_000_000,
}


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/a-token"])
async def test_a_strangers_form_takes_no_time(house: House, path: str, body: bytes) -> None:
    """To take two megabytes of fields apart is a second's work, in which nobody else is served."""
    began = process_time()
    answer = await house.browser.post(path, content=body, headers={"Origin": house.url, "Content-Type": URLENCODED})
    assert answer.status_code == 413
    assert f"{STRANGERS_BYTES_MAX:,} are the most" in answer.text
    assert process_time() - began < 0.3
    check_page(answer)


async def test_a_form_of_too_many_fields_is_not_taken_apart(furnished: House) -> None:
    await furnished.sign_in()
    headers = {"Origin": furnished.url, "Content-Type": URLENCODED}
    began = process_time()
    answer = await furnished.browser.post("/jobs", content=b"a&" * (BODY_BYTES_MAX // 2 - 1), headers=headers)
    assert answer.status_code == 413
    assert f"{FIELDS_MAX} are the most" in answer.text
    assert process_time() - began < 0.3


async def test_a_packed_body_is_not_unpacked(furnished: House) -> None:
    packed = gzip.compress(b'{"a":"' + b"x" * 50_000_000 + b'"}')
    assert len(packed) < BODY_BYTES_MAX
    headers = {"Authorization": f"Bearer {await furnished.key_of()}", "Content-Encoding": "gzip"}
    headers["Content-Type"] = "application/json"
    began = process_time()
    answer = await furnished.api.post("/api/v1/shipments", content=packed, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:bilty:problem:not_json")
    assert process_time() - began < 0.3


@pytest.mark.parametrize("path", ["/static/..%2f..%2fapp.py", "/static/%2e%2e/%2e%2e/app.py", "/static//etc/passwd"])
async def test_nothing_beside_the_static_files_is_handed_out(house: House, path: str) -> None:
    answer = await house.browser.get(path)
    assert answer.status_code == 404
    assert "make_app" not in answer.text
    assert "root:" not in answer.text


async def test_a_cookie_that_somebody_else_has_set_is_nobodys_session(house: House) -> None:
    """Who plants a cookie knows what it holds: it must be no session, neither before its owner signs in nor after."""
    link = await house.sign_in_link()
    house.browser.cookies.set("bilty", "known-to-a-thief")
    assert (await house.browser.get("/shipments")).headers["location"].startswith("/sign-in")
    assert (await house.send_form(link)).status_code == 303
    house.browser.cookies.clear()
    house.browser.cookies.set("bilty", "known-to-a-thief")
    assert (await house.browser.get("/shipments")).headers["location"].startswith("/sign-in")


async def test_the_cookie_is_for_no_script_and_no_other_site(house: House) -> None:
    told = (await house.send_form(await house.sign_in_link())).headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=lax" in told
    assert "domain=" not in told


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sign-in", 200),
        ("GET", "/", 303),
        ("GET", "/nothing", 404),
        ("DELETE", "/shipments", 405),
        ("POST", "/sign-in", 403),
        ("GET", "/static/bilty.css", 200),
        ("GET", "/api/v1/openapi.json", 200),
        ("GET", "/api/v1/shipments", 401),
        ("GET", "/healthz", 200),
        ("GET", "/labels/none", 404),
        ("POST", "/uniware/waybill", 401),
    ],
)
async def test_every_answer_carries_the_policy(house: House, method: str, path: str, status: int) -> None:
    answer = await house.browser.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


async def test_a_fault_of_our_own_is_told_without_detail(furnished: House) -> None:
    """The table that is gone stands for whatever we have overlooked."""
    await furnished.sign_in(role=Role.ADMIN)
    key = await furnished.key_of()
    await furnished.tools.pool.execute("ALTER TABLE shipping_providers RENAME TO gone")
    page = await furnished.browser.get("/settings/shipping-providers")
    document = await furnished.api.get("/api/v1/shipping-providers", headers={"Authorization": f"Bearer {key}"})
    for answer in (page, document):
        assert answer.status_code == 500
        assert "has logged why" in answer.text
        for inner in ("shipping_providers", "relation", "asyncpg", "Traceback", "select", "SELECT", ".py"):
            assert inner not in answer.text.replace("/api/v1/shipping-providers", "")


@pytest.mark.parametrize("number", ['a"; x="b', "a\r\nSet-Cookie: x=y", "दुकान-1", "=1+1", "a;b"])
async def test_no_number_breaks_out_of_a_header(furnished: House, number: str) -> None:
    """A label's file is named after it."""
    answer = await furnished.call("POST", "/shipments", {"number": number})
    assert answer.status_code == 422
    assert any(fault["field"] == "number" for fault in answer.json()["errors"])


@pytest.mark.parametrize("query", ["?x=%0d%0aSet-Cookie:a=b", "%0d%0aSet-Cookie:a=b"])
async def test_no_address_writes_a_header(house: House, query: str) -> None:
    for path in ("/sign-in", "/shipments"):
        answer = await house.browser.get(f"{path}{query}")
        assert "set-cookie" not in answer.headers
        assert "\n" not in answer.headers.get("location", "")
