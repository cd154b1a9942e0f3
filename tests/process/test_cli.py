"""The command as people type it: what it prints, where it ends, and that trouble is one sentence and no trace."""

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import httpx
import pytest

from bilty.store.database import Pool
from bilty.store.secrets import Vault, kept_secret
from process.old_postgres import old_postgres
from process.programs import Program, Programs, free_port
from process.town import EXAMPLES, Town

NO_SERVER = "postgresql://bilty:p4ssw0rd@127.0.0.1:1/bilty"
UP_WITHIN_S = 5
"""The promise is 2 s on an ordinary machine; the measured value is in the report."""


class Desk:
    """Commands of one Bilty on the test's own database."""

    def __init__(self, programs: Programs, data_dir: Path, dsn: str) -> None:
        self.programs = programs
        self.settings = {"BILTY_DATA_DIR": data_dir, "BILTY_DATABASE_URL": dsn}

    def bilty(self, *arguments: str, **settings: object) -> Program:
        return self.programs.bilty(*arguments, settings={**self.settings, **settings})

    async def run(self, *arguments: str, **settings: object) -> tuple[int, str, str]:
        """Exit code, what it printed and what it complained of."""
        program = self.bilty(*arguments, **settings)
        return await asyncio.to_thread(program.wait), program.said, program.complained


@pytest.fixture
def desk(programs: Programs, data_dir: Path, dsn: str) -> Desk:
    return Desk(programs, data_dir, dsn)


@pytest.fixture
async def furnished(desk: Desk, pool: Pool, data_dir: Path) -> Desk:
    await Town(pool, "").furnish(Vault(kept_secret(data_dir)))
    return desk


async def count(pool: Pool, table: str) -> int:
    return int(await pool.fetchval(f"SELECT count(*) FROM {table}"))


# What is printed


async def test_a_key_stands_alone_on_the_last_line_and_opens_the_api_and_a_link_the_panel(
    desk: Desk, pool: Pool
) -> None:
    address = f"127.0.0.1:{free_port()}"
    code, said, complained = await desk.run("key", "add", "oms", "--scope", "admin")
    key = said.splitlines()[-1]
    assert (code, complained) == (0, "")
    assert re.fullmatch(r"bilty_[\w-]{27}", key)
    code, said, complained = await desk.run("user", "add", "Asha@Example.com", BILTY_LISTEN=address)
    link = said.splitlines()[-1]
    assert (code, complained) == (0, "")
    assert link.startswith(f"http://{address}/sign-in/")

    web = desk.bilty("web", BILTY_LISTEN=address)
    await asyncio.to_thread(web.hear, f"is up, listening on http://{address}\n")
    async with httpx.AsyncClient(base_url=f"http://{address}") as api:
        shipments = "/api/v1/shipments"
        assert (await api.get(shipments)).status_code == 401
        assert (await api.get(shipments, headers={"Authorization": f"Bearer {key}x"})).status_code == 401
        assert (await api.get(shipments, headers={"Authorization": f"Bearer {key}"})).json()["items"] == []
        assert (await api.post(link, headers={"Origin": f"http://{address}"})).status_code == 303
        assert (await api.get("/shipments")).status_code == 200
    assert web.end() == 0
    rows = await pool.fetch("SELECT email, role FROM users")
    assert [(row["email"], row["role"]) for row in rows] == [("asha@example.com", "admin")]


NOBODY = r"Nobody can sign in yet\. This link, good once, makes you the first admin: http://\S+(/sign-in/\S+)\n"


