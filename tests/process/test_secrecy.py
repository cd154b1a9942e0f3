"""ClickPost's key is seen by ClickPost alone: not by logs, pages, answers, tables or any file of the data folder.

It travels in the URL, so the hosts of this test repeat the URL to us in every way a host can.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bilty import postgres
from bilty.shipping_provider import Connector
from bilty.store import access
from bilty.store.database import Pool
from bilty.store.secrets import Vault, kept_secret
from process.parrot import Parrot, parrot_listening
from process.programs import WITHIN_S, Program, Programs, free_port
from process.town import PROVIDER, QUICK, SPEED, Town, first_orders, town_at

PARTS = (secrets.token_hex(12), secrets.token_hex(12))
KEY = f'{PARTS[0]}/+ &"<{PARTS[1]}'
"""Either part is looked for, so that no way of writing the signs between them hides it."""
LABELS, LOOKED_AT_EVERY = 5, 3
USERNAME = f"desk-{secrets.token_hex(8)}"
PROVIDER_URL = f"/api/v1/shipping-providers/{PROVIDER.code}"


def leaks(text: bytes | str, *sought: str) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    return [each for each in sought or PARTS if each.encode() in content]


def files_with(folder: Path, *sought: str) -> list[str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [str(file.relative_to(folder)) for file in files if leaks(file.read_bytes(), *sought)]


async def tables_with(pool: Pool, *sought: str) -> list[str]:
    """By what the rows say: on the disk a long value may be packed."""
    tables = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = []
    for (table,) in tables:
        rows = await pool.fetchval(f"SELECT string_agg(to_jsonb(t)::text, ' ') FROM {table} t")
        if leaks(rows or "", *sought):
            found.append(table)
    return sorted(found)


BAD_CONNECTORS: list[dict[str, Any]] = [
    {"username": USERNAME, "key": KEY, "kye": KEY},
    {"username": [], "key": KEY},
    {"username": USERNAME, "key": [KEY]},
    {"username": USERNAME, "key": {KEY: KEY}},
    {"username": USERNAME, "key": KEY * 40},
    {"username": USERNAME, "key": KEY, "packslip_required": "perhaps"},
]


async def connect(api: httpx.AsyncClient) -> list[httpx.Response]:
    """Update Connector, after every wrong way to do it."""
    answers = [await api.put(f"{PROVIDER_URL}/connector", json=document) for document in BAD_CONNECTORS]
    assert {answer.status_code for answer in answers} <= {400, 422}
    broken = json.dumps({"username": USERNAME, "key": KEY})[:-1]
    json_type = {"Content-Type": "application/json"}
    answers.append(await api.put(f"{PROVIDER_URL}/connector", content=broken, headers=json_type))
    answers.append(await api.put(f"{PROVIDER_URL}/connector", content=broken))
    assert [answer.status_code for answer in answers[-2:]] == [400, 415]
    answers.append(await api.put(f"{PROVIDER_URL}/connector", json={"username": USERNAME, "key": KEY}))
    assert answers[-1].status_code == 200
    return answers


class Secrets:
    """One Bilty whose data folder is searched in the end."""

    def __init__(self, programs: Programs, data_dir: Path) -> None:
        self.programs, self.data_dir = programs, data_dir
        self.address = f"127.0.0.1:{free_port()}"
        self.seen: dict[str, bytes] = {}

    async def up(self, url: str) -> Program:
        own = {"BILTY_DATA_DIR": self.data_dir, "BILTY_LISTEN": self.address, "BILTY_CLICKPOST_URL": url}
        program = self.programs.bilty("up", settings={**own, **QUICK})
        await asyncio.to_thread(program.hear, "is up")
        return program

    def note(self, answer: httpx.Response) -> None:
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.seen[f"{answer.request.method} {answer.request.url} {len(self.seen)}"] = headers.encode() + answer.content

    async def look_at_everything(self, api: httpx.AsyncClient, ids: list[int]) -> None:
        """Every page and every answer, of the API's caller and of a person who has signed in."""
        shipments = "/api/v1/shipments"
        paths = ["/shipments", PROVIDER_URL, f"{PROVIDER_URL}/connector", "/api/v1/shipping-providers", shipments]
        paths += [f"{shipments}?limit=200", "/api/v1/openapi.json", "/healthz", "/readyz", "/no/such/page"]
        settings = "/settings/shipping-providers"
        paths += [settings, f"{settings}/{PROVIDER.code}", f"{settings}/{PROVIDER.code}/connector", "/settings/audit"]
        for each in ids[::LOOKED_AT_EVERY]:
            paths += [f"/shipments/{each}", f"{shipments}/{each}", f"{shipments}/{each}/timeline"]
            paths += [f"{shipments}/{each}/boxes", f"{shipments}/{each}/label.pdf"]
        for path in paths:
            self.note(await api.get(path))


