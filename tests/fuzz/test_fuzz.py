"""A minute of `./run fuzz`: the whole description against a real house, as each kind of caller, always the same way."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bilty.settings import Settings
from bilty.store.database import connect_pool
from conftest import new_database
from fuzz.driving import Caller, driven
from fuzz.ground import ADMIN, DISPATCH, NOBODY, ONE_FACILITY, READ, callers, furnish
from fuzz.plain import said_plainly, valid
from web.opening import opened_house

SEED = 26
PLAIN = ("examples", "fuzzing")


@dataclass(frozen=True, slots=True)
class Ground:
    url: str
    callers: dict[str, Caller]


@pytest.fixture(scope="module")
async def ground(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    dsn = await new_database(postgres_server)
    pool = await connect_pool(dsn)
    settings = Settings(key_requests_per_second=100_000)
    async with opened_house(pool, dsn, tmp_path_factory.mktemp("ground"), settings) as house:
        await furnish(house)
        yield Ground(house.url, await callers(house))
    await pool.close()


@pytest.mark.parametrize(
    ("who", "phases", "examples"),
    [
        (NOBODY, ("examples",), 1),
        (READ, ("examples",), 1),
        (ONE_FACILITY, ("examples", "stateful"), 3),
        (DISPATCH, PLAIN, 3),
        (ADMIN, PLAIN, 4),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_nothing_breaks_and_nothing_is_answered_that_is_not_described(
    ground: Ground, tmp_path: Path, who: str, phases: tuple[str, ...], examples: int
) -> None:
    run = await driven(
        ground.url,
        ground.callers[who],
        tmp_path / "run",
        seed=SEED,
        phases=phases,
        options=("--max-examples", str(examples)),
    )
    assert run.failures == [], run.output
    assert run.cases >= 20
    assert sum(run.seen.values()) >= 20
    if who == NOBODY:
        assert {status for _, status in run.seen} == {401}


async def test_a_key_that_is_told_of_another_facility_is_found_out(ground: Ground, tmp_path: Path) -> None:
    """An admin's, said to be of one: what it may see is then too much."""
    caller = replace(ground.callers[ADMIN], facility="PNQ-1")
    run = await driven(
        ground.url,
        caller,
        tmp_path / "run",
        seed=SEED,
        phases=("examples",),
        options=("--include-path-regex", "label|key|_id}$"),
    )
    assert "GET /api/v1/shipments/{shipment_id}" in [each for found in run.failures for each in found["operations"]]


LIAR = {
    "openapi": "3.1.0",
    "info": {"title": "A liar", "version": "1"},
    "paths": {"/thing": {"get": {"responses": {"200": {"description": "It is said to be well."}}}}},
}


async def answer_500(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asked = await reader.readuntil(b"\r\n\r\n")
    told, status = (json.dumps(LIAR).encode(), b"200 OK") if b"openapi.json" in asked else (b"", b"500 Broken")
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    writer.write(head % (status, len(told)) + told)
    await writer.drain()
    writer.close()


async def test_a_house_that_breaks_is_found_out(tmp_path: Path) -> None:
    async with await asyncio.start_server(answer_500, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        run = await driven(
            url, Caller(NOBODY, ""), tmp_path / "run", seed=SEED, phases=("fuzzing",), options=("--max-examples", "1")
        )
    assert "Server error" in {failure["title"] for failure in run.failures}


def test_the_second_reading_knows_good_from_bad() -> None:
    """What the description promises is read, and no more, counts as good."""
    invoice = {"$ref": "#/components/schemas/NewInvoice"}
    good = {"number": 7, "date": " 2026-11-20 ", "value": 23600.5, "igst": "", "ewaybill_number": "3310 0123 4567"}
    assert valid(said_plainly(good, invoice), invoice)
    for wrong in ({"number": True}, {"value": 23600.555}, {"date": ""}, {"ewaybill_number": "33"}, {"colour": "red"}):
        assert not valid(said_plainly({**good, **wrong}, invoice), invoice), wrong