async def test_while_there_is_no_user_a_link_for_the_first_admin_is_told(desk: Desk, pool: Pool) -> None:
    address = f"127.0.0.1:{free_port()}"
    origin, password = f"http://{address}", "nine bales to Hubli"
    web = desk.bilty("web", BILTY_LISTEN=address)
    await asyncio.to_thread(web.hear, "is up")
    [link] = re.findall(NOBODY, web.complained)
    async with httpx.AsyncClient(base_url=origin, headers={"Origin": origin}) as browser:
        assert (await browser.get(link)).status_code == 200
        fields = {"email": "asha@example.com", "password": password, "again": password}
        assert (await browser.post(link, data=fields)).status_code == 303
        added = await browser.post("/settings/users", data={"email": "b@c.d", "role": "viewer", "works_for": "all"})
        made = await browser.post("/settings/api-keys", data={"name": "oms", "scope": "read"})
        shown = re.findall(r"<code>(?:http://\S+/sign-in/)?(\S+)</code>", added.text + made.text)
        await browser.get(f"/sign-in/{shown[0]}")
        await browser.get("/api/v1/key", headers={"Authorization": f"Bearer {shown[1]}"})
        await browser.post("/sign-in", data={"email": "asha@example.com", "password": f"{password}!"})
    assert web.end() == 0
    logged = (web.said + web.complained).replace(link, "")
    assert [secret for secret in (password, link.rpartition("/")[2], *shown) if secret in logged] == []
    again = desk.bilty("web", BILTY_LISTEN=address)
    await asyncio.to_thread(again.hear, "is up")
    assert again.end() == 0
    assert "Nobody can sign in" not in again.complained
    rows = await pool.fetch("SELECT email, role FROM users")
    assert sorted(tuple(row) for row in rows) == [("asha@example.com", "admin"), ("b@c.d", "viewer")]


async def test_a_user_is_added_for_some_facilities_and_the_last_admin_stays(furnished: Desk, pool: Pool) -> None:
    codes = [row["code"] for row in await pool.fetch("SELECT code FROM facilities ORDER BY code")][:2]
    chosen = [part for code in codes for part in ("--facility", code)]
    code, said, complained = await furnished.run("user", "add", "bina@example.com", "--role", "dispatcher", *chosen)
    assert (code, complained) == (0, "")
    [link] = said.splitlines()
    assert "/sign-in/" in link
    rows = await pool.fetch("SELECT f.code FROM user_facilities u JOIN facilities f ON f.id = u.facility_id")
    assert sorted(row["code"] for row in rows) == codes
    code, said, complained = await furnished.run("user", "add", "bina@example.com", "--facility", "NOWHERE-9")
    assert (code, said) == (1, "")
    assert complained.startswith("There is no facility NOWHERE-9: give one of ")
    await furnished.run("user", "add", "asha@example.com")
    code, said, complained = await furnished.run("user", "add", "asha@example.com", "--role", "viewer")
    assert (code, said) == (1, "")
    assert complained == "asha@example.com is the last admin of all facilities: make somebody else one first.\n"
    actors = await pool.fetch("SELECT DISTINCT actor_kind, actor FROM audit")
    assert [tuple(row) for row in actors] == [("command", "bilty")]


