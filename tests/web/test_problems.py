"""Whatever goes wrong is told as problem details, and nothing internal with it."""

import pytest

from web.house import House, shipment

SECURITY = ("content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options")


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status"),
    [
        ("POST", "/shipments", b"{", "application/json", 400),
        ("POST", "/shipments", b"[" * 100_000, "application/json", 400),
        ("POST", "/shipments", b'"\xff"', "application/json", 400),
        ("POST", "/shipments", b"", "application/json", 400),
        ("POST", "/shipments", b"{}", "text/plain", 415),
        ("POST", "/shipments", b"{}", "", 415),
        ("POST", "/shipments", b"[]", "application/json", 422),
        ("POST", "/shipments", b"null", "application/json; charset=utf-8", 422),
        ("POST", "/shipments", b" " * (2 * 1024 * 1024 + 1), "application/json", 413),
        ("POST", "/shipments/1/schedules", b'{"courier":1}', "application/json", 422),
        ("DELETE", "/shipments", b"", "", 405),
        ("POST", "/key", b"", "", 405),
        ("GET", "/nothing/here", b"", "", 404),
        ("GET", "/", b"", "", 404),
        ("GET", "/shipments/abc", b"", "", 404),
        ("GET", "/shipments/1%00", b"", "", 404),
        ("GET", "/facilities/%00", b"", "", 404),
    ],
)
async def test_a_request_that_cannot_be_taken(
    furnished: House, method: str, path: str, body: bytes, kind: str, status: int
) -> None:
    headers = {"Authorization": f"Bearer {next(iter(furnished.keys.values()))}", "Content-Type": kind}
    answer = await furnished.api.request(method, f"/api/v1{path}", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail"} <= set(problem)
    assert problem["status"] == status
    for inner in ("Traceback", "litestar", "asyncpg", "msgspec", 'File "'):
        assert inner not in answer.text
    for header in SECURITY:
        assert header in answer.headers


async def test_a_database_that_is_away_is_said_so(furnished: House) -> None:
    await furnished.tools.pool.close()
    answer = await furnished.api.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    answer = await furnished.call("POST", "/shipments", shipment())
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:bilty:problem:database_away")


async def test_health_needs_no_key(house: House) -> None:
    assert (await house.api.get("/healthz")).json() == {"status": "ok"}
    assert (await house.api.get("/readyz")).json() == {"status": "ready"}
    await house.tools.pool.execute("DELETE FROM migrations")
    answer = await house.api.get("/readyz")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:bilty:problem:not_migrated")
