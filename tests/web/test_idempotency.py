"""`Idempotency-Key`: what was done is answered again as it was; nothing is done twice."""

import asyncio
from collections.abc import Mapping

import asyncpg
import httpx
import pytest

from bilty.store import idempotency
from bilty.store.access import Scope
from bilty.store.idempotency import ABANDONED_AFTER, KEPT
from bilty.store.secrets import Vault
from bilty.web.asking import WAIT_S_MAX
from web.house import RANKED, House, shipment

UUID = "8e03978e-40d5-43dd-bc93-6894a57f9324"
ITS_OWN = ("date", "idempotency-replayed")


async def post(
    house: House, document: object, key: str = UUID, scope: Scope = Scope.ADMIN, **headers: str
) -> httpx.Response:
    return await house.call("POST", "/shipments", document, scope=scope, Idempotency_Key=key, **headers)


def said(answer: httpx.Response) -> tuple[int, bytes, Mapping[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name not in ITS_OWN}
    return answer.status_code, answer.content, headers


async def ago(house: House, interval: str) -> None:
    await house.tools.pool.execute(f"UPDATE idempotency_keys SET began_at = began_at - interval '{interval}'")


async def test_what_was_answered_is_answered_again_whatever_came_of_it_since(furnished: House) -> None:
    first = await post(furnished, shipment(schedule=True), Prefer="wait=0")
    await furnished.hears(RANKED)
    await furnished.labels("AWB1")
    again = await post(furnished, shipment(schedule=True))
    assert said(again) == said(first)
    assert (first.status_code, first.headers["location"]) == (202, f"/api/v1/shipments/{first.json()['id']}")
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"


async def test_the_answer_is_kept_for_a_week(furnished: House) -> None:
    first = await post(furnished, shipment())
    await ago(furnished, "167 hours")
    assert said(await post(furnished, shipment())) == said(first)
    await ago(furnished, "2 hours")
    later = await post(furnished, shipment())
    assert "idempotency-replayed" not in later.headers
    assert (later.status_code, later.json()["id"]) == (200, first.json()["id"])


@pytest.mark.parametrize("path", ["/shipments", "/shipments?again=1", "/shipments/1/schedules"])
async def test_a_key_names_one_request(furnished: House, path: str) -> None:
    await post(furnished, shipment())
    document = shipment(order_number="another") if path == "/shipments" else shipment()
    answer = await furnished.call("POST", path, document, Idempotency_Key=UUID)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:bilty:problem:idempotency_key_reused")
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_each_api_key_has_keys_of_its_own(furnished: House) -> None:
    await post(furnished, shipment())
    answer = await furnished.call("POST", "/shipments", shipment(), scope=Scope.DISPATCH, Idempotency_Key=UUID)
    assert (answer.status_code, "idempotency-replayed" in answer.headers) == (200, False)


async def test_what_was_refused_may_be_put_right_under_its_key(furnished: House) -> None:
    assert (await post(furnished, shipment(facility="nowhere"))).status_code == 422
    assert (await post(furnished, shipment(number=""))).status_code == 422
    assert (await post(furnished, "nothing like it")).status_code == 422
    assert (await post(furnished, shipment())).status_code == 201


@pytest.mark.parametrize("key", ["", '"', '""', '"unclosed', 'a"b"\x7f', "x" * 256, "schlüssel".encode("latin-1")])
async def test_a_malformed_key_is_refused(furnished: House, key: str | bytes) -> None:
    token = await furnished.key(Scope.ADMIN)
    headers: list[tuple[bytes, bytes]] = [
        (b"Authorization", f"Bearer {token}".encode()),
        (b"Idempotency-Key", key.encode() if isinstance(key, str) else key),
    ]
    answer = await furnished.api.post("/api/v1/shipments", headers=headers, json=shipment())
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:bilty:problem:malformed_key")
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM shipments") == 0


async def test_two_keys_in_one_request_are_refused(furnished: House) -> None:
    headers = [("Authorization", f"Bearer {await furnished.key(Scope.ADMIN)}")] + [("Idempotency-Key", "a")] * 2
    assert (await furnished.api.post("/api/v1/shipments", headers=headers, json=shipment())).status_code == 400


async def test_quotation_marks_around_a_key_are_not_part_of_it(furnished: House) -> None:
    first = await post(furnished, shipment(), r'"a \"b\" \\"')
    assert (await post(furnished, shipment(), r'a "b" \ '.strip())).headers["idempotency-replayed"] == "true"
    assert first.status_code == 201


async def test_a_reader_does_not_come_as_far_as_a_key(furnished: House) -> None:
    answer = await furnished.call("POST", "/shipments", shipment(), scope=Scope.READ, Idempotency_Key=UUID)
    assert answer.status_code == 403
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM idempotency_keys") == 0


async def test_while_the_first_is_under_way_another_is_told_to_wait(furnished: House) -> None:
    async with furnished.tools.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE shipments IN EXCLUSIVE MODE")
        first = asyncio.create_task(post(furnished, shipment()))
        while not await furnished.tools.pool.fetchval("SELECT count(*) FROM idempotency_keys"):
            pass
        second = await post(furnished, shipment())
        other = await post(furnished, shipment(number="SO-2"))
    assert (second.status_code, second.json()["type"]) == (409, "urn:bilty:problem:in_progress")
    assert int(second.headers["retry-after"]) >= 1
    assert other.status_code == 422
    assert (await first).status_code == 201
    assert said(await post(furnished, shipment())) == said(await first)


async def test_what_a_dead_process_left_is_taken_over(furnished: House) -> None:
    """As if it had died between doing it and keeping the answer, and as if before doing it."""
    done = (await post(furnished, shipment())).json()["id"]
    await furnished.tools.pool.execute("UPDATE idempotency_keys SET answer = NULL")
    assert (await post(furnished, shipment())).status_code == 409
    await ago(furnished, "89 seconds")
    assert (await post(furnished, shipment())).status_code == 409
    await ago(furnished, "31 seconds")
    assert (await post(furnished, shipment(number="SO-2"))).status_code == 422
    answers = await asyncio.gather(*(post(furnished, shipment()) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {answer.json()["id"] for answer in answers if answer.status_code == 200} == {done}
    assert (await post(furnished, shipment())).headers["idempotency-replayed"] == "true"


async def test_who_was_given_up_neither_keeps_nor_frees(furnished: House) -> None:
    async with furnished.tools.pool.acquire() as connection:
        key_id = await connection.fetchval("SELECT id FROM api_keys")
        request, vault = idempotency.Repeatable(key_id, UUID, b"same"), furnished.tools.vault
        slow = await idempotency.begin(connection, request, vault)
        await ago(furnished, "2 minutes")
        second = await idempotency.begin(connection, request, vault)
        assert isinstance(slow, idempotency.Begun)
        assert isinstance(second, idempotency.Begun)
        old, new = (idempotency.Answered(201, [("location", where)], b"\x00\xff") for where in ("old", "new"))
        await idempotency.keep(connection, slow, old, vault)
        assert await idempotency.begin(connection, request, vault) == idempotency.UnderWay()
        await idempotency.keep(connection, second, new, vault)
        await idempotency.free(connection, slow)
        await idempotency.free(connection, second)
        assert await idempotency.begin(connection, request, vault) == new


async def test_a_request_is_over_before_it_is_given_up() -> None:
    assert ABANDONED_AFTER.total_seconds() > WAIT_S_MAX * 1.25


async def test_answers_are_sealed(furnished: House) -> None:
    await post(furnished, shipment())
    kept = await furnished.tools.pool.fetchval("SELECT answer FROM idempotency_keys")
    assert b"Sahyadri" not in kept
    assert "Sahyadri" not in kept.decode("latin-1")
    assert "/api/v1/shipments/1" in furnished.tools.vault.open(kept)


async def test_an_answer_sealed_with_another_key_is_as_good_as_none(furnished: House) -> None:
    """What was done is safe to repeat: nobody waits a week for an answer that nobody can open."""
    first = await post(furnished, shipment())
    other = Vault("another BILTY_SECRET_KEY").seal("{}")
    await furnished.tools.pool.execute("UPDATE idempotency_keys SET answer = $1", other)
    assert (await post(furnished, shipment(order_number="another"))).status_code == 422
    again = await post(furnished, shipment())
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert "idempotency-replayed" not in again.headers
    assert said(await post(furnished, shipment())) == said(again)


async def test_one_alone_takes_over_an_answer_that_cannot_be_read(furnished: House) -> None:
    async with furnished.tools.pool.acquire() as connection:
        key_id, vault = await connection.fetchval("SELECT id FROM api_keys"), furnished.tools.vault
        request = idempotency.Repeatable(key_id, UUID, b"same")
        begun = await idempotency.begin(connection, request, vault)
        assert isinstance(begun, idempotency.Begun)
        await idempotency.keep(connection, begun, idempotency.Answered(200, [], b""), Vault("another"))

    async def take() -> object:
        async with furnished.tools.pool.acquire() as connection:
            return await idempotency.begin(connection, request, vault)

    found = await asyncio.gather(*(take() for _ in range(6)))
    assert sorted(type(each).__name__ for each in found) == ["Begun"] + ["UnderWay"] * 5


async def blocked(house: House) -> None:
    """Until a statement waits for a lock on what is kept of keys."""
    sql = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                AND query LIKE '%idempotency_keys%'"""
    while not await house.tools.pool.fetchval(sql):
        pass


async def test_a_key_that_is_revoked_behind_its_guard_is_unknown(furnished: House) -> None:
    async with furnished.tools.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("LOCK TABLE idempotency_keys IN EXCLUSIVE MODE")
            late = asyncio.create_task(post(furnished, shipment()))
            await blocked(furnished)
            await connection.execute("DELETE FROM api_keys")
        answer = await late
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:bilty:problem:unknown_key")
    assert "www-authenticate" in answer.headers
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM shipments") == 0


async def test_of_two_who_take_over_what_is_too_old_one_is_not_told_the_old_answer(furnished: House) -> None:
    pool, vault = furnished.tools.pool, furnished.tools.vault
    request = idempotency.Repeatable(await pool.fetchval("SELECT id FROM api_keys"), UUID, b"same")
    async with pool.acquire() as first, pool.acquire() as second:
        begun = await idempotency.begin(first, request, vault)
        assert isinstance(begun, idempotency.Begun)
        await idempotency.keep(first, begun, idempotency.Answered(200, [], b"old"), vault)
        await ago(furnished, "8 days")
        async with first.transaction():
            assert isinstance(await idempotency.begin(first, request, vault), idempotency.Begun)
            beside = asyncio.create_task(idempotency.begin(second, request, vault))
            await blocked(furnished)
        assert await beside == idempotency.UnderWay()


async def test_without_the_header_nothing_is_written(furnished: House) -> None:
    await furnished.takes_in()
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM idempotency_keys") == 0


async def test_old_ones_are_dropped(furnished: House) -> None:
    await post(furnished, shipment(), "old")
    await ago(furnished, "8 days")
    await post(furnished, shipment(), "new")
    async with furnished.tools.pool.acquire() as connection:
        assert await idempotency.drop_old(connection, await furnished.now()) == 1
        assert await connection.fetchval("SELECT key FROM idempotency_keys") == "new"
        assert await idempotency.drop_old(connection, await furnished.now() + KEPT / 2) == 0


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(furnished: House, dsn: str) -> None:
    """Whatever is in the way: what was done is done."""
    keeper = await asyncpg.connect(dsn)
    first = asyncio.create_task(post(furnished, shipment(schedule=True), Prefer="wait=60"))
    while not await keeper.fetchval("SELECT count(*) FROM turns"):
        pass
    await keeper.execute("ALTER TABLE idempotency_keys ADD CHECK (answer IS NULL) NOT VALID")
    await furnished.hears(RANKED)
    await furnished.labels("AWB1")
    answer = await first
    await keeper.close()
    assert (answer.status_code, answer.json()["awb"]) == (200, "AWB1")