async def test_a_key_is_added_for_some_facilities_and_a_time_and_revoked_by_its_name(
    furnished: Desk, pool: Pool
) -> None:
    codes = [row["code"] for row in await pool.fetch("SELECT code FROM facilities ORDER BY code")][:2]
    chosen = [part for code in codes for part in ("--facility", code)]
    code, said, complained = await furnished.run("key", "add", "oms", *chosen, "--expires", "2090-01-31")
    assert (code, complained) == (0, "")
    first, key = said.splitlines()
    assert first == (
        f"A key for oms, scope dispatch, for {codes[0]}, {codes[1]}, good until 2090-01-31. It is shown this once:"
    )
    row = await pool.fetchrow("SELECT after::text FROM audit WHERE action = 'API key added'")
    assert row is not None
    assert json.loads(row[0]) == {
        "scope": "dispatch",
        "begins with": key[:10],
        "facilities": codes,
        "expires": "2090-01-31",
    }
    code, said, complained = await furnished.run("key", "add", "oms", "--facility", "NOWHERE-9", "--expires", "soon")
    assert (code, said) == (1, "")
    taken, unknown, late = complained.splitlines()
    assert taken == 'Name "oms" is another key\'s: choose another, or revoke that first.'
    assert unknown.startswith('Facility "NOWHERE-9" is not known: give the code of one')
    assert late.startswith('Expires is "soon": give the last day on which the key is good, from ')
    assert await furnished.run("key", "revoke", "oms") == (0, "1 key of oms revoked.\n", "")
    code, said, complained = await furnished.run("key", "revoke", "oms")
    assert (code, said) == (1, "")
    assert complained.startswith("There is no API key oms: ")
    assert await count(pool, "api_keys") == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["key", "add", "oms", "--scope", "root"], "--scope root is not known: give read, dispatch or admin."),
        (["user", "add", "a@b.c", "--role", "boss"], "--role boss is not known: give admin, dispatcher or viewer."),
        (["user", "add", "asha"], "asha is not an e-mail address: give one like asha@example.com."),
    ],
)
def test_what_is_not_known_is_said_before_anything_is_opened(
    programs: Programs, arguments: list[str], sentence: str
) -> None:
    program = programs.bilty(*arguments, settings={"BILTY_DATABASE_URL": NO_SERVER})
    assert (program.wait(), program.said, program.complained) == (1, "", f"{sentence}\n")


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("BILTY_LISTEM", "127.0.0.1:1", "no such setting. `bilty settings` lists them."),
        ("BILTY_LISTEN", "8080", "give ADDRESS:PORT"),
        ("BILTY_POLLS_MAX", "six", "valid integer"),
        ("BILTY_CALLS_MAX", "0", "greater than or equal to 1"),
        ("BILTY_CLICKPOST_URL", "clickpost.in", "that begins with http://"),
        ("BILTY_EWAYBILL_MISSING", "panic", "'hold' or 'send'"),
        ("BILTY_SECRET_KEY_FILE", "/no/such/file", "Name a readable file."),
    ],
)
def test_a_setting_that_cannot_be_understood_stops_the_program(
    programs: Programs, data_dir: Path, variable: str, value: str, remedy: str
) -> None:
    program = programs.bilty("up", settings={"BILTY_DATA_DIR": data_dir, variable: value})
    assert (program.wait(), program.said) == (1, "")
    (line,) = program.complained.splitlines()
    assert line.startswith(variable)
    assert remedy in line
    assert not data_dir.exists(), "nothing was begun"


# What stands in the way


async def test_a_busy_port(desk: Desk, programs: Programs) -> None:
    _, taken = programs.sandbox()
    address = taken.removeprefix("http://").removesuffix("/api")
    for command in ("up", "web"):
        code, said, complained = await desk.run(command, BILTY_LISTEN=address)
        assert (code, said) == (1, "")
        assert complained.splitlines()[-1] == (
            f"Cannot listen on {address} (Address already in use). "
            "Stop what listens there, or name another address in BILTY_LISTEN."
        )
        assert "Traceback" not in complained


@pytest.mark.parametrize("command", [["up"], ["work"], ["migrate"], ["key", "add", "oms"], ["import", "orders.csv"]])
def test_a_database_that_cannot_be_reached(programs: Programs, data_dir: Path, command: list[str]) -> None:
    (programs.folder / "orders.csv").touch()
    program = programs.bilty(*command, settings={"BILTY_DATA_DIR": data_dir, "BILTY_DATABASE_URL": NO_SERVER})
    assert program.wait() == 1
    (line,) = program.complained.splitlines()
    assert line.startswith("PostgreSQL cannot be reached (")
    assert line.endswith("what BILTY_DATABASE_URL says, or leave that out to use Bilty's own.")
    assert "p4ssw0rd" not in line


@pytest.mark.parametrize(
    "url", ["bilty", "postgresql://127.0.0.1:http/x", "mysql://127.0.0.1/x", "postgresql://bilty:p4ss/w0rd@[::1]/x"]
)
def test_a_database_url_that_is_none(programs: Programs, data_dir: Path, url: str) -> None:
    program = programs.bilty("migrate", settings={"BILTY_DATA_DIR": data_dir, "BILTY_DATABASE_URL": url})
    assert program.wait() == 1
    (line,) = program.complained.splitlines()
    assert "BILTY_DATABASE_URL" in line
    assert "p4ss" not in line


