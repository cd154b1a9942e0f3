"""Fifty at once who say the same: one shipment, one booking at ClickPost, and an answer for each of them."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from bilty.store import access
from bilty.store.access import Scope
from bilty.store.secrets import Vault
from process.programs import WITHIN_S, Programs, free_port
from process.town import QUICK, SPEED, town_at
from web.house import shipment

MANY, WEBS = 50, 2
SECRET = "of these processes"
ORDER = shipment(number="SO-1", schedule=True)
WAIT = {"Prefer": "wait=60"}
ONE_KEY = {"Idempotency-Key": "3f2b6c1e-the-same"}


async def _up(programs: Programs, data_dir: Path, dsn: str, url: str) -> str:
    listen = f"127.0.0.1:{free_port()}"
    own = {"BILTY_DATABASE_URL": dsn, "BILTY_DATA_DIR": data_dir, "BILTY_LISTEN": listen, "BILTY_CLICKPOST_URL": url}
    program = programs.bilty("up", settings={**own, **QUICK, "BILTY_SECRET_KEY": SECRET})
    await asyncio.to_thread(program.hear, "is up")
    return f"http://{listen}/api/v1/shipments"


@pytest.mark.parametrize("headers", [{}, ONE_KEY], ids=["without a key", "under one key"])
async def test_fifty_at_once_are_one_booking(
    programs: Programs, data_dir: Path, dsn: str, headers: Mapping[str, str]
) -> None:
    _, url = programs.sandbox("--speed", str(SPEED), "--mischief", "off")
    webs = [await _up(programs, data_dir, dsn, url) for _ in range(WEBS)]
    async with town_at(dsn, url) as town:
        await town.furnish(Vault(SECRET))
        async with town.pool.acquire() as connection:
            key = await access.add_key(connection, "order system", Scope.DISPATCH)
        limits, own = httpx.Limits(max_connections=MANY), {"Authorization": f"Bearer {key}", **headers, **WAIT}
        async with httpx.AsyncClient(timeout=WITHIN_S, limits=limits, headers=own) as api:
            first, again = [await _all(api, webs), await _all(api, webs)]
        town.ids = [int(again[0].json()["id"])]
        truth = await town.rest()
        await town.check(truth)
        assert len(truth.bookings) == 1
        assert await town.pool.fetchval("SELECT count(*) FROM shipments") == 1
        assert await town.pool.fetchval("SELECT count(*) FROM turns WHERE priority > 0") == 1
    under_way = [answer for answer in first if answer.status_code == 409]
    done = [answer for answer in first if answer.status_code != 409]
    assert {answer.json()["id"] for answer in [*done, *again]} == set(town.ids)
    if headers:
        assert {answer.json()["type"] for answer in under_way} <= {"urn:bilty:problem:in_progress"}
        assert len({(answer.status_code, answer.content) for answer in [*done, *again]}) == 1
        assert {answer.headers.get("idempotency-replayed") for answer in again} == {"true"}
        assert [answer.headers.get("idempotency-replayed") for answer in done].count(None) == 1
    else:
        assert {answer.status_code for answer in [*first, *again]} == {200}


async def _all(api: httpx.AsyncClient, webs: list[str]) -> list[httpx.Response]:
    return await asyncio.gather(*(api.post(webs[n % len(webs)], json=ORDER) for n in range(MANY)))