@asynccontextmanager
async def signed_in(town: Town, address: str) -> AsyncIterator[httpx.AsyncClient]:
    """One that holds an API key and a session."""
    async with town.pool.acquire() as connection, connection.transaction():
        now = await connection.fetchval("SELECT now()")
        key = await access.add_key(connection, "test", access.Scope.ADMIN)
        token = await access.add_user(connection, "a@example.com", access.Role.ADMIN, now)
    bearer = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=f"http://{address}", headers=bearer, timeout=WITHIN_S) as client:
        answer = await client.post(f"/sign-in/{token}", headers={"Origin": f"http://{address}"})
        assert answer.status_code == 303
        yield client


async def test_the_key_is_nowhere(programs: Programs, data_dir: Path) -> None:
    bilty = Secrets(programs, data_dir)
    async with parrot_listening() as parrot:
        up = await bilty.up(parrot.url)
        with postgres.running(data_dir) as dsn:
            async with town_at(dsn, "") as town:
                await town.furnish(Vault(kept_secret(data_dir)), Connector(USERNAME, KEY))
                await among_parrots(bilty, town, parrot)
                assert up.end() == 0
                up = await among_couriers(bilty, town)
                await check_tables(town.pool)
            assert up.end() == 0
    check_what_was_shown(bilty)
    check_files(data_dir)


async def among_parrots(bilty: Secrets, town: Town, parrot: Parrot) -> None:
    async with signed_in(town, bilty.address) as api:
        await town.schedule(first_orders(10, bilty.data_dir / "orders.csv"))
        await asyncio.wait_for(parrot.all_said.wait(), WITHIN_S)
        assert [asked for asked in parrot.heard if not leaks(asked, PARTS[0])] == [], "what it repeats has the key"
        await ask_in_panel(bilty, town, api)
        await bilty.look_at_everything(api, town.ids)


async def ask_in_panel(bilty: Secrets, town: Town, api: httpx.AsyncClient) -> None:
    """Test connection, which a job does; what it was told is looked at on both pages that show it."""
    page = f"/settings/shipping-providers/{PROVIDER.code}"
    answer = await api.post(f"{page}/test", headers={"Origin": f"http://{bilty.address}"})
    assert answer.status_code == 303
    job_id = await town.pool.fetchval("SELECT max(id) FROM jobs")
    async with asyncio.timeout(WITHIN_S):
        while await town.pool.fetchval("SELECT ended_at IS NULL FROM jobs WHERE id = $1", job_id):
            pass
    for path in (answer.headers["location"], f"/jobs/{job_id}"):
        shown = await api.get(path)
        assert "ClickPost" in shown.text
        bilty.note(shown)


async def among_couriers(bilty: Secrets, town: Town) -> Program:
    """The same data with the sandbox, until labels came; and Update Connector, which a refused key waits for."""
    credentials = ("--username", USERNAME, "--key", KEY)
    _, town.url = bilty.programs.sandbox(*credentials, "--speed", str(SPEED), "--outage-every", "60")
    up = await bilty.up(town.url)
    async with signed_in(town, bilty.address) as api:
        for answer in await connect(api):
            bilty.note(answer)
        await town.pool.execute("UPDATE shipping_providers SET alarmed_at = NULL")
        await town.schedule(first_orders(25, bilty.data_dir / "orders.csv"))
        async with asyncio.timeout(WITHIN_S):
            while (await town.statuses())["label_ready"] < LABELS:
                await town.changed()
        await ask_in_panel(bilty, town, api)
        await bilty.look_at_everything(api, town.ids)
    return up


async def check_tables(pool: Pool) -> None:
    assert await tables_with(pool) == []
    # What the search does find, so that finding nothing means something.
    assert "shipping_providers" in await tables_with(pool, USERNAME)
    for repeated in ("courier got", "No /api", "while at", "in the works"):
        assert "exchanges" in await tables_with(pool, repeated)


def check_what_was_shown(bilty: Secrets) -> None:
    assert [name for name, content in bilty.seen.items() if leaks(content)] == []
    assert [name for name, content in bilty.seen.items() if leaks(content, USERNAME)], "the username is shown"
    logs = bilty.programs.complaints
    assert leaks(logs) == []
    assert '"event"' in logs, "something was logged"


def check_files(data_dir: Path) -> None:
    """The server has ended, and has written everything down."""
    assert files_with(data_dir) == []
    tables = [file for file in files_with(data_dir, USERNAME) if file.startswith("postgres/base/")]
    log = [file for file in files_with(data_dir, USERNAME) if file.startswith("postgres/pg_wal/")]
    assert tables, "the username stands in a table's file"
    assert log, "and in the write-ahead log"
    planted = data_dir / "postgres" / "planted"
    planted.write_bytes(b"\0" * 70_000 + PARTS[1].encode())
    assert files_with(data_dir) == ["postgres/planted"]


def test_what_holds_the_key_does_not_show_it() -> None:
    connector, vault = Connector(USERNAME, KEY), Vault(KEY)
    assert USERNAME in f"{connector}"
    assert leaks(f"{connector} {connector!r} {[connector]} {vault} {vault!r}") == []


def test_a_secret_of_another_is_said_without_either() -> None:
    sealed = Vault("one").seal(KEY)
    with pytest.raises(ValueError, match="another BILTY_SECRET_KEY") as raised:
        Vault(PARTS[0]).open(sealed)
    assert leaks(f"{raised.value!r} {raised.value.__cause__!r}") == []