async def test_a_database_user_who_may_not_make_tables(desk: Desk, postgres_server: str, dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE ROLE poor LOGIN")
    await connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")  # as it is in a new database
    try:
        code, said, complained = await desk.run("migrate", BILTY_DATABASE_URL=dsn.replace("bilty@", "poor@"))
    finally:
        await connection.execute("DROP ROLE poor")
        await connection.close()
    assert (code, said) == (1, "")
    assert complained == (
        "PostgreSQL does not let Bilty make its tables (permission denied for schema public). "
        "Let the user that BILTY_DATABASE_URL names own its database, then start again.\n"
    )


async def test_a_postgres_that_is_too_old(desk: Desk) -> None:
    async with old_postgres("14.19") as dsn:
        code, said, complained = await desk.run("migrate", BILTY_DATABASE_URL=dsn)
    assert (code, said) == (1, "")
    (line,) = complained.splitlines()
    assert line.startswith("PostgreSQL 15 or newer is needed; this one is 14. ")
    assert line.endswith("Leave BILTY_DATABASE_URL out to use Bilty's own.")


# Importing


async def test_ten_faults_are_told_with_line_field_value_and_remedy(furnished: Desk, pool: Pool) -> None:
    file = str(EXAMPLES / "orders-with-faults.csv")
    code, said, _ = await furnished.run("import", file)
    assert code == 1
    *faults, total = [line for line in said.splitlines() if not line.startswith("warning")]
    assert total == "3 taken in, 0 there already, 0 of the new on hold, 0 scheduled, 10 faults"
    told = [re.fullmatch(r"line (\d+), (\w+): (.+)", fault) for fault in faults]
    assert [(int(found[1]), found[2]) for found in told if found] == [
        (3, "consignee_pincode"),
        (4, "consignee_gstin"),
        (5, "consignee_phone"),
        (6, "weight_g"),
        (7, "invoice_value"),
        (9, "payment_mode"),
        (10, "invoice_date"),
        (11, "cod_amount"),
        (14, "consignee_city"),
        (15, "consignee_email"),
    ]
    values = (
        "012345",
        "27ZZFFJ9083D1ZA",
        "98765",
        "0",
        "1,25,000",
        "to_pay",
        "07/15/2026",
        "cod",
        "Agra",
        "stores at ",
    )
    assert [fault for fault, value in zip(faults, values, strict=True) if value not in fault] == []
    numbers = [row["number"] for row in await pool.fetch("SELECT number FROM shipments ORDER BY number")]
    assert numbers == ["SO-30001", "SO-30007", "SO-30011"]


async def test_all_or_nothing_takes_nothing(furnished: Desk, pool: Pool) -> None:
    file = str(EXAMPLES / "orders-with-faults.csv")
    code, said, _ = await furnished.run("import", file, "--all-or-nothing")
    assert code == 1
    assert said.splitlines()[-1].startswith("0 taken in, 0 there already")
    assert await count(pool, "shipments") == 0


async def test_the_same_file_twice_changes_nothing(furnished: Desk, pool: Pool) -> None:
    file = str(EXAMPLES / "orders.csv")
    code, said, _ = await furnished.run("import", file, "--schedule")
    assert (code, said.splitlines()[-1].partition(",")[0]) == (0, "60 taken in")
    before = [await count(pool, table) for table in ("shipments", "shipment_versions", "boxes", "turns", "timeline")]
    code, said, _ = await furnished.run("import", file, "--schedule")
    assert (code, said.splitlines()[-1].rpartition(", 0 faults")[0]) == (
        0,
        "0 taken in, 60 there already, 0 of the new on hold, 60 scheduled",
    )
    assert before == [
        await count(pool, table) for table in ("shipments", "shipment_versions", "boxes", "turns", "timeline")
    ]


# How soon


async def test_up_answers_soon(
    programs: Programs,
    data_dir: Path,
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With a server of its own that is down and a database that is there: a restart."""
    address = f"127.0.0.1:{free_port()}"
    settings = {"BILTY_DATA_DIR": data_dir, "BILTY_LISTEN": address}
    assert programs.bilty("migrate", settings=settings).wait() == 0
    began = time.monotonic()
    up = programs.bilty("up", settings=settings)
    up.hear("is up")
    async with httpx.AsyncClient(base_url=f"http://{address}") as api:
        answer = await api.get("/healthz")
        seconds = time.monotonic() - began
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert (await api.get("/readyz")).status_code == 200
    record_property("seconds_to_healthz", seconds)
    with capsys.disabled():
        sys.stdout.write(f"\n`bilty up` answered /healthz after {seconds:.2f} s\n")
    assert seconds < UP_WITHIN_S
    assert up.end() == 0
